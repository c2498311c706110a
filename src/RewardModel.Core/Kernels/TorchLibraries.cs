using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RewardModel.Files;
using TorchSharp;

namespace RewardModel.Kernels;

/// <summary>
/// Loads libtorch and TorchSharp's native library before TorchSharp itself looks for them, once per process. On Linux libtorch comes from
/// where the application's packages lie; where they bring none, from the folder that the environment variable LIBTORCH names; else from
/// where .NET finds it. TorchSharp then finds both by their names. On other systems TorchSharp's own way is enough.
/// </summary>
/// <remarks>
/// On Linux TorchSharp's library asks for a version of libstdc++ that Debian 12, Ubuntu 22.04 and RHEL 9 don't have yet, but uses nothing
/// of it (TorchSharp issue 218). There a copy without that demand is loaded from memory: <see cref="ElfVersions"/>. Neither the package
/// cache nor the application's folder is changed.
/// </remarks>
public static partial class TorchLibraries
{
    /// <summary>The environment variable that names the folder of an installed libtorch, or the one that has it as <c>lib</c>.</summary>
    public const string FolderVariable = "LIBTORCH";

    private const string mainLibrary = "libtorch_cpu.so", wrapper = "libLibTorchSharp.so";

    /// <summary>In the order in which they depend on each other. Those of CUDA are there in a libtorch with CUDA only.</summary>
    private static readonly string[] libraries = ["libc10.so", mainLibrary, "libc10_cuda.so", "libtorch_cuda.so", "libtorch.so"];

    private static readonly Lazy<(string Description, TorchUnavailableException? Problem)> outcome = new(() =>
    {
        try
        {
            return (OperatingSystem.IsLinux() ? LoadOnLinux() : LoadElsewhere(), null);
        }
        catch (TorchUnavailableException problem)
        {
            return ("libtorch is not loaded", problem);
        }
    });

    /// <summary>What was done to load the libraries; for logs.</summary>
    public static string Description => outcome.Value.Description;

    /// <summary>
    /// Runs by itself before anything else of this assembly does. A program whose very first use of TorchSharp comes before its first use
    /// of this library calls it at its start. What fails is said where tensors are first needed: <see cref="Require"/>.
    /// </summary>
#pragma warning disable CA2255 // TorchSharp gives no other occasion: whoever touches `torch` first loads its libraries.
    [ModuleInitializer]
#pragma warning restore CA2255
    public static void Load() => _ = outcome.Value;

    /// <summary>Does nothing where the libraries are loaded; called where tensors are first needed.</summary>
    /// <exception cref="TorchUnavailableException">The libraries are not there or can't be loaded.</exception>
    public static void Require()
    {
        if (outcome.Value.Problem is { } problem)
            throw new TorchUnavailableException(problem.Message, problem.InnerException);
    }

    private static string LoadElsewhere()
    {
        try
        {
            NativeLibrary.Load("torch_cpu", typeof(torch).Assembly, null);
            return "libtorch comes from the application's folders";
        }
        catch (Exception reason) when (IsRefusal(reason))
        {
            throw TorchUnavailableException.Missing("torch_cpu", "the application's folders", reason);
        }
    }

    private static string LoadOnLinux()
    {
        LimitSpinning();
        var folders = ApplicationFolders();
        var source = LoadLibtorch(folders, out var isNamed);
        var description = $"libtorch comes from {source}";
        var file = Find(folders, wrapper) ?? throw TorchUnavailableException.Missing(wrapper, string.Join(", ", folders));
        try
        {
            NativeLibrary.Load(file);
        }
        catch (Exception reason) when (IsRefusal(reason))
        {
            LoadWithoutUnusedVersions(file, reason);
            description += $"; this system's libstdc++ is older than {wrapper} asks for, so a copy that does not ask was loaded from memory";
        }
        if (isNamed && !CanReadTensors())
            throw TorchUnavailableException.OtherTensors(source);
        return description;
    }

    /// <summary>
    /// Whether libtorch's tensors are laid out as TorchSharp's library was compiled to read them, which it does without asking: those of some
    /// version behind 2.10 are not.
    /// </summary>
    private static bool CanReadTensors()
    {
        try
        {
            using var whole = torch.empty(2, 3);
            using var x = whole.t();
            return x.dim() == 2 && x.size(0) == 3 && x.size(1) == 2 && x.stride(1) == 3 && x.dtype == torch.float32 && !x.is_contiguous();
        }
        catch (ExternalException)
        {
            return false;
        }
    }

