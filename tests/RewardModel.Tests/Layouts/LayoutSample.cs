namespace RewardModel.Tests.Layouts;

/// <summary>A row of a layout, and what it holds.</summary>
/// <param name="Layout">The layout's name.</param>
/// <param name="Json">The row.</param>
/// <param name="Lists">Its lists, as <see cref="LayoutSamples"/> shows them.</param>
internal sealed record LayoutSample(string Layout, string Json, params string[] Lists)
{
    /// <summary>How scores are computed.</summary>
    public string? ScoreFrom { get; init; }

    /// <summary>Keys that have no meaning, and say so.</summary>
    public string[] IgnoredKeys { get; init; } = [];

    /// <summary>Whether it is one answer, which belongs to those of other rows.</summary>
    public bool IsAnswer { get; init; }

    /// <summary>Whether a prompt was taken off.</summary>
    public bool HadRepeatedPrompt { get; init; }

    /// <summary>The group of its lists.</summary>
    public string? Group { get; init; }

    /// <summary>How many answers were left out.</summary>
    public int LeftOutAnswerCount { get; init; }
}
