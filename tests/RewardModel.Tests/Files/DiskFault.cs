using RewardModel.Files;

namespace RewardModel.Tests.Files;

/// <summary>Fails one operation of a disk, or it and all later ones.</summary>
/// <param name="number">Which, counted from 0.</param>
/// <param name="fault">What it throws.</param>
/// <param name="lasts">Whether later operations fail as well, as when the process is gone or the disk is full.</param>
internal sealed class DiskFault(int number, Func<Exception> fault, bool lasts) : DiskProbe
{
    private int count;

    /// <summary>How many operations were asked for.</summary>
    public int Count => count;

    public override void Before(DiskOperation operation, string path, string? target = null)
    {
        var place = Interlocked.Increment(ref count) - 1;
        // What is full still deletes.
        var isFreeing = operation is DiskOperation.Delete or DiskOperation.DeleteDirectory;
        if (place == number || (lasts && place > number && (!isFreeing || fault() is Killed)))
            throw fault();
    }

    /// <summary>The process is gone: nothing after it happens.</summary>
    public sealed class Killed() : Exception("killed");
}
