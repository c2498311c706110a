using RewardModel.Layers;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Backbones;

/// <summary>
/// What turns the state of each scored sequence, [N, D] of any floating type, into its reward, [N] float32. Fields carry the
/// checkpoint's names, so that a parameter's name here is its name in the file, without a prefix.
/// </summary>
internal abstract class RewardHead(string name) : nn.Module<Tensor, Tensor>(name)
{
    /// <summary>
    /// Name of the last layer's weight, [1, inputs]. A checkpoint without it has no reward head: the rewards mean nothing before
    /// training, and whatever else of the head is absent is drawn as well.
    /// </summary>
    public abstract string OutputWeight { get; }

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

    public override Tensor forward(Tensor states_ND) => score.call(states_ND.to(float32)).squeeze(1);
}
