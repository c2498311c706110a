using RewardModel.Scoring;

namespace RewardModel.Training.Checks;

/// <summary>What a check of data looks at, and how much of it.</summary>
internal sealed record DataCheckSettings
{
    /// <summary>Special tokens of the tokenizer as text, which are looked for beside the well-known ones.</summary>
    public IReadOnlyCollection<string> SpecialTokens { get; init; } = [];

    /// <summary>Special tokens at the end of every answer: an answer of one token more has one token of its own.</summary>
    public int TokensAfterAnswer { get; init; }

    /// <summary>Whether prompts that are nearly the same are looked for.</summary>
    public bool HasNearDuplicates { get; init; } = true;

    /// <summary>Share of the pieces of two prompts that both have, from which they are nearly the same.</summary>
    public double Similarity { get; init; } = 0.8;

    /// <summary>Whether texts are kept for linear models of words and characters.</summary>
    public bool HasNgrams { get; init; } = true;

    /// <summary>
    /// Most lists that they are trained and measured on, and of files that are held out as a whole: those with the smallest hashes.
    /// </summary>
    public int MaxNgramLists { get; init; } = 20_000;

    /// <summary>Most models that are trained at a time; their results don't depend on it.</summary>
    public int MaxThreads { get; init; } = 2;

    /// <summary>Decides the order of their training, and the samples that intervals are computed with.</summary>
    public ulong Seed { get; init; }

    /// <summary>What is looked at of lists that a model is to be trained on.</summary>
    public static DataCheckSettings For(ScoringModel model) => new()
    {
        SpecialTokens = model.Tokenizer is { } tokenizer ? [.. tokenizer.SpecialTokens.Values] : [],
        TokensAfterAnswer = model.Rule.SpecialTokens.AfterAnswer.Count,
    };
}