    /// <summary>
    /// OpenMP's threads spin for milliseconds while they wait for work: on a busy machine that takes the cores from the threads that work,
    /// and without any spinning a small model's steps take up to twice as long. A few dozen microseconds do for both. What the environment
    /// says already stays. libgomp reads it when it is loaded.
    /// </summary>
    private static void LimitSpinning()
    {
        if (Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null)
            _ = SetEnvironmentVariable("GOMP_SPINCOUNT", "10000", overwrite: 0);
    }

    /// <param name="applicationFolders">Where an application's own would be.</param>
    /// <param name="isNamed">Whether it is the one that <see cref="FolderVariable"/> names.</param>
    /// <returns>Where it comes from.</returns>
    private static string LoadLibtorch(string[] applicationFolders, out bool isNamed)
    {
        isNamed = false;
        var named = Environment.GetEnvironmentVariable(FolderVariable) ?? "";
        if (Find(applicationFolders, mainLibrary) is { } ofApplication)
        {
            // TorchSharp would load this one in any case, and two of them end the process.
            var ignored = named == "" ? "" : $"; {FolderVariable} is not used, for the application brings a libtorch";
            return LoadFolderOf(ofApplication) + ignored;
        }
        isNamed = named != "";
        if (isNamed)
            return LoadFolderOf(Find([named, Path.Combine(named, "lib")], mainLibrary)
                ?? throw TorchUnavailableException.NotInNamedFolder(mainLibrary, named));
        try
        {
            NativeLibrary.Load("torch_cpu", typeof(torch).Assembly, null);
            NativeLibrary.Load("torch", typeof(torch).Assembly, null);
            return "where .NET finds it";
        }
        catch (Exception reason) when (IsRefusal(reason))
        {
            throw TorchUnavailableException.Missing(mainLibrary, string.Join(", ", applicationFolders), reason);
        }
    }

    private static string LoadFolderOf(string file)
    {
        var folder = Path.GetDirectoryName(file)!;
        foreach (var library in libraries.Select(name => Path.Combine(folder, name)).Where(File.Exists))
            try
            {
                NativeLibrary.Load(library);
            }
            catch (Exception reason) when (IsRefusal(reason))
            {
                throw TorchUnavailableException.NotLoaded(library, reason);
            }
        return folder;
    }

    private static void LoadWithoutUnusedVersions(string file, Exception reason)
    {
        try
        {
            var image = InputFile.ReadBytes(file, FileKind.Library);
            ElfVersions.Relax(image);
            using var copy = new MemoryFile(wrapper, image);
            NativeLibrary.Load(copy.Path);
        }
        catch (InvalidDataException)
        {
            // Then something else is in the way.
            throw TorchUnavailableException.NotLoaded(file, reason);
        }
        catch (Exception other) when (other is IOException or UnauthorizedAccessException || IsRefusal(other))
        {
            throw TorchUnavailableException.NotLoaded(file, other);
        }
    }

    private static bool IsRefusal(Exception reason) => reason is DllNotFoundException or BadImageFormatException;

    /// <summary>
    /// Where .NET looks for native libraries: the folders of the application and its packages; and, where TorchSharp was loaded from a
    /// package cache, as notebooks do, its package's.
    /// </summary>
    private static string[] ApplicationFolders()
    {
        var known = (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "").Split(Path.PathSeparator);
        // Not RuntimeInformation.RuntimeIdentifier: a distribution's own .NET says, for example, debian.12-x64.
        var native = Path.Combine(
            "runtimes", RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "linux-arm64" : "linux-x64", "native");
#pragma warning disable IL3000 // Empty in a single file, where it adds nothing to the application's folder.
        var ofTorchSharp = Path.GetDirectoryName(typeof(torch).Assembly.Location) ?? "";
#pragma warning restore IL3000
        string[] folders =
        [
            .. known, AppContext.BaseDirectory, Path.Combine(AppContext.BaseDirectory, native),
            ofTorchSharp, Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, ofTorchSharp, "..", "..", native)),
        ];
        return [.. folders.Where(Directory.Exists).Select(Path.TrimEndingDirectorySeparator).Distinct()];
    }

    private static string? Find(IEnumerable<string> folders, string file) =>
        folders.Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists);

    // setenv(3): .NET's own variables are not the process's.
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironmentVariable(string name, string value, int overwrite);
}
