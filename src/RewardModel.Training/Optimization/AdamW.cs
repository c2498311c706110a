using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>Constants of <see cref="AdamW"/>, with PyTorch's defaults.</summary>
public sealed record AdamWOptions
{
    /// <summary>Decay of the running mean of gradients. Default 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the running mean of squared gradients. Default 0.999.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root of the second moment. Default 1e-8.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Share of a weight that is taken off per step and unit of learning rate. Default 0.01.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>True: biases and norms decay as well. False (default): only parameters of two dimensions or more.</summary>
    public bool DecayAll { get; init; }
}

/// <summary>
/// AdamW (Loshchilov and Hutter, arXiv 1711.05101), with PyTorch's arithmetic, in one pass over memory: each step reads gradient,
/// weight and both moments once and writes the last three once. Float32 parameters on the CPU.
/// </summary>
public sealed unsafe class AdamW : IDisposable
{
    /// <summary>Elements that one thread takes at a time. Fixed, so that sums don't depend on the count of threads.</summary>
    private const int blockLength = 1 << 16;

    private readonly Slot[] slots;
    private readonly AdamWOptions options;

    /// <summary>Makes an optimiser whose moments are 0.</summary>
    /// <param name="parameters">Names, which the state is saved under, and the parameters; those without gradient are left alone.</param>
    /// <param name="options">Constants of the update.</param>
    /// <exception cref="ArgumentException">A parameter is not float32 on the CPU, or not contiguous.</exception>
    public AdamW(IEnumerable<(string Name, Parameter Parameter)> parameters, AdamWOptions options)
    {
        this.options = options;
        slots = [.. parameters.Select(pair => new Slot(
            pair.Name, pair.Parameter, options.DecayAll || pair.Parameter.dim() >= 2 ? options.WeightDecay : 0))];
    }

    /// <summary>Steps taken.</summary>
    public int StepCount { get; private set; }

