using static TorchSharp.torch;

namespace RewardModel.Cli;

/// <summary>The devices that <c>--device</c> names.</summary>
internal static class Devices
{
    /// <exception cref="ArgumentException">The name is none, or this machine has no such device.</exception>
    public static Device Named(string name) => Scoring.Devices.Named(name, "--device");
}
