using RewardModel.Lists;

namespace RewardModel.Learning;

/// <summary>One way of training that a study compares with others.</summary>
/// <param name="Study">The question that it belongs to.</param>
/// <param name="Set">What is trained on.</param>
/// <param name="Name">What is special about it.</param>
/// <param name="Options">Lines of a run file that replace those of the set.</param>
internal sealed record Variant(string Study, DataSet Set, string Name, string Options = "")
{
    /// <summary>Changes the training lists, by a seed; the lists that accuracies are measured on stay as they are.</summary>
    public Func<IReadOnlyList<RankedList>, Random, IReadOnlyList<RankedList>>? Change { get; init; }

    /// <summary>
    /// True: as many steps as the unchanged lists take, of as many lists as make the same count of pairs, so that all variants see equally
    /// many pairs.
    /// </summary>
    public bool SeesEquallyManyPairs { get; init; }

    /// <summary>Models, each of a seed of its own, whose rewards are averaged.</summary>
    public int Members { get; init; } = 1;

    /// <summary>No transformer: the n-gram model.</summary>
    public bool IsNgram { get; init; }
}

/// <summary>The questions, and the ways of training that answer them.</summary>
internal static class Studies
{
    public static IReadOnlyList<Variant> All { get; } =
    [
        .. Losses(), .. AnswersPerList(), .. Amounts(), .. Annotators(), .. Final(),
    ];

    private static IEnumerable<Variant> Losses()
    {
        (string Name, string Options)[] ofBoth =
        [
            ("log-sigmoid", ""),
            ("sigmoid", "loss: sigmoid"),
            ("hinge", "loss: hinge"),
            ("plackett-luce", "loss: plackett-luce"),
            ("top-choice", "loss: top-choice"),
            ("log-sigmoid, label smoothing 0.1", "label-smoothing: 0.1"),
            ("log-sigmoid, every pair weighs the same", "loss-normalization: per-pair"),
            ("log-sigmoid, centred 0.01", "centering: 0.01"),
        ];
        (string Name, string Options)[] ofScores =
        [
            ("log-sigmoid, ties as 0.5", "ties: half"),
            ("log-sigmoid, margin score-difference*0.02", "margin: score-difference*0.02"),
            ("log-sigmoid, margin score-difference*0.05", "margin: score-difference*0.05"),
        ];
        return ofBoth.Select(loss => new Variant("loss", DataSet.Reviews, loss.Name, loss.Options))
            .Concat(ofBoth.Concat(ofScores).Select(loss => new Variant("loss", DataSet.Descriptions, loss.Name, loss.Options)));
    }

    private static IEnumerable<Variant> AnswersPerList()
    {
        foreach (var (set, counts) in new[] { (DataSet.Sorting, (int[])[2, 4, 9]), (DataSet.Descriptions, [2, 3, 5]) })
            foreach (var count in counts)
            {
                yield return new Variant("K, same prompts", set, $"K={count}")
                {
                    Change = (lists, random) => [.. Some(lists, set).Select(list => WithAnswers(list, count, random))],
                    SeesEquallyManyPairs = true,
                };
                if (count < counts[^1])
                    yield return new Variant("K, same count of labelled pairs", set, $"K={counts[^1]}, lists for the pairs of K={count}")
                    {
                        Change = (lists, random) => Fewer(
                            Some(lists, set), count * (count - 1) / (double)(counts[^1] * (counts[^1] - 1)), random),
                        SeesEquallyManyPairs = true,
                    };
            }
    }

    private static IEnumerable<Variant> Amounts() =>
        from set in new[] { DataSet.Descriptions, DataSet.Reviews }
        from share in new[] { 8, 4, 2, 1 }
        select new Variant("amount of data", set, share == 1 ? "all" : $"1/{share}")
        {
            Change = (lists, random) => Fewer(lists, 1.0 / share, random),
            SeesEquallyManyPairs = true,
        };

    private static IEnumerable<Variant> Annotators() =>
        from noise in new[] { 0, 1, 2 }
        from loss in new[] { ("ranking", ""), ("regression", "loss: none\npointwise: regression"), ("ranking and regression", "pointwise: regression") }
        select new Variant(
            "ranking or regression", DataSet.Descriptions,
            $"{loss.Item1}, {noise switch { 0 => "scores as they are", 1 => "annotators differ", _ => "annotators differ, noise" }}", loss.Item2)
        {
            Change = (lists, random) => OfAnnotators(lists, differ: noise >= 1, deviation: noise == 2 ? 0.5 : 0, random),
        };

    private static IEnumerable<Variant> Final() =>
        from set in new[] { DataSet.Descriptions, DataSet.Reviews }
        from variant in new[]
        {
            new Variant("against n-grams", set, "n-grams") { IsNgram = true },
            new Variant("against n-grams", set, "one model"),
            new Variant("against n-grams", set, "five models averaged") { Members = 5 },
        }
        select variant;

    /// <summary>The synthetic task has as many lists as one wants: here as many as leave something to learn.</summary>
    private static IReadOnlyList<RankedList> Some(IReadOnlyList<RankedList> lists, DataSet set) =>
        set == DataSet.Sorting ? [.. lists.Take(720)] : lists;

    private static IReadOnlyList<RankedList> Fewer(IReadOnlyList<RankedList> lists, double share, Random random)
    {
        // Whole prompts, as in the split: lists of one prompt belong together, unless all have the same one.
        var haveOnePrompt = lists.All(list => list.Prompt == lists[0].Prompt);
        var prompts = lists.Select(Key).Distinct().Order(StringComparer.Ordinal).ToArray();
        random.Shuffle(prompts);
        var kept = prompts.Take((int)Math.Ceiling(prompts.Length * share)).ToHashSet();
        return [.. lists.Where(list => kept.Contains(Key(list)))];

        string Key(RankedList list) => haveOnePrompt ? string.Join('\0', list.Answers) : list.Prompt;
    }

    private static RankedList WithAnswers(RankedList list, int count, Random random)
    {
        int[] order = [.. Enumerable.Range(0, list.Answers.Count)];
        random.Shuffle(order);
        int[] kept = [.. order.Take(count).Order()];
        return new RankedList(list.Prompt, [.. kept.Select(k => list.Answers[k])], [.. kept.Select(k => list.Scores[k])], list.Source);
    }

    /// <summary>
    /// Scores, standardised over the set, as another annotator for each list would give them: on a scale and from a zero of his own, and
    /// with noise.
    /// </summary>
    private static IReadOnlyList<RankedList> OfAnnotators(
        IReadOnlyList<RankedList> lists, bool differ, double deviation, Random random)
    {
        double[] all = [.. lists.SelectMany(list => list.Scores)];
        var mean = all.Average();
        var spread = Math.Sqrt(all.Average(score => (score - mean) * (score - mean)));
        return
        [
            .. lists.Select(list =>
            {
                var (scale, zero) = differ ? (Math.Pow(2, 2 * random.NextDouble() - 1), Normal(random)) : (1, 0);
                return list with
                {
                    Scores = [.. list.Scores.Select(score => (score - mean) / spread * scale + zero + deviation * Normal(random))],
                };
            }),
        ];
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
