using System.Text.Json;
using Microsoft.Extensions.Logging;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Training.Data;

namespace RewardModel.Training;

/// <summary>The lists of a run, checked before anything is computed, and in which order they are trained on.</summary>
internal sealed class TrainingLists
{
    private const int maxListed = 20;
    private const string noAttribute = "no attribute that an output is called by";
    private const string noPair = "no ordered pair (one answer, or all answers tied or equal)";

    private readonly int? listsPerStep;
    private readonly int? tokensPerStep;
    private readonly bool sharesPrompts;
    private readonly ulong seed;

    // The first steps of epochs, as far as they were asked for: with steps of tokens each epoch has its own count.
    private readonly List<int> firstSteps = [0];
    private Epoch? newest;

    private readonly EpochMixture mixture;
    private readonly int[] tokens;

    /// <param name="model">The model to train.</param>
    /// <param name="options">The options, with their defaults.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="trainLists">The lists to train on; those that the loss does not apply to are left out.</param>
    /// <param name="heldOutLists">The lists to evaluate.</param>
    /// <param name="logger">Told what is noteworthy about them.</param>
    /// <param name="sourceWeights">How often an epoch has the lists of each source, by the sources' numbers; null: every list once.</param>
    /// <exception cref="ArgumentException">No list has a pair, or lists don't fit the model: all are told.</exception>
    public TrainingLists(
        RewardTransformer model, TrainingOptions options, RankingLoss loss, IReadOnlyList<TokenizedList> trainLists,
        IReadOnlyList<TokenizedList> heldOutLists, ILogger logger, IReadOnlyList<double>? sourceWeights = null)
    {
        (listsPerStep, tokensPerStep) = (options.ListsPerStep, options.TokensPerStep);
        (seed, sharesPrompts) = ((ulong)options.Seed, model.Backbone.IsCausal);
        var (train, heldOut) = (new ListSurvey(trainLists, loss, model), new ListSurvey(heldOutLists, loss, model));
        WarnOfEqualAnswers(train, "training lists", logger);
        WarnOfEqualAnswers(heldOut, "held-out lists", logger);
        CheckScores(options, train, heldOut);
        LogMargins(options, train, logger);
        if (options.Ties == TieHandling.Half && !train.HasTies)
            logger.LogWarning("--ties half changes nothing: no training list has answers with equal scores");
        (Train, HeldOut, SourceWeights) = (train.ToUsed(), heldOutLists, sourceWeights);
        (tokens, AnswerCount, PairCount) = (train.TokensOfUsed, train.AnswerCount, train.PairCount);
        (ChatCount, TextCount) = (train.ChatCount, train.TextCount);
        if (Train.Count < trainLists.Count)
            logger.LogWarning(
                "{Count} of {All} training lists {Verb} {Missing}: not trained on",
                trainLists.Count - Train.Count, trainLists.Count, Counted.Verb(trainLists.Count - Train.Count, "has", "have"),
                !loss.ReadsOutputs ? noPair : options.Loss == RankingLoss.NoneName ? noAttribute : $"{noAttribute} and {noPair}");
        if (Train.Count == 0)
            throw new ArgumentException(
                $"The training set ({Counted.Of(trainLists.Count, "list")}) has no ordered pair; "
                + "expected lists of two or more answers that are not all tied or equal.",
                nameof(trainLists));
        if (options.EarlyStopPatience > 0 && heldOutLists.Count == 0)
            throw new ArgumentException(
                $"{TrainingOptions.NameOf(nameof(options.EarlyStopPatience))} is {options.EarlyStopPatience}, but there are no held-out lists "
                + "to evaluate; give some, or set it to 0.");
        if (options.AverageLast is { } averaged && heldOutLists.Count == 0)
            throw new ArgumentException(
                $"{TrainingOptions.NameOf(nameof(options.AverageLast))} is {averaged}, but there are no held-out lists to evaluate; give some, "
                + "or use --ema.");
        var isOfNoUse = options.BestBy == BestBy.Accuracy ? heldOut.PairCount == 0 : options.BestBy == BestBy.Loss && heldOut.UsedCount == 0;
        if (heldOutLists.Count > 0 && isOfNoUse)
            throw new ArgumentException(
                $"The held-out set ({Counted.Of(heldOutLists.Count, "list")}) has "
                + (options.BestBy == BestBy.Accuracy
                    ? "no ordered pair, so there is no accuracy to choose the best weights by; provide other held-out lists, or none"
                        + (heldOut.UsedCount > 0 ? ", or choose by the loss (--best-by loss)." : ".")
                    : "no list that the loss applies to, so there is none to choose the best weights by; provide other held-out lists, or none."),
                nameof(heldOutLists));
        ThrowIfUnfit(model, [.. train.UnfitOfUsed.Select(index => (trainLists, index)), .. heldOut.Unfit.Select(index => (heldOutLists, index))]);
        mixture = sourceWeights is null ? new EpochMixture(Train.Count) : new EpochMixture(SourcesOf(Train), sourceWeights);
    }

