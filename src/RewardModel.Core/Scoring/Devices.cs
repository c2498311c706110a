using System.Globalization;
using static TorchSharp.torch;

namespace RewardModel.Scoring;

/// <summary>The devices that <c>--device</c> names.</summary>
internal static class Devices
{
    /// <exception cref="ArgumentException">The name is none, or this machine has no such device.</exception>
    public static Device Named(string name) => Named(name, cuda.device_count());

    internal static Device Named(string name, int cudaCount)
    {
        var parts = name.Split(':');
        var isNumbered = parts.Length == 2;
        var number = 0;
        if (name != "cpu"
            && (parts[0] != "cuda" || parts.Length > 2
                || (isNumbered && !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out number))))
            throw new ArgumentException($"--device is '{name}'; expected cpu, cuda or cuda:N, where N counts the GPUs from 0.");
        if (name != "cpu" && cudaCount == 0)
            throw new ArgumentException(
                $"--device is '{name}', but libtorch finds no CUDA device; expected a GPU with its driver, and a libtorch that is built "
                + "for CUDA. Use --device cpu without them.");
        if (number >= cudaCount && isNumbered)
            throw new ArgumentException(
                $"--device is '{name}'; expected cuda:0{(cudaCount > 1 ? $" to cuda:{cudaCount - 1}" : "")}, which this machine has.");
        return name;
    }
}
