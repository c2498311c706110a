using RewardModel.Lists;
using RewardModel.Scoring;

namespace RewardModel.Server;

/// <summary>
/// Parts of requests that are computed at once. Those that have the same prompt are one list, so that it is computed once.
/// </summary>
/// <param name="model">What computes them.</param>
/// <param name="maxTokens">Most tokens, unless the first part alone has more.</param>
internal sealed class TokenBatch(IBatchModel model, int maxTokens)
{
    private readonly List<List<QueuedPart>> groups = [];
    private readonly Dictionary<int[], List<QueuedPart>> groupOfPrompt = new(new SameIds());

    public IBatchModel Model => model;

    /// <summary>Tokens, a shared prompt counted once.</summary>
    public long TokenCount { get; private set; }

    public int PartCount { get; private set; }

    public IEnumerable<QueuedPart> Parts => groups.SelectMany(group => group);

    /// <summary>Adds a part, if there is room for it.</summary>
    public bool TryAdd(QueuedPart part)
    {
        var hasPrompt = model.SharesPrompts && part.Ids is { OwnPromptIds: null, PromptIds.Length: > 0 };
        var group = hasPrompt ? groupOfPrompt.GetValueOrDefault(part.Ids.PromptIds) : null;
        var tokenCount = part.TokenCount - (group is null ? 0 : part.Ids.PromptIds.Length);
        if (PartCount > 0 && TokenCount + tokenCount > maxTokens)
            return false;
        if (group is null)
        {
            groups.Add(group = []);
            if (hasPrompt)
                groupOfPrompt.Add(part.Ids.PromptIds, group);
        }
        group.Add(part);
        TokenCount += tokenCount;
        PartCount++;
        return true;
    }

    /// <summary>The same parts, divided by the requests that they are of.</summary>
    public IReadOnlyList<TokenBatch> ByRequest() =>
    [
        .. Parts.GroupBy(part => part.Request).Select(parts =>
        {
            var batch = new TokenBatch(model, int.MaxValue);
            foreach (var part in parts)
                batch.TryAdd(part);
            return batch;
        }),
    ];

    /// <summary>Computes the rewards of all parts.</summary>
    /// <returns>For each of <see cref="Parts"/> its rewards.</returns>
    public IReadOnlyList<EnsembleReward[]> Compute()
    {
        var rewards = model.Compute([.. groups.Select(ListOf)]);
        return
        [
            .. groups.SelectMany((group, g) =>
            {
                var first = 0;
                return group.Select(part => rewards[g][first..(first += part.Ids.AnswerIds.Count)]).ToArray();
            }),
        ];
    }

    private static TokenizedList ListOf(List<QueuedPart> group) => group is [var only] ? only.Ids : group[0].Ids with
    {
        AnswerIds = [.. group.SelectMany(part => part.Ids.AnswerIds)],
        Scores = [.. group.SelectMany(part => part.Ids.Scores)],
    };

    private sealed class SameIds : IEqualityComparer<int[]>
    {
        public bool Equals(int[]? x, int[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(int[] obj)
        {
            var hash = new HashCode();
            hash.AddBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(obj.AsSpan()));
            return hash.ToHashCode();
        }
    }
}
