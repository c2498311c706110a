using RewardModel.Kernels;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Layers;

/// <summary>
/// One forward pass of packed sequences through a model, and the backward pass that belongs to it: what is worked out once and read by
/// all layers, how dropout draws, and what is kept for the backward pass. Not thread-safe; the sequences may be used by other passes.
/// </summary>
/// <remarks>
/// <code>
/// using var pass = new ForwardPass(sequences, dropoutSeed: 1, checkpointing: true);
/// var loss = rankingLoss.Sum(model.forward(pass), pairs);
/// pass.Backward(loss);
/// </code>
/// </remarks>
/// <param name="sequences">What goes through the model. They must live until the pass is disposed of.</param>
/// <param name="dropoutSeed">
/// What dropout is a function of, together with each list's number among those packed, its token ids, and the place in the model: two
/// passes with the same seed draw the same, and no generator is asked. Null: a number of torch's default generator, drawn when something is
/// dropped for the first time.
/// </param>
/// <param name="checkpointing">
/// Of each layer only its input is kept, and the layer is computed again in the backward pass: less memory, more time, the same bits.
/// </param>
public sealed class ForwardPass(PackedSequences sequences, ulong? dropoutSeed = null, bool checkpointing = false) : IDisposable
{
    private readonly ActivationCheckpoints? checkpoints = checkpointing ? new ActivationCheckpoints() : null;
    private readonly Dictionary<RotaryEmbedding, (Tensor Cos, Tensor Sin)> angles = [];
    private readonly Dictionary<Alibi, Tensor> biases = [];
    private Lazy<DropoutKeys>? dropoutKeys;
    private IWeightHolder? holder;
    private int layersAhead;
    private bool isDisposed;

