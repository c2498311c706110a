using TorchSharp.Modules;

namespace RewardModel.Training.Optimization;

/// <summary>A parameter and how it is updated.</summary>
/// <param name="Name">The name that its state is saved under.</param>
/// <param name="Parameter">The model's own.</param>
/// <param name="WeightDecay">Share of a weight that is taken off per step and unit of learning rate.</param>
/// <param name="Rate">Its learning rate, as a multiple of the step's.</param>
internal sealed record OptimizedParameter(string Name, Parameter Parameter, double WeightDecay, double Rate);
