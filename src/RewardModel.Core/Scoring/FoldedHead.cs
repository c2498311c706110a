using RewardModel.Checkpoints;
using static TorchSharp.torch;

namespace RewardModel.Scoring;

/// <summary>
/// A normaliser as a part of the weights: (w x + b - mean) / std is (w / std) x + (b - mean) / std, which any program computes that loads
/// the model.
/// </summary>
internal static class FoldedHead
{
    /// <summary>The weights with the normaliser in those of the head's last layer, computed in float64; the others as they are.</summary>
    /// <exception cref="ArgumentException">There is nothing to fold, or a mean and no bias for it.</exception>
    public static IReadOnlyList<WeightSource> Of(
        RewardTransformer model, IReadOnlyList<WeightSource> weights, RewardNormalizer normalizer)
    {
        if (normalizer == RewardNormalizer.None)
            throw new ArgumentException(
                "The model's normaliser leaves rewards unchanged (mean 0, std 1), so that there is nothing to fold into its head. Set one first "
                + "(reward-model normalize).");
        if (!model.Outputs.AreSingle)
            throw new ArgumentException(
                $"A reward of the model is a sum of {model.Outputs.Weights.Count} outputs of its head ({RewardOutputs.WeightsSetting} in "
                + "config.json), which the folded head would not give. Normalise where its rewards are used.");
        var bias = model.Head.OutputWeight.Replace(".weight", ".bias", StringComparison.Ordinal);
        if (normalizer.Mean != 0 && !weights.Any(weight => weight.Name == bias))
            throw new ArgumentException(
                $"The head of {model.Backbone.SequenceClassificationClass}, '{model.Head.OutputWeight}', has no bias, so that the mean of the "
                + "rewards can't be folded into it. Save the model without folding, and normalise where its rewards are used: "
                + FormattableString.Invariant($"(raw - {normalizer.Mean}) / {normalizer.Std}."));
        return
        [
            .. weights.Select(weight =>
                weight.Name == model.Head.OutputWeight ? weight with { Read = () => Scaled(weight, 0, normalizer.Std) }
                : weight.Name == bias ? weight with { Read = () => Scaled(weight, normalizer.Mean, normalizer.Std) }
                : weight),
        ];
    }

    private static Tensor Scaled(WeightSource weight, double mean, double std)
    {
        using var scope = NewDisposeScope();
        return weight.Read().to(float64).sub(mean).div(std).to(float32).MoveToOuterDisposeScope();
    }
}
