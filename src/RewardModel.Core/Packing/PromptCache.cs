using static TorchSharp.torch;

namespace RewardModel.Packing;

/// <summary>
/// Keys and values of prompts that a model has read, for the answers that come later: these are then computed alone. A prompt that begins
/// as another one did, with the same instructions or the same conversation, is computed from where they differ. Of causal architectures;
/// encoders read every answer with its prompt, and make no use of it.
/// </summary>
/// <remarks>
/// For one model, and for any number of threads that score it. Memory is bounded: the prompts whose last use is longest ago make room.
/// A token takes 2 x layers x key heads x head size x 4 bytes: 72 KiB of GPT-2 small (12 x 12 x 64), 1 MiB of Llama 2 7B (32 x 32 x 128).
/// After the model's weights have changed it is to be cleared; after its precision, or whether it is batch-invariant, it clears itself.
/// <code>
/// using var model = ScoringModel.Load("my-reward-model");
/// model.PromptCache = new PromptCache(maxBytes: 1L &lt;&lt; 30);
/// </code>
/// </remarks>
public sealed class PromptCache : IDisposable
{
    /// <summary>Fewer tokens are not worth the copies that it takes to use them.</summary>
    internal const int LeastTokens = 16;

    private readonly Lock access = new();

    /// <summary>By their token ids, so that those with the longest common beginning are neighbours.</summary>
    private readonly List<CachedPrompt> prompts = [];
    private object? owner, mode;
    private bool isDisposed;

    /// <summary>Layers of the model.</summary>
    internal int LayerCount { get; private set; }

    /// <param name="maxBytes">Most bytes that keys and values take; those that are being read, or were just computed, come on top of it.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public PromptCache(long maxBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        MaxBytes = maxBytes;
    }

    /// <summary>Most bytes that keys and values take.</summary>
    public long MaxBytes { get; }

    /// <summary>Bytes that keys and values take.</summary>
    public long Bytes { get; private set; }

    /// <summary>Prompts that there are keys and values of.</summary>
    public int Count
    {
        get
        {
            lock (access)
                return prompts.Count;
        }
    }

    /// <summary>Forgets all prompts.</summary>
    public void Clear() => RemoveUnused(TimeSpan.Zero);

    /// <summary>Forgets prompts that nobody has asked for in a time.</summary>
    /// <param name="time">Zero or less: all prompts are forgotten.</param>
    /// <returns>How many they were.</returns>
    public int RemoveUnused(TimeSpan time)
    {
        var before = Environment.TickCount64 - (long)time.TotalMilliseconds;
        lock (access)
        {
            CachedPrompt[] unused = [.. prompts.Where(prompt => time <= TimeSpan.Zero || prompt.LastUse < before)];
            foreach (var prompt in unused)
                Remove(prompt);
            return unused.Length;
        }
    }

    /// <summary>Forgets all prompts; the cache takes no more.</summary>
    public void Dispose()
    {
        lock (access)
        {
            isDisposed = true;
            foreach (var prompt in prompts.ToArray())
                Remove(prompt);
        }
    }

    /// <summary>Refuses keys of another model than the first, and forgets those that it computed in another way.</summary>
    /// <param name="model">The model.</param>
    /// <param name="layerCount">Its layers.</param>
    /// <param name="computedBy">What else keys and values depend on: equal where they are the same.</param>
    internal void UseFor(object model, int layerCount, object computedBy)
    {
        lock (access)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            owner ??= model;
            LayerCount = layerCount;
            if (mode is not null && !mode.Equals(computedBy))
                foreach (var prompt in prompts.ToArray())
                    Remove(prompt);
            mode = computedBy;
            if (owner != model)
                throw new InvalidOperationException(
                    "The prompt cache holds keys and values of another model; expected a cache of its own for each model.");
        }
    }

    /// <summary>
    /// The prompt that begins with the most of some token ids, and with how many of them; null where there are fewer than
    /// <see cref="LeastTokens"/>. The caller <see cref="Release"/>s it.
    /// </summary>
    internal (CachedPrompt Prompt, int Length)? Find(ReadOnlySpan<int> ids)
    {
        lock (access)
        {
            var next = PlaceOf(ids);
            CachedPrompt? found = null;
            var length = 0;
            for (var i = next - 1; i <= next; i++)
                if (i >= 0 && i < prompts.Count && ids.CommonPrefixLength(prompts[i].Ids) is var common && common > length)
                    (found, length) = (prompts[i], common);
            if (found is null || length < LeastTokens)
                return null;
            found.LastUse = Environment.TickCount64;
            found.UserCount++;
            return (found, length);
        }
    }

    /// <summary>Ends the use of a prompt that was found.</summary>
    internal void Release(CachedPrompt prompt)
    {
        lock (access)
            if (--prompt.UserCount == 0 && prompt.IsRemoved)
                prompt.Dispose();
    }

    /// <summary>Takes a prompt, which is the cache's own from now on, unless another thread was faster or it takes more than there is room for.</summary>
    internal void Add(CachedPrompt prompt)
    {
        lock (access)
        {
            var place = PlaceOf(prompt.Ids);
            var isKnown = place < prompts.Count && prompts[place].Ids.AsSpan().StartsWith(prompt.Ids);
            if (isKnown || isDisposed || prompt.Bytes > MaxBytes)
            {
                prompt.Dispose();
                return;
            }
            prompt.LastUse = Environment.TickCount64;
            prompts.Insert(place, prompt);
            Bytes += prompt.Bytes;
            // What the new one begins with it stands for as well.
            if (place > 0 && prompt.Ids.AsSpan().StartsWith(prompts[place - 1].Ids))
                Remove(prompts[place - 1]);
            while (Bytes > MaxBytes)
                Remove(prompts.MinBy(other => other.LastUse)!);
        }
    }

    /// <summary>The first prompt whose ids are not before some others.</summary>
    private int PlaceOf(ReadOnlySpan<int> ids)
    {
        var (first, end) = (0, prompts.Count);
        while (first < end)
        {
            var middle = (first + end) / 2;
            if (prompts[middle].Ids.AsSpan().SequenceCompareTo(ids) < 0)
                first = middle + 1;
            else
                end = middle;
        }
        return first;
    }

    private void Remove(CachedPrompt prompt)
    {
        prompts.Remove(prompt);
        Bytes -= prompt.Bytes;
        prompt.IsRemoved = true;
        if (prompt.UserCount == 0)
            prompt.Dispose();
    }
}

/// <summary>The keys and values of a prompt's tokens.</summary>
/// <param name="ids">P token ids.</param>
/// <param name="keysAndValues">
/// Those of every layer, [L, 2, P, M, H]: one block of memory, which mostly has pages of its own and leaves no hole when it goes.
/// </param>
internal sealed class CachedPrompt(int[] ids, Tensor keysAndValues) : IDisposable
{
    public int[] Ids => ids;

    public long Bytes { get; } = keysAndValues.numel() * keysAndValues.element_size();

    /// <summary><see cref="Environment.TickCount64"/> of when it was last asked for.</summary>
    public long LastUse { get; set; }

    /// <summary>How many packed sequences read it.</summary>
    public int UserCount { get; set; }

    public bool IsRemoved { get; set; }

    /// <summary>Keys of a layer's first tokens, [tokens, M, H].</summary>
    public Tensor Keys(int layer, int tokens) => keysAndValues[layer, 0].narrow(0, 0, tokens);

    /// <summary>Values likewise.</summary>
    public Tensor Values(int layer, int tokens) => keysAndValues[layer, 1].narrow(0, 0, tokens);

    public void Dispose() => keysAndValues.Dispose();
}
