namespace RewardModel.Ranking;

/// <summary>What a <see cref="RankingLoss"/> is made of. Values that have no effect beside others are errors.</summary>
public sealed record RankingLossOptions
{
    /// <summary>The loss of the order: one of <see cref="RankingLoss.Names"/>, or none beside a pointwise loss. Default log-sigmoid.</summary>
    public string Loss { get; init; } = LogSigmoidTerm.TermName;

    /// <summary>
    /// By how much the rewards of a pair should be apart, in log-sigmoid and hinge: none, a number for all pairs, column (the lists' own),
    /// score-difference*X, llama2-small or llama2-large (0, 1, 2 or 3 times 1/3 or 1 for score differences below 1, from 1, from 2 and from 3).
    /// Null (default): none, but 1 for hinge.
    /// </summary>
    public string? Margin { get; init; }

    /// <summary>The share of pairs whose labels are taken to be wrong, in log-sigmoid: from 0 (default) to below 0.5.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>What becomes of answers with equal scores. Default: they make no pair.</summary>
    public TieHandling Ties { get; init; }

    /// <summary>How lists are weighed against each other. Default per list.</summary>
    public LossNormalization LossNormalization { get; init; }

    /// <summary>A loss of every answer by itself, beside that of the order or alone. Default none.</summary>
    public PointwiseLoss Pointwise { get; init; }

    /// <summary>What the pointwise loss is multiplied with, up to 1000; null (default): 1.</summary>
    public double? PointwiseWeight { get; init; }

    /// <summary>
    /// The different scores that count as levels, ascending, 2 to 100 of them, as those of the training lists; needed for
    /// <see cref="PointwiseLoss.Levels"/>.
    /// </summary>
    public IReadOnlyList<double>? Levels { get; init; }

    /// <summary>
    /// The names of the head's outputs, in their order, as <c>RewardTransformer.Outputs</c> has them; needed for
    /// <see cref="PointwiseLoss.Attributes"/>.
    /// </summary>
    public IReadOnlyList<string>? OutputNames { get; init; }

    /// <summary>Coefficient of (r_w + r_l)^2, averaged over pairs, which is added to the loss, up to 1000. Default 0.</summary>
    public double Centering { get; init; }

    /// <summary>Coefficient of r^2 / 2, averaged over answers, which is added to the loss, up to 1000. Default 0.</summary>
    public double RewardL2 { get; init; }

    /// <summary>The margin of pairs.</summary>
    internal PairMargin PairMargin => Margin is null
        ? Loss == HingeTerm.TermName ? PairMargin.Parse("1")! : PairMargin.None
        : PairMargin.Parse(Margin)!;

    // Far beyond every published weight of a term, and no loss of finite rewards is infinite with it.
    private const double MostWeight = 1000;

    private bool IsPairwise => Loss is LogSigmoidTerm.TermName or SigmoidTerm.TermName or HingeTerm.TermName;

    /// <summary>What is wrong with the values, one sentence each without a full stop.</summary>
    /// <param name="nameOf">The name of a property in messages.</param>
    internal IEnumerable<string> Problems(Func<string, string> nameOf)
    {
        string? Problem(bool isMet, string property, object? found, string expected) =>
            isMet ? null : $"{nameOf(property)} is {FormattableString.Invariant($"{found}")}; expected {expected}";
        string Chosen(string property, object value) => $"{nameOf(property)} is {value}";

        string[] names = [.. RankingLoss.Names, RankingLoss.NoneName];
        var loss = Chosen(nameof(Loss), Loss);
        var margin = Margin is null ? PairMargin.None : PairMargin.Parse(Margin);
        var isLogSigmoid = Loss == LogSigmoidTerm.TermName || !names.Contains(Loss);
        string?[] found =
        [
            Problem(names.Contains(Loss), nameof(Loss), $"'{Loss}'", $"one of: {string.Join(", ", names)}"),
            Problem(
                Loss != RankingLoss.NoneName || Pointwise != PointwiseLoss.None, nameof(Loss), Loss,
                $"a loss, because {nameOf(nameof(Pointwise))} is none as well and there is nothing to train by"),
            Problem(margin is not null, nameof(Margin), $"'{Margin}'", $"one of: {PairMargin.Forms}"),
            Problem(
                margin is null or { IsNone: true } || isLogSigmoid || Loss == HingeTerm.TermName, nameof(Margin), Margin,
                $"none, because {loss}, which has no margin"),
            Problem(
                LabelSmoothing is >= 0 and < 0.5, nameof(LabelSmoothing), LabelSmoothing, "a number from 0 (no smoothing) to below 0.5"),
            Problem(LabelSmoothing == 0 || isLogSigmoid, nameof(LabelSmoothing), LabelSmoothing, $"0, because {loss}, not log-sigmoid"),
            Problem(Ties == TieHandling.Exclude || isLogSigmoid, nameof(Ties), "half", $"exclude, because {loss}, not log-sigmoid"),
            Problem(
                LossNormalization == LossNormalization.PerList || IsPairwise || !names.Contains(Loss), nameof(LossNormalization), "per-pair",
                $"per-list, because {loss}, which is not a loss of pairs"),
            Problem(
                LossNormalization == LossNormalization.PerList || Pointwise == PointwiseLoss.None, nameof(LossNormalization), "per-pair",
                $"per-list, because {nameOf(nameof(Pointwise))} is given, which is not a loss of pairs"),
            Problem(
                PointwiseWeight is null or (> 0 and <= MostWeight), nameof(PointwiseWeight), PointwiseWeight,
                $"a number above 0, up to {MostWeight}"),
            Problem(
                PointwiseWeight is null || Pointwise != PointwiseLoss.None, nameof(PointwiseWeight), PointwiseWeight,
                $"no value, because {nameOf(nameof(Pointwise))} is none"),
            Problem(Centering is >= 0 and <= MostWeight, nameof(Centering), Centering, $"0 (no centring) to {MostWeight}"),
            Problem(RewardL2 is >= 0 and <= MostWeight, nameof(RewardL2), RewardL2, $"0 (no such term) to {MostWeight}"),
        ];
        return found.OfType<string>();
    }

    /// <summary>What is wrong with what options of a run do not say, as it is found in the data and the model.</summary>
    internal IEnumerable<string> FoundProblems() => new[] { LevelsProblem(), OutputNamesProblem() }.OfType<string>();

    private string? OutputNamesProblem()
    {
        if (Pointwise != PointwiseLoss.Attributes)
            return OutputNames is null ? null : "OutputNames are given, but Pointwise is not attributes; expected null";
        return OutputNames is { Count: > 0 } names && names.Distinct().Count() == names.Count
            ? null
            : $"OutputNames are {(OutputNames is null ? "not given" : string.Join(", ", OutputNames))}; expected the names of the head's outputs, which differ";
    }

    /// <summary>What is wrong with the levels, or null.</summary>
    private string? LevelsProblem()
    {
        if (Pointwise != PointwiseLoss.Levels)
            return Levels is null ? null : "Levels are given, but Pointwise is not levels; expected null";
        return Levels is { Count: >= 2 and <= RankingLoss.MaxLevelCount } && Levels.Zip(Levels.Skip(1)).All(pair => pair.First < pair.Second)
            ? null
            : $"Levels are {(Levels is null ? "not given" : $"{Levels.Count} numbers")}; expected the 2 to {RankingLoss.MaxLevelCount} different "
                + "scores of the lists, ascending";
    }
}
