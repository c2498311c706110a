using System.Collections;

namespace TorchSharp.Utils;

/// <summary>
/// Reads and writes the elements of a tensor on the CPU in place, in row-major order, whether or not it is contiguous. It ends with
/// the tensor: from then on every access throws <see cref="InvalidOperationException"/>.
/// </summary>
/// <typeparam name="T">The .NET type of the tensor's elements.</typeparam>
public sealed unsafe class TensorAccessor<T> : IDisposable, IEnumerable<T>
    where T : unmanaged
{
    private readonly T* first;
    private readonly long[] shape;
    private readonly long[] strides;
    private readonly bool contiguous;
    private torch.Tensor tensor;

    internal TensorAccessor(torch.Tensor tensor)
    {
        this.tensor = tensor;
        first = (T*)tensor.DataPointer();
        shape = tensor.shape;
        strides = tensor.stride();
        contiguous = tensor.is_contiguous();
        Count = tensor.numel();
    }

    public long Count { get; }

    public bool IsReadOnly => false;

    /// <summary>The element at those indices, one per dimension.</summary>
    /// <exception cref="ArgumentException">There are more or fewer indices than dimensions.</exception>
    /// <exception cref="IndexOutOfRangeException">An index is outside of its dimension.</exception>
    public T this[params long[] indices]
    {
        get
        {
            var value = *ElementAt(indices);
            GC.KeepAlive(tensor);
            return value;
        }

        set
        {
            *ElementAt(indices) = value;
            GC.KeepAlive(tensor);
        }
    }

    public T[] ToArray()
    {
        var array = new T[Count];
        CopyTo(array.AsSpan());
        return array;
    }

    public void CopyTo(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyTo(array.AsSpan(), arrayIndex, tensorIndex);

    /// <summary>Copies from the tensor's element number <paramref name="tensorIndex"/> on, as much as there is room for.</summary>
    public void CopyTo(Span<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var destination = array[arrayIndex..];
        var count = (int)Math.Min(destination.Length, Count - tensorIndex);
        if (contiguous)
            new ReadOnlySpan<T>(Live() + tensorIndex, count).CopyTo(destination);
        else
            for (var i = 0; i < count; i++)
                destination[i] = *ElementNumber(tensorIndex + i);
        GC.KeepAlive(tensor);
    }

    public void CopyFrom(T[] array, int arrayIndex = 0, long tensorIndex = 0) =>
        CopyFrom((ReadOnlySpan<T>)array, arrayIndex, tensorIndex);

    /// <summary>Writes from the tensor's element number <paramref name="tensorIndex"/> on, as much as there is room for.</summary>
    public void CopyFrom(ReadOnlySpan<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        var source = array[arrayIndex..];
        var count = (int)Math.Min(source.Length, Count - tensorIndex);
        if (contiguous)
            source[..count].CopyTo(new Span<T>(Live() + tensorIndex, count));
        else
            for (var i = 0; i < count; i++)
                *ElementNumber(tensorIndex + i) = source[i];
        GC.KeepAlive(tensor);
    }

    public IEnumerator<T> GetEnumerator()
    {
        for (var i = 0L; i < Count; i++)
            yield return ElementValue(i);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Lets go of the tensor, which stays as it is.</summary>
    public void Dispose() => tensor = null;

    private T ElementValue(long number)
    {
        var value = *ElementNumber(number);
        GC.KeepAlive(tensor);
        return value;
    }

    private T* Live()
    {
        ObjectDisposedException.ThrowIf(tensor is null, this);
        _ = tensor.Handle;
        return first;
    }

    private T* ElementAt(long[] indices)
    {
        if (indices.Length != shape.Length)
            throw new ArgumentException($"{indices.Length} indices given, the tensor has {shape.Length} dimensions");
        var offset = 0L;
        for (var i = 0; i < indices.Length; i++)
        {
            if (indices[i] < 0 || indices[i] >= shape[i])
                throw new IndexOutOfRangeException($"index {indices[i]} is outside of dimension {i}, which has {shape[i]} elements");
            offset += indices[i] * strides[i];
        }
        return Live() + offset;
    }

    private T* ElementNumber(long number)
    {
        var offset = 0L;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            offset += number % shape[i] * strides[i];
            number /= shape[i];
        }
        return Live() + offset;
    }
}
