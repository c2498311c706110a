using RewardModel.Lists;
using RewardModel.Training.Checks;
using RewardModel.Training.Data;
using RewardModel.Training.Diagnosis;
using RewardModel.Training.Evaluation;
using RewardModel.Training.Metrics;
using RewardModel.Training.Records;
using RewardModel.Training.Reporting;

namespace RewardModel.Tests.Training.Records;

/// <summary>Records that look like those of real runs, the same ones every time.</summary>
internal static class SampleRecord
{
    public static RunRecord Full(int stepCount = 1200) => new()
    {
        Name = "helpful-qwen3-0.6b",
        StartTime = new DateTimeOffset(2026, 3, 4, 9, 30, 0, TimeSpan.FromHours(1)),
        LastTime = new DateTimeOffset(2026, 3, 4, 14, 12, 30, TimeSpan.FromHours(1)),
        IsFinished = true,
        Run = Run(stepCount),
        ResumedAfter = [stepCount / 3],
        Steps = Steps(stepCount),
        Evaluations = Evaluations(stepCount),
        Data = Data,
        Evaluation = Evaluation,
        Diagnoses =
        [
            new("overfitting", DiagnosisSeverity.Warning,
                "The held-out loss rose from 0.534 to 0.571 after step 800 while the loss of training fell to 0.41: train for fewer epochs, or use --best-by loss."),
            new("few-prompts", DiagnosisSeverity.Note, "The held-out lists have 1,203 prompts: differences of less than 3 points can't be seen."),
        ],
    };

    /// <summary>Nothing but a name.</summary>
    public static RunRecord Empty { get; } = new() { Name = "nothing yet" };

    public static RunReport Run(int stepCount) => new(0, stepCount)
    {
        Version = "0.2.0",
        Libraries = "TorchSharp 0.107.0, libtorch 2.10.0, .NET 10.0.2, Linux 6.1",
        Device = "NVIDIA H100 80GB HBM3, 16 threads",
        Model = "Qwen3, from models/Qwen3-0.6B",
        ParameterCount = 595_777_537,
        TrainedParameterCount = 595_777_537,
        ListCount = 38_112,
        HeldOutListCount = 1_544,
        DataDigest = "9f86d081884c7d659a2feaa0c55ad015",
        Options = new Dictionary<string, string>
        {
            ["--data"] = "helpful-base/train.jsonl.gz",
            ["--eval-fraction"] = "0.04",
            ["--learning-rate"] = "9e-6",
            ["--epochs"] = "1",
            ["--precision"] = "bfloat16",
            ["--centering"] = "0.01",
        },
        Command = "reward-model train --data helpful-base/train.jsonl.gz --eval-fraction 0.04 --backbone models/Qwen3-0.6B --output helpful-qwen3-0.6b "
            + "--learning-rate 9e-6 --precision bfloat16 --centering 0.01",
    };

    public static StepReport[] Steps(int count)
    {
        var random = new SplitMix64(1);
        double Noise() => Unit(random) + Unit(random) + Unit(random) - 1.5;
        var steps = new StepReport[count];
        for (var i = 0; i < count; i++)
        {
            var done = (i + 1.0) / count;
            steps[i] = new StepReport(
                i + 1, count, done, 0.45 + 0.25 * Math.Exp(-4 * done) + 0.12 * Noise(), Math.Clamp(0.5 + 0.28 * (1 - Math.Exp(-4 * done)) + 0.14 * Noise(), 0, 1),
                9e-6 * Math.Min(1, done / 0.05) * (0.1 + 0.9 * (1 + Math.Cos(Math.PI * done)) / 2), 3.4 + Noise() + (i % (count / 4 + 1) == count / 5 ? 160 : 0),
                16_384, 16_384L * (i + 1), 41_000 + 2_500 * Noise() - (i % 97 == 0 ? 15_000 : 0), TimeSpan.FromSeconds(0.4 * (count - i)));
        }
        return steps;
    }

