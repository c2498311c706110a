using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Files;
using RewardModel.Lists;

namespace RewardModel.Checkpoints;

/// <summary>
/// The outputs of a reward head, and the fixed sum of them that is a reward: r = w_1 o_1 + w_2 o_2 + ... Most heads have one output, which
/// is the reward; those that were trained on attributes of an answer, such as HelpSteer's, have one for each.
/// </summary>
public sealed class RewardOutputs
{
    /// <summary>
    /// The setting of config.json that has the weights, in the order of the outputs. It is this library's own: transformers gives the
    /// outputs, and leaves it to whoever reads them what they make together.
    /// </summary>
    public const string WeightsSetting = "reward_output_weights";

    /// <summary>The settings that are read here.</summary>
    internal static readonly string[] Settings = [WeightsSetting, "num_labels"];

    private const int MostOutputs = 4096;
    private const double MostWeight = 1e30;

    private RewardOutputs(IReadOnlyList<string> names, IReadOnlyList<double> weights) => (Names, Weights) = (names, weights);

    /// <summary>A name of each output: <c>id2label</c> of config.json, or LABEL_0, LABEL_1 and so on.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>What each output counts in a reward.</summary>
    public IReadOnlyList<double> Weights { get; }

    /// <summary>Whether the reward is the one output as it is.</summary>
    internal bool AreSingle => Weights is [1.0];

    /// <summary>What config.json says of a head's outputs.</summary>
    /// <param name="config">The model's.</param>
    /// <param name="head">The name of the head's weight, for messages.</param>
    /// <param name="count">How many outputs the checkpoint's head has; null where it has no head: then config.json says it.</param>
    /// <exception cref="CheckpointException">The settings are wrong, or say nothing of how several outputs make one reward.</exception>
    internal static RewardOutputs Read(HuggingFaceConfig config, string head, int? count)
    {
        ArgumentNullException.ThrowIfNull(config);
        var reader = new ConfigReader(
            new JsonObject(Settings.Select(key => KeyValuePair.Create(key, config.Json[key]?.DeepClone()))), config.FilePath);
        int? labels = reader.Has("num_labels") ? reader.Size("num_labels") : null;
        var weights = reader.Has(WeightsSetting) ? reader.Doubles(WeightsSetting) : null;
        reader.Finish();
        var outputs = count ?? Math.Max(weights?.Count ?? labels ?? 1, 1);
        if (labels is not null && labels != outputs)
            reader.Problem(
                $"num_labels is {labels}; expected {outputs}, "
                + (count is null ? $"as {WeightsSetting} has" : $"the outputs of the head {Quoted.Text(head)}"));
        if (weights?.Count > MostOutputs)
            reader.Problem($"{WeightsSetting} has {weights.Count} numbers; expected at most {MostOutputs}");
        else if (weights is not null && weights.Count != outputs)
            reader.Problem(
                $"{WeightsSetting} has {Counted.Of(weights.Count, "number")}; expected {outputs}, one for each output of the head "
                + Quoted.Text(head) + NamesText(config, outputs));
        else if (weights is not null && (weights.Any(weight => Math.Abs(weight) > MostWeight) || weights.All(weight => weight == 0)))
            reader.Problem(
                $"{WeightsSetting} is {Quoted.Json(config.Json[WeightsSetting])}; "
                + FormattableString.Invariant($"expected numbers from {-MostWeight} to {MostWeight}, not all of them 0"));
        reader.Finish();
        return weights is null && outputs > 1
            ? throw new CheckpointException(
                config.FilePath,
                [
                    (count is null
                        ? $"num_labels is {outputs}{NamesText(config, outputs)}, so that a new head would have as many outputs"
                        : $"the head {Quoted.Text(head)} has {outputs} outputs{NamesText(config, outputs)}")
                    + $", and a reward is one number; expected \"{WeightsSetting}\", what each output counts in their sum",
                ],
                $"{(count is null ? "Remove num_labels for a head of one output. Or write" : "Write")} \"{WeightsSetting}\": [...] into config.json, {outputs} numbers in the order of the outputs, or give them as "
                + "--output-weights. A 1 and zeros otherwise take one output alone.")
            : new RewardOutputs(NamesOf(config, outputs), weights ?? [1]);
    }

