using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Backbones;

/// <summary>The start that all Hugging Face transformers share.</summary>
internal static class Initialization
{
    /// <summary>Draws all parameters from torch's default generator, in order of names.</summary>
    public static void Apply(nn.Module module, double range)
    {
        foreach (var (name, parameter) in module.named_parameters())
            Apply(name, parameter, range);
    }

    /// <summary>Matrices and embeddings from N(0, range), biases 0, norm weights 1.</summary>
    public static void Apply(string name, Parameter parameter, double range)
    {
        if (parameter.dim() >= 2)
            nn.init.normal_(parameter, 0, range);
        else if (name.EndsWith("bias", StringComparison.Ordinal))
            nn.init.zeros_(parameter);
        else
            nn.init.ones_(parameter);
    }
}
