using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Training.Data;
using RewardModel.Training.Metrics;
using TorchSharp;

namespace RewardModel.Cli;

/// <summary><c>reward-model score</c>: rewards of answers, from the command line or from a file.</summary>
internal static class ScoreCommand
{
    private const string rewardsKey = "rewards";
    private const string rewardKey = "reward";
    private const string errorKey = "error";

    private static readonly JsonWriterOptions writerOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create(TextWriter output, TextWriter errors)
    {
        var model = CommonOptions.Model();
        var data = CommonOptions.Value<string?>(
            "--data", "FILE", "Answers to score: ranked lists, single answers or whole conversations. JSON lines or a JSON array, plain or .gz; "
            + "- reads standard input. Prints each line again, with its rewards.");
        var prompt = CommonOptions.Value<string?>("--prompt", "TEXT", "The prompt.");
        var answers = new Option<string[]>("--answer")
        {
            Description = "An answer to the prompt; give it once for each answer.",
            HelpName = "TEXT",
        };
        var maxTokensPerBatch = CommonOptions.MaxTokensPerBatch();
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var onBadData = CommonOptions.OnBadData();
        var json = CommonOptions.Json("Print the rewards of --answer as one JSON object.");
        var command = new Command("score", "Scores answers: one number each, higher is better.")
        {
            model, data, prompt, answers, maxTokensPerBatch, device, threads, onBadData, json,
        };
        command.Validators.Add(result =>
        {
            var hasText = result.GetResult(prompt) is not null && result.GetResult(answers) is not null;
            if (result.GetResult(data) is not null == (result.GetResult(prompt) is not null || result.GetResult(answers) is not null)
                || (result.GetResult(data) is null && !hasText))
                result.AddError("Give either --data FILE, or --prompt TEXT with at least one --answer TEXT.");
        });
        command.SetAction(parsed =>
        {
            Threads.Set(parsed.GetValue(threads));
            var place = Devices.Named(parsed.GetValue(device)!, "--device");
            var logger = new LineLogger(errors.WriteLine);
            var onBad = parsed.GetValue(onBadData);
            using var lines = parsed.GetValue(data) is { } file ? new LineScoring(file, onBad, logger) : null;
            lines?.Check();
            using var scoringModel = ScoringModel.Load(parsed.GetValue(model)!);
            scoringModel.Transformer.to(place);
            if (lines is not null)
            {
                foreach (var line in lines.Score(scoringModel, parsed.GetValue(maxTokensPerBatch)))
                    output.WriteLine(JsonOf(line));
                return;
            }
            var texts = parsed.GetValue(answers)!;
            var list = RankedList.BestFirst(parsed.GetValue(prompt)!, texts);
            var lone = new RankedListFile([list], [], [], new Dictionary<string, int>());
            var tokenized = ListFile.Tokenize(scoringModel, lone, "--prompt", onBad, logger);
            var scores = scoringModel.Scorer(parsed.GetValue(maxTokensPerBatch)).Score(tokenized)[0];
            RankingMetricsAccumulator.CheckFinite(scores);
            if (parsed.GetValue(json))
                output.WriteLine(JsonSerializer.Serialize(new { rewards = scores }));
            else
                foreach (var (reward, text) in scores.Zip(texts))
                    output.WriteLine($"{reward.ToString("F4", CultureInfo.InvariantCulture),9}  {text}");
        });
        return command;
    }

    /// <summary>The line's own fields, with what was found added.</summary>
    private static string JsonOf(ScoredLine line)
    {
        RankingMetricsAccumulator.CheckFinite(line.Rewards);
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, writerOptions))
        {
            writer.WriteStartObject();
            foreach (var field in line.Row?.EnumerateObject().AsEnumerable() ?? [])
                if (field.Name is not (rewardsKey or rewardKey or errorKey))
                    field.WriteTo(writer);
            if (line.Problem is not null)
                writer.WriteString(errorKey, line.Problem);
            else if (line.IsSingle)
                writer.WriteNumber(rewardKey, line.Rewards[0]);
            else
                WriteRewards(writer, line.Rewards);
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    private static void WriteRewards(Utf8JsonWriter writer, IReadOnlyList<float> rewards)
    {
        writer.WriteStartArray(rewardsKey);
        foreach (var reward in rewards)
            writer.WriteNumberValue(reward);
        writer.WriteEndArray();
    }
}
