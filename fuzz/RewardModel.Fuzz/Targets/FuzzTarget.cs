using RewardModel.Fuzz.Mutation;

namespace RewardModel.Fuzz.Targets;

/// <summary>Something that reads what strangers may have written.</summary>
/// <param name="Name">Its name, fit for a file.</param>
/// <param name="Seeds">Inputs that are right, or nearly, to begin with.</param>
/// <param name="Mutation">How others are made of them.</param>
/// <param name="Run">Reads an input. The folder is the target's own; what is in it is of the input before.</param>
/// <param name="Documented">What it may throw.</param>
internal sealed record FuzzTarget(
    string Name, IReadOnlyList<byte[]> Seeds, IMutation Mutation, Action<byte[], string> Run, params IReadOnlyList<Type> Documented)
{
    /// <summary>Longer inputs are cut: they take time, and find nothing that shorter ones don't.</summary>
    public const int MaxInputBytes = 1 << 15;

    /// <summary>Another input.</summary>
    /// <param name="input">Is changed.</param>
    /// <param name="other">Parts of it may be taken.</param>
    /// <param name="random">Decides how.</param>
    public byte[] Next(byte[] input, byte[] other, FuzzRandom random)
    {
        var next = Mutation.Apply(input, other, random);
        return next.Length > MaxInputBytes ? next[..MaxInputBytes] : next;
    }

    /// <summary>Reads an input.</summary>
    /// <returns>What it threw that is not documented; null where all is well.</returns>
    public Exception? FindingOf(byte[] input, string folder)
    {
        try
        {
            Run(input, folder);
            return null;
        }
        catch (Exception exception)
        {
            return Documented.Any(type => type.IsInstanceOfType(exception)) ? null : exception;
        }
    }
}
