using RewardModel.Lists;

namespace RewardModel.Reading;

/// <summary>
/// Ranked lists from anywhere: a data base, a service, a generator. They are read once, in their order, which should be the same each time: a
/// run that is resumed reads them again.
/// </summary>
public interface IRankedListSource
{
    /// <summary>What messages call it.</summary>
    string Name { get; }

    /// <summary>Reads the lists.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    IAsyncEnumerable<RankedList> ReadAsync(CancellationToken cancellationToken = default);
}