    /// <summary>What goes through the model.</summary>
    /// <exception cref="ObjectDisposedException">The pass has been disposed of.</exception>
    public PackedSequences Sequences
    {
        get
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            return field;
        }
    } = sequences ?? throw new ArgumentNullException(nameof(sequences));

    /// <summary>
    /// The number by which each of the packed lists draws its dropout: its place in the step, so that it draws the same in any micro-batch.
    /// Null: its place in the pack.
    /// </summary>
    internal IReadOnlyList<int>? ListNumbers { get; init; }

    /// <summary>Whether layers are computed again.</summary>
    internal bool Recomputes => checkpoints is not null;

    /// <summary>Layers, from the first, that no gradient goes through, where that was found out: they are not computed again.</summary>
    internal int FrozenLayerCount { get; set; }

    /// <summary>
    /// Adds the gradients of a number that was computed from the pass's result to the parameters' gradients. Once per pass.
    /// </summary>
    /// <param name="result">A scalar, or any result together with its <paramref name="gradient"/>.</param>
    /// <param name="gradient">Of the same shape as <paramref name="result"/>; null for a scalar.</param>
    /// <exception cref="ObjectDisposedException">The pass has been disposed of.</exception>
    public void Backward(Tensor result, Tensor? gradient = null)
    {
        ArgumentNullException.ThrowIfNull(result);
        ObjectDisposedException.ThrowIf(isDisposed, this);
        if (gradient is null)
            result.backward();
        else
            result.backward([gradient]);
        // The last layer is never computed again; others are done when their checkpoints are.
        if (holder is not null && checkpoints is not null)
            LayerDone(layersAhead - 1);
        checkpoints?.Backward();
        KernelErrors.Throw();
        if (holder is null)
            return;
        LayerDone(0);
        holder.EndPass();
    }

    /// <summary>The pass is told what holds the model's weights, and begins.</summary>
    internal void Begin(IWeightHolder weightHolder, int layerCount)
    {
        (holder, layersAhead) = (weightHolder, layerCount);
        holder.BeginPass(is_grad_enabled());
    }

    /// <summary>The pass ends without a backward pass.</summary>
    internal void EndForward()
    {
        if (!is_grad_enabled())
            holder?.EndPass();
    }

    /// <summary>The backward pass has gone through a layer, and those behind it.</summary>
    private void LayerDone(int layer)
    {
        while (layersAhead > layer)
            holder?.GradientsDone(--layersAhead);
    }

    /// <summary>Releases what the pass keeps.</summary>
    public void Dispose()
    {
        isDisposed = true;
        checkpoints?.Dispose();
        foreach (var (cos, sin) in angles.Values)
        {
            cos.Dispose();
            sin.Dispose();
        }
        angles.Clear();
        foreach (var bias in biases.Values)
            bias.Dispose();
        biases.Clear();
    }

    /// <summary>What dropout draws by on this thread until it is disposed of.</summary>
    /// <param name="layer">The layer, from 1; 0 for what comes before and behind the layers.</param>
    internal DropoutDraws Draws(int layer) => new(dropoutKeys ??= new Lazy<DropoutKeys>(KeysOfRows), layer);

    /// <summary>What a rotary embedding turns the tokens by: computed by the first layer that asks, kept for the others.</summary>
    internal (Tensor Cos, Tensor Sin) AnglesOf(RotaryEmbedding embedding)
    {
        if (!angles.TryGetValue(embedding, out var found))
            angles.Add(embedding, found = embedding.AnglesOf(Sequences));
        return found;
    }

    /// <summary>What ALiBi adds to scores, [N, P]: computed by the first layer that asks, kept for the others.</summary>
    internal Tensor BiasOf(Alibi alibi)
    {
        if (!biases.TryGetValue(alibi, out var found))
            biases.Add(alibi, found = alibi.BiasOf(Sequences));
        return found;
    }

    /// <summary>What a tensor with a gradient, which layers read besides their input, has to go through first.</summary>
    internal Tensor Shared(Tensor x) => checkpoints?.Enter(x) ?? x;

    /// <summary>The layers one after the other.</summary>
    /// <param name="layers">In their order.</param>
    /// <param name="x_TD">Input of the first.</param>
    /// <param name="lastRows">The rows that the last layer is asked for; layers before it compute all.</param>
    /// <param name="forward">
    /// A layer, its input and the rows that it computes, to its result. May run a second time, after the model's own dispose scope has
    /// ended: tensors that it captures belong to the sequences or the pass, or are <see cref="Shared"/>.
    /// </param>
    internal Tensor Through<TLayer>(
        IEnumerable<TLayer> layers, Tensor x_TD, QueryRows lastRows, Func<TLayer, Tensor, QueryRows, Tensor> forward)
    {
        TLayer[] all = [.. layers];
        var result_TD = x_TD;
        for (var i = 0; i < all.Length; i++)
        {
            var isRecorded = i >= FrozenLayerCount;
            if (i == FrozenLayerCount)
                result_TD = Shared(result_TD);
            var (number, input_TD, isLast) = (i, result_TD, i == all.Length - 1);
            var isKept = isRecorded && is_grad_enabled();
            Tensor Layer(bool isAgain)
            {
                holder?.BeforeLayer(number, isAgain);
                using var draws = Draws(number + 1);
                using var entered_TD = holder is not null && checkpoints is null && isKept
                    ? LayerBoundary.Apply(() => LayerDone(number), input_TD)
                    : null;
                return forward(all[number], entered_TD ?? input_TD, (isLast ? lastRows : Sequences.AllRows) with { Layer = number });
            }
            var isRunAgain = !isLast && isRecorded && checkpoints is not null;
            result_TD = isRunAgain
                ? checkpoints!.Run(() => Layer(isAgain: false), () => Layer(isAgain: true), () => LayerDone(number))
                : Layer(isAgain: false);
            if (isRunAgain || !isKept)
                holder?.AfterLayer(number);
            // Autograd and checkpoints have their own references; what nobody needs any more goes at once, and not with the model's scope.
            if (i > 0 && (checkpoints is null || !isRecorded))
                input_TD.Dispose();
        }
        return result_TD;
    }

    /// <summary>
    /// What rows draw dropout by: seed, list, the ids of the segment and of what it continues, and the row within it, whatever else is
    /// packed. An encoder's copies of a prompt draw differently for each answer, which their states depend on in any case.
    /// </summary>
    private DropoutKeys KeysOfRows()
    {
        var seed = DropoutHash.Mix(dropoutSeed ?? DropoutDraws.RandomSeed());
        var (segments, contents) = (Sequences.Segments, Sequences.Contents);
        var ofSegments = new ulong[segments.Count];
        var all = new List<ulong>(Sequences.TokenCount);
        for (var s = 0; s < ofSegments.Length; s++)
        {
            var (segment, (list, content)) = (segments[s], contents[s]);
            var continued = segment.Parent == Segment.NoParent
                ? DropoutHash.Part(seed, (ulong)(ListNumbers?[list] ?? list))
                : ofSegments[segment.Parent];
            ofSegments[s] = DropoutHash.Part(continued, content);
            for (var row = segment.Known; row < segment.Length; row++)
                all.Add(DropoutHash.Part(ofSegments[s], (ulong)row));
        }
        ulong[] scored =
        [
            .. Sequences.ScoredSegments.Zip(Sequences.ScoredLengths, (s, length) => DropoutHash.Part(ofSegments[s], (ulong)length - 1)),
        ];
        return new DropoutKeys([.. all], scored, Table: DropoutHash.Mix(seed));
    }
}
