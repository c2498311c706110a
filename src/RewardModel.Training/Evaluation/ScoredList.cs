using RewardModel.Ranking;

namespace RewardModel.Training.Evaluation;

/// <summary>A list whose answers a model has scored: what statistics are made of. It has no text and no token ids.</summary>
/// <param name="Rewards">K finite rewards.</param>
/// <param name="Ranking">Its K scores, and which answers are equal.</param>
internal sealed record ScoredList(IReadOnlyList<float> Rewards, RankingList Ranking)
{
    /// <summary>What its prompt is told apart by: lists with the same one depend on each other.</summary>
    public required UInt128 Prompt { get; init; }

    /// <summary>For each answer how many tokens of it the model reads.</summary>
    public required IReadOnlyList<int> TokenCounts { get; init; }

    /// <summary>For each answer what it is told apart by: the same answer in two lists has the same key.</summary>
    public required IReadOnlyList<ulong> AnswerKeys { get; init; }

    /// <summary>Whether the scores say the order only, so that their differences mean nothing.</summary>
    public bool ScoresAreOrder { get; init; }

    /// <summary>The name of the file that it was read from; null where it came from elsewhere.</summary>
    public string? Source { get; init; }

    /// <summary>What it belongs to, by the data; null where they don't say.</summary>
    public string? Group { get; init; }

    /// <summary>The script that most of its letters are of, or a guess at its language; null where its text is not known.</summary>
    public string? Language { get; init; }

    /// <summary>Whether the prompt or an answer lost tokens at the maximum length.</summary>
    public bool IsCut { get; init; }
}
