using static TorchSharp.torch;

namespace RewardModel.Backbones;

/// <summary>The start that all Hugging Face decoders share.</summary>
internal static class Initialization
{
    /// <summary>
    /// Matrices and embeddings from N(0, range), biases 0, norm weights 1; from torch's default generator, in order of names.
    /// </summary>
    public static void Apply(nn.Module module, double range)
    {
        foreach (var (name, parameter) in module.named_parameters())
        {
            if (parameter.dim() >= 2)
                nn.init.normal_(parameter, 0, range);
            else if (name.EndsWith("bias", StringComparison.Ordinal))
                nn.init.zeros_(parameter);
            else
                nn.init.ones_(parameter);
        }
    }
}
