using RewardModel.Kernels;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace RewardModel.Layers;

/// <summary>A layer around one large matrix, which can be stored in fewer bits where it is not trained.</summary>
/// <remarks>
/// The parameter of a stored weight keeps its name and its shape, and has no memory: all its elements are one, which is no number, so that whoever
/// reads it finds out.
/// </remarks>
internal abstract class WeightLayer(string name) : nn.Module<Tensor, Tensor>(name)
{
    private bool isReleased;

    /// <summary>The matrix, as checkpoints store it.</summary>
    internal abstract Parameter Weight { get; }

    /// <summary>The weight where it is stored; null where the parameter has it.</summary>
    internal StoredMatrix? Stored { get; private set; }

    /// <summary>How the weight is stored where a model's frozen weights are stored in a certain way.</summary>
    internal virtual WeightStorage StorageFor(WeightStorage asked) => asked;

    /// <summary>Stores the weight; the parameter's memory is released.</summary>
    /// <param name="values">Of the parameter's shape, any floating type, on the CPU; as <see cref="StoredMatrix.Of"/> takes them.</param>
    /// <param name="storage">Any but float32.</param>
    internal void Store(Tensor values, WeightStorage storage)
    {
        Stored?.Dispose();
        Stored = StoredMatrix.Of(values, storage, HasInputsFirst);
        TensorSlot.Empty(Weight, Weight.shape);
    }

    /// <summary>Takes the parameter's memory away, for whoever puts other memory in its place.</summary>
    internal void Release()
    {
        isReleased = true;
        TensorSlot.Empty(Weight, Weight.shape);
    }

    /// <summary>Whether the weight is [inputs, outputs].</summary>
    private protected virtual bool HasInputsFirst => false;

    // Of `to`, on every path: it makes new parameters, as large as their shapes say.
    protected override void _toEpilog(ScalarType? dtype, Device? device, bool non_blocking)
    {
        var shape = Weight.shape;
        var isEmpty = Stored is not null || isReleased;
        if (isEmpty)
        {
            using var nothing = empty(0, device: Weight.device);
            TensorSlot.Set(Weight, nothing);
        }
        base._toEpilog(dtype, device, non_blocking);
        if (!isEmpty)
            return;
        TensorSlot.Empty(Weight, shape);
        Stored?.MoveTo(Weight.device);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            Stored?.Dispose();
        base.Dispose(disposing);
    }
}
