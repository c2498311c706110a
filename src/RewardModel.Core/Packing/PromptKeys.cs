using static TorchSharp.torch;

namespace RewardModel.Packing;

/// <summary>
/// The prompts of one packed row: what a <see cref="PromptCache"/> knows of their keys and values goes before those that are computed, layer
/// by layer, and what it doesn't know is kept for it.
/// </summary>
/// <remarks>T tokens that are computed, X that there are keys of; M key heads, H their size.</remarks>
internal sealed class PromptKeys(PromptCache cache) : IDisposable
{
    private readonly List<Prompt> prompts = [];

    /// <summary>Tokens that are not computed.</summary>
    public int KnownCount { get; private set; }

    /// <summary>Bytes of what is kept for the cache.</summary>
    public long KeptBytes { get; private set; }

    /// <summary>Adds the next segment without a parent; how many of its tokens are known.</summary>
    /// <param name="start">First of its rows in the row of keys.</param>
    /// <param name="ids">Its token ids.</param>
    /// <param name="mostKnown">Tokens that need not be computed: all but the last one where a reward is read there.</param>
    /// <param name="takesParts">
    /// Whether a beginning is of use. Flash attention on a GPU is asked for segments that are computed as a whole or not at all.
    /// </param>
    public int Add(int start, int[] ids, int mostKnown, bool takesParts)
    {
        var found = cache.Find(ids);
        var known = Math.Min(found?.Length ?? 0, mostKnown);
        if (known < ids.Length && !takesParts)
            known = 0;
        var isNew = (found?.Length ?? 0) < ids.Length && ids.Length >= PromptCache.LeastTokens;
        prompts.Add(new Prompt(start, ids, known, found?.Prompt, isNew));
        KnownCount += known;
        return known;
    }

    /// <summary>Keys and values of all tokens, from those of the tokens that are computed.</summary>
    /// <param name="layer">The layer's number, from 0.</param>
    /// <param name="k_TMH">Keys.</param>
    /// <param name="v_TMH">Values.</param>
    /// <returns>[X, M, H] each.</returns>
    public (Tensor Keys, Tensor Values) Join(int layer, Tensor k_TMH, Tensor v_TMH)
    {
        var (keys, values) = KnownCount == 0
            ? (k_TMH, v_TMH)
            : (Joined(k_TMH, prompt => prompt.Found!.Keys(layer, prompt.Known)), Joined(v_TMH, prompt => prompt.Found!.Values(layer, prompt.Known)));
        foreach (var prompt in prompts.Where(prompt => prompt.IsNew))
        {
            if (prompt.Kept is null && !TryReserve(prompt, keys))
                continue;
            prompt.Kept![layer, 0].copy_(keys.narrow(0, prompt.Start, prompt.Ids.Length));
            prompt.Kept[layer, 1].copy_(values.narrow(0, prompt.Start, prompt.Ids.Length));
        }
        return (keys, values);
    }

    /// <summary>Gives the cache what it didn't know, after all layers were computed.</summary>
    public void Keep()
    {
        foreach (var prompt in prompts)
        {
            if (prompt.Kept is not null)
                cache.Add(new CachedPrompt(prompt.Ids, prompt.Kept));
            prompt.Kept = null;
        }
        KeptBytes = 0;
    }

    public void Dispose()
    {
        foreach (var prompt in prompts)
        {
            if (prompt.Found is not null)
                cache.Release(prompt.Found);
            prompt.Kept?.Dispose();
        }
        prompts.Clear();
    }

    /// <summary>Memory for a prompt's keys and values, unless the cache has no room for them beside the row's other ones.</summary>
    private bool TryReserve(Prompt prompt, Tensor keys_XMH)
    {
        var bytes = 2L * cache.LayerCount * prompt.Ids.Length * keys_XMH.size(1) * keys_XMH.size(2) * keys_XMH.element_size();
        prompt.IsNew = KeptBytes + bytes <= cache.MaxBytes;
        if (!prompt.IsNew)
            return false;
        KeptBytes += bytes;
        prompt.Kept = empty([cache.LayerCount, 2, prompt.Ids.Length, keys_XMH.size(1), keys_XMH.size(2)], keys_XMH.dtype, keys_XMH.device)
            .DetachFromDisposeScope();
        return true;
    }

    private Tensor Joined(Tensor x_TMH, Func<Prompt, Tensor> knownOf)
    {
        var parts = new List<Tensor>();
        long computed = 0, taken = 0;
        foreach (var prompt in prompts)
        {
            if (prompt.Known > 0)
            {
                TakeComputed();
                parts.Add(knownOf(prompt));
            }
            computed += prompt.Ids.Length - prompt.Known;
        }
        computed = x_TMH.size(0);
        TakeComputed();
        return cat(parts);

        void TakeComputed()
        {
            if (computed > taken)
                parts.Add(x_TMH.narrow(0, taken, computed - taken));
            taken = computed;
        }
    }

    /// <summary>A prompt of the row.</summary>
    /// <param name="start">First of its rows in the row of keys.</param>
    /// <param name="ids">Its token ids.</param>
    /// <param name="known">How many of them are known.</param>
    /// <param name="found">By whom; null where the cache has nothing like it.</param>
    /// <param name="isNew">Whether it is to be kept.</param>
    private sealed class Prompt(int start, int[] ids, int known, CachedPrompt? found, bool isNew)
    {
        public int Start => start;

        public int[] Ids => ids;

        public int Known => known;

        public CachedPrompt? Found => found;

        public bool IsNew { get; set; } = isNew;

        /// <summary>Its keys and values as far as layers were computed, [L, 2, P, M, H].</summary>
        public Tensor? Kept { get; set; }
    }
}
