using static TorchSharp.torch;

namespace RewardModel.Scoring;

/// <summary>Means of weights, computed in float64, tensor by tensor: of all that are averaged one tensor at a time is in memory.</summary>
internal static class WeightMean
{
    /// <summary>Sets a tensor to a weighted mean of others.</summary>
    /// <param name="target">Float32, on any device; values are rounded to it once.</param>
    /// <param name="parts">
    /// What gives each of the others, of the target's shape, which is disposed of here; and its share. The shares add up to 1.
    /// </param>
    public static void CopyTo(Tensor target, IEnumerable<(Func<Tensor> Read, double Share)> parts)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var mean = zeros(target.shape, float64);
        foreach (var (read, share) in parts)
        {
            using var part = read();
            using var exact = part.to(float64, CPU);
            mean.add_(exact, share);
        }
        target.copy_(mean);
    }
}
