using System.Diagnostics;
using System.Text.Json;
using RewardModel.Checkpoints;
using RewardModel.Distributed;
using RewardModel.Files;
using RewardModel.Kernels;
using RewardModel.Layers;
using RewardModel.Scoring;
using RewardModel.Training.Optimization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace RewardModel.Training.Distributed;

/// <summary>
/// A model's trained weights as one rank updates them: all of them, or a part. In a pass it puts together what other ranks have, and it adds
/// up gradients while the backward pass goes on.
/// </summary>
/// <remarks>
/// A step: passes, with <see cref="IsLastPass"/> set before the last one; <see cref="FinishGradients"/>; an optimiser's step on
/// <see cref="Parts"/>; <see cref="Publish"/>; <see cref="ClearGradients"/>. Ranks may have different numbers of passes, none too: those that
/// have fewer join the others' by <see cref="JoinPasses"/>.
/// </remarks>
internal sealed class TrainedWeights : IWeightHolder, IDisposable
{
    /// <summary>Rows of gradients that are there at once where ranks get parts of them: one that is filled while another is added up.</summary>
    private const int mostPending = 2;

    private readonly RewardTransformer model;
    private readonly Sharding sharding;
    private readonly WeightGroup[] layers;
    private readonly WeightGroup root;
    private readonly int frozenLayerCount;
    private readonly Queue<(ICollectiveWork Work, Action Then)> pending = [];
    private readonly Stopwatch waiting = new();
    private bool hasBackward;
    private bool isDisposed;

    /// <summary>Takes over the memory of a model's weights, as far as the sharding says so, until it is disposed of.</summary>
    /// <param name="model">The model; what is trained of it is settled.</param>
    /// <param name="ranks">Those that train it.</param>
    /// <param name="sharding">What is divided among them.</param>
    /// <param name="isOffloaded">Whether the optimiser's work is done in the CPU's memory; with sharding only.</param>
    /// <param name="optimizer">The optimiser.</param>
    public TrainedWeights(
        RewardTransformer model, ICollective ranks, Sharding sharding = Sharding.None, bool isOffloaded = false,
        OptimizerKind optimizer = OptimizerKind.AdamW)
    {
        (this.model, Ranks, this.sharding) = (model, ranks, sharding);
        long GranuleOf(long[] shape) => optimizer switch
        {
            OptimizerKind.AdamW8Bit when AdamW8Bit.IsQuantized(shape) => DynamicMap.BlockLength,
            OptimizerKind.Adafactor => Math.Max(1, shape.Aggregate(1L, (product, size) => product * size)),
            _ => 1,
        };
        var names = model.TrainedParameters.ToDictionary(pair => pair.Parameter.Handle, pair => pair.Name);
        var stored = model.LayersToStore();
        var frozen = model.CheckpointParameters.Where(pair => !pair.Parameter.requires_grad && !stored.ContainsKey(pair.Parameter.Handle))
            .ToDictionary(pair => pair.Parameter.Handle, pair => pair.Name);
        WeightGroup Group(string name, IEnumerable<Parameter> parameters)
        {
            Parameter[] all = [.. parameters];
            (string, Parameter)[] Named(Dictionary<IntPtr, string> of) =>
                [.. all.Where(parameter => of.ContainsKey(parameter.Handle)).Select(parameter => (of[parameter.Handle], parameter))];
            return new WeightGroup(name, Named(names), Named(frozen), sharding, isOffloaded, GranuleOf, ranks, model.Pending);
        }
        frozenLayerCount = model.Backbone.FrozenLayerCount;
        var ofLayers = model.Backbone.Layers.SelectMany(layer => layer.parameters()).Select(parameter => parameter.Handle).ToHashSet();
        layers = [.. model.Backbone.Layers.Select((layer, i) => Group($"layer {i}", layer.parameters()))];
        root = Group("embeddings and head", model.parameters().Where(parameter => !ofLayers.Contains(parameter.Handle)));
        model.EndPending();
        // The order of the model's parameters, in which they are saved.
        var order = model.TrainedParameters.Select((pair, i) => (pair.Name, i)).ToDictionary(pair => pair.Name, pair => pair.i);
        Parts = [.. Groups.SelectMany(group => group.Parts).OrderBy(part => order[part.Name])];
        if (IsShared)
            model.WeightHolder = this;
    }

    /// <inheritdoc/>
    IReadOnlyDictionary<string, TensorPart>? IWeightHolder.Parts => sharding != Sharding.Parameters
        ? null
        : Groups.SelectMany(group => group.AllParts()).ToDictionary(part => part.Name);

