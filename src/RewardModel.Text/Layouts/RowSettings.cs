namespace RewardModel.Layouts;

/// <summary>How rows are read.</summary>
internal sealed record RowSettings
{
    /// <summary>Whether answers are to be scored only: a row may be one answer by itself, and is returned with what was found.</summary>
    public bool AreToScore { get; init; }

    /// <summary>Whether a row may also be one text or one conversation, which is no list.</summary>
    public bool MayBeWhole { get; init; }

    /// <summary>The layout that all rows have; null where they show it.</summary>
    public DataLayout? Layout { get; init; }

    /// <summary>Layouts of the caller, which rows are compared with before those that are known.</summary>
    public IReadOnlyList<DataLayout> Layouts { get; init; } = [];

    /// <summary>How an answer's score is computed from numbers beside it; null where it is read.</summary>
    public ScoreExpression? ScoreFrom { get; init; }

    /// <summary>The key whose value is the group of a row's lists; null for none.</summary>
    public string? GroupBy { get; init; }
}