    public static EvaluationReport[] Evaluations(int stepCount)
    {
        var random = new SplitMix64(2);
        double best = 0;
        var evaluations = Enumerable.Range(0, 13).Select(i =>
        {
            var done = i / 12.0;
            var accuracy = 0.5 + 0.235 * (1 - Math.Exp(-5 * done)) + 0.012 * (Unit(random) - 0.5);
            var isBest = accuracy > best;
            best = Math.Max(best, accuracy);
            return new EvaluationReport(
                (int)(done * stepCount), Metrics(accuracy, 0.53 + 0.165 * Math.Exp(-5 * done) + 0.04 * done * done, 1.3 * (1 - Math.Exp(-3 * done))), isBest);
        }).ToArray();
        return [.. evaluations, new(stepCount, Metrics(0.7391, 0.548, 1.21), IsBest: false) { AverageOf = [stepCount - 1, stepCount] }];
    }

    public static RankingMetrics Metrics(double accuracy = 0.7316, double loss = 0.5427, double margin = 1.214) => new()
    {
        ListCount = 1544,
        ListsWithoutPairsCount = 12,
        AnswerCount = 4631,
        PairCount = 4210,
        Loss = loss,
        Accuracy = accuracy,
        PromptCount = 1203,
        AccuracyLow = accuracy - 0.0214,
        AccuracyHigh = accuracy + 0.0209,
        Margin = margin,
        KendallTau = 2 * accuracy - 1,
        TopAnswerAccuracy = accuracy - 0.06,
        RewardMean = 0.132,
        RewardStandardDeviation = 1.874,
        RewardMin = -6.31,
        RewardMax = 7.02,
    };

    public static RewardEvaluation Evaluation { get; } = new()
    {
        Metrics = Metrics(),
        Baselines =
        [
            new("chance", 0.5, 4210, 0.2316, 0.2102, 0.2525), new("longer", 0.6132, 4210, 0.1184, 0.0933, 0.1431),
            new("shorter", 0.3868, 4210, 0.3448, 0.3169, 0.3722), new("words", 0.6721, 4210, 0.0595, 0.0371, 0.0814),
            new("word-pairs", 0.6803, 4210, 0.0513, 0.0288, 0.0741), new("characters", 0.7204, 4210, 0.0112, -0.0098, 0.0319),
        ],
        Tables =
        [
            Table("answers", ("2", 620, 0.741), ("3", 1240, 0.735), ("4", 2350, 0.727)),
            Table("rank-distance", ("1", 2405, 0.672), ("2", 1204, 0.781), ("3", 601, 0.869)),
            Table("score-gap", ("up to 0.5", 1402, 0.643), ("0.5 to 1", 1403, 0.733), ("above 1", 1405, 0.818)),
            Table("length-difference", ("shorter by more than 100", 402, 0.581), ("shorter by 20 to 100", 811, 0.664), ("about the same", 905, 0.721),
                ("longer by 20 to 100", 1290, 0.779), ("longer by more than 100", 802, 0.841)),
            Table("source", ("helpful-base/test.jsonl.gz", 3104, 0.741), ("helpful-online/test-with-a-very-long-name.jsonl.gz", 1106, 0.701)),
            Table("group", ("coding", 1120, 0.702), ("recipes", 940, 0.781), ("advice", 760, 0.733), ("rare", 14, 0.643)),
            Table("language", ("english", 3890, 0.736), ("german", 201, 0.702), ("han", 119, 0.661)),
            Table("truncation", ("cut", 310, 0.681), ("whole", 3900, 0.736)),
        ],
        Length = new LengthBias(
            0.6132, 0.6841, Row("better answer is longer", 2580, 0.807), Row("better answer is shorter", 1603, 0.613), 0.4127, 0.2814, LengthPoints()),
        Ndcg = 0.8812,
        BestOfN = new BestOfNCurve(false, 812,
            [new(1, 2.914, 2.914, 2.914), new(2, 3.261, 2.914, 3.502), new(4, 3.548, 2.914, 4.021), new(8, 3.702, 2.914, 4.388), new(12, 3.741, 2.914, 4.527)]),
        Calibration = new Calibration(
            [.. Enumerable.Range(0, 10).Select(i => new CalibrationBin(
                0.5 + 0.05 * i, 0.55 + 0.05 * i, 760 - 64 * i + (i == 9 ? 310 : 0), 0.525 + 0.05 * i, 0.52 + 0.038 * i,
                0.52 + 0.038 * i - 0.03 - 0.004 * i, 0.52 + 0.038 * i + 0.03 + 0.004 * i))],
            0.0613, 0.1871, 1.382),
        Ties = new TieAccuracy(23, 0.7289, 412, 0.6712, 0.3104),
        HumanAgreement = new HumanAgreement(318, 941, 0.7342, 0.8107, 0.7215),
        Rewards = new RewardDistribution(-2.91, -1.02, 0.118, 1.306, 3.288, Bins(-6.5, 0.5, 28, 0.2, 1.9, 4631), Bins(-6, 0.5, 28, 1.2, 2.0, 4210), 1.604),
        Benchmark = new BenchmarkScore("RewardBench", 0.7381,
            [
                new("Chat", 0.9123, 1, [new("alpacaeval-easy", 100, 0.95), new("mt-bench-easy", 28, 0.8929)]),
                new("Chat Hard", 0.5614, 1, [new("mt-bench-hard", 37, 0.6486), new("llmbar-natural", 100, 0.66)]),
            ],
            ["refusals-dangerous", "xstest-should-respond"]),
        Reference = new ReferenceDrift("references.jsonl", 256, 0.3117, 1.522, 0.1663, 0.4702),
        Consistency =
        [
            new("order", 200, 0.0, 0.0, 0.0, 0.0), new("trailing-space", 200, 0.1411, 0.9031, 0.088, 0.0214),
            new("double-spaces", 200, 0.4102, 2.312, 0.2557, 0.0742),
        ],
        MostWrong = [.. Enumerable.Range(0, 20).Select(i => Pair(i, -4.2f + 0.13f * i, i % 4 == 0))],
        MostUncertain = [.. Enumerable.Range(0, 20).Select(i => Pair(20 + i, 0.001f * (i - 8), i % 5 == 0))],
    };

