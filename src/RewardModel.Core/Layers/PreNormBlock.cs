using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Layers;

// T tokens, R of them computed in the layer, D width.

/// <summary>What a <see cref="PreNormBlock"/> takes for attention: each architecture brings its own.</summary>
internal abstract class RotaryAttention(string name) : nn.Module(name)
{
    /// <param name="x_TD">[T, D].</param>
    /// <param name="rows">The R rows to compute.</param>
    /// <param name="angles">By which queries and keys of all T tokens are rotated: of <see cref="RotaryEmbedding.AnglesOf"/>.</param>
    /// <returns>[R, D].</returns>
    public abstract Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles);
}

/// <summary>A layer of a decoder with rotary positions: <see cref="PreNormBlock"/>, or what an architecture has in its place.</summary>
internal abstract class RotaryBlock(string name) : nn.Module(name)
{
    /// <inheritdoc cref="RotaryAttention.forward"/>
    public abstract Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles);
}

/// <summary>
/// x + attention(norm(x)), and of that x + mlp(norm(x)) (Xiong et al., arXiv 2002.04745), with RMS norms and under the names that Llama
/// gave it.
/// </summary>
internal sealed class PreNormBlock : RotaryBlock
{
    private readonly RmsNorm input_layernorm;
    private readonly RotaryAttention self_attn;
    private readonly RmsNorm post_attention_layernorm;
    private readonly nn.Module<Tensor, Tensor> mlp;

    public PreNormBlock(long width, double normEpsilon, RotaryAttention attention, nn.Module<Tensor, Tensor> mlp)
        : base(nameof(PreNormBlock))
    {
        input_layernorm = new RmsNorm(width, normEpsilon);
        self_attn = attention;
        post_attention_layernorm = new RmsNorm(width, normEpsilon);
        this.mlp = mlp;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD, QueryRows rows, (Tensor Cos, Tensor Sin) angles)
    {
        using var scope = NewDisposeScope();
        var (residual_TD, normed_TD) = input_layernorm.Fork(x_TD);
        var x_RD = Residual.Add(rows.Of(residual_TD), self_attn.forward(normed_TD, rows, angles));
        var (residual_RD, normed_RD) = post_attention_layernorm.Fork(x_RD);
        return Residual.Add(residual_RD, mlp.call(normed_RD)).MoveToOuterDisposeScope();
    }
}
