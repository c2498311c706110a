using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Training.Data;
using TorchSharp;

namespace RewardModel.Cli;

/// <summary><c>reward-model score</c>: rewards of answers, from the command line or from a file.</summary>
internal static class ScoreCommand
{
    public static Command Create(TextWriter output, TextWriter errors)
    {
        var model = CommonOptions.Model();
        var data = CommonOptions.Value<string?>(
            "--data", "FILE", "Lists to score. JSON lines, plain or .gz; prints one JSON line for each.");
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
            using var scoringModel = ScoringModel.Load(parsed.GetValue(model)!);
            scoringModel.Transformer.to(place);
            var logger = new LineLogger(errors.WriteLine);
            if (parsed.GetValue(data) is { } file)
            {
                var lists = ListFile.ReadTokenized(scoringModel, file, parsed.GetValue(onBadData), logger);
                foreach (var rewards in scoringModel.Scorer(parsed.GetValue(maxTokensPerBatch)).Score(lists))
                    WriteJson(output, rewards);
                return;
            }
            var texts = parsed.GetValue(answers)!;
            var list = RankedList.BestFirst(parsed.GetValue(prompt)!, texts);
            var lone = new RankedListFile([list], [], [], new Dictionary<string, int>());
            var tokenized = ListFile.Tokenize(scoringModel, lone, "--prompt", logger);
            var scores = scoringModel.Scorer(parsed.GetValue(maxTokensPerBatch)).Score(tokenized)[0];
            if (parsed.GetValue(json))
                WriteJson(output, scores);
            else
                foreach (var (reward, text) in scores.Zip(texts))
                    output.WriteLine($"{reward.ToString("F4", CultureInfo.InvariantCulture),9}  {text}");
        });
        return command;
    }

    private static void WriteJson(TextWriter output, float[] rewards) => output.WriteLine(JsonSerializer.Serialize(new { rewards }));
}
