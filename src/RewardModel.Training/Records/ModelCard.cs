using System.Globalization;
using System.Text;
using System.Text.Json;
using RewardModel.Files;
using RewardModel.Training.Diagnosis;
using RewardModel.Training.Metrics;
using YamlDotNet.Serialization;

namespace RewardModel.Training.Records;

/// <summary>
/// README.md of a trained model: what it is, how good it is and how to use it, with the metadata that model hubs read (Mitchell et al., Model
/// Cards for Model Reporting, arXiv 1810.03993).
/// </summary>
internal static class ModelCard
{
    /// <summary>The file.</summary>
    public const string FileName = "README.md";

    /// <summary>Stands in every card that was not written by hand.</summary>
    private const string mark = "<!-- written by reward-model; without this line the file is never replaced -->";

    /// <summary>Options whose values say where something lies on somebody's machine: of these the last part is told.</summary>
    private static readonly string[] paths = ["data", "eval-data", "backbone", "base-model", "config", "tokenizer", "output", "cache"];

    /// <summary>Writes the card into a model's directory, unless there is one that was written or changed by hand.</summary>
    /// <returns>Whether it was written.</returns>
    /// <inheritdoc cref="Of"/>
    public static bool Write(string directory, RunRecord record, int maxLength, bool isAdapter)
    {
        var file = Path.Combine(directory, FileName);
        if (File.Exists(file) && !InputFile.ReadText(file, FileKind.Text).Contains(mark, StringComparison.Ordinal))
            return false;
        PendingFile.WriteText(file, Of(record, maxLength, isAdapter));
        return true;
    }

    /// <summary>The card as Markdown.</summary>
    /// <param name="record">The run.</param>
    /// <param name="maxLength">Most tokens of prompt and answer together.</param>
    /// <param name="isAdapter">Whether the model is an adapter, which PEFT reads.</param>
    public static string Of(RunRecord record, int maxLength, bool isAdapter)
    {
        var text = new StringBuilder();
        text.Append("---\n").Append(Metadata(record, isAdapter)).Append("---\n\n").Append(mark).Append("\n\n");
        text.Append($"# {Plain(record.Name)}\n\n");
        text.Append(
            "A reward model: it reads a prompt and an answer and returns one number, which is higher for better answers. Only differences between "
            + "answers to the same prompt mean something.\n\n");
        AppendResults(text, record);
        AppendUse(text, maxLength, isAdapter);
        AppendTraining(text, record);
        AppendLimits(text, record);
        return text.ToString();
    }

    /// <summary>What hubs read, as YAML.</summary>
    private static string Metadata(RunRecord record, bool isAdapter)
    {
        var metadata = new Dictionary<string, object>
        {
            ["library_name"] = isAdapter ? "peft" : "transformers",
            ["pipeline_tag"] = "text-classification",
            ["tags"] = new[] { "reward-model", "rlhf" },
        };
        if (record.Evaluation is { } evaluation)
            metadata["model-index"] = new[]
            {
                new Dictionary<string, object>
                {
                    ["name"] = OnOneLine(record.Name),
                    ["results"] = new[]
                    {
                        new Dictionary<string, object>
                        {
                            ["task"] = new Dictionary<string, object> { ["type"] = "text-classification", ["name"] = "Reward modelling" },
                            ["dataset"] = new Dictionary<string, object> { ["type"] = "custom", ["name"] = "Held-out ranked lists" },
                            ["metrics"] = MetricsOf(evaluation.Metrics).ToArray(),
                        },
                    },
                },
            };
        return new SerializerBuilder().WithQuotingNecessaryStrings().WithNewLine("\n").Build().Serialize(metadata);
    }

    /// <summary>Of pairs, and of attributes; hubs read no number that is none.</summary>
    private static IEnumerable<Dictionary<string, object>> MetricsOf(RankingMetrics metrics)
    {
        if (metrics.PairCount > 0)
        {
            yield return Metric("accuracy", metrics.Accuracy, "Pairwise accuracy");
            yield return Metric("kendall_tau", metrics.KendallTau, "Kendall's tau-b");
        }
        if (metrics.LabelAccuracy is { } labels)
            yield return Metric("label_accuracy", labels, "Label accuracy");
        foreach (var attribute in metrics.Attributes ?? [])
            yield return Metric("mse", attribute.MeanSquaredError, $"Mean squared error of {OnOneLine(attribute.Name)}");
    }

    /// <summary>Readers look for the line that ends the metadata.</summary>
    private static string OnOneLine(string text) => new([.. text.Select(character => char.IsControl(character) ? ' ' : character)]);

    private static Dictionary<string, object> Metric(string type, double value, string name) =>
        new() { ["type"] = type, ["value"] = Math.Round(value, 4), ["name"] = name };

