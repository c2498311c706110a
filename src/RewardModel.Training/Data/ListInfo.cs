using System.Runtime.InteropServices;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Ranking;

namespace RewardModel.Training.Data;

/// <summary>
/// What is asked of all lists before the first step, and in every epoch. Of lists in a store it is read from their index, so that none of
/// them has to be made for it.
/// </summary>
/// <remarks>It is stored as it lies in memory: what is added or moved needs another <see cref="ListStoreFile.Version"/>.</remarks>
[StructLayout(LayoutKind.Sequential, Pack = 8)]
internal readonly record struct ListInfo
{
    /// <inheritdoc cref="ListKeys.ContentOf"/>
    public required UInt128 Content { get; init; }

    /// <inheritdoc cref="ListKeys.Prompt"/>
    public required UInt128 Prompt { get; init; }

    /// <inheritdoc cref="ListKeys.Answers"/>
    public required ulong Answers { get; init; }

    /// <summary>Of the group's name; 0 without one.</summary>
    public required ulong Group { get; init; }

    /// <summary>Tokens, a shared prompt counted once.</summary>
    public required int SharedTokenCount { get; init; }

    /// <summary>Tokens, a prompt counted with every answer.</summary>
    public required int UnsharedTokenCount { get; init; }

    /// <summary>Most tokens of a prompt and an answer together.</summary>
    public required int LongestLength { get; init; }

    /// <summary>The largest of all token ids; -1 without one.</summary>
    public required int LargestId { get; init; }

    /// <summary>K.</summary>
    public required int AnswerCount { get; init; }

    /// <summary>Count of ordered pairs.</summary>
    public required int PairCount { get; init; }

    /// <inheritdoc cref="ListKeys.Source"/>
    public required int Source { get; init; }

    /// <summary>What else it has or is.</summary>
    public required ListFlags Flags { get; init; }

    /// <summary>The keys that it came with.</summary>
    public ListKeys Keys => new(Prompt, Answers, Source);

    /// <summary>What is known of a list.</summary>
    public static ListInfo Of(TokenizedList list, ListKeys keys)
    {
        int largest = -1, smallest = 0, longest = 0;
        foreach (var ids in list.DistinctPrompts().Prompts.Concat(list.AnswerIds))
            foreach (var id in ids)
                (largest, smallest) = (Math.Max(largest, id), Math.Min(smallest, id));
        for (var k = 0; k < list.AnswerIds.Count; k++)
            longest = Math.Max(longest, list.PromptOf(k).Length + list.AnswerIds[k].Length);
        var ranking = RankingList.Of(list);
        return new ListInfo
        {
            Content = ListKeys.ContentOf(list),
            Prompt = keys.Prompt,
            Answers = keys.Answers,
            Group = list.Group is null ? 0 : ListKeys.OfGroup(list.Group),
            SharedTokenCount = PackedSequences.CountTokens(list, sharePrompts: true),
            UnsharedTokenCount = PackedSequences.CountTokens(list, sharePrompts: false),
            LongestLength = longest,
            LargestId = largest,
            AnswerCount = list.AnswerIds.Count,
            PairCount = ranking.PairCount,
            Source = keys.Source,
            Flags = TiesOf(ranking)
                | (ranking.EqualAnswers is not null ? ListFlags.EqualAnswers : 0)
                | (list.ScoresAreOrder ? ListFlags.ScoresAreOrder : 0)
                | (list.Margin is not null ? ListFlags.Margin : 0)
                | (list.Weight != 1 ? ListFlags.Weight : 0)
                | (list.Group is not null ? ListFlags.Group : 0)
                | (list.IsChat is true ? ListFlags.Chat : 0)
                | (list.IsChat is false ? ListFlags.Text : 0)
                | (list.Attributes is not null ? ListFlags.Attributes : 0)
                | (list.OwnPromptIds is not null ? ListFlags.OwnPrompts : 0)
                | (smallest < 0 ? ListFlags.NegativeId : 0),
        };
    }

    /// <summary>Whether the list has one of these.</summary>
    public bool Has(ListFlags flags) => (Flags & flags) != 0;

    /// <summary>Tokens that a model computes.</summary>
    /// <param name="sharesPrompts">Whether it computes a prompt once for all answers.</param>
    public int TokenCount(bool sharesPrompts) => sharesPrompts ? SharedTokenCount : UnsharedTokenCount;

    private static ListFlags TiesOf(RankingList list)
    {
        var flags = ListFlags.None;
        for (var i = 0; i < list.Scores.Count; i++)
            for (var j = 0; j < i; j++)
                if (list.Scores[i] == list.Scores[j])
                    flags |= list.AreEqual(i, j) ? ListFlags.Ties : ListFlags.Ties | ListFlags.TiedPairs;
        return flags;
    }
}
