using RewardModel.Layers;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Backbones;

// N rewards, D width, O outputs.

/// <summary>
/// What turns the state of each scored sequence, [N, D] of any floating type, into its reward, [N] float32: a fixed sum of the last layer's
/// outputs, of which there is mostly one. Fields carry the checkpoint's names, so that a parameter's name here is its name in the file,
/// without a prefix.
/// </summary>
internal abstract class RewardHead(string name) : nn.Module<Tensor, Tensor>(name)
{
    /// <summary>What each output counts in a reward.</summary>
    public IReadOnlyList<double> Combination { get; set; } = [1];

    /// <summary>
    /// Name of the last layer's weight, [O, inputs]. A checkpoint without it has no reward head: the rewards mean nothing before
    /// training, and whatever else of the head is absent is drawn as well.
    /// </summary>
    public abstract string OutputWeight { get; }

    public sealed override Tensor forward(Tensor states_ND) => RewardsOf(Outputs(states_ND));

    /// <summary>The sum of outputs, [N, O] to [N].</summary>
    public Tensor RewardsOf(Tensor outputs_NO)
    {
        if (Combination is [1.0])
            return outputs_NO.squeeze(1);
        // Output by output: a reward's rounding then depends on nothing but its own outputs, and code that has these gets the same bits.
        var reward_N = outputs_NO.select(1, 0).mul(Combination[0]);
        for (var output = 1; output < Combination.Count; output++)
            reward_N = reward_N.add(outputs_NO.select(1, output).mul(Combination[output]));
        return reward_N;
    }

    /// <summary>What the last layer gives, [N, O] float32.</summary>
    public abstract Tensor Outputs(Tensor states_ND);

    /// <summary>Draws a parameter other than <see cref="OutputWeight"/>, as the architecture's reference implementation does.</summary>
    internal virtual void Initialize(string name, Parameter parameter, double range) => Initialization.Apply(name, parameter, range);
}

/// <summary>
/// The linear layer in the place of a decoder's vocabulary head, at each answer's last token; no bias, as a ranking loss could not learn
/// one.
/// </summary>
internal sealed class LinearHead : RewardHead
{
    private readonly Linear score;

    public LinearHead(long width, int outputs) : base(nameof(LinearHead))
    {
        score = new Linear(width, outputs, hasBias: false);
        RegisterComponents();
    }

    public override string OutputWeight => "score.weight";

    public override Tensor Outputs(Tensor states_ND) => score.call(states_ND.to(float32));
}
