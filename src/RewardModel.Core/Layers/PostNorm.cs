using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>The first half of an encoder's MLP, under the names that BERT gave it: x W^T + b.</summary>
internal sealed class Intermediate : nn.Module<Tensor, Tensor>
{
    private readonly Linear dense;

    public Intermediate(long width, long innerWidth) : base(nameof(Intermediate))
    {
        dense = new Linear(width, innerWidth, hasBias: true);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD) => dense.call(x_TD);
}

/// <summary>
/// How an encoder's attention and MLP end, under the names that BERT gave it: norm(residual + dropout(f(x) W^T + b)), where f is the MLP's
/// pointwise function and nothing behind attention.
/// </summary>
internal sealed class PostNormOutput : nn.Module
{
    private readonly Linear dense;
    private readonly LayerNorm LayerNorm;
    private readonly ActivationFunction? activation;
    private readonly double dropout;

    public PostNormOutput(long inputs, long width, double normEpsilon, double dropout, string? activation = null)
        : base(nameof(PostNormOutput))
    {
        this.dropout = dropout;
        this.activation = activation is null ? null : ActivationFunction.Named(activation);
        dense = new Linear(inputs, width, hasBias: true);
        LayerNorm = new LayerNorm(width, normEpsilon);
        RegisterComponents();
    }

    /// <param name="x">[T, inputs].</param>
    /// <param name="residual_TD">[T, D].</param>
    /// <returns>[T, D].</returns>
    public Tensor forward(Tensor x, Tensor residual_TD)
    {
        var change_TD = activation is null ? dense.call(x) : dense.After(activation, x);
        return LayerNorm.call(residual_TD.add(Dropout.Apply(change_TD, dropout, training)));
    }
}

/// <summary>The linear layer that encoders put between the first token and the classifier, under the names that BERT gave it.</summary>
internal sealed class Pooler : nn.Module
{
    public readonly Linear dense;

    public Pooler(long width) : base(nameof(Pooler))
    {
        dense = new Linear(width, width, hasBias: true);
        RegisterComponents();
    }
}
