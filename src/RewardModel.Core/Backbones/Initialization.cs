using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Backbones;

/// <summary>The start that all Hugging Face transformers share.</summary>
internal static class Initialization
{
    /// <summary>
    /// Held by whoever seeds torch's default generator and draws from it, so that models that are made by several threads at once have the weights
    /// that their seeds say.
    /// </summary>
    public static Lock Generator { get; } = new();

    /// <summary>Draws all parameters from torch's default generator, in order of names.</summary>
    public static void Apply(nn.Module module, double range)
    {
        foreach (var (name, parameter) in module.named_parameters())
            Apply(name, parameter, range);
    }

    /// <summary>Matrices and embeddings from N(0, range), biases 0, norm weights 1.</summary>
    public static void Apply(string name, Parameter parameter, double range)
    {
        if (name.EndsWith("bias", StringComparison.Ordinal))
            nn.init.zeros_(parameter);
        else if (parameter.dim() >= 2)
            nn.init.normal_(parameter, 0, range);
        else
            nn.init.ones_(parameter);
    }

    /// <summary>N(0, deviation), what lies more than <paramref name="cutoff"/> deviations away drawn again.</summary>
    /// <remarks>Not <c>nn.init.trunc_normal_</c>: in TorchSharp 0.107 its values end at half the bounds it is given.</remarks>
    public static void TruncatedNormal(Parameter parameter, double deviation, double cutoff)
    {
        nn.init.normal_(parameter, 0, deviation);
        while (true)
        {
            using var scope = NewDisposeScope();
            var isOutside = (parameter.abs() > cutoff * deviation).to(float32);
            if (isOutside.sum().item<float>() == 0)
                return;
            var again = nn.init.normal_(empty(parameter.shape), 0, deviation);
            parameter.copy_(parameter.mul(1 - isOutside).add(again.mul(isOutside)));
        }
    }
}
