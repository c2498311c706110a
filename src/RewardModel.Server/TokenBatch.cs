using RewardModel.Packing;
using RewardModel.Scoring;

namespace RewardModel.Server;

/// <summary>Parts of requests that are computed at once.</summary>
/// <param name="model">What computes them: a prompt that several have once.</param>
/// <param name="maxTokens">Most tokens, unless the first part alone has more.</param>
internal sealed class TokenBatch(IBatchModel model, int maxTokens)
{
    private readonly List<QueuedPart> parts = [];
    private readonly HashSet<int[]> prompts = new(SameIds.Comparer);

    public IBatchModel Model => model;

    /// <summary>Tokens, a prompt that several parts have counted once.</summary>
    public long TokenCount { get; private set; }

    public IReadOnlyList<QueuedPart> Parts => parts;

    /// <summary>Adds a part, if there is room for it.</summary>
    public bool TryAdd(QueuedPart part)
    {
        var hasPrompt = model.SharesPrompts && part.Ids is { OwnPromptIds: null, PromptIds.Length: > 0 };
        var tokenCount = part.TokenCount - (hasPrompt && prompts.Contains(part.Ids.PromptIds) ? part.Ids.PromptIds.Length : 0);
        if (parts.Count > 0 && TokenCount + tokenCount > maxTokens)
            return false;
        if (hasPrompt)
            prompts.Add(part.Ids.PromptIds);
        parts.Add(part);
        TokenCount += tokenCount;
        return true;
    }

    /// <summary>The same parts, divided by the requests that they are of.</summary>
    public IReadOnlyList<TokenBatch> ByRequest() =>
    [
        .. parts.GroupBy(part => part.Request).Select(ofRequest =>
        {
            var batch = new TokenBatch(model, int.MaxValue);
            foreach (var part in ofRequest)
                batch.TryAdd(part);
            return batch;
        }),
    ];

    /// <summary>Computes the rewards of all parts.</summary>
    /// <returns>For each of <see cref="Parts"/> its rewards.</returns>
    public IReadOnlyList<EnsembleReward[]> Compute() => model.Compute([.. parts.Select(part => part.Ids)]);
}
