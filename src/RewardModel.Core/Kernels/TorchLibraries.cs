using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace RewardModel.Kernels;

/// <summary>
/// Loads libtorch and TorchSharp's native library before TorchSharp itself looks for them, once per process: from the folder that the
/// environment variable LIBTORCH names, else from where the application's packages lie. TorchSharp then finds them by their names.
/// </summary>
/// <remarks>
/// On Linux TorchSharp's library asks for a version of libstdc++ that Debian 12, Ubuntu 22.04 and RHEL 9 don't have yet, but uses nothing
/// of it (TorchSharp issue 218). There a copy without that demand is loaded from memory: <see cref="ElfVersions"/>. Neither the package
/// cache nor the application's folder is changed.
/// </remarks>
public static class TorchLibraries
{
    /// <summary>In the order in which they depend on each other. Those of CUDA are there in a libtorch with CUDA only.</summary>
    private static readonly string[] dependencies =
        ["libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch.so"];

    private const string wrapper = "libLibTorchSharp.so";

    private static bool hasStarted;
    private static TorchUnavailableException? problem;

    /// <summary>What was done to load the libraries; for logs.</summary>
    public static string Description { get; private set; } = "TorchSharp loads its native libraries itself";

    /// <summary>The environment variable that names the folder of an installed libtorch.</summary>
    public const string FolderVariable = "LIBTORCH";

    /// <summary>
    /// Runs by itself before anything else of this assembly does. A program whose very first use of TorchSharp comes before its first use
    /// of this library calls it at its start. What fails is said where tensors are first needed: <see cref="Require"/>.
    /// </summary>
#pragma warning disable CA2255 // TorchSharp gives no other occasion: whoever touches `torch` first loads its libraries.
    [ModuleInitializer]
#pragma warning restore CA2255
    public static void Load()
    {
        if (Interlocked.Exchange(ref hasStarted, true))
            return;
        try
        {
            if (OperatingSystem.IsLinux())
                LoadOnLinux();
            else if (!NativeLibrary.TryLoad("torch_cpu", typeof(torch).Assembly, null, out _))
                problem = TorchUnavailableException.Missing("torch_cpu", "the application's folders");
        }
        catch (TorchUnavailableException exception)
        {
            problem = exception;
        }
    }

    /// <summary>Does nothing where the libraries are loaded; called where tensors are first needed.</summary>
    /// <exception cref="TorchUnavailableException">The libraries are not there or can't be loaded.</exception>
    public static void Require()
    {
        if (problem is not null)
            throw new TorchUnavailableException(problem.Message, problem.InnerException);
    }

    private static void LoadOnLinux()
    {
        var application = ApplicationFolders();
        var named = Environment.GetEnvironmentVariable(FolderVariable);
        string[] folders = string.IsNullOrEmpty(named) ? application : [named];
        if (Find(folders, "libtorch_cpu.so") is not { } main)
            throw TorchUnavailableException.Missing(
                "libtorch_cpu.so", string.IsNullOrEmpty(named) ? string.Join(", ", application) : $"{named} (of the variable {FolderVariable})");
        if (Find(application, wrapper) is not { } wrapperFile)
            throw TorchUnavailableException.Missing(wrapper, string.Join(", ", application));
        var folder = Path.GetDirectoryName(main)!;
        foreach (var file in GompOf(folder).Concat(dependencies.Select(name => Path.Combine(folder, name)).Where(File.Exists)))
            LoadFile(file);
        Description = $"libtorch comes from {folder}";
        if (NativeLibrary.TryLoad(wrapperFile, out _))
            return;
        LoadWithoutUnusedVersions(wrapperFile);
        Description += $"; this system's libstdc++ is older than {wrapper} asks for, so a copy that does not ask was loaded from memory";
    }

    /// <summary>libtorch's own OpenMP library, where it brings one.</summary>
    private static string[] GompOf(string folder) => Directory.GetFiles(folder, "libgomp*.so*");

    private static void LoadFile(string file)
    {
        try
        {
            NativeLibrary.Load(file);
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
        {
            throw TorchUnavailableException.NotLoaded(file, exception);
        }
    }

    private static void LoadWithoutUnusedVersions(string file)
    {
        var image = File.ReadAllBytes(file);
        try
        {
            ElfVersions.Relax(image);
            using var copy = new MemoryFile(wrapper, image);
            LoadFile(copy.Path);
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException)
        {
            throw TorchUnavailableException.NotLoaded(file, exception);
        }
    }

    /// <summary>Where the host of .NET looks for native libraries: the application's folder and those of its packages.</summary>
    private static string[] ApplicationFolders()
    {
        var known = (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var runtimes = Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native");
        return [.. known.Append(AppContext.BaseDirectory).Append(runtimes).Select(Path.TrimEndingDirectorySeparator).Distinct()];
    }

    private static string? Find(IEnumerable<string> folders, string file) =>
        folders.Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists);
}
