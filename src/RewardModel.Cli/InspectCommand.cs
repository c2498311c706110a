using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using RewardModel.Scoring;
using RewardModel.Tokenizers;
using RewardModel.Training.Runs;

namespace RewardModel.Cli;

/// <summary><c>reward-model inspect</c>: what a directory holds, and why it can't be used.</summary>
internal static class InspectCommand
{
    private const int cannotBeUsed = 1;

    private static readonly JsonSerializerOptions jsonOptions = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static readonly JsonSerializerOptions readableJson = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create(TextWriter output)
    {
        var directory = new Argument<string>("DIR") { Description = "Directory of a language model, a reward model or an adapter." };
        var baseModel = CommonOptions.BaseModel();
        var json = CommonOptions.Json("Print everything as one JSON object.");
        const string length = "Default: 256, or half of what the model takes.";
        var promptTokens = CommonOptions.Value<int?>("--prompt-tokens", "P", $"Tokens of a prompt, to estimate memory for. {length}");
        var answerTokens = CommonOptions.Value<int?>("--answer-tokens", "A", $"Tokens of an answer, to estimate memory for. {length}");
        var answers = CommonOptions.Value<int>("--answers", "K", "Answers of a list, to estimate memory for.", 4);
        var optimizer = CommonOptions.Choice<OptimizerKind>("--optimizer", "Optimiser, to estimate memory for.");
        var unfrozen = CommonOptions.Value<int?>(
            "--unfrozen-layers", "N", "Layers that would be trained, to estimate memory for. Default: all.");
        var storage = CommonOptions.FrozenWeights("How frozen weights would be stored, to estimate memory for.");
        var command = new Command(
            "inspect", "Shows a checkpoint's architecture, size, estimated training memory and any problems, without loading its weights.")
        {
            directory, baseModel, json, promptTokens, answerTokens, answers, unfrozen, storage, optimizer,
        };
        command.SetAction(parsed =>
        {
            var inspection = ModelInspection.Of(
                parsed.GetValue(directory)!, parsed.GetValue(promptTokens), parsed.GetValue(answerTokens),
                parsed.GetValue(answers), parsed.GetValue(optimizer), parsed.GetValue(unfrozen), parsed.GetValue(storage),
                parsed.GetValue(baseModel));
            output.WriteLine(
                parsed.GetValue(json)
                    ? JsonSerializer.Serialize(inspection, jsonOptions)
                    : Text(inspection, OptionText.NameOf(parsed.GetValue(optimizer))));
            return inspection.Problems.Count == 0 ? 0 : cannotBeUsed;
        });
        return command;
    }

    private static string Text(ModelInspection model, string optimizer)
    {
        var lines = new List<(string Name, string Value)> { ("directory", model.Directory) };
        if (model.Architecture is not null)
            lines.Add(("architecture", model.ModelClass is null ? model.Architecture : $"{model.Architecture} ({model.ModelClass})"));
        if (model.Parameters is { } count)
        {
            lines.Add(("parameters", Invariant(
                $"{count.Total:N0}: embedding {count.Embedding:N0}, layers {count.Layers:N0}, head {count.Head:N0}")));
            lines.Add(("vocabulary", Invariant($"{model.VocabularySize} ids, at most {model.MaxPositions} tokens")));
        }
        if (model.Adapter is { } adapter)
        {
            var layers = model.AdaptedLayers!.Select(name => name.Split('.')[^1]).Distinct();
            var scale = adapter.IsRankStabilized ? "the root of the rank" : "the rank";
            var dropout = adapter.Dropout > 0 ? Invariant($", dropout {adapter.Dropout}") : "";
            lines.Add(("adapter", Invariant(
                $"LoRA of rank {adapter.Rank}, scale {adapter.AlphaOrDefault} / {scale}{dropout}, in {model.AdaptedLayers!.Count} layers ")
                + $"({string.Join(", ", layers)}): " + Invariant($"{model.TrainedParameters:N0} trained parameters")));
            lines.Add(("base model", model.BaseDirectory!));
        }
        if (model.WeightBytes is { } bytes)
            lines.Add(("weights", $"{Sizes.Bytes(bytes)} of {string.Join(", ", model.WeightTypes!)}"));
        if (model.DrawnParameters is { } drawn)
            lines.Add(("head", model.HeadTensor is { } tensor ? $"{tensor}, trained" : $"none; new: {string.Join(", ", drawn)}"));
        if (model.Outputs is { } outputs)
            lines.Add(("outputs", "reward = " + string.Join(" + ", outputs.Weights.Zip(outputs.Names, (weight, name) => Invariant($"{weight} {name}")))));
        lines.Add(("tokenizer", model.TokenizerKind is { } kind ? Invariant($"{kind}, {model.TokenizerVocabularySize} ids") : "none"));
        if (model.Rule is { } rule)
            lines.Add(("rule", $"{Layout(rule.SpecialTokens)}, {rule.Encoding.ToString().ToLowerInvariant()} encoding, " + Invariant(
                $"maximum length {rule.MaxLength}, reward = (raw - {rule.Normalizer.Mean}) / {rule.Normalizer.Std}")));
        if (model.Example is { } example)
            lines.Add(("reads", JsonSerializer.Serialize(example, readableJson)));
        if (model.Memory is { } memory)
        {
            var (prompt, answer, answers) = model.List!;
            lines.Add(("training", $"{Sizes.Bytes(memory.Total)}: weights {Sizes.Bytes(memory.Weights)}, gradients {Sizes.Bytes(memory.Gradients)}, "
                + $"{optimizer} {Sizes.Bytes(memory.Moments)}, activations {Sizes.Bytes(memory.Activations)} "
                + $"(prompt {prompt}, {answers} answers of {answer})"));
            lines.Add(("", $"{Sizes.Bytes(memory.Total - memory.Activations + memory.CheckpointedActivations)} with --activation-checkpointing: "
                + $"activations {Sizes.Bytes(memory.CheckpointedActivations)}"));
        }
        if (model.Problems.Count == 0)
            lines.Add(("problems", "none"));
        return string.Join('\n', [
            .. lines.Select(line => $"{line.Name,-14}{line.Value}"), .. model.Problems.Select(problem => $"problem: {problem}")]);
    }

    // For example: [1] prompt answer [2].
    private static string Layout(SpecialTokenRule rule)
    {
        static IEnumerable<string> Ids(IReadOnlyList<int> ids) => ids.Count == 0 ? [] : [$"[{string.Join(' ', ids)}]"];
        return string.Join(' ', [.. Ids(rule.BeforePrompt), "prompt", .. Ids(rule.AfterPrompt), "answer", .. Ids(rule.AfterAnswer)]);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
