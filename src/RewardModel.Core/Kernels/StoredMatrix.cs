using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Kernels;

/// <summary>
/// A matrix that is not trained, in fewer bits than float32: bfloat16, or the codes of <see cref="BlockCodes"/>. It is converted for each product
/// that it is a factor of, and its numbers in float32 are gone again afterwards.
/// </summary>
internal sealed class StoredMatrix : IDisposable
{
    private readonly long[] shape;
    private readonly bool hasInputsFirst;

    /// <summary>bfloat16 of the matrix's shape, or codes of whole blocks: int8 [B, 64], or two levels to a byte, uint8 [B, 32].</summary>
    private Tensor codes;

    /// <summary>[B], bfloat16; null where there are no blocks.</summary>
    private Tensor? scales;

    private StoredMatrix(WeightStorage storage, long[] shape, bool hasInputsFirst, Tensor codes, Tensor? scales)
    {
        (Storage, this.shape, this.hasInputsFirst) = (storage, shape, hasInputsFirst);
        this.codes = codes.DetachFromDisposeScope();
        this.scales = scales?.DetachFromDisposeScope();
    }

    /// <summary>How it is stored.</summary>
    public WeightStorage Storage { get; }

    /// <summary>Stores a matrix.</summary>
    /// <param name="values">
    /// [rows, columns] of any floating type, on the CPU; read, not disposed. Where they are of the type that is stored their memory is shared, so
    /// that they must not be changed afterwards.
    /// </param>
    /// <param name="storage">Any but float32.</param>
    /// <param name="hasInputsFirst">Whether it is [inputs, outputs] of the linear layer that it belongs to; else [outputs, inputs].</param>
    public static StoredMatrix Of(Tensor values, WeightStorage storage, bool hasInputsFirst = false)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (codes, scales) = storage switch
        {
            WeightStorage.Bfloat16 => (values.dtype == bfloat16 && values.is_contiguous() ? values.alias() : values.to(bfloat16).contiguous(), null),
            WeightStorage.Int8 or WeightStorage.Nf4 => BlockCodes.Encode(values.to(float32).contiguous(), storage),
            _ => throw new ArgumentOutOfRangeException(nameof(storage), storage, "expected bfloat16, int8 or nf4"),
        };
        return new StoredMatrix(storage, values.shape, hasInputsFirst, codes, scales);
    }

    /// <summary>Bytes of that many numbers.</summary>
    public static long BytesOf(long count, WeightStorage storage)
    {
        var blocks = BlockCodes.CountOf(count);
        return storage switch
        {
            WeightStorage.Float32 => 4 * count,
            WeightStorage.Bfloat16 => 2 * count,
            _ => blocks * (BlockCodes.BytesOf(storage) + 2),
        };
    }

    /// <summary>The numbers in float32, a new tensor of the matrix's shape on its device.</summary>
    public Tensor Values()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var isOnCpu = codes.device_type == DeviceType.CPU;
        return (Storage switch
        {
            WeightStorage.Bfloat16 => isOnCpu ? TensorMemory.Converted(codes) : codes.to(float32),
            _ when isOnCpu => BlockCodes.Decode(codes, scales!, Storage, shape),
            _ => BlockCodes.ComposeDecode(codes, scales!, Storage, shape),
        }).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The factor [inputs, outputs] of a product in that type, which the caller disposes of: float32, or bfloat16 where it is stored so and the
    /// product takes it so.
    /// </summary>
    public Tensor Factor(Precision precision)
    {
        using var scope = NewDisposeScope();
        var values = Storage == WeightStorage.Bfloat16 && precision == Precision.Bfloat16 ? codes : Values();
        return (hasInputsFirst ? values.view(shape) : values.t()).MoveToOuterDisposeScope();
    }

    /// <summary>Rows of a table that is stored in bfloat16, in float32.</summary>
    /// <param name="ids_T">[T], int64.</param>
    /// <returns>[T, columns].</returns>
    public Tensor Rows(Tensor ids_T)
    {
        using var scope = NewDisposeScope();
        return codes.index_select(0, ids_T).to(float32).MoveToOuterDisposeScope();
    }

    /// <summary>Moves it to a device.</summary>
    public void MoveTo(Device device)
    {
        codes = Moved(codes);
        scales = scales is null ? null : Moved(scales);

        Tensor Moved(Tensor tensor)
        {
            var moved = tensor.to(device);
            if (moved.Handle != tensor.Handle)
                tensor.Dispose();
            return moved.DetachFromDisposeScope();
        }
    }

    /// <summary>Releases the memory.</summary>
    public void Dispose()
    {
        codes.Dispose();
        scales?.Dispose();
    }
}
