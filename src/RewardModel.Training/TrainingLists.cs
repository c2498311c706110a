using System.Text.Json;
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
        RewardTransformer model, TrainingOptions options, RankingLoss loss, IReadOnlyList<TokenizedList> trainLists,
        IReadOnlyList<TokenizedList> heldOutLists, ILogger logger)
    {
        (listsPerStep, seed) = (options.ListsPerStep, (ulong)options.Seed);
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
        var isChosenByLoss = options.BestBy == BestBy.Loss && heldOutLists.Any(list => loss.DivisorOf(RankingList.Of(list)) > 0);
        if (heldOutLists.Count > 0 && !isChosenByLoss && heldOutLists.All(list => RankingList.Of(list).PairCount == 0))
            throw new ArgumentException(
                $"The held-out set ({Counted.Of(heldOutLists.Count, "list")}) has no ordered pair, so there is no accuracy to choose the best "
                + "weights by; provide other held-out lists, or none.",
                nameof(heldOutLists));
        CheckFit(model);
        StepsPerEpoch = (Train.Count + listsPerStep - 1) / listsPerStep;
    }

    /// <summary>Those that the loss applies to: mostly those with pairs.</summary>
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

    private void CheckFit(RewardTransformer model)
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
        string[] problems = [.. Train.Concat(HeldOut).Select(Problem).OfType<string>()];
        if (problems.Length > 0)
            throw new ArgumentException(
                $"{Counted.Of(problems.Length, "list")} {Counted.Verb(problems.Length, "doesn't", "don't")} fit this {backbone.GetName()}, "
                + $"which takes at most {backbone.MaxPositions} tokens and ids from 0 to {backbone.VocabularySize - 1}: {string.Join("; ", problems.Take(maxListed))}"
                + $"{(problems.Length > maxListed ? "; ..." : "")}. "
                + "Truncate the lists (--max-length), or use the tokenizer that belongs to the model.");
    }
}
