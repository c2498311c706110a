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

    /// <summary>Bytes of what is kept for the cache, which has room for them.</summary>
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
        prompts.Add(new Prompt(start, ids, known, found?.Prompt, isNew ? [] : null));
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
            : (Joined(k_TMH, known => known.Layers[layer].Keys), Joined(v_TMH, known => known.Layers[layer].Values));
        for (var i = 0; i < prompts.Count; i++)
            if (prompts[i] is { Kept: { } kept } prompt)
            {
                kept.Add((CopyOf(prompt, keys), CopyOf(prompt, values)));
                KeptBytes += BytesOf(kept[^1]);
                if (KeptBytes <= cache.MaxBytes)
                    continue;
                // The cache has no room for it.
                KeptBytes -= kept.Sum(BytesOf);
                Release(kept);
                prompts[i] = prompt with { Kept = null };
            }
        return (keys, values);
    }

    /// <summary>Gives the cache what it didn't know, after all layers were computed.</summary>
    public void Keep()
    {
        for (var i = 0; i < prompts.Count; i++)
            if (prompts[i].Kept is { } kept)
            {
                cache.Add(new CachedPrompt(prompts[i].Ids, kept));
                prompts[i] = prompts[i] with { Kept = null };
            }
        KeptBytes = 0;
    }

    public void Dispose()
    {
        foreach (var prompt in prompts)
        {
            if (prompt.Found is not null)
                cache.Release(prompt.Found);
            Release(prompt.Kept ?? []);
        }
        prompts.Clear();
    }

    private static void Release(List<(Tensor Keys, Tensor Values)> kept)
    {
        foreach (var (keys, values) in kept)
        {
            keys.Dispose();
            values.Dispose();
        }
    }

    private static long BytesOf((Tensor Keys, Tensor Values) layer) => CachedPrompt.BytesOf(layer.Keys) + CachedPrompt.BytesOf(layer.Values);

    private Tensor Joined(Tensor x_TMH, Func<CachedPrompt, Tensor> ofPrompt)
    {
        var parts = new List<Tensor>();
        long computed = 0, taken = 0;
        foreach (var prompt in prompts)
        {
            if (prompt.Known > 0)
            {
                TakeComputed();
                parts.Add(ofPrompt(prompt.Found!).narrow(0, 0, prompt.Known));
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

    private static Tensor CopyOf(Prompt prompt, Tensor x_XMH)
    {
        var rows = x_XMH.narrow(0, prompt.Start, prompt.Ids.Length);
        return empty(rows.shape, rows.dtype, rows.device).copy_(rows).DetachFromDisposeScope();
    }

    /// <summary>A prompt of the row.</summary>
    /// <param name="Start">First of its rows in the row of keys.</param>
    /// <param name="Ids">Its token ids.</param>
    /// <param name="Known">How many of them are known.</param>
    /// <param name="Found">By whom; null where the cache has nothing like it.</param>
    /// <param name="Kept">Its keys and values, layer by layer, where they are new; else null.</param>
    private sealed record Prompt(int Start, int[] Ids, int Known, CachedPrompt? Found, List<(Tensor Keys, Tensor Values)>? Kept);
}
