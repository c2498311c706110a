using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Bench;

/// <summary>
/// A GPT-2-shaped reward model as one writes it with TorchSharp: its modules and operators, on a padded batch. Fields carry the
/// checkpoint's names.
/// </summary>
internal sealed class PeerModel : nn.Module<Tensor, Tensor, Tensor>
{
    private readonly Embedding wte;
    private readonly Embedding wpe;
    private readonly ModuleList<PeerBlock> h;
    private readonly LayerNorm ln_f;
    private readonly Linear score;

    public PeerModel(JsonNode config) : base(nameof(PeerModel))
    {
        int Setting(string name) => (int)config[name]!;
        var (width, heads) = (Setting("n_embd"), Setting("n_head"));
        wte = nn.Embedding(Setting("vocab_size"), width);
        wpe = nn.Embedding(Setting("n_positions"), width);
        h = nn.ModuleList([.. Enumerable.Range(0, Setting("n_layer")).Select(_ => new PeerBlock(width, heads))]);
        ln_f = nn.LayerNorm(width);
        score = nn.Linear(width, 1, hasBias: false);
        RegisterComponents();
    }

    /// <summary>The parameters under their names in the checkpoint.</summary>
    public IEnumerable<(string Name, Parameter Parameter)> CheckpointParameters => named_parameters()
        .Select(pair => (pair.name.StartsWith("score", StringComparison.Ordinal) ? pair.name : $"transformer.{pair.name}", pair.parameter));

    public void Load(string directory)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var reader = CheckpointReader.Open(directory);
        foreach (var (name, parameter) in CheckpointParameters)
        {
            var weights = reader.Read(name);
            // A linear layer's own layout is [outputs, inputs]; the file has [inputs, outputs].
            parameter.copy_(name.Contains(".h.", StringComparison.Ordinal) && weights.dim() == 2 ? weights.t() : weights);
        }
    }

    /// <summary>Rewards [N] of token ids [N, S], padded on the right; each row's last token is at <paramref name="last"/> [N].</summary>
    public override Tensor forward(Tensor ids, Tensor last)
    {
        using var scope = NewDisposeScope();
        var x = wte.call(ids) + wpe.call(arange(ids.shape[1]));
        foreach (var block in h)
            x = block.call(x);
        var lastHidden = x[TensorIndex.Tensor(arange(ids.shape[0])), TensorIndex.Tensor(last)];
        return score.call(ln_f.call(lastHidden)).squeeze(1).MoveToOuterDisposeScope();
    }
}

internal sealed class PeerBlock : nn.Module<Tensor, Tensor>
{
    private readonly LayerNorm ln_1;
    private readonly PeerAttention attn;
    private readonly LayerNorm ln_2;
    private readonly PeerMlp mlp;

    public PeerBlock(int width, int heads) : base(nameof(PeerBlock))
    {
        ln_1 = nn.LayerNorm(width);
        attn = new PeerAttention(width, heads);
        ln_2 = nn.LayerNorm(width);
        mlp = new PeerMlp(width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        // What autograd doesn't need goes with the block, as it would in Python.
        using var scope = NewDisposeScope();
        x = x + attn.call(ln_1.call(x));
        return (x + mlp.call(ln_2.call(x))).MoveToOuterDisposeScope();
    }
}

internal sealed class PeerAttention : nn.Module<Tensor, Tensor>
{
    private readonly int heads;
    private readonly Linear c_attn;
    private readonly Linear c_proj;

    public PeerAttention(int width, int heads) : base(nameof(PeerAttention))
    {
        this.heads = heads;
        c_attn = nn.Linear(width, 3 * width);
        c_proj = nn.Linear(width, width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var (batch, length, width) = (x.shape[0], x.shape[1], x.shape[2]);
        var qkv = c_attn.call(x).view(batch, length, 3, heads, width / heads).permute(2, 0, 3, 1, 4).unbind(0);
        // No mask: padding stands on the right, where causal attention of real tokens doesn't look. Two bmm and a softmax were tried: twice
        // the time at d=64, as long at d=768, and more memory.
        var output = nn.functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], is_casual: true);
        return c_proj.call(output.transpose(1, 2).reshape(batch, length, width));
    }
}

internal sealed class PeerMlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear c_fc;
    private readonly Linear c_proj;

    public PeerMlp(int width) : base(nameof(PeerMlp))
    {
        c_fc = nn.Linear(width, 4 * width);
        c_proj = nn.Linear(4 * width, width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => c_proj.call(c_fc.call(x).gelu(GELU.Approximate.tanh));
}
