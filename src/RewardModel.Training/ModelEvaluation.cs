using System.IO.Hashing;
using System.Runtime.InteropServices;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Training.Checks;
using RewardModel.Training.Data;
using RewardModel.Training.Evaluation;

namespace RewardModel.Training;

/// <summary>Scores lists with a model and works out how good it is on them.</summary>
/// <param name="reader">What reads text as the model does.</param>
/// <param name="score">The model: rewards of lists, and progress.</param>
/// <param name="loss">Gives the loss of each list.</param>
internal sealed class ModelEvaluation(
    ScoringModel reader, Func<IReadOnlyList<TokenizedList>, IProgress<ListProgress>?, ScoredAnswers> score, RankingLoss loss)
{
    /// <summary>Most lists that are edited.</summary>
    public const int MaxEditedLists = 100;

    private const int shownPairCount = 20;

    /// <summary>Tokens that are enough to tell a language.</summary>
    private const int tokensOfLanguage = 200;

    /// <summary>What lazy models make of the lists: for each model the scores of each list, null where they are not known.</summary>
    public IReadOnlyList<(string Name, IReadOnlyList<float[]?> Scores)> LazyModels { get; init; } = [];

    /// <summary>The texts of some of the lists, by their indices, to be edited.</summary>
    public IReadOnlyList<(int Index, RankedList List)> Texts { get; init; } = [];

    /// <summary>Reference answers, and what they were read from; null for none.</summary>
    public (string Name, IReadOnlyList<TokenizedList> Lists)? Reference { get; init; }

    /// <summary>Whether anything can be measured: there are pairs to compare, attributes that outputs are called by, or labels.</summary>
    /// <param name="lists">The lists.</param>
    /// <param name="outputs">The names of the outputs of a head with several; else null.</param>
    /// <param name="loss">Says whether scores are labels.</param>
    public static bool HasFigures(IReadOnlyList<TokenizedList> lists, IReadOnlyList<string>? outputs, RankingLoss loss)
    {
        return Enumerable.Range(0, lists.Count).Any(list => loss.HasLabels || lists.InfoOf(list).PairCount > 0 || IsRated(list));

        bool IsRated(int list) => outputs is not null && lists.InfoOf(list).Has(ListFlags.Attributes)
            && lists[list].Attributes!.Any(answer => outputs.Any(answer.ContainsKey));
    }

    /// <summary>Scores lists.</summary>
    public ScoredList[] Scored(IReadOnlyList<TokenizedList> lists, IProgress<ListProgress>? progress = null)
    {
        var scored = score(lists, progress);
        return [.. lists.Select((list, i) => Scored(list, lists.InfoOf(i), scored.Rewards[i], scored.Outputs?[i]))];
    }

    /// <summary>Evaluates the model.</summary>
    /// <exception cref="ArgumentException">A reward is not finite.</exception>
    public RewardEvaluation Of(IReadOnlyList<TokenizedList> lists, IProgress<ListProgress>? progress = null)
    {
        var scored = Scored(lists, progress);
        var evaluation = Evaluations.Of(scored, loss, LazyModels, outputs: reader.Transformer.Outputs.Names);
        var (wrong, uncertain) = (PairSelection.MostWrong(scored, shownPairCount), PairSelection.MostUncertain(scored, shownPairCount));
        return evaluation with
        {
            Consistency = [.. Edited(lists, scored)],
            Reference = Reference is { } reference
                ? ReferenceDrift.Of(reference.Name, [.. score(reference.Lists, null).Rewards.SelectMany(list => list)], scored)
                : null,
            MostWrong = [.. wrong.Select(Shown)],
            MostUncertain = [.. uncertain.Select(Shown)],
        };

        ShownPair Shown(SelectedPair pair) =>
            new PairTexts(reader.Tokenizer).Of(lists[pair.List], scored[pair.List].Rewards, pair.Better, pair.Worse);
    }

    private ScoredList Scored(TokenizedList list, ListInfo info, float[] rewards, float[][]? outputs) => new(rewards, RankingList.Of(list))
    {
        Outputs = outputs,
        Prompt = info.Prompt,
        TokenCounts = [.. list.AnswerIds.Select(ids => ids.Length)],
        AnswerKeys = [.. list.AnswerIds.Select(ids => XxHash64.HashToUInt64(MemoryMarshal.AsBytes<int>(ids)))],
        ScoresAreOrder = list.ScoresAreOrder,
        Source = list.Source.File,
        Group = list.Group,
        Language = LanguageOf(list),
        IsCut = info.Has(ListFlags.Cut),
    };

    private string? LanguageOf(TokenizedList list)
    {
        if (reader.Tokenizer is not { } tokenizer)
            return null;
        var ids = list.AnswerIds.SelectMany(answer => answer).Take(tokensOfLanguage);
        return LanguageGuess.NameOf(tokenizer.Decode(ids, skipSpecialTokens: true));
    }

    /// <summary>What edits without a meaning do to some of the lists.</summary>
    private IEnumerable<ConsistencyCheck> Edited(IReadOnlyList<TokenizedList> lists, ScoredList[] scored)
    {
        int[] sample = [.. Enumerable.Range(0, lists.Count).Where(i => scored[i].Rewards.Count > 1).Take(MaxEditedLists)];
        if (sample.Length > 0)
        {
            // Scored again as they are, as the other lists of a batch change rounding.
            TokenizedList[] asTheyAre = [.. sample.Select(i => lists[i])];
            TokenizedList[] turned = [.. asTheyAre.Select(list => list.WithAnswers([.. Enumerable.Range(0, list.AnswerIds.Count).Reverse()]))];
            yield return ConsistencyCheck.Of(
                "order", score(asTheyAre, null).Rewards, [.. score(turned, null).Rewards.Select(list => list.Reverse().ToArray())],
                [.. sample.Select(i => scored[i].Ranking)]);
        }
        foreach (var edit in AnswerEdit.All)
            if (Compare(edit, scored) is { } check)
                yield return check;
    }

    /// <summary>Null where no list has anything to edit.</summary>
    private ConsistencyCheck? Compare(AnswerEdit edit, ScoredList[] scored)
    {
        var edited = Texts.Where(list => list.List.Answers.Count > 1)
            .Select(list => (list.Index, list.List, Edited: edit.Of(list.List)))
            .Where(list => list.Edited is not null).Take(MaxEditedLists).ToArray();
        if (edited.Length == 0)
            return null;
        // A chat template may take white space away, so both are tokenised here, and lists that the template rejects are left out.
        var before = reader.TryTokenize(reader.ToScore([.. edited.Select(list => list.List)]));
        var after = reader.TryTokenize(reader.ToScore([.. edited.Select(list => list.Edited!)]));
        int[] kept = [.. Enumerable.Range(0, edited.Length).Where(i => before[i].List is not null && after[i].List is not null)];
        return kept.Length == 0 ? null : ConsistencyCheck.Of(
            edit.Name, score([.. kept.Select(i => before[i].List!)], null).Rewards, score([.. kept.Select(i => after[i].List!)], null).Rewards,
            [.. kept.Select(i => scored[edited[i].Index].Ranking)]);
    }
}
