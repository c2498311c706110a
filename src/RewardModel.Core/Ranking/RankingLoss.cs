using static TorchSharp.torch;

namespace RewardModel.Ranking;

/// <summary>
/// A loss of ranked lists: a function of their rewards, each answer scored once, that is a sum of terms: of the order, of each answer by
/// itself, and of regularisation. It sums over lists; the caller divides once per optimiser step, so that splitting a step into
/// micro-batches changes nothing but rounding.
/// </summary>
/// <remarks>
/// Of every list each term takes a mean, so that a list weighs the same however many answers it has; times the list's own weight, where the
/// data give one. A step's loss is the sum over its lists divided by their count (not by the sum of the weights: what a list weighs does not
/// depend on the others of its step). docs/losses.md has all formulas.
/// </remarks>
public sealed class RankingLoss
{
    internal const string NoneName = "none";

    /// <summary>More different scores than this are no levels.</summary>
    internal const int MaxLevelCount = 100;

    private readonly PairRule rule;
    private readonly bool isPerPair;
    private readonly bool isOfOrder;
    private readonly bool isPointwise;
    private readonly LossTerm[] terms;
    private readonly AttributesTerm? attributes;

    private RankingLoss(RankingLossOptions options)
    {
        rule = new PairRule(options.Ties, options.PairMargin);
        isPerPair = options.LossNormalization == LossNormalization.PerPair;
        isOfOrder = options.Loss != NoneName;
        isPointwise = options.Pointwise is not (PointwiseLoss.None or PointwiseLoss.Attributes);
        terms = [.. TermsOf(options)];
        attributes = options.Pointwise == PointwiseLoss.Attributes ? new AttributesTerm(options.PointwiseWeight ?? 1, options.OutputNames!) : null;
    }

