using RewardModel.Training.Distributed;
using RewardModel.Training.Metrics;
using RewardModel.Training.Runs;
using static TorchSharp.torch;

namespace RewardModel.Training;

/// <summary>The best weights of a run so far, in its directory if it has one, else in memory.</summary>
/// <param name="trained">The weights that are trained, of which this rank keeps its own.</param>
/// <param name="bestBy">What makes weights better than others.</param>
/// <param name="directory">Where they are kept; null: in memory.</param>
internal sealed class BestWeights(TrainedWeights trained, BestBy bestBy, RunDirectory? directory) : IDisposable
{
    private List<Tensor> inMemory = [];

    /// <summary>Whether an evaluation is better than the best one before it.</summary>
    public bool IsBetter(RankingMetrics found, RankingMetrics? best) => best is null || bestBy switch
    {
        BestBy.Accuracy => found.Accuracy > best.Accuracy || (found.Accuracy == best.Accuracy && found.Loss < best.Loss),
        BestBy.Loss => found.Loss < best.Loss,
        BestBy.Last => true,
        _ => throw new InvalidOperationException($"'{bestBy}' is not known; expected one of: {string.Join(", ", Enum.GetNames<BestBy>())}."),
    };

    /// <summary>Keeps the model's weights instead of those that were kept.</summary>
    public void Keep(int step)
    {
        // The last weights are the model's own.
        if (bestBy == BestBy.Last)
            return;
        if (directory is not null)
        {
            directory.SaveBest(step, trained);
            return;
        }
        using var _ = no_grad();
        Dispose();
        inMemory = [.. trained.TensorParts.Select(part => part.Tensor.clone().DetachFromDisposeScope())];
    }

    /// <summary>Sets the model to the weights that were kept.</summary>
    /// <param name="step">The step that they were kept at.</param>
    public void Restore(int step)
    {
        using var _ = no_grad();
        if (directory is not null)
            directory.RestoreBest(step, trained);
        else
            foreach (var (part, weight) in trained.TensorParts.Zip(inMemory))
                part.Tensor.copy_(weight);
        trained.Publish();
    }

    public void Dispose()
    {
        inMemory.ForEach(weight => weight.Dispose());
        inMemory = [];
    }
}
