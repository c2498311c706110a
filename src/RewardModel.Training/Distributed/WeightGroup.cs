using RewardModel.Checkpoints;
using RewardModel.Distributed;
using RewardModel.Kernels;
using RewardModel.Scoring;
using RewardModel.Training.Optimization;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Training.Distributed;

/// <summary>
/// Weights that are needed at the same time, those of a layer or those of no layer, with their gradients: what ranks put together and add up
/// at once.
/// </summary>
internal sealed class WeightGroup : IDisposable
{
    private readonly ICollective ranks;
    private readonly Sharding sharding;
    private readonly string name;
    private readonly (string Name, Parameter Parameter)[] trained;
    private readonly FlatWeights? weights;
    private readonly FlatWeights? frozen;
    private readonly long[] starts;
    private readonly bool[] hasGradient;
    private readonly Tensor? optimized;
    private readonly Tensor? optimizedGradient;
    private Tensor? gradient;

    /// <summary>Takes the parameters' memory over, where the sharding says so.</summary>
    /// <param name="name">What they are, for messages.</param>
    /// <param name="trained">Names and parameters that are trained.</param>
    /// <param name="frozen">Those that are not.</param>
    /// <param name="sharding">What is divided among the ranks.</param>
    /// <param name="isOffloaded">Whether the optimiser's work is done in the CPU's memory.</param>
    /// <param name="granuleOf">How many of a parameter's elements the optimiser has to have together, by its shape.</param>
    /// <param name="ranks">All of them.</param>
    /// <param name="pending">As for <see cref="FlatWeights"/>.</param>
    public WeightGroup(
        string name, IReadOnlyList<(string Name, Parameter Parameter)> trained, IReadOnlyList<(string Name, Parameter Parameter)> frozen,
        Sharding sharding, bool isOffloaded, Func<long[], long> granuleOf, ICollective ranks, PendingWeights? pending)
    {
        (this.name, this.trained, this.sharding, this.ranks) = (name, [.. trained], sharding, ranks);
        hasGradient = new bool[trained.Count];
        if (sharding == Sharding.None)
        {
            starts = new long[trained.Count + 1];
            for (var i = 0; i < trained.Count; i++)
                starts[i + 1] = starts[i] + trained[i].Parameter.numel();
            Parts = [.. trained.Select(WeightPart.Of)];
            return;
        }
        weights = new FlatWeights(
            trained, [.. trained.Select(pair => granuleOf(pair.Parameter.shape))], ranks, name, sharding != Sharding.Parameters, pending);
        starts = weights.Starts;
        if (sharding == Sharding.Parameters)
            this.frozen = new FlatWeights(frozen, [.. frozen.Select(_ => 1L)], ranks, $"{name} that are frozen", isWholeAlways: false, pending);
        // Memory of its own also where the parts lie on the CPU already, so that there is one way.
        (optimized, optimizedGradient) = isOffloaded ? (InCpuMemory(weights.Part), InCpuMemory(weights.Part)) : (null, null);
        Parts =
        [
            .. weights.OwnRuns().Select(run => new WeightPart(
                weights.Parameters[run.Parameter].Name, PartParameter(run.Parameter, run.First, run.Count),
                weights.Parameters[run.Parameter].Shape, run.First)),
        ];
    }

    /// <summary>This rank's parts of what is trained, whose gradients are there after <see cref="SetGradients"/>.</summary>
    public IReadOnlyList<WeightPart> Parts { get; }

    /// <summary>Whether any of it is trained.</summary>
    public bool IsTrained => trained.Length > 0;

    /// <summary>Whether each parameter that is trained has got a gradient from this rank's lists.</summary>
    public IReadOnlyList<bool> HasGradient => hasGradient;

    /// <summary>Whether its gradients were added up in this step.</summary>
    public bool IsReduced { get; private set; }

    /// <summary>Asks for the weights, where this rank hasn't got all of them.</summary>
    public void StartGathering()
    {
        weights?.StartGathering();
        frozen?.StartGathering();
    }

    /// <summary>After this all weights are there.</summary>
    public void Gather()
    {
        weights?.Gather();
        frozen?.Gather();
    }

    /// <summary>After this all that is trained is there.</summary>
    public void GatherTrained() => weights?.Gather();

    /// <summary>What this rank has of each parameter, also of those that are frozen.</summary>
    public IEnumerable<TensorPart> AllParts() => Parts.Select(part => part.ToTensorPart()).Concat(frozen?.OwnParts() ?? []);

    /// <summary>Lets go of what belongs to other ranks.</summary>
    public void Release()
    {
        weights?.Release();
        frozen?.Release();
    }

