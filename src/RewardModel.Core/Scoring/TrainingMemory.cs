using RewardModel.Adapters;
using RewardModel.Kernels;
using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Scoring;

/// <summary>The length of one ranked list, in tokens.</summary>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="AnswerTokens">Tokens of each answer.</param>
/// <param name="Answers">Count of answers.</param>
public sealed record ListSize(int PromptTokens, int AnswerTokens, int Answers);

/// <summary>
/// An estimate of the memory that training on the CPU needs while a list of a given size goes through the model, in bytes. All of it is
/// float32, but for frozen weights that are stored in fewer bits.
/// </summary>
/// <remarks>
/// Weights take 4 bytes each, or what their storage takes, gradients of those that are trained 4, AdamW's two moments of these 8; other
/// optimisers keep less. Activations are what the operators of
/// the forward pass keep for the backward pass, of which each architecture states what its layers are made of. To what all trained layers
/// keep comes what passes while the backward pass goes through one: gradients of an MLP, two of the largest matrix, and where attention is
/// composed of operators (DeBERTa) its scores. Of a causal model's last layer only keys and values are computed for all tokens. What
/// adapters have is counted among weights, and what they take among activations; frozen matrices keep nothing for themselves. Layers below
/// all that is trained keep nothing; but one of them at a time is there in the forward pass, which counts where little is trained. With
/// checkpoints there is the input of every trained layer, one and a quarter of what a single one keeps, as gradients are there before all of
/// it is released, and what passes. Of stored weights the largest is there in float32 once, in the pass through its layer. Weights stand for the model in any type: libtorch's own memory and that of .NET come on top.
/// </remarks>
/// <param name="Weights">The parameters.</param>
/// <param name="Gradients">Gradients of those that are trained: there between the micro-batches of a step.</param>
/// <param name="Moments">What the optimiser keeps from step to step.</param>
/// <param name="Activations">What a forward pass of one list leaves for its backward pass.</param>
/// <param name="CheckpointedActivations">The same with activation checkpointing.</param>
public sealed record TrainingMemory(long Weights, long Gradients, long Moments, long Activations, long CheckpointedActivations)
{
    /// <summary>A moving average of the trained weights, where training keeps one: 4 bytes each.</summary>
    public long Averages { get; init; }

    /// <summary>All together, without checkpoints.</summary>
    public long Total => Weights + Gradients + Moments + Averages + Activations;

