namespace RewardModel.Scoring;

/// <summary>Which model <c>services.AddRewardModel</c> registers; can be bound to a section of an application's configuration.</summary>
public sealed class RewardModelOptions
{
    /// <summary>The directory of a trained reward model, as <see cref="ScoringModel.Load"/> takes it. Has no default.</summary>
    public string Directory { get; set; } = "";

    /// <summary>Where it computes: <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>. Null, the default: the CPU.</summary>
    public string? Device { get; set; }

    /// <summary>
    /// Most tokens that are computed at once, a shared prompt counted once, from 1:
    /// <see cref="RewardScorer.DefaultMaxTokensPerBatch"/> unless set.
    /// </summary>
    public int MaxTokensPerBatch { get; set; } = RewardScorer.DefaultMaxTokensPerBatch;
}
