using static TorchSharp.torch;

namespace RewardModel.Distributed;

/// <summary>How a tensor is divided among ranks: where each one's part lies.</summary>
internal readonly struct PartEnds
{
    private readonly IReadOnlyList<long> ends;

    /// <exception cref="ArgumentException">There is not one end for each rank, or they don't rise from 0 or more.</exception>
    public PartEnds(IReadOnlyList<long> ends, int size)
    {
        this.ends = ends;
        var rises = ends.Count == size;
        for (var rank = 0; rises && rank < size; rank++)
            rises = Count(rank) >= 0;
        if (!rises)
            throw new ArgumentException(
                $"The ends of the parts are {string.Join(", ", ends)}. Expected one for each of {size} ranks, rising from 0.",
                nameof(ends));
    }

    /// <summary>Number of elements of all parts.</summary>
    public long Total => ends[^1];

    /// <summary>Where a rank's part starts.</summary>
    public long Start(int rank) => rank == 0 ? 0 : ends[rank - 1];

    /// <summary>Number of elements of a rank's part.</summary>
    public long Count(int rank) => ends[rank] - Start(rank);

    /// <summary>Whether all parts have the same number of elements.</summary>
    public bool AreEven
    {
        get
        {
            for (var rank = 1; rank < ends.Count; rank++)
                if (Count(rank) != Count(0))
                    return false;
            return true;
        }
    }

    /// <summary>Numbers of elements by ranks; of tensors with fewer than 2^31 elements.</summary>
    public int[] Counts()
    {
        var counts = new int[ends.Count];
        for (var rank = 0; rank < counts.Length; rank++)
            counts[rank] = checked((int)Count(rank));
        return counts;
    }

    /// <summary>Starts by ranks; of tensors with fewer than 2^31 elements.</summary>
    public int[] Starts()
    {
        var starts = new int[ends.Count];
        for (var rank = 0; rank < starts.Length; rank++)
            starts[rank] = checked((int)Start(rank));
        return starts;
    }

    /// <summary>Holds a whole tensor and a rank's part to what <see cref="ICollective"/> asks of them.</summary>
    public void Check(Tensor tensor, Tensor part, int rank)
    {
        CheckTensor(tensor, Total);
        CheckTensor(part, Count(rank));
        if (part.dtype != tensor.dtype || part.device_type != tensor.device_type)
            throw new ArgumentException(
                $"The tensor is of {tensor.dtype} on {tensor.device}, and the part of {part.dtype} on {part.device}. Expected the same.");
    }

    /// <summary>Holds a tensor to what <see cref="ICollective"/> asks of it.</summary>
    public static void CheckTensor(Tensor tensor, long count)
    {
        if (tensor.numel() != count || !tensor.is_contiguous() || tensor.dtype is not (ScalarType.Float32 or ScalarType.Float64))
            throw new ArgumentException(
                $"The tensor has {tensor.numel()} elements of {tensor.dtype}{(tensor.is_contiguous() ? "" : ", which are not contiguous")}."
                + $" Expected {count} contiguous ones of float32 or float64.");
    }
}
