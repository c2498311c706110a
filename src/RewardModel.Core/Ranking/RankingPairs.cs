using RewardModel.Kernels;
using static TorchSharp.torch;

namespace RewardModel.Ranking;

/// <summary>How the pairs of a step are weighed against each other.</summary>
public enum LossNormalization
{
    /// <summary>
    /// Mean over a list's pairs, then mean over the lists (InstructGPT, arXiv 2203.02155, eq. 1): every prompt weighs the same.
    /// </summary>
    PerList,

    /// <summary>Mean over all pairs of the step: a list weighs as much as it has pairs.</summary>
    PerPair,
}

/// <summary>
/// The ordered pairs among the answers of a batch: all (better, worse) of each list; ties are left out, and answers that are equal, which
/// no reward can tell apart. Indices count the batch's rewards, list by list.
/// </summary>
public sealed class RankingPairs : IDisposable
{
    private readonly Tensor better_M;
    private readonly Tensor worse_M;
    private readonly Tensor scoreDifferences_M;
    private readonly Tensor weights_M;
    private bool isDisposed;

    private RankingPairs(long[] better, long[] worse, float[] scoreDifferences, float[] weights, Device? device)
    {
        TorchLibraries.Require();
        Count = better.Length;
        better_M = DeviceTensor.Of(better, device).DetachFromDisposeScope();
        worse_M = DeviceTensor.Of(worse, device).DetachFromDisposeScope();
        scoreDifferences_M = DeviceTensor.Of(scoreDifferences, device).DetachFromDisposeScope();
        weights_M = DeviceTensor.Of(weights, device).DetachFromDisposeScope();
    }

    /// <summary>Count of pairs M.</summary>
    public int Count { get; }

    /// <summary>Index of the better answer's reward, [M], int64.</summary>
    public Tensor Better => Alive(better_M);

    /// <summary>Index of the worse answer's reward, [M], int64.</summary>
    public Tensor Worse => Alive(worse_M);

    /// <summary>Score of the better answer minus that of the worse, [M], float32, positive: how much better it is.</summary>
    public Tensor ScoreDifferences => Alive(scoreDifferences_M);

    /// <summary>What each pair's loss is multiplied with before adding up, [M], float32: 1 / pairs of its list, or 1.</summary>
    public Tensor Weights => Alive(weights_M);

    /// <summary>All pairs of the given lists.</summary>
    /// <param name="scores">Per list, the scores of its answers; higher is better, equal scores are ties and make no pair.</param>
    /// <param name="normalization">Gives the <see cref="Weights"/>.</param>
    /// <param name="device">Where the rewards will lie: the model's device. Null: on the CPU.</param>
    /// <param name="equalAnswers">
    /// Per list, for each answer the index of the first one that is equal to it, or null for a list where none are. Null: none are
    /// anywhere.
    /// </param>
    public static RankingPairs Of(
        IEnumerable<IReadOnlyList<double>> scores, LossNormalization normalization = LossNormalization.PerList, Device? device = null,
        IEnumerable<IReadOnlyList<int>?>? equalAnswers = null)
    {
        ArgumentNullException.ThrowIfNull(scores);
        var better = new List<long>();
        var worse = new List<long>();
        var scoreDifferences = new List<float>();
        var weights = new List<float>();
        var first = 0;
        foreach (var (listScores, equal) in scores.Zip(equalAnswers ?? Enumerable.Repeat<IReadOnlyList<int>?>(null, int.MaxValue)))
        {
            var listPairs = 0;
            for (var i = 0; i < listScores.Count; i++)
                for (var j = 0; j < listScores.Count; j++)
                    if (listScores[i] > listScores[j] && !AreEqual(equal, i, j))
                    {
                        better.Add(first + i);
                        worse.Add(first + j);
                        scoreDifferences.Add((float)(listScores[i] - listScores[j]));
                        listPairs++;
                    }
            var weight = normalization switch
            {
                LossNormalization.PerList => 1f / listPairs,
                LossNormalization.PerPair => 1f,
                _ => throw new ArgumentOutOfRangeException(nameof(normalization), normalization, null),
            };
            weights.AddRange(Enumerable.Repeat(weight, listPairs));
            first += listScores.Count;
        }
        return new RankingPairs([.. better], [.. worse], [.. scoreDifferences], [.. weights], device);
    }

    /// <summary>Count of ordered pairs among answers with these scores; C(K, 2) when none are tied or equal.</summary>
    /// <param name="scores">The scores of a list's answers.</param>
    /// <param name="equalAnswers">For each answer the index of the first one that is equal to it; null: none are.</param>
    public static int CountOf(IReadOnlyList<double> scores, IReadOnlyList<int>? equalAnswers = null)
    {
        ArgumentNullException.ThrowIfNull(scores);
        var count = 0;
        for (var i = 0; i < scores.Count; i++)
            for (var j = 0; j < i; j++)
                if (scores[i] != scores[j] && !AreEqual(equalAnswers, i, j))
                    count++;
        return count;
    }

    /// <summary>Whether two answers are equal, by what <see cref="CountOf"/> is told.</summary>
    internal static bool AreEqual(IReadOnlyList<int>? equalAnswers, int first, int second) =>
        equalAnswers is not null && equalAnswers[first] == equalAnswers[second];

    /// <summary>Releases the tensors; nothing can be read from them afterwards.</summary>
    public void Dispose()
    {
        isDisposed = true;
        better_M.Dispose();
        worse_M.Dispose();
        scoreDifferences_M.Dispose();
        weights_M.Dispose();
    }

    private Tensor Alive(Tensor tensor)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        return tensor;
    }
}
