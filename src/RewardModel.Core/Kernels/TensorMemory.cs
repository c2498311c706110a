using System.Runtime.InteropServices;

namespace RewardModel.Kernels;

/// <summary>What the C library keeps of the memory that tensors have left.</summary>
internal static partial class TensorMemory
{
    /// <summary>Gives it back to the system. Does nothing where the C library is not glibc.</summary>
    public static void ReleaseFree()
    {
        if (OperatingSystem.IsLinux() && NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "malloc_trim", out _))
            Trim(0);
    }

    // malloc_trim(3).
    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint pad);
}
