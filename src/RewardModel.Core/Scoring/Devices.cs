using System.Globalization;
using RewardModel.Kernels;
using RewardModel.Lists;
using static TorchSharp.torch;

namespace RewardModel.Scoring;

/// <summary>The devices that a model can compute on, by their names: <c>cpu</c>, <c>cuda</c>, <c>cuda:N</c>.</summary>
internal static class Devices
{
    /// <summary>The device of a name, if this machine has it.</summary>
    /// <param name="name"><c>cpu</c>; <c>cuda</c>, the current GPU; <c>cuda:N</c>, where N counts the GPUs from 0.</param>
    /// <param name="option">What messages call the setting that holds the name, such as <c>--device</c>.</param>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    /// <exception cref="ArgumentException">The name is none of these, or this machine has no such device.</exception>
    public static Device Named(string name, string option = "device")
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(option);
        TorchLibraries.Require();
        return Named(name, option, name == "cpu" ? 0 : cuda.device_count());
    }

    internal static Device Named(string name, string option, int cudaCount)
    {
        var parts = name.Split(':');
        var isNumbered = parts.Length == 2;
        var number = 0;
        if (name != "cpu"
            && (parts[0] != "cuda" || parts.Length > 2
                || (isNumbered && !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out number))))
            throw new ArgumentException($"{option} is '{name}'; expected cpu, cuda or cuda:N, where N counts the GPUs from 0.");
        if (name != "cpu" && cudaCount == 0)
            throw new ArgumentException(
                $"{option} is '{name}', but libtorch finds no CUDA device; expected a GPU with its driver, and a libtorch built for CUDA. "
                + $"Without them, use {option} cpu.");
        if (number >= cudaCount && isNumbered)
            throw new ArgumentException(
                $"{option} is '{name}'; this machine has {Counted.Of(cudaCount, "CUDA device")}: "
                + $"expected cuda:0{(cudaCount > 1 ? $" to cuda:{cudaCount - 1}" : "")}.");
        return name;
    }
}