    /// <summary>Those that the loss applies to: mostly those with pairs.</summary>
    public IReadOnlyList<TokenizedList> Train { get; }

    public IReadOnlyList<TokenizedList> HeldOut { get; }

    /// <summary>How often an epoch has the lists of each source, by the sources' numbers; null: every list once.</summary>
    public IReadOnlyList<double>? SourceWeights { get; }

    /// <summary>Answers of the training lists.</summary>
    public long AnswerCount { get; }

    /// <summary>Ordered pairs of the training lists.</summary>
    public long PairCount { get; }

    /// <summary>Training lists that were conversations.</summary>
    public int ChatCount { get; }

    /// <summary>Training lists that were plain text.</summary>
    public int TextCount { get; }

    /// <summary>Tokens of an epoch, of the first one where epochs differ.</summary>
    public long TokensPerEpoch => EpochOf(step: 0).Order.Sum(index => (long)tokens[index]);

    /// <summary>Steps of the first epoch: of all, unless steps are counted in tokens.</summary>
    public int StepsPerEpoch => EpochOf(step: 0).StepCount;

    /// <summary>Steps of a number of epochs.</summary>
    /// <exception cref="ArgumentException">They are too many to count.</exception>
    public int StepsOf(int epochs) => CountSteps(epochs) is <= int.MaxValue and var steps
        ? (int)steps
        : throw new ArgumentException(
            $"{TrainingOptions.NameOf(nameof(TrainingOptions.Epochs))} is {epochs}; expected at most {int.MaxValue / StepsPerEpoch}, as an epoch "
            + $"has {Counted.Of(StepsPerEpoch, "step")}.");

    /// <summary>Passes over the lists after a number of steps, with fraction.</summary>
    public double EpochsAfter(int steps)
    {
        var epoch = EpochOf(steps);
        return epoch.Index + (steps - epoch.FirstStep) / (double)epoch.StepCount;
    }

    /// <summary>The lists of a step: epoch by epoch all lists, in another order in each epoch.</summary>
    public TokenizedList[] OfStep(int step)
    {
        var epoch = EpochOf(step);
        return [.. epoch.Order[epoch.Starts[step - epoch.FirstStep]..epoch.Starts[step - epoch.FirstStep + 1]].Select(index => Train[index])];
    }

    /// <summary>The longest lists that can come together in a step.</summary>
    public TokenizedList[] Longest()
    {
        int[] longest = [.. Enumerable.Range(0, Train.Count).OrderByDescending(index => tokens[index])];
        return [.. longest[..Starts(longest)[1]].Select(index => Train[index])];
    }

    /// <summary>A list's tokens, a shared prompt counted once.</summary>
    public int TokensOf(TokenizedList list) => PackedSequences.CountTokens(list, sharesPrompts);

    private long CountSteps(int epochs)
    {
        if (tokensPerStep is not { } tokensOfStep)
            return (long)epochs * StepsPerEpoch;
        // A step has fewer tokens than these and its last list. Epochs that are too many even so are not gone through.
        long longest = tokens.Max(), least = mixture.Count * (long)tokens.Min();
        var steps = epochs * (least / (tokensOfStep - 1 + longest));
        if (steps > int.MaxValue)
            return steps;
        steps = 0;
        for (var epoch = 0; epoch < epochs && steps <= int.MaxValue; epoch++)
            steps += EpochOf((int)steps).StepCount;
        return steps;
    }

    private Epoch EpochOf(int step)
    {
        if (newest is { } epoch && step >= epoch.FirstStep && step < epoch.FirstStep + epoch.StepCount)
            return epoch;
        if (tokensPerStep is null)
        {
            // All epochs have as many steps: none has to be gone through.
            var stepsPerEpoch = (int)((mixture.Count + (long)listsPerStep! - 1) / listsPerStep);
            // Memory for one order at a time.
            newest = null;
            return newest = NewEpoch(step / stepsPerEpoch, step / stepsPerEpoch * stepsPerEpoch);
        }
        var index = firstSteps.FindLastIndex(first => first <= step);
        for (newest = NewEpoch(index, firstSteps[index]); step >= newest.FirstStep + newest.StepCount; newest = NewEpoch(++index, firstSteps[index]))
            if (index + 1 == firstSteps.Count)
                firstSteps.Add(newest.FirstStep + newest.StepCount);
        return newest;
    }

    private static int[] SourcesOf(IReadOnlyList<TokenizedList> lists) =>
        Enumerable.Range(0, lists.Count).Select(index => lists.InfoOf(index).Source).ToArray();

    private Epoch NewEpoch(int index, int firstStep)
    {
        var order = mixture.Order(SplitMix64.Mix(seed) + (ulong)index);
        return new Epoch(index, firstStep, order, Starts(order));
    }

