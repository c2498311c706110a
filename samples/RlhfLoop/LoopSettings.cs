namespace RlhfLoop;

/// <summary>How much of everything there is. The results in README.md and docs/rlhf.md are of the full size.</summary>
internal sealed record LoopSettings
{
    /// <summary>Prompts that get answers at once, in GRPO those of a step.</summary>
    public const int PromptsPerBatch = 16;

    /// <summary>Answers to a prompt that the reward model is trained on.</summary>
    public const int AnswersPerRankedPrompt = 8;

    /// <summary>Answers to a held-out prompt.</summary>
    public const int AnswersPerHeldOutPrompt = 16;

    public int DemonstrationCount { get; init; } = 60_000;

    public int RankedPromptCount { get; init; } = 16_000;

    /// <summary>Prompts that nothing is trained on.</summary>
    public int HeldOutPromptCount { get; init; } = 256;

    public int GrpoSteps { get; init; } = 60;

    public double KlCoefficient { get; init; } = 0.2;

    /// <summary>A row of the table is the mean of so many steps.</summary>
    public int StepsPerRow { get; init; } = 5;

    /// <summary>A run of seconds, which shows less.</summary>
    public static LoopSettings Tiny { get; } = new()
    {
        DemonstrationCount = 20_000,
        RankedPromptCount = 4_000,
        HeldOutPromptCount = 64,
        GrpoSteps = 20,
    };

    /// <summary>All prompts.</summary>
    public int PromptCount => DemonstrationCount + RankedPromptCount + HeldOutPromptCount + GrpoSteps * PromptsPerBatch;
}