    public static DataReport Data { get; } = new()
    {
        ListCount = 39_656,
        AnswerCount = 112_904,
        PromptCount = 30_411,
        ListsByAnswerCount = new Dictionary<int, int> { [2] = 20_112, [3] = 9_022, [4] = 10_522 },
        PairCount = 108_431,
        TiedPairs = Count(4_512, 112_943),
        ListsWithoutPairs = Count(212, 39_656),
        Margins = Count(0, 39_656),
        Weights = Count(0, 39_656),
        Groups = Count(39_656, 39_656),
        ListsByGroup = new Dictionary<string, int> { ["advice"] = 21_002, ["coding"] = 18_654 },
        PromptCharacters = new(412, 1204, 4020, 19_402),
        AnswerCharacters = new(231, 804, 2212, 9_120),
        PromptTokens = new(101, 312, 1010, 5_021),
        AnswerTokens = new(58, 204, 560, 2_300),
        Truncation = null,
        CutLists = Count(310, 39_656),
        IdenticalTexts = Count(17, 39_656),
        IdenticalTokens = Count(19, 39_656),
        IdenticalAnswers = Count(19, 39_656),
        Contradictions = Count(204, 3_120),
        Cycles = Count(12, 940),
        DuplicateLists = Count(302, 39_656),
        SharedPrompts = Count(9_245, 39_656),
        NearDuplicates = Count(1_204, 39_656),
        LargestCluster = 41,
        Split = new DataSplitReport
        {
            TrainListCount = 38_112,
            HeldOutListCount = 1_544,
            Leak = Count(0, 1_544),
            LeakButForSpaceAndCase = Count(3, 1_544),
            NearLeak = Count(41, 1_544),
        },
        EmptyAnswers = Count(4, 112_904),
        OneTokenAnswers = Count(31, 112_904),
        RepeatedPrompts = Count(0, 112_904),
        Boilerplate = Count(201, 112_904),
        Mojibake = Count(0, 39_656),
        ReplacementCharacters = Count(2, 39_656),
        ByteOrderMarks = Count(0, 39_656),
        ControlCharacters = Count(0, 39_656),
        HtmlEntities = Count(101, 39_656),
        SpecialTokens = Count(0, 39_656),
        ListsByScript = new Dictionary<string, int> { ["latin"] = 39_201, ["han"] = 455 },
        ListsByGuessedLanguage = new Dictionary<string, int> { ["english"] = 38_910, ["german"] = 291 },
        MixedScripts = Count(40, 39_656),
        LongerIsBetter = Count(66_490, 108_431),
        ShorterIsBetter = Count(40_107, 108_431),
        Baselines = [new("longer", 0.6132, 0.5914, 0.6347, 4210), new("words", 0.6721, 0.6503, 0.6931, 4210), new("characters", 0.7204, 0.6998, 0.7402, 4210)],
        Findings =
        [
            new("near-leak", FindingSeverity.Warning, 41, 41 / 1544.0,
                "41 of 1544 held-out lists have a prompt that is nearly the same as one that is trained on: use --split-by near-duplicates.",
                [new SourceLine("helpful-base/test.jsonl.gz", 17), new SourceLine("helpful-base/test.jsonl.gz", 203)]),
            new("html-entities", FindingSeverity.Note, 101, 101 / 39656.0, "101 of 39656 lists have HTML entities such as &amp;.",
                [new SourceLine("helpful-base/train.jsonl.gz", 8)]),
        ],
    };