    /// <summary>The memory for a model, whatever its weights. What is frozen has no gradients.</summary>
    /// <exception cref="ArgumentException">The list is longer than the model takes, or empty.</exception>
    public static TrainingMemory Estimate(RewardTransformer model, ListSize list, OptimizerKind optimizer = OptimizerKind.AdamW)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(list);
        var (prompt, answer, answers) = list;
        if (prompt < 0 || answer < 1 || answers < 1 || (long)prompt + answer > model.Backbone.MaxPositions)
            throw new ArgumentException(
                $"The list has {answers} answers of {answer} tokens and a prompt of {prompt}; expected at least one answer of one token, "
                + $"and at most {model.Backbone.MaxPositions} tokens of prompt and answer together.");
        return Estimate(model, model.Backbone.IsCausal
            ? new BatchSize(prompt + (long)answers * answer, 0)
            : new BatchSize(answers * ((long)prompt + answer), answers * ((long)prompt + answer) * ((long)prompt + answer)), optimizer);
    }

    /// <summary>The same for a batch of lists, as they are.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batch">The lists.</param>
    /// <param name="rewardsAllTokens">Whether rewards of all tokens are asked for, so that the last layer computes all of them too.</param>
    /// <param name="optimizer">The optimiser.</param>
    internal static TrainingMemory Estimate(
        RewardTransformer model, IEnumerable<TokenizedList> batch, bool rewardsAllTokens = false,
        OptimizerKind optimizer = OptimizerKind.AdamW)
    {
        var (tokens, pairs) = (0L, 0L);
        foreach (var list in batch)
        {
            tokens += PackedSequences.CountTokens(list, model.Backbone.IsCausal);
            rewardsAllTokens |= model.Backbone.IsCausal && Enumerable.Range(0, list.AnswerIds.Count).Any(list.IsContinued);
            pairs += list.AnswerIds.Select((ids, k) => (long)list.PromptOf(k).Length + ids.Length).Sum(length => length * length);
        }
        return Estimate(model, new BatchSize(tokens, pairs), optimizer, rewardsAllTokens);
    }

    /// <summary>Bytes of the activations alone, without and with checkpointing.</summary>
    /// <param name="model">The model, whatever its weights.</param>
    /// <param name="tokens">Tokens that are computed at once.</param>
    /// <param name="pairs">Queries x keys of all sequences, each with its own prompt.</param>
    internal static (long All, long Checkpointed) ActivationsOf(RewardTransformer model, long tokens, long pairs)
    {
        var (all, checkpointed) = ActivationCounts(model, new BatchSize(tokens, pairs), rewardsAllTokens: false);
        return (sizeof(float) * all, sizeof(float) * checkpointed);
    }

    private static TrainingMemory Estimate(
        RewardTransformer model, BatchSize batch, OptimizerKind optimizer, bool rewardsAllTokens = false)
    {
        var stored = model.LayersToStore();
        var weights = model.parameters().Sum(parameter => StoredMatrix.BytesOf(
            parameter.numel(), stored.TryGetValue(parameter.Handle, out var found) ? found.Storage : WeightStorage.Float32));
        var gradients = 4 * model.TrainedParameters.Sum(pair => pair.Parameter.numel());
        var (activations, checkpointed) = ActivationCounts(model, batch, rewardsAllTokens);
        var moments = model.TrainedParameters.Sum(pair => OptimizerMemory.BytesOf(optimizer, pair.Parameter.shape));
        return new TrainingMemory(weights, gradients, moments, 4 * activations, 4 * checkpointed);
    }

    private static (long All, long Checkpointed) ActivationCounts(RewardTransformer model, BatchSize batch, bool rewardsAllTokens)
    {
        var shapes = model.Backbone.LayerShapes;
        if (shapes.Count == 0)
            return (0, 0);
        LayerShape[] trained = [.. shapes.Skip(model.Backbone.FrozenLayerCount)];
        // Of the last layer of a causal model few tokens are computed.
        var isLastShort = model.Backbone.IsCausal && trained.Length > 0 && !rewardsAllTokens;
        LayerShape[] whole = isLastShort ? trained[..^1] : trained;
        var attention = shapes[0].Attention;
        var weights = batch.Pairs * attention.Heads;
        var adapter = model.ModelAdapter;
        (long Kept, long KeptOfOthers) KeptOf(LayerShape shape) =>
            adapter is null ? (shape.Kept, shape.KeptOfOthers) : WithAdapters(adapter, shape, shapes.Count);
        var mostKept = (trained.Length > 0 ? trained : shapes).Max(shape => KeptOf(shape).Kept);
        var stored = model.LayersToStore().Values.Select(found => found.Layer).OfType<MatrixLayer>().ToHashSet();
        long Converted(IEnumerable<nn.Module> modules) => modules.SelectMany(module => module.modules()).OfType<MatrixLayer>()
            .Where(stored.Contains).Select(layer => layer.Weight.numel()).DefaultIfEmpty().Max();
        // No gradient of a matrix comes where all of them are frozen.
        var passing = batch.Tokens * whole.Select(shape => shape.Passing).DefaultIfEmpty().Max()
            + (adapter is null ? 2 * trained.SelectMany(shape => shape.Matrices).Select(matrix => matrix.Size).DefaultIfEmpty().Max() : 0)
            + weights * attention.PassingWeights + Converted(model.Backbone.Layers.Skip(shapes.Count - trained.Length));
        var keptWeights = attention.KeepsWeights ? weights : 0;
        var forward = batch.Tokens * shapes.Max(shape => shape.Computed) + keptWeights + weights * attention.PassingWeights
            + Converted(model.Backbone.Layers);
        var all = batch.Tokens * (whole.Sum(shape => KeptOf(shape).Kept) + (isLastShort ? KeptOf(trained[^1]).KeptOfOthers : 0))
            + trained.Length * keptWeights + passing;
        var checkpointed = batch.Tokens * (trained.Sum(shape => shape.Width) + mostKept + mostKept / 4) + keptWeights + passing;
        all = Math.Max(all, forward);
        return (all, Math.Clamp(checkpointed, forward, all));
    }

    /// <summary>
    /// What a layer keeps of a token where its matrices are frozen: what they take only where an adapter takes it as well, and of each
    /// adapter the numbers between A and B; with dropout also what is left of its input. Of experts as many have a token as it goes through.
    /// </summary>
    private static (long Kept, long KeptOfOthers) WithAdapters(ModelAdapter adapter, LayerShape shape, int layers)
    {
        var own = adapter.Layers.ToLookup(
            pair => ModuleNames.IsInAttention(pair.Name),
            pair => pair.Layer.Adapter!.Rank + (adapter.Options.Dropout > 0 ? pair.Layer.Inputs : 0));
        long ofAttention = own[true].Sum() / layers, ofMlp = own[false].Sum() / layers;
        if (shape.Mlp.Experts is { } experts)
            ofMlp = ofMlp * experts.Chosen / experts.Count;
        var attentionInput = own[true].Any() ? 0 : shape.Width;
        var mlpInput = own[false].Any() ? 0 : shape.Mlp.Taken(shape.Width);
        return (shape.Kept - attentionInput - mlpInput + ofAttention + ofMlp, shape.KeptOfOthers - attentionInput + ofAttention);
    }

    /// <param name="Tokens">Tokens that are computed.</param>
    /// <param name="Pairs">Queries x keys of all sequences, where attention computes them without shared prompts.</param>
    private readonly record struct BatchSize(long Tokens, long Pairs);
}