    /// <summary>Those that train the model.</summary>
    public ICollective Ranks { get; }

    /// <summary>How long this rank has waited for sums of gradients and for other ranks' passes.</summary>
    public TimeSpan Waited => waiting.Elapsed;

    /// <summary>What this rank updates: a part of each parameter that is trained, in the order of these.</summary>
    public IReadOnlyList<WeightPart> Parts { get; }

    /// <summary>The weights that this rank has of them: its own tensors, not copies.</summary>
    public IEnumerable<TensorPart> TensorParts => Parts.Select(part => part.ToTensorPart());

    /// <summary>
    /// Whether the pass that begins next is this rank's last one of the step, so that gradients are complete as it goes back through the layers.
    /// </summary>
    public bool IsLastPass { private get; set; }

    private bool IsShared => Ranks.Size > 1 || sharding != Sharding.None;

    private IEnumerable<WeightGroup> Groups => layers.Reverse().Append(root);

    /// <summary>Joins passes of other ranks, which have more of them, until no rank has any.</summary>
    /// <param name="withBackward">Whether these have gradients.</param>
    public void JoinPasses(bool withBackward)
    {
        if (!NeedsAll(withBackward))
            return;
        while (IsAnyRankIn(isIn: false))
            JoinPass(withBackward);
    }

    /// <inheritdoc/>
    public void BeginPass(bool hasBackward)
    {
        if (NeedsAll(hasBackward))
            IsAnyRankIn(isIn: true);
        Begin(hasBackward);
    }

    /// <inheritdoc/>
    public void BeforeLayer(int layer, bool isAgain)
    {
        if (sharding != Sharding.Parameters)
            return;
        layers[layer].StartGathering();
        // The next one comes while this one is computed.
        var next = isAgain ? layer - 1 : layer + 1;
        if (next < layers.Length && next >= (isAgain ? frozenLayerCount : 0))
            layers[next].StartGathering();
        layers[layer].Gather();
    }

    /// <inheritdoc/>
    public void AfterLayer(int layer)
    {
        // The last but one is the first to be computed again.
        if (!(hasBackward && layer == layers.Length - 2 && layer >= frozenLayerCount))
            layers[layer].Release();
    }

    /// <inheritdoc/>
    public void GradientsDone(int layer)
    {
        layers[layer].Release();
        if (layers[layer].IsTrained && (sharding >= Sharding.Gradients || IsLastPass))
            Reduce(layers[layer]);
    }

    /// <inheritdoc/>
    public void EndPass() => root.Release();

    /// <summary>After this the parts have the gradients of the whole step, of all ranks' lists.</summary>
    public void FinishGradients()
    {
        if (!IsShared)
        {
            foreach (var layer in layers)
                layer.FillGradients();
            return;
        }
        IsLastPass = false;
        foreach (var group in Groups.Where(group => group.IsTrained && !group.IsReduced))
            Reduce(group);
        Complete(0);
        // Of other parameters than those of this rank's lists there may be gradients, too.
        using var scope = NewDisposeScope();
        using var counts = tensor(Groups.SelectMany(group => group.HasGradient).Select(found => found ? 1f : 0f).ToArray());
        Ranks.AllReduce(counts, "which parameters have gradients").Wait();
        var isThere = counts.data<float>().Select(count => count > 0).ToArray();
        var first = 0;
        foreach (var group in Groups)
        {
            var found = isThere[first..(first + group.HasGradient.Count)];
            // What has none was added up as zeros, as FillGradients has it.
            if (group != root && found.Contains(true))
                Array.Fill(found, true);
            group.SetGradients(found);
            first += group.HasGradient.Count;
        }
    }

    /// <summary>The squared norm of all gradients, of what each rank found of its parts, by ranks.</summary>
    public double SquaredNormOf(IEnumerable<double> ofParts) => sharding == Sharding.None ? ofParts.First() : ofParts.Sum();

    /// <summary>The parts were changed; after this the model computes with them.</summary>
    public void Publish()
    {
        foreach (var work in Groups.Select(group => group.StartPublishing()).ToArray())
            work?.Wait();
    }

    /// <summary>Lets all gradients go.</summary>
    public void ClearGradients()
    {
        if (!IsShared)
        {
            model.zero_grad();
            return;
        }
        Complete(0);
        foreach (var group in Groups)
            group.ClearGradients();
    }

