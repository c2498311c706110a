using static TorchSharp.torch;

namespace RewardModel.Scoring;

/// <summary>
/// A normaliser as a part of the weights: (w x + b - mean) / std is (w / std) x + (b - mean) / std, which any program computes that loads
/// the model.
/// </summary>
internal static class FoldedHead
{
    /// <summary>The weights as they are.</summary>
    public static IReadOnlyList<(string Name, Tensor Tensor)> WeightsOf(RewardTransformer model) =>
        [.. model.CheckpointParameters.Select(pair => (pair.Name, (Tensor)pair.Parameter))];

    /// <summary>
    /// The weights with the normaliser in those of the head's last layer, new tensors in the caller's scope, computed in float64; the others
    /// are the model's own.
    /// </summary>
    /// <exception cref="ArgumentException">There is nothing to fold, or a mean and no bias for it.</exception>
    public static IReadOnlyList<(string Name, Tensor Tensor)> Of(RewardTransformer model, RewardNormalizer normalizer)
    {
        if (normalizer == RewardNormalizer.None)
            throw new ArgumentException(
                "The model's normaliser leaves rewards unchanged (mean 0, std 1), so that there is nothing to fold into its head. Set one first "
                + "(reward-model normalize).");
        var bias = model.Head.OutputWeight.Replace(".weight", ".bias", StringComparison.Ordinal);
        var weights = WeightsOf(model);
        if (normalizer.Mean != 0 && !weights.Any(weight => weight.Name == bias))
            throw new ArgumentException(
                $"The head of {model.Backbone.SequenceClassificationClass}, '{model.Head.OutputWeight}', has no bias, so that the mean of the "
                + "rewards can't be folded into it. Save the model without folding, and normalise where its rewards are used: "
                + FormattableString.Invariant($"(raw - {normalizer.Mean}) / {normalizer.Std}."));
        return
        [
            .. weights.Select(weight => (weight.Name,
                weight.Name == model.Head.OutputWeight ? Scaled(weight.Tensor, 0, normalizer.Std)
                : weight.Name == bias ? Scaled(weight.Tensor, normalizer.Mean, normalizer.Std)
                : weight.Tensor)),
        ];
    }

    private static Tensor Scaled(Tensor tensor, double mean, double std)
    {
        using var scope = NewDisposeScope();
        return tensor.to(float64).sub(mean).div(std).to(float32).MoveToOuterDisposeScope();
    }
}