    /// <summary>Where in an order of the lists each step begins, and the end.</summary>
    private int[] Starts(int[] order)
    {
        var starts = new List<int> { 0 };
        long tokensOfStep = 0;
        for (var end = 1; end <= order.Length; end++)
        {
            tokensOfStep += tokens[order[end - 1]];
            var isFull = tokensPerStep is null ? end - starts[^1] == listsPerStep : tokensOfStep >= tokensPerStep;
            if (!isFull && end < order.Length)
                continue;
            starts.Add(end);
            tokensOfStep = 0;
        }
        return [.. starts];
    }

    private static void WarnOfEqualAnswers(ListSurvey lists, string name, ILogger logger)
    {
        var found = lists.EqualAnswers.Select(lists.Lists.SourceOf);
        if (EqualAnswers.Describe(lists.EqualAnswers.Count, found, lists.Lists.Count, name) is { } description)
            logger.LogWarning("{EqualAnswers}", description);
    }

    /// <summary>Where every answer has a loss of its own, its score has to mean something by itself.</summary>
    private static void CheckScores(TrainingOptions options, ListSurvey train, ListSurvey heldOut)
    {
        var count = train.ScoredByOrder.Count + heldOut.ScoredByOrder.Count;
        if (options.Pointwise is PointwiseLoss.None or PointwiseLoss.Attributes || count == 0)
            return;
        var sources = train.ScoredByOrder.Select(train.Lists.SourceOf).Concat(heldOut.ScoredByOrder.Select(heldOut.Lists.SourceOf));
        throw new ArgumentException(
            $"{TrainingOptions.NameOf(nameof(options.Pointwise))} is {JsonNamingPolicy.KebabCaseLower.ConvertName(options.Pointwise.ToString())}, "
            + $"but {count} of {Counted.Of(train.Lists.Count + heldOut.Lists.Count, "list")} {Counted.Verb(count, "has", "have")} no scores, only an "
            + $"order of the answers ({string.Join(", ", sources.Take(5))}{(count > 5 ? ", ..." : "")}); expected "
            + "scores that mean the same in every list. Give the lists scores, or train on their order alone.");
    }

    /// <summary>The margins that the data have and the options don't use, or the other way round.</summary>
    private static void LogMargins(TrainingOptions options, ListSurvey trainLists, ILogger logger)
    {
        var (count, all) = (trainLists.MarginCount, trainLists.Lists.Count);
        var name = TrainingOptions.NameOf(nameof(options.Margin));
        if (!options.LossOptions.PairMargin.IsOfData)
        {
            if (count > 0)
                logger.LogWarning(
                    "{Count} of {All} training lists {Verb} a margin, which is not used: --margin column does so",
                    count, all, Counted.Verb(count, "has", "have"));
            return;
        }
        if (count == 0)
            throw new ArgumentException(
                $"{name} is column, but no training list has a margin; expected lines with a \"margin\", or another value.", nameof(trainLists));
        if (count < all)
            logger.LogWarning(
                "{Count} of {All} training lists {Verb} no margin: theirs is 0",
                all - count, all, Counted.Verb(all - count, "has", "have"));
    }

    /// <exception cref="ArgumentException">Lists are longer than the model takes, or have ids that it doesn't know: all are told.</exception>
    public static void CheckFit(RewardTransformer model, IReadOnlyList<TokenizedList> lists) => ThrowIfUnfit(
        model,
        [.. Enumerable.Range(0, lists.Count).Where(index => !ListSurvey.Fits(lists.InfoOf(index), model)).Select(index => (lists, index))]);

    private static void ThrowIfUnfit(RewardTransformer model, (IReadOnlyList<TokenizedList> Lists, int Index)[] unfit)
    {
        var backbone = model.Backbone;
        string Problem(TokenizedList list)
        {
            var length = list.AnswerIds.Select((ids, k) => list.PromptOf(k).Length + ids.Length).Max();
            return length > backbone.MaxPositions
                ? $"{list.Source} has {length} tokens"
                : $"{list.Source} has the token id "
                    + list.DistinctPrompts().Prompts.Concat(list.AnswerIds).SelectMany(ids => ids)
                        .First(id => id < 0 || id >= backbone.VocabularySize);
        }
        if (unfit.Length > 0)
            throw new ArgumentException(
                $"{Counted.Of(unfit.Length, "list")} {Counted.Verb(unfit.Length, "doesn't", "don't")} fit this {backbone.GetName()}, "
                + $"which takes at most {backbone.MaxPositions} tokens and ids from 0 to {backbone.VocabularySize - 1}: "
                + $"{string.Join("; ", unfit.Take(maxListed).Select(list => Problem(list.Lists[list.Index])))}"
                + $"{(unfit.Length > maxListed ? "; ..." : "")}. "
                + "Truncate the lists (--max-length), or use the tokenizer that belongs to the model.");
    }

    /// <summary>An epoch, and where in its order each of its steps begins; behind them, its end.</summary>
    private sealed record Epoch(int Index, int FirstStep, int[] Order, int[] Starts)
    {
        public int StepCount => Starts.Length - 1;
    }
}