    /// <summary>
    /// The names of trained weights, and of what is kept beside them, that have a number that is not finite on any rank: the same on all.
    /// </summary>
    /// <param name="beside">This rank's parts of moments and averages.</param>
    public IReadOnlyList<string> NotFinite(IEnumerable<TensorPart> beside)
    {
        string[] own =
        [
            .. Parts.Select(part => part.ToTensorPart()).Concat(beside).Where(part => !FiniteNumbers.AreIn(part.Tensor))
                .Select(part => part.Name).Distinct(),
        ];
        return Ranks.Size == 1
            ? own
            : [.. Ranks.Gather(JsonSerializer.SerializeToUtf8Bytes(own), "whether weights are finite")
                .SelectMany(bytes => JsonSerializer.Deserialize<string[]>(bytes)!).Distinct()];
    }

    /// <summary>Writes tensors that belong to the weights, such as an optimiser's state, as one process would write them.</summary>
    /// <param name="directory">The same on all ranks, in a file system that they share.</param>
    /// <param name="parts">Of each tensor, what this rank has.</param>
    /// <returns>What the files are; nothing on other ranks than the first.</returns>
    public IReadOnlyList<ManifestFile> Write(string directory, IEnumerable<TensorPart> parts)
    {
        if (sharding != Sharding.None)
            return CheckpointWriter.WriteParts(directory, parts, Ranks);
        IReadOnlyList<ManifestFile> files = [];
        Ranks.FirstWorks(
            () =>
            {
                files = CheckpointWriter.WriteParts(directory, parts, SingleProcess.Instance);
                return [];
            },
            "weights that the first rank writes");
        return files;
    }

    /// <summary>Saves the model, as one process would; no rank has all of a model whose weights are divided.</summary>
    public void Save(ScoringModel saved, string directory)
    {
        if (sharding == Sharding.Parameters && saved.Transformer.ModelAdapter is null)
        {
            saved.SaveTogether(directory, Ranks);
            return;
        }
        // What is trained beside an adapter is little.
        foreach (var group in Groups)
            group.GatherTrained();
        Ranks.FirstWorks(
            () =>
            {
                saved.Save(directory);
                return [];
            },
            "the model that the first rank saves");
        foreach (var group in Groups)
            group.Release();
    }

    /// <summary>Puts all weights into the model, which has them for itself from then on.</summary>
    public void GiveBack()
    {
        foreach (var group in Groups)
            group.Gather();
        Dispose();
    }

    /// <summary>Ends what ranks do with the weights. Those of the model that are other ranks' are gone then.</summary>
    public void Dispose()
    {
        if (isDisposed)
            return;
        isDisposed = true;
        if (IsShared)
            model.WeightHolder = null;
        // Something has failed, and ranks end soon: what is under way is neither waited for nor taken the memory from.
        if (pending.Count > 0)
            return;
        foreach (var group in Groups)
            group.Dispose();
    }

    private bool NeedsAll(bool withBackward) => sharding == Sharding.Parameters || (sharding == Sharding.Gradients && withBackward);

    private void Begin(bool withBackward)
    {
        hasBackward = withBackward;
        root.Gather();
    }

    /// <summary>The calls of a pass, without computing anything.</summary>
    private void JoinPass(bool withBackward)
    {
        Begin(withBackward);
        for (var layer = 0; layer < layers.Length; layer++)
        {
            BeforeLayer(layer, isAgain: false);
            if (!withBackward || layer < layers.Length - 1)
                AfterLayer(layer);
        }
        for (var layer = layers.Length - 1; withBackward && layer >= 0; layer--)
        {
            if (layer < layers.Length - 1 && layer >= frozenLayerCount)
                BeforeLayer(layer, isAgain: true);
            GradientsDone(layer);
        }
        EndPass();
    }

    private bool IsAnyRankIn(bool isIn)
    {
        using var count = tensor(new[] { isIn ? 1f : 0f });
        waiting.Start();
        Ranks.AllReduce(count, "whether a rank has another pass").Wait();
        waiting.Stop();
        return count.item<float>() > 0;
    }

    private void Reduce(WeightGroup group)
    {
        // What has been divided goes before more comes; a whole sum takes the place of what was added up.
        if (sharding != Sharding.None)
            Complete(mostPending - 1);
        if (group.Reduce() is { } reduction)
            pending.Enqueue(reduction);
    }

    private void Complete(int left)
    {
        while (pending.Count > left)
        {
            var (work, then) = pending.Dequeue();
            waiting.Start();
            work.Wait();
            waiting.Stop();
            then();
        }
    }
}
