using RewardModel.Kernels;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Layers;

/// <summary>Layer normalisation over the last dimension (Ba et al., arXiv 1607.06450).</summary>
internal class LayerNorm : nn.Module<Tensor, Tensor>
{
    public readonly Parameter? weight;
    public readonly Parameter? bias;
    private readonly long size;
    private readonly double epsilon;

    public LayerNorm(long size, double epsilon, bool hasBias = true, bool hasWeight = true) : base(nameof(LayerNorm))
    {
        this.size = size;
        this.epsilon = epsilon;
        weight = hasWeight ? new Parameter(empty(size)) : null;
        bias = hasBias ? new Parameter(empty(size)) : null;
        RegisterComponents();
    }

    /// <summary>What is multiplied with: the weight, unless a norm says otherwise.</summary>
    private protected virtual Tensor? Scale => weight;

    /// <summary>Whether rows are the same to the bit whatever the count of them: by the kernel, where that would not be worth it.</summary>
    public bool IsBatchInvariant { get; set; }

    public override Tensor forward(Tensor x_TD) => LayerNormKernel.CanTake(x_TD) || IsBatchInvariant
        ? LayerNormKernel.Apply(new LayerNormSettings(epsilon, Forks: false), x_TD, Scale, bias)
        : nn.functional.layer_norm(x_TD, [size], Scale!, bias!, epsilon);

    /// <summary>x for the residual, and its norm.</summary>
    public Fork Fork(Tensor x_TD) => LayerNormKernel.CanTake(x_TD) || IsBatchInvariant
        ? new Fork(LayerNormKernel.ApplyAll(new LayerNormSettings(epsilon, Forks: true), x_TD, Scale, bias))
        : new Fork(x_TD, forward(x_TD));
}

/// <summary>x / sqrt(mean(x^2) + epsilon) * weight (Zhang and Sennrich, arXiv 1910.07467).</summary>
internal sealed class RmsNorm : nn.Module<Tensor, Tensor>
{
    public readonly Parameter weight;
    private readonly double epsilon;

    public RmsNorm(long size, double epsilon) : base(nameof(RmsNorm))
    {
        weight = new Parameter(empty(size));
        this.epsilon = epsilon;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => Apply(x, weight, epsilon, offset: 0);

    /// <summary>x for the residual, and its norm.</summary>
    public Fork Fork(Tensor x) => KernelSupport.CanTake(x)
        ? new Fork(RmsNormKernel.ApplyAll(new RmsNormSettings(epsilon, Offset: 0, Forks: true), x, weight))
        : new Fork(x, forward(x));

    /// <summary>x / sqrt(mean(x^2) + epsilon) * (weight + offset) over the last dimension.</summary>
    internal static Tensor Apply(Tensor x, Tensor weight, double epsilon, double offset) => KernelSupport.CanTake(x)
        ? RmsNormKernel.Apply(new RmsNormSettings(epsilon, offset, Forks: false), x, weight)
        : x.device_type == DeviceType.CUDA ? Fused(x, weight, epsilon, offset)
        : Compose(x, weight, epsilon, offset);

    /// <summary>The same by libtorch's operator, which is one pass over memory on a GPU only.</summary>
    internal static Tensor Fused(Tensor x, Tensor weight, double epsilon, double offset)
    {
        var results = new OperatorCall("aten::_fused_rms_norm").Tensor(x).Ints(weight.size(0))
            .OptionalTensor(offset == 0 ? weight : weight.add(offset)).OptionalDouble(epsilon).Call(2);
        // What it keeps for the gradient.
        results[1].Dispose();
        return results[0];
    }

    /// <summary>The same of TorchSharp's operators, where there is no kernel.</summary>
    internal static Tensor Compose(Tensor x, Tensor weight, double epsilon, double offset)
    {
        var inverseRms = x.mul(x).mean([-1], keepdim: true).add(epsilon).rsqrt();
        return x.mul(inverseRms).mul(offset == 0 ? weight : weight.add(offset));
    }
}

/// <summary>An <see cref="RmsNorm"/> as Gemma has it: its weight is the difference from 1.</summary>
internal sealed class GemmaRmsNorm : nn.Module<Tensor, Tensor>
{
    public readonly Parameter weight;
    private readonly double epsilon;

    public GemmaRmsNorm(long size, double epsilon) : base(nameof(GemmaRmsNorm))
    {
        weight = new Parameter(empty(size));
        this.epsilon = epsilon;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => RmsNorm.Apply(x, weight, epsilon, offset: 1);
}
