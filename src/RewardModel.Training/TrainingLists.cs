using Microsoft.Extensions.Logging;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Training.Data;

namespace RewardModel.Training;

/// <summary>The lists of a run, checked before anything is computed, and in which order they are trained on.</summary>
internal sealed class TrainingLists
{
    private const int maxListed = 20;

    private readonly int listsPerStep;
    private readonly ulong seed;

    /// <exception cref="ArgumentException">No list has a pair, or lists don't fit the model: all are told.</exception>
    public TrainingLists(
        RewardTransformer model, TrainingOptions options, IReadOnlyList<TokenizedList> trainLists, IReadOnlyList<TokenizedList> heldOutLists,
        ILogger logger)
    {
        (listsPerStep, seed) = (options.ListsPerStep, (ulong)options.Seed);
        WarnOfEqualAnswers(trainLists, "training lists", logger);
        WarnOfEqualAnswers(heldOutLists, "held-out lists", logger);
        Train = [.. trainLists.Where(list => PairCountOf(list) > 0)];
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
        if (heldOutLists.Count > 0 && heldOutLists.All(list => PairCountOf(list) == 0))
            throw new ArgumentException(
                $"The held-out set ({Counted.Of(heldOutLists.Count, "list")}) has no ordered pair, so there is no accuracy to choose the best "
                + "weights by; provide other held-out lists, or none.",
                nameof(heldOutLists));
        CheckFit(model, Train.Concat(HeldOut));
        StepsPerEpoch = (Train.Count + listsPerStep - 1) / listsPerStep;
    }

    /// <summary>Those with pairs.</summary>
    public IReadOnlyList<TokenizedList> Train { get; }

    public IReadOnlyList<TokenizedList> HeldOut { get; }

    public int StepsPerEpoch { get; }

    /// <summary>The lists of a step: epoch by epoch all lists, in another order in each epoch.</summary>
    public TokenizedList[] OfStep(int step)
    {
        var (epoch, stepOfEpoch) = Math.DivRem(step, StepsPerEpoch);
        var order = SplitMix64.Permutation(Train.Count, SplitMix64.Mix(seed) + (ulong)epoch);
        return [.. order.Skip(stepOfEpoch * listsPerStep).Take(listsPerStep).Select(index => Train[index])];
    }

    /// <summary>Ordered pairs of a list: answers that are tied or equal make none.</summary>
    public static int PairCountOf(TokenizedList list) => RankingPairs.CountOf(list.Scores, list.EqualAnswers());

    private static void WarnOfEqualAnswers(IReadOnlyList<TokenizedList> lists, string name, ILogger logger)
    {
        if (EqualAnswers.Describe(lists, name) is { } description)
            logger.LogWarning("{EqualAnswers}", description);
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
}
