using RewardModel.Kernels;
using RewardModel.Packing;
using TorchSharp;
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
/// The pass draws its dropout by this seed, each layer by its own share of it: two passes with the same seed draw the same. For that it
/// re-seeds torch's default generators for every layer. Null: it draws from them as they are.
/// </param>
/// <param name="checkpointing">
/// Of each layer only its input is kept, and the layer is computed again in the backward pass: less memory, more time, the same bits.
/// </param>
public sealed class ForwardPass(PackedSequences sequences, ulong? dropoutSeed = null, bool checkpointing = false) : IDisposable
{
    private readonly ActivationCheckpoints? checkpoints = checkpointing ? new ActivationCheckpoints() : null;
    private readonly Dictionary<RotaryEmbedding, (Tensor Cos, Tensor Sin)> angles = [];
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

    /// <summary>Whether layers are computed again, so that dropout needs a seed to draw the same.</summary>
    internal bool Recomputes => checkpoints is not null;

    /// <summary>Layers, from the first, that no gradient goes through, where that was found out: they are not computed again.</summary>
    internal int FrozenLayerCount { get; set; }

    /// <summary>Whether dropout is drawn by a seed of the pass.</summary>
    internal bool HasDropoutSeed => dropoutSeed is not null;

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
    }

    /// <summary>Seeds torch's default generators for what a layer draws, if there is a seed; 0 is what comes before the layers.</summary>
    internal void SeedDropout(int layer)
    {
        if (dropoutSeed is not { } seed)
            return;
        // 2^64 by the golden ratio: shares of neighbouring layers and seeds have nothing in common.
        var share = unchecked((long)(seed + (ulong)layer * 0x9e3779b97f4a7c15));
        manual_seed(share).Dispose();
        // TorchSharp's seed is that of the CPU alone.
        if (Sequences.Device.type == DeviceType.CUDA)
            cuda.manual_seed_all(share);
    }

    /// <summary>What a rotary embedding turns the tokens by: computed by the first layer that asks, kept for the others.</summary>
    internal (Tensor Cos, Tensor Sin) AnglesOf(RotaryEmbedding embedding)
    {
        if (!angles.TryGetValue(embedding, out var found))
            angles.Add(embedding, found = embedding.AnglesOf(Sequences));
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
                SeedDropout(number + 1);
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
}
