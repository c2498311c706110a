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

    private readonly int? listsPerStep;
    private readonly int? tokensPerStep;
    private readonly bool sharesPrompts;
    private readonly ulong seed;

    // The first steps of epochs, as far as they were asked for: with steps of tokens each epoch has its own count.
    private readonly List<int> firstSteps = [0];
    private Epoch? newest;

    /// <exception cref="ArgumentException">No list has a pair, or lists don't fit the model: all are told.</exception>
    public TrainingLists(
        RewardTransformer model, TrainingOptions options, RankingLoss loss, IReadOnlyList<TokenizedList> trainLists,
        IReadOnlyList<TokenizedList> heldOutLists, ILogger logger)
    {
        (listsPerStep, tokensPerStep) = (options.ListsPerStep, options.TokensPerStep);
        (seed, sharesPrompts) = ((ulong)options.Seed, model.Backbone.IsCausal);
        WarnOfEqualAnswers(trainLists, "training lists", logger);
        WarnOfEqualAnswers(heldOutLists, "held-out lists", logger);
        CheckScores(options, [.. trainLists, .. heldOutLists]);
        LogMargins(options, trainLists, logger);
        if (options.Ties == TieHandling.Half && trainLists.All(list => list.Scores.Distinct().Count() == list.Scores.Count))
            logger.LogWarning("--ties half changes nothing: no training list has answers with equal scores");
        Train = [.. trainLists.Where(list => loss.DivisorOf(RankingList.Of(list)) > 0)];
        HeldOut = heldOutLists;
        if (Train.Count < trainLists.Count)
            logger.LogWarning(
                "{Count} of {All} training lists {Verb} no ordered pair (one answer, or all answers tied or equal): not trained on",
                trainLists.Count - Train.Count, trainLists.Count, Counted.Verb(trainLists.Count - Train.Count, "has", "have"));
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
        var isChosenByLoss = options.BestBy == BestBy.Loss && heldOutLists.Any(list => loss.DivisorOf(RankingList.Of(list)) > 0);
        if (heldOutLists.Count > 0 && !isChosenByLoss && heldOutLists.All(list => RankingList.Of(list).PairCount == 0))
            throw new ArgumentException(
                $"The held-out set ({Counted.Of(heldOutLists.Count, "list")}) has no ordered pair, so there is no accuracy to choose the best "
                + "weights by; provide other held-out lists, or none.",
                nameof(heldOutLists));
        CheckFit(model, Train.Concat(HeldOut));
    }

    /// <summary>Those that the loss applies to: mostly those with pairs.</summary>
    public IReadOnlyList<TokenizedList> Train { get; }

    public IReadOnlyList<TokenizedList> HeldOut { get; }

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
        int[] longest = [.. Enumerable.Range(0, Train.Count).OrderByDescending(index => TokensOf(Train[index]))];
        return [.. longest[..Starts(longest)[1]].Select(index => Train[index])];
    }

    /// <summary>A list's tokens, a shared prompt counted once.</summary>
    public int TokensOf(TokenizedList list) => PackedSequences.CountTokens(list, sharesPrompts);

    private long CountSteps(int epochs)
    {
        if (tokensPerStep is not { } tokensOfStep)
            return (long)epochs * StepsPerEpoch;
        // A step has fewer tokens than these and its last list. Epochs that are too many even so are not gone through.
        long longest = Train.Max(TokensOf), all = Train.Sum(list => (long)TokensOf(list));
        var steps = epochs * (all / (tokensOfStep - 1 + longest));
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
            var stepsPerEpoch = (int)((Train.Count + (long)listsPerStep! - 1) / listsPerStep);
            return newest = NewEpoch(step / stepsPerEpoch, step / stepsPerEpoch * stepsPerEpoch);
        }
        var index = firstSteps.FindLastIndex(first => first <= step);
        for (newest = NewEpoch(index, firstSteps[index]); step >= newest.FirstStep + newest.StepCount; newest = NewEpoch(++index, firstSteps[index]))
            if (index + 1 == firstSteps.Count)
                firstSteps.Add(newest.FirstStep + newest.StepCount);
        return newest;
    }

    private Epoch NewEpoch(int index, int firstStep)
    {
        var order = SplitMix64.Permutation(Train.Count, SplitMix64.Mix(seed) + (ulong)index);
        return new Epoch(index, firstStep, order, Starts(order));
    }

    /// <summary>Where in an order of the lists each step begins, and the end.</summary>
    private int[] Starts(int[] order)
    {
        var starts = new List<int> { 0 };
        long tokens = 0;
        for (var end = 1; end <= order.Length; end++)
        {
            tokens += TokensOf(Train[order[end - 1]]);
            var isFull = tokensPerStep is null ? end - starts[^1] == listsPerStep : tokens >= tokensPerStep;
            if (!isFull && end < order.Length)
                continue;
            starts.Add(end);
            tokens = 0;
        }
        return [.. starts];
    }

    private static void WarnOfEqualAnswers(IReadOnlyList<TokenizedList> lists, string name, ILogger logger)
    {
        if (EqualAnswers.Describe(lists, name) is { } description)
            logger.LogWarning("{EqualAnswers}", description);
    }

    /// <summary>Where every answer has a loss of its own, its score has to mean something by itself.</summary>
    private static void CheckScores(TrainingOptions options, IReadOnlyList<TokenizedList> lists)
    {
        if (options.Pointwise == PointwiseLoss.None || lists.Where(list => list.ScoresAreOrder).ToArray() is not { Length: > 0 } ordered)
            return;
        throw new ArgumentException(
            $"{TrainingOptions.NameOf(nameof(options.Pointwise))} is {JsonNamingPolicy.KebabCaseLower.ConvertName(options.Pointwise.ToString())}, "
            + $"but {ordered.Length} of {Counted.Of(lists.Count, "list")} {Counted.Verb(ordered.Length, "has", "have")} no scores, only an order of "
            + $"the answers ({string.Join(", ", ordered.Take(5).Select(list => list.Source))}{(ordered.Length > 5 ? ", ..." : "")}); expected "
            + "scores that mean the same in every list. Give the lists scores, or train on their order alone.");
    }

    /// <summary>The margins that the data have and the options don't use, or the other way round.</summary>
    private static void LogMargins(TrainingOptions options, IReadOnlyList<TokenizedList> trainLists, ILogger logger)
    {
        var count = trainLists.Count(list => list.Margin is not null);
        var name = TrainingOptions.NameOf(nameof(options.Margin));
        if (!options.LossOptions.PairMargin.IsOfData)
        {
            if (count > 0)
                logger.LogWarning(
                    "{Count} of {All} training lists {Verb} a margin, which is not used: --margin column does so",
                    count, trainLists.Count, Counted.Verb(count, "has", "have"));
            return;
        }
        if (count == 0)
            throw new ArgumentException(
                $"{name} is column, but no training list has a margin; expected lines with a \"margin\", or another value.", nameof(trainLists));
        if (count < trainLists.Count)
            logger.LogWarning(
                "{Count} of {All} training lists {Verb} no margin: theirs is 0",
                trainLists.Count - count, trainLists.Count, Counted.Verb(trainLists.Count - count, "has", "have"));
    }

    /// <exception cref="ArgumentException">Lists are longer than the model takes, or have ids that it doesn't know: all are told.</exception>
    public static void CheckFit(RewardTransformer model, IEnumerable<TokenizedList> lists)
    {
        var backbone = model.Backbone;
        string? Problem(TokenizedList list)
        {
            var length = list.AnswerIds.Select((ids, k) => list.PromptOf(k).Length + ids.Length).Max();
            if (length > backbone.MaxPositions)
                return $"{list.Source} has {length} tokens";
            var wrong = list.DistinctPrompts().Prompts.Concat(list.AnswerIds).SelectMany(ids => ids)
                .Where(id => id < 0 || id >= backbone.VocabularySize);
            return wrong.Any() ? $"{list.Source} has the token id {wrong.First()}" : null;
        }
        string[] problems = [.. lists.Select(Problem).OfType<string>()];
        if (problems.Length > 0)
            throw new ArgumentException(
                $"{Counted.Of(problems.Length, "list")} {Counted.Verb(problems.Length, "doesn't", "don't")} fit this {backbone.GetName()}, "
                + $"which takes at most {backbone.MaxPositions} tokens and ids from 0 to {backbone.VocabularySize - 1}: {string.Join("; ", problems.Take(maxListed))}"
                + $"{(problems.Length > maxListed ? "; ..." : "")}. "
                + "Truncate the lists (--max-length), or use the tokenizer that belongs to the model.");
    }

    /// <summary>An epoch, and where in its order each of its steps begins; behind them, its end.</summary>
    private sealed record Epoch(int Index, int FirstStep, int[] Order, int[] Starts)
    {
        public int StepCount => Starts.Length - 1;
    }
}
