using System.Runtime.InteropServices;
using RewardModel.Files;

namespace RewardModel.Distributed;

/// <summary>Libraries that libtorch for GPUs has loaded or brings along, whatever their files are called.</summary>
internal static class MappedLibrary
{
    /// <summary>Finds a library and loads it.</summary>
    /// <param name="prefix">
    /// What its file's name starts with: "libnccl.", of which libtorch's own downloads make "libnccl-1a2b3c.so.2".
    /// </param>
    /// <param name="names">Its names where the system is asked for it.</param>
    /// <param name="folder">Where Python's packages have it, seen from the folder of libtorch: "../../nvidia/nccl/lib".</param>
    /// <param name="function">A function of it: libtorch may have the library within itself.</param>
    /// <param name="file">The file.</param>
    /// <returns>Its handle; 0 where it is not found.</returns>
    public static IntPtr Find(string prefix, string[] names, string folder, string function, out string file)
    {
        var mapped = Mapped();
        var ofTorch = mapped.FirstOrDefault(path => Path.GetFileName(path) == "libtorch_cuda.so");
        string[] beside = ofTorch is null ? [] : [Path.GetDirectoryName(ofTorch)!, Path.Combine(Path.GetDirectoryName(ofTorch)!, folder)];
        string[] candidates =
        [
            .. mapped.Where(path => Path.GetFileName(path).StartsWith(prefix, StringComparison.Ordinal)),
            .. beside.Where(Directory.Exists)
                .SelectMany(place => Directory.EnumerateFiles(place, $"{prefix}*").Order(StringComparer.Ordinal)),
            .. names, .. ofTorch is null ? Array.Empty<string>() : [ofTorch],
        ];
        foreach (var candidate in candidates)
            if (NativeLibrary.TryLoad(candidate, out var library) && NativeLibrary.TryGetExport(library, function, out _))
            {
                file = Path.GetFileName(candidate);
                return library;
            }
        file = "";
        return 0;
    }

    /// <summary>The files that this process has in its memory.</summary>
    private static string[] Mapped() => !OperatingSystem.IsLinux() ? [] :
    [
        .. InputFile.ReadLines("/proc/self/maps", FileKind.SystemState).Select(line => line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields.Length == 6).Select(fields => fields[5]).Distinct(),
    ];
}