    /// <summary>Writes weights that are given in place of a config.json's own.</summary>
    /// <exception cref="CheckpointException">They name outputs that it does not have.</exception>
    internal static void Set(HuggingFaceConfig config, OutputWeights weights)
    {
        IReadOnlyList<double> inOrder = weights;
        if (weights.Names is { } names)
        {
            string[] own = config.Json["id2label"] is JsonObject labels ? NamesOf(config, labels.Count) : [];
            string[] unnamed = [.. own.Select((_, i) => DefaultName(i))];
            if (own.SequenceEqual(unnamed))
            {
                SetNames(config, names);
                // How many outputs there are the head says, or else the weights.
                config.Json.Remove("num_labels");
            }
            else if (names.Except(own).ToArray() is { Length: > 0 } unknown)
                throw new CheckpointException(
                    config.FilePath,
                    [
                        $"weights are given for {string.Join(", ", unknown.Select(Quoted.Text))}; expected some of the outputs' names{NamesText(config, own.Length)}",
                    ],
                    "Give the outputs' own names, or numbers without names in their order. Where they are labels of a head that is no more there, remove id2label "
                        + "from config.json.");
            else
                inOrder = [.. own.Select(name => names.Contains(name) ? weights[names.ToList().IndexOf(name)] : 0)];
        }
        config.Json[WeightsSetting] = new JsonArray([.. inOrder.Select(weight => (JsonNode)weight)]);
    }

    /// <summary>The reward of an answer's outputs, rounded as the head rounds it.</summary>
    internal float RewardOf(IReadOnlyList<float> outputs)
    {
        if (AreSingle)
            return outputs[0];
        var reward = outputs[0] * (float)Weights[0];
        for (var output = 1; output < outputs.Count; output++)
        {
            var product = outputs[output] * (float)Weights[output];
            reward += product;
        }
        return reward;
    }

    /// <summary>Writes them into a config.json, as transformers and <see cref="Read"/> find them.</summary>
    internal void Write(HuggingFaceConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        SetNames(config, Names);
        if (AreSingle)
            config.Json.Remove(WeightsSetting);
        else
            config.Json[WeightsSetting] = new JsonArray([.. Weights.Select(weight => (JsonNode)weight)]);
    }

    private static void SetNames(HuggingFaceConfig config, IReadOnlyList<string> names)
    {
        config.Json["num_labels"] = names.Count;
        config.Json["id2label"] = new JsonObject(names.Select((name, i) => KeyValuePair.Create<string, JsonNode?>($"{i}", name)));
        config.Json["label2id"] = new JsonObject(names.Select((name, i) => KeyValuePair.Create<string, JsonNode?>(name, i)));
    }

    private static string DefaultName(int output) => $"LABEL_{output}";

    private static string NamesText(HuggingFaceConfig config, int outputs)
    {
        const int most = 20;
        return outputs < 2 ? "" : $" ({string.Join(", ", NamesOf(config, Math.Min(outputs, most)).Select(name => Quoted.Cut(name)))}"
            + $"{(outputs > most ? $" and {outputs - most} more" : "")})";
    }

    // One output is the reward, whatever it was called.
    private static string[] NamesOf(HuggingFaceConfig config, int outputs)
    {
        var labels = config.Json["id2label"] as JsonObject;
        string[] names =
        [
            .. Enumerable.Range(0, outputs).Select(i =>
                labels?[$"{i}"] is { } label && label.GetValueKind() == JsonValueKind.String && outputs > 1
                    ? label.GetValue<string>() : DefaultName(i)),
        ];
        return names.Distinct().Count() == outputs ? names : [.. Enumerable.Range(0, outputs).Select(DefaultName)];
    }
}
