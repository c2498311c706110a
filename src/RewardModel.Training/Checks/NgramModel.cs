using RewardModel.Lists;
using RewardModel.Training.Data;

namespace RewardModel.Training.Checks;

/// <summary>
/// The floor to beat: a linear Bradley-Terry model (-log sigmoid of the difference of two answers' scores) on hashed words or characters of
/// the answer alone, without its prompt. Trained by AdaGrad over all pairs, in an order of the seed.
/// </summary>
internal sealed class NgramModel
{
    private const int mostEpochs = 10;
    private const int fewestEpochs = 2;

    /// <summary>Pairs of all epochs together; more data need fewer epochs, and of very many pairs these are drawn.</summary>
    private const int mostUpdates = 400_000;

    private const float rate = 0.1f;
    private const float decay = 1e-4f;

    private readonly NgramKind kind;
    private readonly Slot[] slots = new Slot[NgramFeatures.BucketCount];

    private NgramModel(NgramKind kind) => this.kind = kind;

    /// <summary>A weight and the sum of its squared gradients, which are read together.</summary>
    private record struct Slot(float Weight, float Squares);

    /// <summary>Trains a model on all pairs of answers with different scores.</summary>
    public static NgramModel Train(NgramKind kind, IReadOnlyList<RankedList> lists, ulong seed)
    {
        var model = new NgramModel(kind);
        var random = new SplitMix64(seed);
        var pairs = lists.SelectMany(model.PairsOf).ToArray();
        var epochs = Math.Clamp(mostUpdates / Math.Max(1, pairs.Length), fewestEpochs, mostEpochs);
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            random.Shuffle<(int[], int[])>(pairs);
            foreach (var (better, worse) in pairs.AsSpan(0, Math.Min(pairs.Length, mostUpdates / epochs)))
                model.Update(better, worse);
        }
        return model;
    }

    /// <summary>The score of each answer.</summary>
    public float[] Score(RankedList list) => [.. list.Answers.Select(answer => Sum(NgramFeatures.Of(answer, kind)))];

    private IEnumerable<(int[] Better, int[] Worse)> PairsOf(RankedList list)
    {
        int[][] features = [.. list.Answers.Select(answer => NgramFeatures.Of(answer, kind))];
        for (var i = 0; i < features.Length; i++)
            for (var j = 0; j < features.Length; j++)
                if (list.Scores[i] > list.Scores[j])
                    yield return (features[i], features[j]);
    }

    private void Update(int[] better, int[] worse)
    {
        var slope = -1 / (1 + MathF.Exp(Sum(better) - Sum(worse)));
        Step(better, slope / MathF.Sqrt(better.Length));
        Step(worse, -slope / MathF.Sqrt(worse.Length));
    }

    private void Step(int[] features, float slope)
    {
        foreach (var feature in features)
        {
            ref var slot = ref slots[feature];
            var gradient = slope + decay * slot.Weight;
            slot.Squares += gradient * gradient;
            slot.Weight -= rate * gradient / MathF.Sqrt(slot.Squares + 1e-8f);
        }
    }

    // The root of the length keeps a long text from outweighing a short one by its length alone.
    private float Sum(int[] features)
    {
        float sum = 0;
        foreach (var feature in features)
            sum += slots[feature].Weight;
        return sum / MathF.Sqrt(Math.Max(1, features.Length));
    }
}
