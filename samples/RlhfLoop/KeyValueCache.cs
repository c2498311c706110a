using static TorchSharp.torch;

namespace RlhfLoop;

/// <summary>Keys and values of the tokens that were computed, so that the next token is computed alone.</summary>
internal sealed class KeyValueCache(int layerCount) : IDisposable
{
    private readonly (Tensor Key, Tensor Value)?[] layers = new (Tensor, Tensor)?[layerCount];

    /// <summary>How many tokens it holds.</summary>
    public long Length => layers[0]?.Key.shape[2] ?? 0;

    /// <summary>Adds keys and values, each [N, heads, T, D / heads], to a layer's, and returns all that it has now.</summary>
    public (Tensor Key, Tensor Value) Add(int layer, Tensor key, Tensor value)
    {
        if (layers[layer] is { } before)
            (key, value) = (cat([before.Key, key], dim: 2), cat([before.Value, value], dim: 2));
        Replace(layer, key, value);
        return (key, value);
    }

    /// <summary>Makes several rows of each, which go on in different ways: a prompt is computed once for all its answers.</summary>
    public void Repeat(int count)
    {
        for (var layer = 0; layer < layers.Length; layer++)
            if (layers[layer] is var (key, value))
                Replace(layer, key.repeat_interleave(count, dim: 0), value.repeat_interleave(count, dim: 0));
    }

    public void Dispose()
    {
        foreach (var layer in layers)
        {
            layer?.Key.Dispose();
            layer?.Value.Dispose();
        }
    }

    private void Replace(int layer, Tensor key, Tensor value)
    {
        layers[layer]?.Key.Dispose();
        layers[layer]?.Value.Dispose();
        layers[layer] = (key.DetachFromDisposeScope(), value.DetachFromDisposeScope());
    }
}
