using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>down(activation(gate(x)) * up(x)) (Shazeer, arXiv 2002.05202).</summary>
internal sealed class GatedMlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear gate_proj;
    private readonly Linear up_proj;
    private readonly Linear down_proj;
    private readonly ActivationFunction activation;

    public GatedMlp(long width, long innerWidth, string activation, bool hasBias) : base(nameof(GatedMlp))
    {
        gate_proj = new Linear(width, innerWidth, hasBias);
        up_proj = new Linear(width, innerWidth, hasBias);
        down_proj = new Linear(innerWidth, width, hasBias);
        this.activation = ActivationFunction.Named(activation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x_TD) => down_proj.After(activation, gate_proj.call(x_TD), up_proj.call(x_TD));
}
