using System.Runtime.InteropServices;
using RewardModel.Scoring;
using RewardModel.Training.Distributed;
using RewardModel.Training.Runs;
using static TorchSharp.torch;

namespace RewardModel.Training;

/// <summary>
/// The weights of a run's newest evaluations, and their mean: stochastic weight averaging (Izmailov et al., arXiv 1803.05407), at every
/// evaluation. They lie in the run's directory if it has one, else in memory. Which evaluations are the last ones is not known before the
/// run ends, as it may stop early or be continued; so the weights themselves are kept, not their sum.
/// </summary>
/// <param name="trained">The weights that are trained, of which this rank keeps its own.</param>
/// <param name="count">How many are kept.</param>
/// <param name="directory">Where they are kept; null: in memory.</param>
internal sealed class EvaluatedWeights(TrainedWeights trained, int count, RunDirectory? directory) : IDisposable
{
    private readonly List<(int Step, Dictionary<string, Tensor> Weights)> inMemory = [];

    /// <summary>The steps of the newest ones, at most as many as are to be averaged, in their order.</summary>
    public IReadOnlyList<int> Steps
    {
        get
        {
            // The first rank's: see RunDirectory.TryRestore.
            int[] own = [.. (directory?.EvaluatedSteps ?? inMemory.Select(kept => kept.Step)).TakeLast(count)];
            return MemoryMarshal.Cast<byte, int>(trained.Ranks.Gather(MemoryMarshal.AsBytes<int>(own), "evaluations to average")[0]).ToArray();
        }
    }

    /// <summary>Keeps the model's weights. Those from before the first step are no result of training, and left out.</summary>
    public void Keep(int step)
    {
        if (step == 0)
            return;
        if (directory is not null)
        {
            directory.SaveEvaluated(step, trained, count);
            return;
        }
        using var _ = no_grad();
        inMemory.Add((step, trained.TensorParts.ToDictionary(part => part.Name, part => part.Tensor.clone().DetachFromDisposeScope())));
        if (inMemory.Count <= count)
            return;
        Release(inMemory[0].Weights);
        inMemory.RemoveAt(0);
    }

    /// <summary>Sets the model to the mean of the weights of some steps, computed in float64.</summary>
    /// <param name="steps">Some of <see cref="Steps"/>; a single one sets the model to its weights, to the bit.</param>
    public void CopyMeanToModel(IReadOnlyList<int> steps)
    {
        var kept = inMemory.Where(kept => steps.Contains(kept.Step)).ToArray();
        if (directory is not null)
            directory.CopyMeanOfEvaluated(steps, trained);
        else
            foreach (var part in trained.TensorParts)
                WeightMean.CopyTo(part.Tensor, kept.Select(one => ((Func<Tensor>)one.Weights[part.Name].alias, 1.0 / kept.Length)));
        trained.Publish();
    }

    public void Dispose()
    {
        inMemory.ForEach(kept => Release(kept.Weights));
        inMemory.Clear();
    }

    private static void Release(Dictionary<string, Tensor> weights)
    {
        foreach (var weight in weights.Values)
            weight.Dispose();
    }
}