    /// <summary>The names of the losses of the order.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        LogSigmoidTerm.TermName, SigmoidTerm.TermName, HingeTerm.TermName, PlackettLuceTerm.TermName, TopChoiceTerm.TermName,
    ];

    /// <summary>The names of the terms, in their order.</summary>
    internal IReadOnlyList<string> TermNames => [.. terms.Select(term => term.Name), .. attributes is null ? (string[])[] : [AttributesTerm.Name]];

    /// <summary>
    /// Whether it is a function of the outputs of a head besides the rewards, which are sums of them: see
    /// <see cref="Sum(Tensor, RankingTargets, Tensor)"/>.
    /// </summary>
    public bool ReadsOutputs => attributes is not null;

    /// <summary>The loss of the given name, with the defaults of <see cref="RankingLossOptions"/>.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="ArgumentException">No loss has that name; the message lists those that exist.</exception>
    /// <example>
    /// <code>
    /// var loss = RankingLoss.ByName("log-sigmoid");
    /// using var targets = loss.TargetsOf([new RankingList([2.0, 1.0, 0.0])]);
    /// using var rewards = TorchSharp.torch.tensor(new[] { 0.5f, 0.1f, -1f });
    /// using var sum = loss.Sum(rewards, targets);
    /// using var mean = sum.div(targets.Divisor);
    /// </code>
    /// </example>
    public static RankingLoss ByName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Names.Contains(name)
            ? Of(new RankingLossOptions { Loss = name })
            : throw new ArgumentException(
                $"The loss '{name}' is not known; expected one of: {string.Join(", ", Names)}.", nameof(name));
    }

    /// <summary>The loss of some options.</summary>
    /// <exception cref="ArgumentException">Values can't be used, or have no effect beside others: all are listed.</exception>
    public static RankingLoss Of(RankingLossOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        string[] problems = [.. options.Problems(name => name), .. options.FoundProblems()];
        return problems.Length == 0
            ? new RankingLoss(options)
            : throw new ArgumentException($"The loss can't be used: {string.Join("; ", problems)}.", nameof(options));
    }

    /// <summary>What the loss has to know of a batch of lists.</summary>
    /// <param name="lists">The lists; those that it doesn't apply to add nothing.</param>
    /// <param name="device">Where the rewards will lie: the model's device. Null: on the CPU.</param>
    /// <returns>The caller's.</returns>
    public RankingTargets TargetsOf(IReadOnlyList<RankingList> lists, Device? device = null) => TargetsOf(lists, device, tokens: null);

    /// <summary>The same where rewards come token by token.</summary>
    internal RankingTargets TargetsOf(IReadOnlyList<RankingList> lists, Device? device, IReadOnlyList<AnswerTokens>? tokens)
    {
        ArgumentNullException.ThrowIfNull(lists);
        (RankingList List, List<RankedPair> Pairs)[] entries = [.. lists.Select(list => (list, rule.PairsOf(list)))];
        double[] counts = [.. entries.Select(entry => CountOf(entry.List, entry.Pairs))];
        return new RankingTargets(
            this, entries, [.. entries.Zip(counts, (entry, count) => entry.List.Weight * count)], counts.Sum(), device, tokens);
    }

    /// <summary>The loss, summed over the lists: divide it by the <see cref="RankingTargets.Divisor"/> of all lists of the step.</summary>
    /// <param name="rewards">[N], float32, list by list.</param>
    /// <param name="targets">Of these lists, and of this loss.</param>
    /// <param name="outputs">
    /// [N, O], float32, of which the rewards are sums; null where the loss does not read them (<see cref="ReadsOutputs"/>).
    /// </param>
    /// <returns>A scalar, float32; 0 where it applies to no list.</returns>
    /// <exception cref="ArgumentException">
    /// The targets are of another loss, which may have other pairs, or there are no outputs and the loss reads them.
    /// </exception>
    public Tensor Sum(Tensor rewards, RankingTargets targets, Tensor? outputs = null) => SumsOfTerms(rewards, targets, outputs).sum();

    /// <summary>The sum over the lists of each term, [terms], float32.</summary>
    internal Tensor SumsOfTerms(Tensor rewards, RankingTargets targets, Tensor? outputs)
    {
        ArgumentNullException.ThrowIfNull(rewards);
        ArgumentNullException.ThrowIfNull(targets);
        if (ReadsOutputs && outputs is null)
            throw new ArgumentException(
                "The loss reads the outputs of the head, one for each attribute, and none are given; expected those that the rewards are of.",
                nameof(outputs));
        if (targets.Loss != this)
            throw new ArgumentException(
                "The targets are of another loss, which may have other pairs; expected some that this one's TargetsOf made.", nameof(targets));
        IEnumerable<Tensor> sums = terms.Select(term => term.Sum(rewards, targets));
        return stack(attributes is null ? sums : sums.Append(attributes.Sum(outputs!, targets)));
    }

    /// <summary>What one list adds to the sum, as a number, computed in float64.</summary>
    /// <param name="rewards">K rewards, finite.</param>
    /// <param name="list">What is known of them.</param>
    /// <param name="outputs">Of each answer what the outputs give; needed where the loss reads them.</param>
    internal double OfList(IReadOnlyList<float> rewards, RankingList list, IReadOnlyList<IReadOnlyList<float>>? outputs = null)
    {
        var pairs = rule.PairsOf(list);
        var count = CountOf(list, pairs);
        return count == 0
            ? 0
            : list.Weight * count * (terms.Sum(term => term.OfList(rewards, list, pairs)) + (attributes?.OfList(outputs!, list) ?? 0));
    }

    /// <summary>What one list adds to the divisor; 0 where the loss does not apply to it.</summary>
    internal double DivisorOf(RankingList list) => CountOf(list, rule.PairsOf(list));

    /// <summary>Whether scores are labels from 0 to 1, which the sign of a reward agrees with or not.</summary>
    internal bool HasLabels => terms.Any(term => term is LogisticTerm);

    /// <summary>Whether the loss applies to a list, its divisor not being 0.</summary>
    /// <param name="pairCount">Its ordered pairs.</param>
    /// <param name="hasTiedPairs">Whether it has answers that are tied and not equal token for token.</param>
    /// <param name="isRated">Whether <see cref="IsRated"/> is true of its attributes.</param>
    internal bool AppliesTo(int pairCount, bool hasTiedPairs, bool isRated) =>
        (isOfOrder && (pairCount > 0 || (hasTiedPairs && rule.Ties == TieHandling.Half))) || isPointwise || isRated;

    /// <summary>Whether there is an attribute that the loss reads.</summary>
    internal bool IsRated(IReadOnlyList<IReadOnlyDictionary<string, double>>? ofAnswers) => attributes?.IsIn(ofAnswers) == true;

    /// <summary>A list without a pair has nothing to train on but its answers one by one.</summary>
    private double CountOf(RankingList list, List<RankedPair> pairs) =>
        isPerPair ? pairs.Count
        : (isOfOrder && pairs.Count > 0) || isPointwise || IsRated(list.Attributes) ? 1 : 0;

    private static IEnumerable<LossTerm> TermsOf(RankingLossOptions options)
    {
        if (options.Loss != NoneName)
            yield return options.Loss switch
            {
                LogSigmoidTerm.TermName => new LogSigmoidTerm(options.LabelSmoothing),
                SigmoidTerm.TermName => new SigmoidTerm(),
                HingeTerm.TermName => new HingeTerm(),
                PlackettLuceTerm.TermName => new PlackettLuceTerm(),
                TopChoiceTerm.TermName => new TopChoiceTerm(),
                _ => throw new InvalidOperationException($"The loss '{options.Loss}' is among the names, but there is none."),
            };
        var weight = options.PointwiseWeight ?? 1;
        if (options.Pointwise == PointwiseLoss.Regression)
            yield return new RegressionTerm(weight);
        if (options.Pointwise == PointwiseLoss.Levels)
            yield return new LevelsTerm(weight, options.Levels!);
        if (options.Pointwise == PointwiseLoss.Logistic)
            yield return new LogisticTerm(weight);
        if (options.Centering > 0)
            yield return new CenteringTerm(options.Centering);
        if (options.RewardL2 > 0)
            yield return new RewardL2Term(options.RewardL2);
    }
}
