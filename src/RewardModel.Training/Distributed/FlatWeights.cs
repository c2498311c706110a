using RewardModel.Checkpoints;
using RewardModel.Distributed;
using RewardModel.Kernels;
using RewardModel.Scoring;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Training.Distributed;

/// <summary>
/// Parameters one behind the other in one row of memory, of which each rank has a part. Where the row is whole the parameters are views of it;
/// where it is not they have no memory.
/// </summary>
internal sealed class FlatWeights : IDisposable
{
    private readonly ICollective ranks;
    private readonly string purpose;
    private readonly bool isWholeAlways;
    private Tensor? whole;
    private ICollectiveWork? gathering;

    /// <summary>Takes parameters' memory over: afterwards this rank has its part, or all of the row.</summary>
    /// <param name="parameters">Names and parameters, float32, on one device.</param>
    /// <param name="granules">Of each, how many elements stay together.</param>
    /// <param name="ranks">Those that share them.</param>
    /// <param name="name">What they are, for messages.</param>
    /// <param name="isWholeAlways">Whether each rank keeps the whole row.</param>
    /// <param name="pending">Where the values of those are that have no memory; null: in the parameters.</param>
    public FlatWeights(
        IReadOnlyList<(string Name, Parameter Parameter)> parameters, IReadOnlyList<long> granules, ICollective ranks, string name,
        bool isWholeAlways, PendingWeights? pending)
    {
        (this.ranks, this.isWholeAlways, purpose) = (ranks, isWholeAlways, $"weights of {name}");
        Parameters = [.. parameters.Select(pair => (pair.Name, pair.Parameter, pair.Parameter.shape))];
        long[] lengths = [.. parameters.Select(pair => pair.Parameter.numel())];
        Starts = new long[lengths.Length + 1];
        for (var i = 0; i < lengths.Length; i++)
            Starts[i + 1] = Starts[i] + lengths[i];
        Ends = PartCuts.Of(lengths, granules, ranks.Size);
        (First, End) = (ranks.Rank == 0 ? 0 : Ends[ranks.Rank - 1], Ends[ranks.Rank]);
        using var _ = no_grad();
        if (isWholeAlways)
        {
            whole = NewRow(Length);
            foreach (var (i, first, count) in Pieces(0, Length))
                Fill(whole.narrow(0, Starts[i], count), i, first, pending);
            Part = whole.narrow(0, First, End - First).DetachFromDisposeScope();
            SetParameters();
            return;
        }
        Part = NewRow(End - First);
        foreach (var (i, first, count) in Pieces(First, End))
            Fill(Part.narrow(0, Starts[i] + first - First, count), i, first, pending);
        ReleaseParameters();
    }

    /// <summary>The parameters, with their shapes.</summary>
    public IReadOnlyList<(string Name, Parameter Parameter, long[] Shape)> Parameters { get; }

    /// <summary>Where in the row each parameter begins, and the row's end.</summary>
    public long[] Starts { get; }

    /// <summary>Where in the row each rank's part ends.</summary>
    public long[] Ends { get; }

    /// <summary>Where this rank's part begins.</summary>
    public long First { get; }

    /// <summary>Where this rank's part ends.</summary>
    public long End { get; }

    /// <summary>Elements of the row.</summary>
    public long Length => Starts[^1];

    /// <summary>This rank's part.</summary>
    public Tensor Part { get; }

    /// <summary>Whether the row is whole, or will be when it is waited for.</summary>
    private bool IsThere => whole is not null;

    /// <summary>
    /// What this rank has of each parameter, in their order: for those that it has nothing of an empty run.
    /// </summary>
    /// <returns>Each parameter's number, its first element that is this rank's, and how many they are.</returns>
    public IEnumerable<(int Parameter, long First, long Count)> OwnRuns()
    {
        for (var i = 0; i < Parameters.Count; i++)
        {
            var first = Math.Clamp(First, Starts[i], Starts[i + 1]);
            yield return (i, first - Starts[i], Math.Clamp(End, Starts[i], Starts[i + 1]) - first);
        }
    }

    /// <summary>The same as parts of tensors.</summary>
    public IEnumerable<TensorPart> OwnParts() => OwnRuns().Select(run => new TensorPart(
        Parameters[run.Parameter].Name, Part.narrow(0, run.Count == 0 ? 0 : Starts[run.Parameter] + run.First - First, run.Count),
        Parameters[run.Parameter].Shape, run.First));

    /// <summary>Asks for the other ranks' parts, unless the row is whole.</summary>
    public void StartGathering()
    {
        if (IsThere || Length == 0)
            return;
        whole = NewRow(Length);
        gathering = ranks.AllGather(Part, whole, Ends, purpose);
    }

    /// <summary>After this the parameters have their numbers.</summary>
    public void Gather()
    {
        StartGathering();
        if (gathering is null)
            return;
        gathering.Wait();
        gathering = null;
        SetParameters();
    }

    /// <summary>Lets the other ranks' parts go.</summary>
    public void Release()
    {
        if (isWholeAlways || whole is null)
            return;
        // What was asked for comes, too.
        gathering?.Wait();
        gathering = null;
        ReleaseParameters();
        whole.Dispose();
        whole = null;
    }

    /// <summary>Parts have changed: where the row is whole on every rank it takes in the other ranks'.</summary>
    public ICollectiveWork? StartPublishing() => isWholeAlways && Length > 0 ? ranks.AllGather(Part, whole!, Ends, purpose) : null;

    /// <summary>Releases the memory; the parameters have none then, where they were views.</summary>
    public void Dispose()
    {
        Part.Dispose();
        whole?.Dispose();
    }

    /// <summary>The parameters between two places of the row.</summary>
    private IEnumerable<(int Parameter, long First, long Count)> Pieces(long first, long end)
    {
        for (var i = 0; i < Parameters.Count; i++)
            if (Math.Max(first, Starts[i]) is var from && Math.Min(end, Starts[i + 1]) is var to && from < to)
                yield return (i, from - Starts[i], to - from);
    }

    private void Fill(Tensor target, int parameter, long first, PendingWeights? pending)
    {
        using var scope = NewDisposeScope();
        if (pending?.Contains(Parameters[parameter].Name) == true)
            pending.Read(Parameters[parameter].Name, first, target);
        else
            target.copy_(Parameters[parameter].Parameter.view(-1).narrow(0, first, target.numel()));
    }

    private void SetParameters()
    {
        using var scope = NewDisposeScope();
        for (var i = 0; i < Parameters.Count; i++)
            TensorSlot.Set(Parameters[i].Parameter, whole!.narrow(0, Starts[i], Starts[i + 1] - Starts[i]).view(Parameters[i].Shape));
    }

    private void ReleaseParameters()
    {
        foreach (var (_, parameter, shape) in Parameters)
            TensorSlot.Empty(parameter, shape);
    }

    private Tensor NewRow(long length)
    {
        var device = Parameters.Count == 0 ? CPU : Parameters[0].Parameter.device;
        return (device.type == DeviceType.CPU ? TensorMemory.Empty(length) : empty(length, device: device)).DetachFromDisposeScope();
    }
}
