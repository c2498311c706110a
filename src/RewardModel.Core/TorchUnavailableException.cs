using RewardModel.Kernels;

namespace RewardModel;

/// <summary>The native libraries of TorchSharp are not there, or this system can't load them.</summary>
public sealed class TorchUnavailableException : Exception
{
    private const string addPackage =
        "add it to the application's project: dotnet add package TorchSharp-cpu, or TorchSharp-cuda-linux or TorchSharp-cuda-windows for "
        + "a GPU.";

    internal TorchUnavailableException(string message, Exception? inner) : base(message, inner)
    {
    }

    internal static TorchUnavailableException Missing(string library, string places, Exception? reason = null) => new(
        $"The native library {library} can't be loaded from: {places}. Expected libtorch beside the application: {addPackage}", reason);

    internal static TorchUnavailableException NotInNamedFolder(string library, string folder) => new(
        $"The variable {TorchLibraries.FolderVariable} names {folder}, where there is no {library}. Expected the folder of a libtorch, for "
        + $"example torch/lib of Python's torch. Correct the variable; or remove it, and {addPackage}",
        inner: null);

    internal static TorchUnavailableException OtherTensors(string folder) => new(
        $"The tensors of the libtorch in {folder} have another layout than those of libtorch 2.10, which TorchSharp 0.107.0 was built for "
        + "and relies on. Expected libtorch 2.10, or another version with the same layout. Name another folder in "
        + $"{TorchLibraries.FolderVariable}; or remove it, and {addPackage}",
        inner: null);

    internal static TorchUnavailableException NotLoaded(string file, Exception reason) => new(
        // .NET's last line is what the system said.
        $"The native library {file} can't be loaded: {reason.Message.TrimEnd().Split('\n')[^1].TrimEnd('.')}. Expected one for this system "
        + "(Linux with glibc 2.34 or newer on x64, Windows, or macOS on Arm64). Compare the versions of the packages TorchSharp and "
        + "libtorch, which belong together, or install a newer libstdc++ (GCC 13 or newer).",
        reason);
}
