using System.Diagnostics;

namespace RewardModel.Tests.Files;

/// <summary>A small disk in memory (tmpfs), of which Linux lets those make one who may mount.</summary>
internal sealed class OwnDisk : IDisposable
{
    private readonly string directory;

    private OwnDisk(string directory) => this.directory = directory;

    /// <summary>Mounts one on an empty directory; null where that is not allowed.</summary>
    public static OwnDisk? Mount(string directory, int kilobytes) =>
        OperatingSystem.IsLinux() && Run("mount", "-t", "tmpfs", "-o", $"size={kilobytes}k", "none", directory) == 0 ? new OwnDisk(directory) : null;

    /// <summary>Gives it another size, which keeps what is on it.</summary>
    public void Resize(int kilobytes) => Assert.Equal(0, Run("mount", "-o", $"remount,size={kilobytes}k", directory));

    public void Dispose() => Run("umount", "-l", directory);

    private static int Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1;
        }
    }
}

/// <summary>A fact that needs a disk of its own.</summary>
internal sealed class OwnDiskFactAttribute : FactAttribute
{
    private static readonly Lazy<bool> isAllowed = new(() =>
    {
        using var directory = new TemporaryDirectory();
        using var disk = OwnDisk.Mount(directory.Path, kilobytes: 64);
        return disk is not null;
    });

    public OwnDiskFactAttribute() => Skip = isAllowed.Value ? null! : "no disk can be mounted here (needs Linux and root)";
}
