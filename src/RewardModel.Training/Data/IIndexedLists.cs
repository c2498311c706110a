using RewardModel.Lists;

namespace RewardModel.Training.Data;

/// <summary>Lists of which something is known before they are made: each access to a list makes it anew.</summary>
internal interface IIndexedLists : IReadOnlyList<TokenizedList>
{
    /// <summary>What is known of a list.</summary>
    ListInfo InfoOf(int index);

    /// <summary>The scores of a list, which are not all known by its index, but are found without its tokens.</summary>
    IReadOnlyList<double> ScoresOf(int index);

    /// <summary>Where a list was read from.</summary>
    SourceLine SourceOf(int index);
}
