namespace TorchSharp.Utils;

/// <summary>
/// Reads and writes the elements of a tensor on the CPU in place, in row-major order, whether or not it is contiguous. It ends with
/// the tensor: from then on every access throws <see cref="InvalidOperationException"/>.
/// </summary>
/// <typeparam name="T">The .NET type of the tensor's elements.</typeparam>
public sealed unsafe class TensorAccessor<T> : IDisposable
    where T : unmanaged
{
    private readonly T* first;
    private readonly long[] shape;
    private readonly long[] strides;
    private readonly bool contiguous;
    private readonly long count;
    private torch.Tensor tensor;

    internal TensorAccessor(torch.Tensor tensor)
    {
        this.tensor = tensor;
        first = (T*)tensor.DataPointer();
        shape = tensor.shape;
        strides = tensor.stride();
        contiguous = tensor.is_contiguous();
        count = tensor.numel();
    }

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
        var start = Live();
        var array = new T[count];
        if (contiguous)
            new ReadOnlySpan<T>(start, array.Length).CopyTo(array);
        else
            for (var i = 0; i < array.Length; i++)
                array[i] = start[OffsetOf(i)];
        GC.KeepAlive(tensor);
        return array;
    }

    /// <summary>Lets go of the tensor, which stays as it is.</summary>
    public void Dispose() => tensor = null;

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

    // Where element number so-and-so, counted row by row, lies.
    private long OffsetOf(long number)
    {
        var offset = 0L;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            offset += number % shape[i] * strides[i];
            number /= shape[i];
        }
        return offset;
    }
}
