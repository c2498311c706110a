using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace RewardModel.Kernels;

/// <summary>A file in memory that has no name in any folder: nobody else can change it, and nothing of it stays. Linux only.</summary>
internal sealed partial class MemoryFile : IDisposable
{
    private readonly SafeFileHandle handle;

    /// <param name="name">For diagnostics, as in /proc/PID/maps.</param>
    /// <param name="content">What is in it.</param>
    /// <exception cref="IOException">The system refuses.</exception>
    public MemoryFile(string name, ReadOnlySpan<byte> content)
    {
        const uint closeOnExec = 1;
        var descriptor = Create(name, closeOnExec);
        if (descriptor < 0)
            throw new IOException($"The system cannot create a file in memory: {Marshal.GetLastPInvokeErrorMessage()}.");
        handle = new SafeFileHandle(descriptor, ownsHandle: true);
        Path = $"/proc/self/fd/{descriptor}";
        RandomAccess.Write(handle, content, 0);
    }

    /// <summary>Where this process finds it while it is not disposed of.</summary>
    public string Path { get; }

    public void Dispose() => handle.Dispose();

    // memfd_create(2), Linux 3.17.
    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Create(string name, uint flags);
}