    /// <summary>A pair with these texts, a token being a word with the space before it.</summary>
    public static ShownPair Pair(string prompt, string better, string worse, float betterReward = -1, float worseReward = 1) => new(
        "test.jsonl:3", "group", Tokens(prompt), new(Tokens(better), 4, betterReward), new(Tokens(worse), 2, worseReward));

    private static ShownPair Pair(int number, float difference, bool isLong)
    {
        const string better =
            " Yes: soak the beans overnight, throw the water away, and boil them for at least ten minutes before they simmer. Raw kidney beans have a poison "
            + "that only boiling destroys; a slow cooker does not get hot enough.\n\nThen it takes about an hour.";
        const string worse = " You can put them into the slow cooker as they are. They will be soft after eight hours, and nobody will notice the difference!";
        var pair = Pair(
            $"<|im_start|>user\nQuestion {number + 1}: do I have to soak dried kidney beans before I cook them?<|im_end|>\n<|im_start|>assistant\n",
            isLong ? string.Concat(Enumerable.Repeat(better, 9)) : better, worse, 0.5f + difference, 0.5f);
        return pair with
        {
            Source = $"helpful-base/test.jsonl.gz:{17 * number + 4}",
            Group = "advice",
            Prompt = pair.Prompt with { CutCount = isLong ? 312 : 0 },
            Worse = pair.Worse with { Tokens = isLong ? new(pair.Worse.Tokens.Start, 412, pair.Worse.Tokens.Start, 0) : pair.Worse.Tokens },
        };
    }

    private static ShownTokens Tokens(string text)
    {
        var tokens = new List<string>();
        for (var start = 0; start < text.Length;)
        {
            var end = text.IndexOfAny([' ', '\n'], start + 1);
            end = end < 0 ? text.Length : end;
            tokens.Add(text[start..end]);
            start = end;
        }
        return new ShownTokens(tokens, 0, [], 0);
    }

    private static AccuracyTable Table(string by, params (string Name, int Pairs, double Accuracy)[] rows) =>
        new(by, [.. rows.Select(row => Row(row.Name, row.Pairs, row.Accuracy))]);

    private static AccuracyRow Row(string name, int pairs, double accuracy)
    {
        var half = 1.2 / Math.Sqrt(pairs);
        return new(name, pairs / 3, pairs, accuracy, accuracy - half, Math.Min(1, accuracy + half), 3 * (accuracy - 0.5));
    }

    private static HistogramBin[] Bins(double low, double width, int count, double mean, double deviation, int all) =>
    [
        .. Enumerable.Range(0, count).Select(i =>
        {
            var middle = low + (i + 0.5) * width;
            return new HistogramBin(
                low + i * width, low + (i + 1) * width,
                (long)(all * width / deviation / 2.5066 * Math.Exp(-(middle - mean) * (middle - mean) / (2 * deviation * deviation))));
        }),
    ];

    private static LengthPoint[] LengthPoints()
    {
        var random = new SplitMix64(3);
        return
        [
            .. Enumerable.Range(0, 2000).Select(_ =>
            {
                var tokens = (int)(8 + 60 * -Math.Log(1 - 0.98 * Unit(random)));
                return new LengthPoint(tokens, (float)(0.008 * tokens - 0.5 + 2.4 * (Unit(random) + Unit(random) + Unit(random) - 1.5)));
            }),
        ];
    }

    private static double Unit(SplitMix64 random) => random.NextBelow(1 << 20) / (double)(1 << 20);

    private static DataCount Count(long count, long of) => new(count, of, []);
}
