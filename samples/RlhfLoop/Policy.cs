using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RlhfLoop;

/// <summary>The sizes of a <see cref="Policy"/>.</summary>
internal sealed record PolicySizes(int Vocabulary, int Positions, int Width, int Layers, int Heads);

/// <summary>
/// The language model that is trained: a GPT-2 (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019). Fields carry
/// the names of its checkpoints.
/// </summary>
internal sealed class Policy : nn.Module
{
    private readonly Embedding wte, wpe;
    private readonly ModuleList<Block> h;
    private readonly LayerNorm ln_f;
    private readonly Linear lm_head;

    /// <summary>A policy with new weights, drawn from torch's default generator.</summary>
    public Policy(PolicySizes sizes)
        : base(nameof(Policy))
    {
        Sizes = sizes;
        wte = nn.Embedding(sizes.Vocabulary, sizes.Width);
        wpe = nn.Embedding(sizes.Positions, sizes.Width);
        h = nn.ModuleList([.. Enumerable.Range(0, sizes.Layers).Select(_ => new Block(sizes))]);
        ln_f = nn.LayerNorm(sizes.Width);
        lm_head = nn.Linear(sizes.Width, sizes.Vocabulary, hasBias: false);
        RegisterComponents();
        foreach (var embedding in new[] { wte, wpe })
            nn.init.normal_(embedding.weight, mean: 0, std: 0.02);
    }

    public PolicySizes Sizes { get; }

    /// <summary>Another policy with the same weights, which do not change with these.</summary>
    public Policy Copy()
    {
        var copy = new Policy(Sizes);
        copy.load_state_dict(state_dict());
        return copy;
    }

    /// <summary>The logits of the next token after each of the tokens, [N, T, vocabulary].</summary>
    /// <param name="ids">Token ids, [N, T].</param>
    /// <param name="cache">Keys and values of the tokens before these, to which theirs are added; null: there are none.</param>
    public Tensor Logits(Tensor ids, KeyValueCache? cache = null)
    {
        var start = cache?.Length ?? 0;
        var hidden = wte.call(ids) + wpe.call(arange(start, start + ids.shape[1]));
        for (var layer = 0; layer < h.Count; layer++)
            hidden = h[layer].Through(hidden, cache, layer);
        return lm_head.call(ln_f.call(hidden));
    }

    /// <summary>Log-probabilities and entropies, both [N, A], of the last A tokens of each row, each given those before it.</summary>
    /// <param name="ids">Token ids of prompts and answers, [N, T].</param>
    /// <param name="answerLength">A.</param>
    public (Tensor LogProbabilities, Tensor Entropies) OfAnswers(Tensor ids, int answerLength)
    {
        // The logits that predict a token are those of the token before it.
        var logits = Logits(ids).narrow(1, ids.shape[1] - answerLength - 1, answerLength);
        var all = nn.functional.log_softmax(logits, dim: -1);
        var answers = ids.narrow(1, ids.shape[1] - answerLength, answerLength);
        return (all.gather(-1, answers.unsqueeze(-1)).squeeze(-1), -(all.exp() * all).sum(-1));
    }
}

/// <summary>Attention and MLP, each added to what it reads.</summary>
internal sealed class Block : nn.Module
{
    private readonly LayerNorm ln_1, ln_2;
    private readonly SelfAttention attn;
    private readonly Mlp mlp;

    public Block(PolicySizes sizes)
        : base(nameof(Block))
    {
        (ln_1, attn) = (nn.LayerNorm(sizes.Width), new SelfAttention(sizes));
        (ln_2, mlp) = (nn.LayerNorm(sizes.Width), new Mlp(sizes));
        RegisterComponents();
    }

    /// <summary>Hidden states [N, T, D] in, hidden states out.</summary>
    public Tensor Through(Tensor hidden, KeyValueCache? cache, int layer)
    {
        hidden = hidden + attn.Of(ln_1.call(hidden), cache, layer);
        return hidden + mlp.call(ln_2.call(hidden));
    }
}

/// <summary>Attention of each token to those before it and to itself.</summary>
internal sealed class SelfAttention : nn.Module
{
    private readonly int headCount;
    private readonly Linear c_attn, c_proj;

    public SelfAttention(PolicySizes sizes)
        : base(nameof(SelfAttention))
    {
        headCount = sizes.Heads;
        (c_attn, c_proj) = (nn.Linear(sizes.Width, 3 * sizes.Width), nn.Linear(sizes.Width, sizes.Width));
        RegisterComponents();
    }

    public Tensor Of(Tensor hidden, KeyValueCache? cache, int layer)
    {
        var (rowCount, length, width) = (hidden.shape[0], hidden.shape[1], hidden.shape[2]);
        // [N, T, 3 D] -> three of [N, heads, T, D / heads].
        var parts = c_attn.call(hidden).view(rowCount, length, 3, headCount, width / headCount).permute(2, 0, 3, 1, 4).unbind(0);
        var (query, key, value) = (parts[0], parts[1], parts[2]);
        if (cache is not null)
            (key, value) = cache.Add(layer, key, value);
        // A single token sees all before it; several are the first ones, and see those up to themselves.
        var seen = nn.functional.scaled_dot_product_attention(query, key, value, is_casual: length > 1);
        return c_proj.call(seen.transpose(1, 2).reshape(rowCount, length, width));
    }
}

/// <summary>Two linear layers with GELU between them.</summary>
internal sealed class Mlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear c_fc, c_proj;

    public Mlp(PolicySizes sizes)
        : base(nameof(Mlp))
    {
        (c_fc, c_proj) = (nn.Linear(sizes.Width, 4 * sizes.Width), nn.Linear(4 * sizes.Width, sizes.Width));
        RegisterComponents();
    }

    public override Tensor forward(Tensor hidden) => c_proj.call(nn.functional.gelu(c_fc.call(hidden)));
}
