using RewardModel.Lists;
using RewardModel.Scoring;

namespace RewardModel.Server;

/// <summary>What computes the batches of a <see cref="ScoringQueue"/>: one version of a model.</summary>
internal interface IBatchModel
{
    /// <summary>Whether the answers of a list share its prompt, so that it is computed once.</summary>
    bool SharesPrompts { get; }

    /// <summary>Rewards of lists, all at once, on the calling thread.</summary>
    /// <returns>Per list, one reward for each of its answers.</returns>
    EnsembleReward[][] Compute(IReadOnlyList<TokenizedList> lists);

    /// <summary>Forgets what it keeps for later requests.</summary>
    void ReleaseMemory();

    /// <summary>From now until <see cref="Release"/> the model stays in memory.</summary>
    /// <returns>False where it is gone.</returns>
    bool TryAcquire();

    /// <summary>The opposite of <see cref="TryAcquire"/>.</summary>
    void Release();
}
