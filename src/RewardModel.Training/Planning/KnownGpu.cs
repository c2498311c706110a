namespace RewardModel.Training.Planning;

/// <summary>A GPU as its maker's data sheet describes it; products without sparsity.</summary>
/// <param name="Name">As <c>--gpu</c> takes it.</param>
/// <param name="MemoryBytes">Its memory.</param>
/// <param name="Bfloat16Flops">Peak of bfloat16 products, operations a second.</param>
/// <param name="Float32Flops">Peak of float32 outside the tensor cores, where float32 products run unless TF32 is allowed.</param>
/// <param name="MemoryBandwidth">Bytes a second of its memory.</param>
/// <param name="LinkBandwidth">Bytes a second to the other GPUs of its node, in one direction.</param>
internal sealed record KnownGpu(
    string Name, long MemoryBytes, double Bfloat16Flops, double Float32Flops, double MemoryBandwidth, double LinkBandwidth)
{
    private const long gigabyte = 1_000_000_000;

    /// <summary>All that are known, the default first.</summary>
    public static IReadOnlyList<KnownGpu> All { get; } =
    [
        // NVIDIA H100 data sheet, SXM5; NVLink 900 GB/s in both directions together.
        new("h100", 80 * gigabyte, 989e12, 67e12, 3.35e12, 450e9),
        // NVIDIA H200 data sheet, SXM.
        new("h200", 141 * gigabyte, 989e12, 67e12, 4.8e12, 450e9),
        // NVIDIA HGX B200 data sheet, an eighth of the board's figures; NVLink 1.8 TB/s in both directions together.
        new("b200", 180 * gigabyte, 2250e12, 75e12, 8e12, 900e9),
        // NVIDIA A100 data sheet, SXM4; NVLink 600 GB/s in both directions together.
        new("a100-80gb", 80 * gigabyte, 312e12, 19.5e12, 2.039e12, 300e9),
        new("a100-40gb", 40 * gigabyte, 312e12, 19.5e12, 1.555e12, 300e9),
        // NVIDIA L40S data sheet; PCI Express 4.0 x16, 64 GB/s in both directions together.
        new("l40s", 48 * gigabyte, 362e12, 91.6e12, 0.864e12, 32e9),
    ];

    /// <summary>The GPU of a name.</summary>
    /// <exception cref="ArgumentException">There is none of that name; the message lists those that exist.</exception>
    public static KnownGpu Named(string name) => All.FirstOrDefault(gpu => gpu.Name == name) ?? throw new ArgumentException(
        $"The GPU '{name}' is not known; expected one of: {string.Join(", ", All.Select(gpu => gpu.Name))}. Give the nearest one, and its "
        + "figures by --memory, --peak-tflops and --link-bandwidth.");

    /// <summary>Peak of products of a type.</summary>
    public double FlopsOf(Precision precision) => precision == Precision.Bfloat16 ? Bfloat16Flops : Float32Flops;
}
