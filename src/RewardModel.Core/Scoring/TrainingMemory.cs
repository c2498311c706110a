using System.Text.RegularExpressions;

namespace RewardModel.Scoring;

/// <summary>The length of one ranked list, in tokens.</summary>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="AnswerTokens">Tokens of each answer.</param>
/// <param name="Answers">Count of answers.</param>
public sealed record ListSize(int PromptTokens, int AnswerTokens, int Answers);

/// <summary>
/// An estimate of the memory that training on the CPU needs while a list of a given size goes through the model, in bytes. All of it is
/// float32.
/// </summary>
/// <remarks>
/// Weights and their gradients take 4 bytes each, AdamW's two moments 8. Activations are what the operators of the forward pass keep for
/// the backward pass. A token keeps, for every matrix of a layer, its output, and its input if it is not another one's as well; one tensor
/// of the MLP's inner width less, because the kernels compute the result of its pointwise function again (of a ReLU the result is enough);
/// and one of the model's width for each norm of a layer beyond two. Of a causal model's last layer only keys and values are computed for
/// all tokens: a quarter of a layer. Attention's kernel keeps nothing else. Where attention is composed of operators (DeBERTa), a layer keeps
/// its weights, queries x keys for every head, and while it is computed three times as many. With checkpoints there is the input of every
/// layer, what a single one has, and while the pass goes back through it gradients: of three quarters of that, of its largest matrix, and of its
/// attention weights at four places, six where they are capped. Weights stand for the model in any type: libtorch's own memory and that of
/// .NET come on top.
/// </remarks>
/// <param name="Weights">The parameters.</param>
/// <param name="Gradients">Their gradients: there between the micro-batches of a step.</param>
/// <param name="Moments">AdamW's running means.</param>
/// <param name="Activations">What a forward pass of one list leaves for its backward pass.</param>
/// <param name="CheckpointedActivations">The same with activation checkpointing.</param>
public sealed partial record TrainingMemory(long Weights, long Gradients, long Moments, long Activations, long CheckpointedActivations)
{
    /// <summary>All together, without checkpoints.</summary>
    public long Total => Weights + Gradients + Moments + Activations;

    /// <summary>The memory for a model, whatever its weights.</summary>
    /// <exception cref="ArgumentException">The list is longer than the model takes, or empty.</exception>
    public static TrainingMemory Estimate(RewardTransformer model, ListSize list)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(list);
        var (prompt, answer, answers) = list;
        if (prompt < 0 || answer < 1 || answers < 1 || (long)prompt + answer > model.Backbone.MaxPositions)
            throw new ArgumentException(
                $"The list has {answers} answers of {answer} tokens and a prompt of {prompt}; expected at least one answer of one token, "
                + $"and at most {model.Backbone.MaxPositions} tokens of prompt and answer together.");
        var weights = 4 * model.CheckpointParameters.Sum(pair => pair.Parameter.numel());
        var (activations, checkpointed) = ActivationCounts(model, prompt, answer, answers);
        return new TrainingMemory(weights, weights, 2 * weights, 4 * activations, 4 * checkpointed);
    }

    /// <summary>Whether a parameter belongs to one of the layers: their names count them.</summary>
    internal static bool IsOfLayer(string name) => LayerName().IsMatch(name);

    private static (long All, long Checkpointed) ActivationCounts(RewardTransformer model, long prompt, long answer, long answers)
    {
        var matrices = model.Backbone.named_parameters().Where(pair => IsOfLayer(pair.Item1) && pair.Item2.dim() == 2).ToArray();
        if (matrices.Length == 0)
            return (0, 0);
        long layers = matrices.Select(pair => LayerName().Match(pair.Item1).Groups[1].Value).Distinct().Count();
        var (tokens, attention, copies) = model.Backbone.IsCausal && prompt > 0
            ? (prompt + answers * answer, prompt * prompt + 2 * answers * answer * (prompt + answer), 2)
            : (answers * (prompt + answer), answers * (prompt + answer) * (prompt + answer), 1);
        var heads = Setting(model, "num_attention_heads", "n_head") ?? 1;
        var once = heads * attention / copies;
        var norms = model.Backbone.named_parameters().Count(pair => IsOfLayer(pair.Item1) && pair.Item2.dim() == 1
            && pair.Item1.EndsWith(".weight", StringComparison.Ordinal) && pair.Item2.size(0) == model.Backbone.HiddenSize);
        var perToken = (matrices.Sum(pair => pair.Item2.size(0) + (SharesInput().IsMatch(pair.Item1) ? 0 : pair.Item2.size(1)))
            + Math.Max(0, norms - 2 * layers) * model.Backbone.HiddenSize) / (double)Math.Max(layers, 1);
        var computedLayers = layers - (model.Backbone.IsCausal ? 0.75 : 0);
        var isCapped = model.Config.Json["attn_logit_softcapping"] is not null;
        var isComposed = model.Config.Json["relative_attention"]?.GetValue<bool>() == true;
        long Attention(long attentionLayers, long passing) =>
            isComposed ? attentionLayers * (heads * attention + (isCapped ? once : 0)) + passing * once : 0;
        var all = (long)(tokens * ((perToken - UnkeptWidth(model)) * computedLayers + perToken)) + Attention(layers, passing: 3);
        var checkpointed = (long)(tokens * (layers * model.Backbone.HiddenSize + 1.75 * perToken))
            + matrices.Max(pair => pair.Item2.numel()) + Attention(1, passing: isCapped ? 6 : 4);
        return (all, Math.Min(all, checkpointed));
    }

    /// <summary>What of an MLP's pointwise function is not kept: its result, or its input where the result is enough.</summary>
    private static long UnkeptWidth(RewardTransformer model) =>
        Activation(model) is "relu" or "tanh" && IsGated(model) ? 0 : InnerWidth(model);

    private static bool IsGated(RewardTransformer model) =>
        model.Backbone.named_parameters().Any(pair => pair.Item1.EndsWith("up_proj.weight", StringComparison.Ordinal));

    // GPT-2's configurations need not say it.
    private static string Activation(RewardTransformer model) =>
        new[] { "hidden_act", "hidden_activation", "activation_function" }
            .Select(setting => model.Config.Json[setting]?.GetValue<string>()).FirstOrDefault(name => name is not null)
        ?? (model.Config.Json["model_type"]?.GetValue<string>() == "gpt2" ? "gelu_new" : "");

    private static long InnerWidth(RewardTransformer model) =>
        Setting(model, "intermediate_size", "n_inner", "ffn_dim") ?? 4 * model.Backbone.HiddenSize;

    private static long? Setting(RewardTransformer model, params string[] names) =>
        names.Select(name => model.Config.Json[name]?.GetValue<long>()).FirstOrDefault(value => value is not null);

    /// <summary>Matrices whose input is that of the queries', or of the gate.</summary>
    [GeneratedRegex(@"\.(k_proj|v_proj|key|value|key_proj|value_proj|up_proj)\.weight$")]
    private static partial Regex SharesInput();

    [GeneratedRegex(@"\.([0-9]+)\.")]
    private static partial Regex LayerName();
}
