namespace RewardModel.Training.Data;

/// <summary>What a list has or is.</summary>
[Flags]
internal enum ListFlags
{
    /// <summary>Nothing of these.</summary>
    None = 0,

    /// <summary>Answers with equal scores.</summary>
    Ties = 1,

    /// <summary>Answers with equal scores that are not equal token for token.</summary>
    TiedPairs = 1 << 1,

    /// <summary>Answers that are equal token for token.</summary>
    EqualAnswers = 1 << 2,

    /// <summary><see cref="Lists.TokenizedList.ScoresAreOrder"/>.</summary>
    ScoresAreOrder = 1 << 3,

    /// <summary>A margin.</summary>
    Margin = 1 << 4,

    /// <summary>A weight that is not 1.</summary>
    Weight = 1 << 5,

    /// <summary>A group.</summary>
    Group = 1 << 6,

    /// <summary>It was a conversation.</summary>
    Chat = 1 << 7,

    /// <summary>It was plain text.</summary>
    Text = 1 << 8,

    /// <summary>Prompts of its answers' own.</summary>
    OwnPrompts = 1 << 9,

    /// <summary>A token id below 0.</summary>
    NegativeId = 1 << 10,

    /// <summary>Its prompt or an answer lost tokens at the maximum length.</summary>
    Cut = 1 << 11,

    /// <summary>Attributes of its answers.</summary>
    Attributes = 1 << 12,
}
