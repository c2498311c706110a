using RewardModel.Lists;

namespace RewardModel.Learning;

/// <summary>
/// The floor to beat: a linear Bradley-Terry model (-log sigmoid of the difference of two answers' scores) on hashed uni- and bigrams of the
/// answer alone; of words, or of characters where a text has few spaces. Trained by AdaGrad over all pairs, in an order of the seed.
/// </summary>
internal sealed class NgramModel
{
    private const int buckets = 1 << 18;
    private const int epochs = 10;
    private const double rate = 0.1;
    private const double decay = 1e-4;

    private readonly double[] weights = new double[buckets];
    private readonly double[] squares = new double[buckets];

    private NgramModel()
    {
    }

    public static NgramModel Train(IReadOnlyList<RankedList> lists, int seed)
    {
        var model = new NgramModel();
        var random = new Random(seed);
        var pairs = lists.SelectMany(PairsOf).ToArray();
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            random.Shuffle(pairs);
            foreach (var (better, worse) in pairs)
                model.Update(better, worse);
        }
        return model;
    }

    /// <summary>The score of each answer.</summary>
    public float[] Score(RankedList list) => [.. list.Answers.Select(answer => (float)Sum(Features(answer)))];

    private static IEnumerable<(int[] Better, int[] Worse)> PairsOf(RankedList list)
    {
        int[][] features = [.. list.Answers.Select(Features)];
        for (var i = 0; i < features.Length; i++)
            for (var j = 0; j < features.Length; j++)
                if (list.Scores[i] > list.Scores[j])
                    yield return (features[i], features[j]);
    }

    private void Update(int[] better, int[] worse)
    {
        var slope = -1 / (1 + Math.Exp(Sum(better) - Sum(worse)));
        Step(better, slope / Math.Sqrt(better.Length));
        Step(worse, -slope / Math.Sqrt(worse.Length));
    }

    private void Step(int[] features, double slope)
    {
        foreach (var feature in features)
        {
            var gradient = slope + decay * weights[feature];
            squares[feature] += gradient * gradient;
            weights[feature] -= rate * gradient / Math.Sqrt(squares[feature] + 1e-8);
        }
    }

    // The root of the length keeps a long text from outweighing a short one by its length alone.
    private double Sum(int[] features) => features.Sum(feature => weights[feature]) / Math.Sqrt(Math.Max(1, features.Length));

    private static int[] Features(string text)
    {
        var hasWords = text.Count(char.IsWhiteSpace) * 12 > text.Length;
        string[] units = hasWords
            ? text.ToLowerInvariant().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            : [.. text.EnumerateRunes().Select(rune => rune.ToString())];
        return [.. units.Concat(units.Zip(units.Skip(1), (first, second) => $"{first} {second}")).Distinct().Select(Bucket)];
    }

    // FNV-1a: string.GetHashCode differs from process to process.
    private static int Bucket(string feature)
    {
        var hash = 2166136261u;
        foreach (var character in feature)
            hash = (hash ^ character) * 16777619u;
        return (int)(hash % buckets);
    }
}
