using RewardModel.Checkpoints;
using RewardModel.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>
/// AdamW whose moments have 8 bits (Dettmers et al., arXiv 2110.02861): each block of <see cref="DynamicMap.BlockLength"/> numbers is stored
/// as codes of a <see cref="DynamicMap"/> and the block's largest magnitude. A step decodes a block, updates it as <see cref="AdamW"/> does,
/// in float32, and encodes it again. Parameters of fewer than <see cref="DynamicMap.LeastCount"/> elements have moments in float32.
/// </summary>
/// <remarks>
/// A second moment above 0 is never encoded as 0: its first moment, which has more range, would be divided by epsilon alone when no
/// gradient comes. With the map's least number in its place such a weight moves less than it would, not a million times more.
/// </remarks>
internal sealed class AdamW8Bit : Optimizer
{
    private readonly AdamWSlot[] small;
    private readonly QuantizedSlot[] large;
    private readonly AdamWOptions options;
    private readonly IArithmetic<AdamWSlot, AdamWRule> arithmeticOfSmall;
    private readonly IArithmetic<QuantizedSlot, AdamWRule> arithmetic;

    /// <summary>Makes an optimiser whose moments are 0.</summary>
    /// <param name="parameters">The parameters, or parts of them, under whose names the state is saved; those without gradient are left alone.</param>
    /// <param name="options">Constants of the update.</param>
    /// <param name="rates">Learning rates by names, as multiples of a step's; null: 1 for all.</param>
    /// <param name="arithmetic">Null: that of the parameters' device.</param>
    /// <exception cref="ArgumentException">Parameters are not float32 on one device, or not contiguous: all are listed.</exception>
    public AdamW8Bit(
        IEnumerable<WeightPart> parameters, AdamWOptions options, IReadOnlyDictionary<string, double>? rates = null,
        IArithmetic<QuantizedSlot, AdamWRule>? arithmetic = null)
        : base(parameters, options.WeightDecay, options.DecayAll, rates)
    {
        this.options = options;
        arithmeticOfSmall = AdamW.ArithmeticOf(Device);
        this.arithmetic = arithmetic ?? (Device.type == DeviceType.CPU ? new VectorAdamW8Bit() : new TensorAdamW8Bit());
        var bySize = Parameters.ToLookup(parameter => IsQuantized(parameter.Part.Shape));
        small = [.. bySize[false].Select(parameter => new AdamWSlot(parameter))];
        large = [.. bySize[true].Select(parameter => new QuantizedSlot(parameter))];
    }

    /// <summary>
    /// The moments of small parameters as <see cref="AdamW"/> has them; of the others the codes under the same names and the blocks' largest
    /// magnitudes under <c>exp_avg_absmax.NAME</c> and <c>exp_avg_sq_absmax.NAME</c>.
    /// </summary>
    public override IEnumerable<TensorPart> State() =>
        small.SelectMany(slot => slot.State()).Concat(large.SelectMany(slot => slot.State()));

    /// <summary>Whether the moments of a parameter of this shape have 8 bits.</summary>
    public static bool IsQuantized(long[] shape) => shape.Aggregate(1L, (product, size) => product * size) >= DynamicMap.LeastCount;

    protected override void Update(double learningRate, double gradientScale)
    {
        var rule = new AdamWRule(options, learningRate, gradientScale, StepCount);
        arithmeticOfSmall.Update(small, rule);
        arithmetic.Update(large, rule);
    }
}

/// <summary>A parameter and its moments in 8 bits.</summary>
internal sealed class QuantizedSlot(OptimizedParameter optimized)
{
    public OptimizedParameter Optimized => optimized;

    public Parameter Parameter => optimized.Parameter;

    public QuantizedMoment FirstMoment { get; } = new(optimized.Part, DynamicMap.Signed);

    public QuantizedMoment SecondMoment { get; } = new(optimized.Part, DynamicMap.Unsigned);

    /// <summary>The moments as an optimiser's state.</summary>
    public IEnumerable<TensorPart> State() => FirstMoment.State("exp_avg").Concat(SecondMoment.State("exp_avg_sq"));
}

/// <summary>
/// A moment of one parameter in blocks, the last one of which is filled up with zeros. A part of a parameter begins where a block does.
/// </summary>
internal sealed class QuantizedMoment(WeightPart part, DynamicMap map)
{
    public DynamicMap Map => map;

    /// <summary>[blocks, <see cref="DynamicMap.BlockLength"/>], bytes.</summary>
    public Tensor Codes { get; } = full(
            [DynamicMap.BlockCountOf(part.Parameter.numel()), DynamicMap.BlockLength], map.Zero, dtype: uint8,
            device: part.Parameter.device)
        .DetachFromDisposeScope();

    /// <summary>The largest magnitude of each block, [blocks], float32.</summary>
    public Tensor Largest { get; } =
        zeros(DynamicMap.BlockCountOf(part.Parameter.numel()), device: part.Parameter.device).DetachFromDisposeScope();

    /// <summary>The moment as an optimiser's state.</summary>
    /// <param name="name">What is added to the parameter's name.</param>
    public IEnumerable<TensorPart> State(string name)
    {
        var blocks = DynamicMap.BlockCountOf(part.Shape.Aggregate(1L, (product, size) => product * size));
        var firstBlock = part.First / DynamicMap.BlockLength;
        return
        [
            new TensorPart($"{name}.{part.Name}", Codes, [blocks, DynamicMap.BlockLength], firstBlock * DynamicMap.BlockLength),
            new TensorPart($"{name}_absmax.{part.Name}", Largest, [blocks], firstBlock),
        ];
    }
}
