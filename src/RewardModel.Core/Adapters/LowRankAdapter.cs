using RewardModel.Kernels;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Adapters;

/// <summary>
/// What LoRA (Hu et al., arXiv 2106.09685) adds to a linear layer: s (x A^T) B^T, dropout on x in training. Float32, uninitialised until
/// drawn or loaded.
/// </summary>
internal sealed class LowRankAdapter : nn.Module
{
    public readonly Parameter lora_A;
    public readonly Parameter lora_B;
    private readonly double dropout;

    /// <param name="inputs">I, of the layer.</param>
    /// <param name="outputs">O, of the layer.</param>
    /// <param name="rank">R.</param>
    /// <param name="alpha">What the scale is made of.</param>
    /// <param name="options">How the scale is made, and the rate of dropout.</param>
    public LowRankAdapter(long inputs, long outputs, int rank, double alpha, LoraOptions options) : base(nameof(LowRankAdapter))
    {
        (Rank, Alpha, Scale, dropout) = (rank, alpha, options.ScaleOf(rank, alpha), options.Dropout);
        lora_A = new Parameter(empty(rank, inputs));
        lora_B = new Parameter(empty(outputs, rank));
        RegisterComponents();
        foreach (var parameter in parameters())
            parameter.DetachFromDisposeScope();
    }

    /// <summary>R.</summary>
    public int Rank { get; }

    /// <summary>What the scale was made of.</summary>
    public double Alpha { get; }

    /// <summary>s.</summary>
    public double Scale { get; }

    /// <summary>Whether the next forward pass drops numbers of its input.</summary>
    public bool DrawsDropout => training && dropout > 0;

    /// <summary>
    /// Draws A from the uniform distribution within 1 / sqrt(I), which is He's initialisation (arXiv 1502.01852) with a negative slope of
    /// sqrt(5), from torch's default generator, and sets B to 0.
    /// </summary>
    public void Initialize()
    {
        using var _ = no_grad();
        var bound = 1 / Math.Sqrt(lora_A.size(1));
        nn.init.uniform_(lora_A, -bound, bound);
        nn.init.zeros_(lora_B);
    }

    /// <summary>s B A, [O, I]: what is added to the layer's weight when they are merged.</summary>
    public Tensor Product() => lora_B.mm(lora_A).mul_(Scale);

    /// <summary>Adds the adapter's part to a layer's result.</summary>
    /// <param name="y_TO">[T, O], float32; is overwritten.</param>
    /// <param name="x_TI">What the layer took, [T, I].</param>
    /// <param name="precision">The type that products take.</param>
    public Tensor AddTo(Tensor y_TO, Tensor x_TI, Precision precision)
    {
        var dropped_TI = DrawsDropout ? DropoutKernel.Next(x_TI, dropout) : x_TI;
        // The result is small, but the gradient of x is as large as x.
        var h_TR = precision == Precision.Bfloat16 || KernelSupport.CanTake(x_TI)
            ? LinearKernel.Apply(new LinearSettings(precision), dropped_TI, lora_A.t(), null)
            : nn.functional.linear(dropped_TI, lora_A);
        return LowRankSumKernel.Apply(new LowRankSumSettings(Scale, precision), y_TO, h_TR, lora_B);
    }

    /// <summary>The same, without dropout and gradients, by products whose rows don't depend on one another.</summary>
    public Tensor AddInvariantTo(Tensor y_TO, Tensor x_TI)
    {
        using var h_TR = InvariantProduct.Of(x_TI, lora_A);
        using var sum_TO = InvariantProduct.Of(h_TR, lora_B).mul_(Scale);
        return y_TO.add_(sum_TO);
    }

    /// <summary>The same where the layer took f(x) or f(x) * up, which is computed again rather than kept. Without dropout.</summary>
    public Tensor AddTo(Tensor y_TO, ActivatedLinearSettings settings, Tensor x_TI, Tensor? up_TI)
    {
        var h_TR = ActivatedLinearKernel.Apply(settings, x_TI, up_TI, lora_A.t(), null);
        return LowRankSumKernel.Apply(new LowRankSumSettings(Scale, settings.Precision), y_TO, h_TR, lora_B);
    }
}
