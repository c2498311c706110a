using RewardModel.Backbones;
using RewardModel.Layers;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel;

/// <summary>
/// What turns hidden states into one reward per scored sequence. Fields carry the checkpoint's names, so that a parameter's name here is
/// its name in the file, without a prefix.
/// </summary>
public abstract class RewardHead(string name) : nn.Module(name)
{
    /// <summary>
    /// Name of the last layer's weight, [1, inputs]. A checkpoint without it has no reward head: the rewards mean nothing before
    /// training, and whatever else of the head is absent is drawn as well.
    /// </summary>
    public abstract string OutputWeight { get; }

    /// <summary>One reward per scored sequence, in the order in which they were packed.</summary>
    /// <param name="hidden_TD">Hidden states of all tokens, [T, D], any floating type.</param>
    /// <param name="sequences">The packed row the tokens are of.</param>
    /// <returns>[N], float32 whatever the backbone computes with.</returns>
    public abstract Tensor forward(Tensor hidden_TD, PackedSequences sequences);

    /// <summary>Draws a parameter other than <see cref="OutputWeight"/>, as the architecture's reference implementation does.</summary>
    internal virtual void Initialize(string name, Parameter parameter, double range) => Initialization.Apply(name, parameter, range);
}

/// <summary>
/// The linear layer with one output in the place of a decoder's vocabulary head, at each answer's last token; no bias, as a ranking loss
/// could not learn one.
/// </summary>
internal sealed class ScalarHead : RewardHead
{
    private readonly Linear score;

    public ScalarHead(long width) : base(nameof(ScalarHead))
    {
        score = new Linear(width, 1, hasBias: false);
        RegisterComponents();
    }

    public override string OutputWeight => "score.weight";

    public override Tensor forward(Tensor hidden_TD, PackedSequences sequences) =>
        score.call(hidden_TD.index_select(0, sequences.ScoredRows).to(float32)).squeeze(1);
}
