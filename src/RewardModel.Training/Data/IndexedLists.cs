using RewardModel.Lists;

namespace RewardModel.Training.Data;

/// <summary>What is asked of one of some lists: of <see cref="IIndexedLists"/> it is looked up, of others it is worked out.</summary>
internal static class IndexedLists
{
    /// <summary>What is known of a list.</summary>
    public static ListInfo InfoOf(this IReadOnlyList<TokenizedList> lists, int index) =>
        lists is IIndexedLists indexed ? indexed.InfoOf(index) : ListInfo.Of(lists[index], ListKeys.Of(lists[index]));

    /// <summary>Its keys: those that it is stored with, or those of its token ids.</summary>
    public static ListKeys KeysOf(this IReadOnlyList<TokenizedList> lists, int index) =>
        lists is IIndexedLists indexed ? indexed.InfoOf(index).Keys : ListKeys.Of(lists[index]);

    /// <inheritdoc cref="ListKeys.ContentOf"/>
    public static UInt128 ContentOf(this IReadOnlyList<TokenizedList> lists, int index) =>
        lists is IIndexedLists indexed ? indexed.InfoOf(index).Content : ListKeys.ContentOf(lists[index]);

    /// <summary>Its scores.</summary>
    public static IReadOnlyList<double> ScoresOf(this IReadOnlyList<TokenizedList> lists, int index) =>
        lists is IIndexedLists indexed ? indexed.ScoresOf(index) : lists[index].Scores;

    /// <summary>Where it was read from.</summary>
    public static SourceLine SourceOf(this IReadOnlyList<TokenizedList> lists, int index) =>
        lists is IIndexedLists indexed ? indexed.SourceOf(index) : lists[index].Source;
}
