namespace RewardModel.Scoring;

/// <summary>Which model <c>services.AddRewardModel</c> registers; can be bound to a section of an application's configuration.</summary>
public sealed class RewardModelOptions
{
    /// <summary>The directory of a trained reward model, as <see cref="ScoringModel.Load"/> takes it. Required.</summary>
    public string Directory { get; set; } = "";

    /// <summary>
    /// Directory of the base model where <see cref="Directory"/> is an adapter's, as <see cref="ScoringModel.Load"/> takes it. Null, the
    /// default: where the adapter says.
    /// </summary>
    public string? BaseDirectory { get; set; }

    /// <summary>Device: <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>. Null, the default: the CPU.</summary>
    public string? Device { get; set; }

    /// <summary>
    /// Maximum number of tokens in a batch, a shared prompt counted once, at least 1:
    /// <see cref="RewardScorer.DefaultMaxTokensPerBatch"/> unless set.
    /// </summary>
    public int MaxTokensPerBatch { get; set; } = RewardScorer.DefaultMaxTokensPerBatch;

    /// <summary>
    /// Most bytes of prompts' keys and values that are kept for answers that come later: <see cref="Packing.PromptCache"/>. 0, the default: none are.
    /// </summary>
    public long PromptCacheBytes { get; set; }

    /// <summary>
    /// Whether rewards are the same to the bit in any batch: <see cref="RewardTransformer.IsBatchInvariant"/>. Default false.
    /// </summary>
    public bool IsBatchInvariant { get; set; }
}
