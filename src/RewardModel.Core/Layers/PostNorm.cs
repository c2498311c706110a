using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>The first half of an encoder's MLP, under the names that BERT gave it: activation(x W^T + b).</summary>
internal sealed class Intermediate : nn.Module<Tensor, Tensor>
{
    private readonly Linear dense;
    private readonly Func<Tensor, Tensor> activation;

    public Intermediate(long width, long innerWidth, string activation) : base(nameof(Intermediate))
    {
        dense = new Linear(width, innerWidth, hasBias: true);
        this.activation = Activations.ByName(activation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD) => activation(dense.call(x_TD));
}

/// <summary>
/// How an encoder's attention and MLP end, under the names that BERT gave it: norm(residual + dropout(x W^T + b)).
/// </summary>
internal sealed class PostNormOutput : nn.Module
{
    private readonly Linear dense;
    private readonly LayerNorm LayerNorm;
    private readonly double dropout;

    public PostNormOutput(long inputs, long width, double normEpsilon, double dropout) : base(nameof(PostNormOutput))
    {
        this.dropout = dropout;
        dense = new Linear(inputs, width, hasBias: true);
        LayerNorm = new LayerNorm(width, normEpsilon);
        RegisterComponents();
    }

    /// <param name="x">[T, inputs].</param>
    /// <param name="residual_TD">[T, D].</param>
    /// <returns>[T, D].</returns>
    public Tensor forward(Tensor x, Tensor residual_TD) =>
        LayerNorm.call(residual_TD.add(Dropout.Apply(dense.call(x), dropout, training)));
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