    /// <summary>L2 norm of all gradients together, added up in float64. Infinite or NaN if a gradient is.</summary>
    public double GradientNorm()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var blocks = Blocks();
        var sums = new double[blocks.Count];
        ForEach(blocks, b => sums[b] = SumOfSquares(blocks[b].Gradient, blocks[b].Length));
        return Math.Sqrt(sums.Sum());
    }

    /// <summary>Updates all parameters that have a gradient.</summary>
    /// <param name="learningRate">The step's rate.</param>
    /// <param name="gradientScale">Gradients are multiplied by this first: clipping, without a pass of its own.</param>
    public void Step(double learningRate, double gradientScale = 1)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        StepCount++;
        var rule = new Rule(options, learningRate, gradientScale, StepCount);
        var blocks = Blocks();
        ForEach(blocks, b => Update(blocks[b], rule));
    }

    /// <summary>The moments, under <c>exp_avg.NAME</c> and <c>exp_avg_sq.NAME</c>: the optimiser's own tensors, not copies.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> State() => slots.SelectMany(slot => new (string, Tensor)[]
    {
        ($"exp_avg.{slot.Name}", slot.FirstMoment),
        ($"exp_avg_sq.{slot.Name}", slot.SecondMoment),
    });

    /// <summary>Goes on from a saved state: call after copying the saved moments into <see cref="State"/>'s tensors.</summary>
    public void ResumeAt(int stepCount) => StepCount = stepCount;

    /// <summary>Releases the moments; the parameters are the model's.</summary>
    public void Dispose()
    {
        foreach (var slot in slots)
        {
            slot.FirstMoment.Dispose();
            slot.SecondMoment.Dispose();
        }
    }

    private List<Block> Blocks()
    {
        var blocks = new List<Block>();
        foreach (var slot in slots)
        {
            if (slot.Parameter.grad is not { } gradient)
                continue;
            var weight = Data(slot.Parameter);
            var g = Data(gradient.contiguous());
            var m = Data(slot.FirstMoment);
            var v = Data(slot.SecondMoment);
            var length = slot.Parameter.numel();
            for (long i = 0; i < length; i += blockLength)
                blocks.Add(new Block(weight + i, g + i, m + i, v + i, (int)Math.Min(blockLength, length - i), (float)slot.WeightDecay));
        }
        return blocks;
    }

    private static float* Data(Tensor tensor) =>
        (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.view(-1).narrow(0, 0, 1).bytes));

    private static void ForEach(List<Block> blocks, Action<int> body) =>
        Parallel.For(0, blocks.Count, new ParallelOptions { MaxDegreeOfParallelism = get_num_threads() }, body);

    private static double SumOfSquares(float* values, int length)
    {
        var sums = Vector<double>.Zero;
        var i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(Vector.Load(values + i), out var low, out var high);
            sums += low * low + high * high;
        }
        var sum = Vector.Sum(sums);
        for (; i < length; i++)
            sum += (double)values[i] * values[i];
        return sum;
    }

    private static void Update(Block block, Rule rule)
    {
        var weight = block.Weight;
        var gradient = block.Gradient;
        var m = block.FirstMoment;
        var v = block.SecondMoment;
        var keep = 1 - rule.LearningRate * block.WeightDecay;
        var i = 0;
        for (; i <= block.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var g = Vector.Load(gradient + i) * rule.GradientScale;
            var first = Vector.Load(m + i) * rule.Beta1 + g * rule.OneMinusBeta1;
            var second = Vector.Load(v + i) * rule.Beta2 + g * g * rule.OneMinusBeta2;
            var root = Vector.SquareRoot(second) / rule.RootOfCorrection2 + new Vector<float>(rule.Epsilon);
            Vector.Store(first, m + i);
            Vector.Store(second, v + i);
            Vector.Store(Vector.Load(weight + i) * keep - first / root * rule.StepSize, weight + i);
        }
        for (; i < block.Length; i++)
        {
            var g = gradient[i] * rule.GradientScale;
            m[i] = m[i] * rule.Beta1 + g * rule.OneMinusBeta1;
            v[i] = v[i] * rule.Beta2 + g * g * rule.OneMinusBeta2;
            weight[i] = weight[i] * keep - m[i] / (MathF.Sqrt(v[i]) / rule.RootOfCorrection2 + rule.Epsilon) * rule.StepSize;
        }
    }

    /// <summary>A run of elements of one parameter. Pointers stay valid for a step: tensors' memory does not move.</summary>
    private readonly struct Block(float* weight, float* gradient, float* firstMoment, float* secondMoment, int length, float weightDecay)
    {
        public float* Weight { get; } = weight;

        public float* Gradient { get; } = gradient;

        public float* FirstMoment { get; } = firstMoment;

        public float* SecondMoment { get; } = secondMoment;

        public int Length { get; } = length;

        public float WeightDecay { get; } = weightDecay;
    }

    /// <summary>The step's constants, in float32 once.</summary>
    private sealed class Rule(AdamWOptions options, double learningRate, double gradientScale, int step)
    {
        public float LearningRate { get; } = (float)learningRate;

        public float GradientScale { get; } = (float)gradientScale;

        public float Beta1 { get; } = (float)options.Beta1;

        public float OneMinusBeta1 { get; } = (float)(1 - options.Beta1);

        public float Beta2 { get; } = (float)options.Beta2;

        public float OneMinusBeta2 { get; } = (float)(1 - options.Beta2);

        public float Epsilon { get; } = (float)options.Epsilon;

        public float StepSize { get; } = (float)(learningRate / (1 - Math.Pow(options.Beta1, step)));

        public float RootOfCorrection2 { get; } = (float)Math.Sqrt(1 - Math.Pow(options.Beta2, step));
    }

    private sealed class Slot
    {
        public Slot(string name, Parameter parameter, double weightDecay)
        {
            if (parameter.dtype != ScalarType.Float32 || parameter.device_type != DeviceType.CPU || !parameter.is_contiguous())
                throw new ArgumentException(
                    $"The parameter '{name}' is {parameter.dtype} on {parameter.device_type}; expected contiguous Float32 on CPU.",
                    nameof(parameter));
            Name = name;
            Parameter = parameter;
            WeightDecay = weightDecay;
            FirstMoment = zeros(parameter.shape).DetachFromDisposeScope();
            SecondMoment = zeros(parameter.shape).DetachFromDisposeScope();
        }

        public string Name { get; }

        public Parameter Parameter { get; }

        public double WeightDecay { get; }

        public Tensor FirstMoment { get; }

        public Tensor SecondMoment { get; }
    }
}
