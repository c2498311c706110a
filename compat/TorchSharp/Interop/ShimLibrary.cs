using System.Reflection;
using System.Runtime.InteropServices;

namespace TorchSharp;

/// <summary>Finds and loads <c>libtorch_shim.so</c>, and with it libtorch.</summary>
internal static unsafe class ShimLibrary
{
    /// <summary>That of <c>torch_shim.h</c>.</summary>
    internal const int InterfaceVersion = 3;

    /// <summary>The function that tells it.</summary>
    internal const string VersionFunction = "ts_interface_version";

    internal const string LibraryVariable = "TORCHSHARP_COMPAT_LIBRARY";
    internal const string BlasVariable = "TORCHSHARP_COMPAT_BLAS";

    private const string FileName = "libtorch_shim.so";

    internal static void Register() => NativeLibrary.SetDllImportResolver(typeof(ShimLibrary).Assembly, Resolve);

    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name != Shim.Library)
            return IntPtr.Zero;
        // OpenMP's threads would spin between operators and take the cores from everything else.
        SetNativeVariable("OMP_WAIT_POLICY", "PASSIVE");
        LoadBlas(Environment.GetEnvironmentVariable(BlasVariable), LoadedLibraries(), OpenBlas);
        return Load(Environment.GetEnvironmentVariable(LibraryVariable), Path.GetDirectoryName(assembly.Location));
    }

    /// <summary>Loads the shim from <paramref name="path"/>, else from <paramref name="folder"/>, else from the loader's path.</summary>
    /// <exception cref="InvalidOperationException">The shim was compiled from another version.</exception>
    /// <exception cref="DllNotFoundException">The shim, or a library it needs, can't be loaded; the message says what to do.</exception>
    internal static IntPtr Load(string path, string folder)
    {
        if (string.IsNullOrEmpty(path))
            path = Path.Combine(folder, FileName) is var beside && File.Exists(beside) ? beside : FileName;
        try
        {
            var library = NativeLibrary.Load(path, typeof(ShimLibrary).Assembly, searchPath: null);
            CheckVersion(path, library);
            return library;
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            throw new DllNotFoundException(
                $"'{path}' can't be loaded: {error.Message.Trim()}{Environment.NewLine}" +
                "It is compiled from compat/TorchSharp/native against a libtorch (1.13 or later). Install one with its compiler " +
                "(Debian, Ubuntu: apt-get install libtorch-dev libopenblas0-openmp g++), or set LIBTORCH to a folder that has libtorch's " +
                $"include/ and lib/; then build again, or run 'build.sh {FileName}' there and set {LibraryVariable} to the full path " +
                "of its output.",
                error);
        }
    }

    /// <exception cref="InvalidOperationException">The library is of another version.</exception>
    private static void CheckVersion(string path, IntPtr library)
    {
        var version = NativeLibrary.TryGetExport(library, VersionFunction, out var function) ? ((delegate* unmanaged<int>)function)() : 1;
        if (version != InterfaceVersion)
            throw new InvalidOperationException(
                $"'{path}' has version {version} of the shim's interface; expected {InterfaceVersion}. Compile it again, with the " +
                $"build.sh of this version's compat/TorchSharp/native, or unset {LibraryVariable} to use the one that the build makes.");
    }

    /// <summary>
    /// Loads the BLAS that libtorch is to use, before libtorch: Debian's libtorch asks for <c>libblas.so.3</c>, and the library of that
    /// name that the process has loaded already is the one it gets.
    /// </summary>
    /// <param name="choice">A library's full path, <c>system</c> to leave the choice to the loader, or nothing for OpenBLAS where it
    /// is installed in its OpenMP flavour: the others are slower by factors, or fight libtorch's own threads for the cores.</param>
    /// <param name="loaded">The libraries that the process has loaded.</param>
    /// <param name="openBlas">Where OpenBLAS is looked for.</param>
    /// <returns>The path that was loaded, or null.</returns>
    internal static string LoadBlas(string choice, IEnumerable<string> loaded, string openBlas)
    {
        if (choice == "system")
            return null;
        if (string.IsNullOrEmpty(choice))
        {
            if (!File.Exists(openBlas) || loaded.Any(file => Path.GetFileName(file).StartsWith("libopenblas", StringComparison.Ordinal)))
                return null;
            choice = openBlas;
        }
        NativeLibrary.Load(choice);
        return choice;
    }

    internal static string OpenBlas => $"/usr/lib/{MachineTriplet}/openblas-openmp/libblas.so.3";

    private static string MachineTriplet => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => "x86_64-linux-gnu",
        Architecture.Arm64 => "aarch64-linux-gnu",
        var other => $"{other.ToString().ToLowerInvariant()}-linux-gnu",
    };

    private static IEnumerable<string> LoadedLibraries() =>
        File.ReadLines("/proc/self/maps").Select(line => line.Split(' ')[^1]).Where(file => file.StartsWith('/'));

    // .NET's Environment does not reach the getenv of native code.
    private static void SetNativeVariable(string name, string value) => setenv(name, value, overwrite: 0);

    [DllImport("libc", CharSet = CharSet.Ansi, BestFitMapping = false)]
    private static extern int setenv(string name, string value, int overwrite);
}
