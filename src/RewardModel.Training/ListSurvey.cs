using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Training.Data;

namespace RewardModel.Training;

/// <summary>What a run asks of all of its lists before its first step, found in one pass over them.</summary>
internal sealed class ListSurvey
{
    private readonly List<int> equalAnswers = [];
    private readonly List<int> scoredByOrder = [];
    private readonly int[] tokens;
    private readonly int[]? used;
    private readonly List<int> unfit = [];
    private readonly List<int> unfitOfUsed = [];

    /// <param name="lists">The lists.</param>
    /// <param name="loss">Says which lists are of use.</param>
    /// <param name="model">Says which of these fit it.</param>
    public ListSurvey(IReadOnlyList<TokenizedList> lists, RankingLoss loss, RewardTransformer model)
    {
        Lists = lists;
        tokens = new int[lists.Count];
        for (var i = 0; i < lists.Count; i++)
        {
            var info = lists.InfoOf(i);
            if (info.Has(ListFlags.EqualAnswers))
                equalAnswers.Add(i);
            if (info.Has(ListFlags.ScoresAreOrder))
                scoredByOrder.Add(i);
            if (info.Has(ListFlags.Margin))
                MarginCount++;
            HasTies |= info.Has(ListFlags.Ties);
            PairCount += info.PairCount;
            var isRated = loss.ReadsOutputs && info.Has(ListFlags.Attributes) && loss.IsRated(lists[i].Attributes);
            var isUsed = loss.AppliesTo(info.PairCount, info.Has(ListFlags.TiedPairs), isRated);
            if (!Fits(info, model))
            {
                unfit.Add(i);
                if (isUsed)
                    unfitOfUsed.Add(i);
            }
            // While all lists are used, their indices are no news.
            if (!isUsed)
            {
                used ??= [.. Enumerable.Range(0, lists.Count)];
                continue;
            }
            if (used is not null)
                used[UsedCount] = i;
            tokens[UsedCount++] = info.TokenCount(model.Backbone.IsCausal);
            AnswerCount += info.AnswerCount;
            ChatCount += info.Has(ListFlags.Chat) ? 1 : 0;
            TextCount += info.Has(ListFlags.Text) ? 1 : 0;
        }
        Array.Resize(ref tokens, UsedCount);
        if (used is not null)
            Array.Resize(ref used, UsedCount);
    }

    /// <summary>The lists.</summary>
    public IReadOnlyList<TokenizedList> Lists { get; }

    /// <summary>Those with answers that are equal token for token.</summary>
    public IReadOnlyList<int> EqualAnswers => equalAnswers;

    /// <summary>Those whose scores are no more than an order.</summary>
    public IReadOnlyList<int> ScoredByOrder => scoredByOrder;

    /// <summary>How many have a margin.</summary>
    public int MarginCount { get; }

    /// <summary>Whether any has equal scores.</summary>
    public bool HasTies { get; }

    /// <summary>Ordered pairs of all lists.</summary>
    public long PairCount { get; }

    /// <summary>Those that the model can't read.</summary>
    public IReadOnlyList<int> Unfit => unfit;

    /// <summary>Those of them that the loss applies to.</summary>
    public IReadOnlyList<int> UnfitOfUsed => unfitOfUsed;

    /// <summary>How many the loss applies to.</summary>
    public int UsedCount { get; }

    /// <summary>The tokens of each of these, a shared prompt counted once if the model shares it.</summary>
    public int[] TokensOfUsed => tokens;

    /// <summary>Answers of the lists that the loss applies to.</summary>
    public long AnswerCount { get; }

    /// <summary>How many of these were conversations.</summary>
    public int ChatCount { get; }

    /// <summary>How many of these were plain text.</summary>
    public int TextCount { get; }

    /// <summary>The lists that the loss applies to; all of them are the lists themselves.</summary>
    public IReadOnlyList<TokenizedList> ToUsed() => used is null ? Lists : new ListSubset(Lists, used);

    /// <summary>Whether a model takes a list: it is not too long, and has no ids that the model doesn't know.</summary>
    public static bool Fits(in ListInfo info, RewardTransformer model) =>
        info.LongestLength <= model.Backbone.MaxPositions && info.LargestId < model.Backbone.VocabularySize && !info.Has(ListFlags.NegativeId);
}
