using RewardModel.Checkpoints;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Training.Optimization;

/// <summary>
/// A run of a parameter's elements, in row-major order, that one process updates; mostly all of them. Where ranks share a parameter's update,
/// each has a part of it, which may be empty.
/// </summary>
/// <param name="Name">The whole parameter's name.</param>
/// <param name="Parameter">The elements, with their gradient: the parameter itself, or [elements] over memory of the part's own.</param>
/// <param name="Shape">The whole parameter's shape.</param>
/// <param name="First">Index of the first element in the whole.</param>
internal sealed record WeightPart(string Name, Parameter Parameter, long[] Shape, long First)
{
    /// <summary>Whether it is all of the parameter.</summary>
    public bool IsWhole => Parameter.numel() == Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>A whole parameter.</summary>
    public static implicit operator WeightPart((string Name, Parameter Parameter) whole) => Of(whole);

    /// <summary>A whole parameter.</summary>
    public static WeightPart Of((string Name, Parameter Parameter) whole) => new(whole.Name, whole.Parameter, whole.Parameter.shape, 0);

    /// <summary>Something kept of each element, as a part of what is kept of the whole.</summary>
    /// <param name="name">The name of that.</param>
    /// <param name="tensor">What is kept of the part, of the same shape as its parameter.</param>
    public TensorPart Beside(string name, Tensor tensor) => new(name, tensor, Shape, First);

    /// <summary>The weights themselves.</summary>
    public TensorPart ToTensorPart() => Beside(Name, Parameter);
}