    /// <summary>
    /// Adds up the ranks' gradients, which the parameters have; they have none afterwards. What comes of it is added to that of earlier calls.
    /// </summary>
    /// <returns>What to wait for, and what to do then.</returns>
    public (ICollectiveWork Work, Action Then)? Reduce()
    {
        IsReduced = true;
        if (starts[^1] == 0)
            return null;
        var row = TakeGradients();
        var purpose = $"gradients of {name}";
        if (sharding == Sharding.None)
            return (ranks.AllReduce(row, purpose), () => Keep(row));
        var part = NewRow(weights!.End - weights.First);
        return (ranks.ReduceScatter(row, part, weights.Ends, purpose), () =>
        {
            row.Dispose();
            Keep(part);
        }
        );
    }

    /// <summary>Gives the parts their gradients: null to those that no rank has one for.</summary>
    /// <param name="isThere">For each parameter that is trained, whether any rank has.</param>
    public void SetGradients(IReadOnlyList<bool> isThere)
    {
        if (gradient is null)
            return;
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var own = optimizedGradient?.copy_(gradient) ?? gradient;
        var start = 0L;
        for (var i = 0; i < Parts.Count; i++)
        {
            var (parameter, count) = (Parts[i].Parameter, Parts[i].Parameter.numel());
            // Of what other ranks update nothing is known here.
            if (isThere[i] && count > 0)
                parameter.grad = own.narrow(0, sharding == Sharding.None ? starts[i] : start, count).view(parameter.shape);
            start += count;
        }
    }

    /// <summary>
    /// Where a parameter has a gradient, all others have one, of zeros where the lists give none: experts that no token went through keep their
    /// moments going and decay, as they do where all experts are one tensor.
    /// </summary>
    public void FillGradients()
    {
        if (!trained.Any(pair => pair.Parameter.grad is not null))
            return;
        using var scope = NewDisposeScope();
        foreach (var (_, parameter) in trained)
            if (parameter.grad is null)
                parameter.grad = zeros_like(parameter);
    }

    /// <summary>Lets all gradients go, and begins a step.</summary>
    public void ClearGradients()
    {
        foreach (var (_, parameter) in trained)
            parameter.grad = null!;
        foreach (var part in Parts)
            part.Parameter.grad = null!;
        gradient?.Dispose();
        gradient = null;
        IsReduced = false;
        Array.Clear(hasGradient);
    }

    /// <summary>The parts have changed, and the model is to have it.</summary>
    public ICollectiveWork? StartPublishing()
    {
        if (optimized is not null)
        {
            using var _ = no_grad();
            weights!.Part.copy_(optimized);
        }
        return weights?.StartPublishing();
    }

    /// <summary>Releases what belongs to the group; parameters that had no memory of their own have none.</summary>
    public void Dispose()
    {
        ClearGradients();
        if (weights is not null)
            foreach (var part in Parts)
                part.Parameter.Dispose();
        optimized?.Dispose();
        optimizedGradient?.Dispose();
        weights?.Dispose();
        frozen?.Dispose();
    }

    private void Keep(Tensor reduced)
    {
        if (gradient is null)
        {
            gradient = reduced;
            return;
        }
        using (no_grad())
            gradient.add_(reduced);
        reduced.Dispose();
    }

    /// <summary>The gradients as one row, zeros where there are none; the parameters' own go as they are copied.</summary>
    private Tensor TakeGradients()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var row = NewRow(starts[^1]);
        for (var i = 0; i < trained.Length; i++)
        {
            var target = row.narrow(0, starts[i], starts[i + 1] - starts[i]);
            if (trained[i].Parameter.grad is { } found)
            {
                target.copy_(found.reshape(-1));
                hasGradient[i] = true;
                trained[i].Parameter.grad = null!;
            }
            else
                target.zero_();
        }
        return row;
    }

    private Parameter PartParameter(int parameter, long first, long count)
    {
        using var scope = NewDisposeScope();
        var flat = weights!;
        // A run that is empty may lie beyond this rank's part.
        var start = count == 0 ? 0 : flat.Starts[parameter] + first - flat.First;
        var values = (optimized ?? flat.Part).narrow(0, start, count);
        // Some optimisers take a parameter as the matrix that it is.
        var shape = flat.Parameters[parameter].Shape;
        var isWhole = count == flat.Starts[parameter + 1] - flat.Starts[parameter];
        var part = new Parameter(isWhole ? values.view(shape) : values);
        part.DetachFromDisposeScope();
        return part;
    }

    /// <summary>A copy in the CPU's memory, of pages that stay where they are, so that a GPU reads and writes them by itself.</summary>
    private static Tensor InCpuMemory(Tensor part)
    {
        using var scope = NewDisposeScope();
        var copy = part.to(CPU, copy: true);
        return (part.device_type == DeviceType.CUDA ? copy.pin_memory() : copy).DetachFromDisposeScope();
    }

    private Tensor NewRow(long length)
    {
        var device = trained[0].Parameter.device;
        return (device.type == DeviceType.CPU ? TensorMemory.Empty(length) : empty(length, device: device)).DetachFromDisposeScope();
    }
}
