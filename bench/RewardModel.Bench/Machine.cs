using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchSharp;

namespace RewardModel.Bench;

/// <summary>What the figures were measured on.</summary>
internal static class Machine
{
    private const string linuxFile = "/proc/cpuinfo";

    /// <summary>Processor, its wide and its 16-bit instructions, and the versions of what computes.</summary>
    public static string Description =>
        $"{Processor}, {Environment.ProcessorCount} cores, {(Avx512F.IsSupported ? "AVX-512" : "no AVX-512")}, {SixteenBits}; "
        + $"{RuntimeInformation.OSDescription}; libtorch {torch.__version__}; {RuntimeInformation.FrameworkDescription}";

    private static string Processor => Field("model name") ?? $"{RuntimeInformation.ProcessArchitecture}";

    // .NET does not tell these.
    private static string SixteenBits
    {
        get
        {
            var flags = (Field("flags") ?? Field("Features"))?.Split(' ') ?? [];
            string[] found = [.. flags.Where(flag => flag is "avx512_bf16" or "amx_bf16" or "bf16")];
            return found.Length == 0 ? "no bfloat16 instructions" : string.Join(" and ", found);
        }
    }

    /// <summary>The value of the first line of that name in Linux's description of the processor; null where there is none.</summary>
    private static string? Field(string name) => !File.Exists(linuxFile)
        ? null
        : File.ReadLines(linuxFile).Select(line => line.Split(':', 2, StringSplitOptions.TrimEntries))
            .FirstOrDefault(parts => parts.Length == 2 && parts[0] == name)?[1];
}