    private static void AppendResults(StringBuilder text, RunRecord record)
    {
        if (record.Evaluation is not { } evaluation)
            return;
        var metrics = evaluation.Metrics;
        text.Append("## Results\n\n").Append(Invariant(
            $"On {metrics.ListCount:N0} held-out lists with {metrics.PairCount:N0} pairs of answers{(metrics.PairCount > 0 ? Invariant($" to {metrics.PromptCount:N0} prompts") : "")}:\n\n"));
        text.Append("| | |\n| --- | --- |\n");
        if (metrics.PairCount > 0)
            text.Append(Invariant(
                $"| pairwise accuracy | **{metrics.Accuracy:F3}**, 95 % interval {metrics.AccuracyLow:F3} to {metrics.AccuracyHigh:F3} |\n"));
        foreach (var baseline in evaluation.Baselines)
            text.Append(Invariant(
                $"| against {BaselineName.InWords(baseline.Name)} ({baseline.Accuracy:F3}) | {NumberText.Difference(baseline.Difference)}, {NumberText.Difference(baseline.DifferenceLow)} to {NumberText.Difference(baseline.DifferenceHigh)} |\n"));
        if (metrics.PairCount > 0)
            text.Append(Invariant($"| Kendall's tau-b | {metrics.KendallTau:F3} |\n| best answer first | {metrics.TopAnswerAccuracy:F3} |\n"));
        if (metrics.LabelAccuracy is { } labels)
            text.Append(Invariant($"| label accuracy | {labels:F3} |\n"));
        foreach (var attribute in metrics.Attributes ?? [])
            text.Append(Invariant(
                $"| {Cell(attribute.Name)} | mean squared error {attribute.MeanSquaredError:F4}{(double.IsNaN(attribute.Correlation) ? "" : Invariant($", correlation {attribute.Correlation:F3}"))} |\n"));
        if (evaluation.Calibration is { } calibration)
            text.Append(Invariant($"| expected calibration error | {calibration.ExpectedCalibrationError:F3} |\n"));
        text.Append("\nAll figures, with curves and examples, are in `report.html`.\n\n");
    }

    private static void AppendUse(StringBuilder text, int maxLength, bool isAdapter) => text.Append(Invariant(
        $"""
        ## Use

        In Python:

        ```python
        {(isAdapter
            ? "from peft import AutoPeftModelForSequenceClassification\nfrom transformers import AutoTokenizer"
            : "from transformers import AutoModelForSequenceClassification, AutoTokenizer")}

        tokenizer = AutoTokenizer.from_pretrained("path/to/this/directory")
        model = Auto{(isAdapter ? "Peft" : "")}ModelForSequenceClassification.from_pretrained("path/to/this/directory"{(isAdapter
            ? ", num_labels=1" : "")}).eval()
        ```

        `reward_model.json` says which special tokens stand around prompt and answer, and by which mean and standard deviation rewards are
        normalised, if they are. Prompts are cut on the left so that prompt and answer have at most {maxLength:N0} tokens.

        In .NET, with the package RewardModel.Core:

        ```csharp
        using var model = ScoringModel.Load("path/to/this/directory");
        float[] rewards = model.Score("prompt", "one answer", "another answer");
        ```


        """).ReplaceLineEndings("\n"));

    private static void AppendTraining(StringBuilder text, RunRecord record)
    {
        if (record.Run is not { } run)
            return;
        text.Append("## Training\n\n").Append("| | |\n| --- | --- |\n");
        text.Append($"| model | {Cell(run.Model.Split(", of ")[0])} |\n");
        text.Append(Invariant($"| parameters | {run.ParameterCount:N0}, of which {run.TrainedParameterCount:N0} were trained |\n"));
        text.Append(Invariant($"| lists | {run.ListCount:N0} for training, {run.HeldOutListCount:N0} held out |\n"));
        text.Append(Invariant($"| steps | {run.StepCount:N0} |\n"));
        foreach (var (name, value) in run.Options)
            text.Append($"| {Cell(name)} | {Cell(WithoutFolders(name, value))} |\n");
        text.Append($"| version | RewardModel {Cell(run.Version)} |\n\n");
    }

    private static void AppendLimits(StringBuilder text, RunRecord record)
    {
        text.Append("## Limits\n\n");
        text.Append("- Rewards of different prompts are not comparable, nor are those of answers unlike the ones that it was trained on.\n");
        if (record.Evaluation?.Length is { } length)
            text.Append(Invariant(
                $"- It prefers the longer answer in {length.LongerIsPreferred:P0} of the held-out pairs of different lengths; the better answer is the longer one in {length.LongerIsBetter:P0}.\n"));
        foreach (var diagnosis in record.Diagnoses.Where(diagnosis => diagnosis.Severity >= DiagnosisSeverity.Warning))
            text.Append($"- {Plain(diagnosis.Sentence)}\n");
    }

    /// <summary>The value of an option; of paths their last parts.</summary>
    private static string WithoutFolders(string name, string value)
    {
        const string reference = "reference:";
        static string LastPart(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(path));
        if (name == "normalize" && value.StartsWith(reference, StringComparison.Ordinal))
            return reference + LastPart(value[reference.Length..]);
        if (!paths.Contains(name))
            return value;
        try
        {
            // Several paths are a list in JSON.
            if (value.StartsWith('['))
                return string.Join(", ", JsonSerializer.Deserialize<string[]>(value)!.Select(LastPart));
        }
        catch (JsonException)
        {
            // One path that begins like it.
        }
        return LastPart(value);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>A text in a table: on one line, and without what ends a cell.</summary>
    private static string Cell(string text) => Plain(text).Replace("|", "\\|", StringComparison.Ordinal);

    /// <summary>A text on one line that no reader of Markdown takes for a tag, a link or code.</summary>
    private static string Plain(string text)
    {
        var plain = new StringBuilder();
        foreach (var character in text)
            if (char.IsControl(character))
                plain.Append(' ');
            else if (character is '<')
                plain.Append("&lt;");
            else if (character is '&')
                plain.Append("&amp;");
            else
                plain.Append(character is '\\' or '`' or '*' or '_' or '[' or ']' ? $"\\{character}" : $"{character}");
        return plain.ToString();
    }
}
