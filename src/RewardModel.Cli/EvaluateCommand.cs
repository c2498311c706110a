using System.CommandLine;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Training.Data;
using RewardModel.Training.Metrics;

namespace RewardModel.Cli;

/// <summary><c>reward-model evaluate</c>: how well a model ranks the answers of a file.</summary>
internal static class EvaluateCommand
{
    private static readonly JsonSerializerOptions jsonOptions = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    public static Command Create(TextWriter output, TextWriter errors)
    {
        var model = CommonOptions.Models();
        var baseModel = CommonOptions.BaseModel();
        var data = new DataOptions("Ranked lists to evaluate on.");
        var loss = CommonOptions.Value(
            "--loss", string.Join('|', RankingLoss.Names), "Ranking loss to report.", new RankingLossOptions().Loss);
        var maxTokensPerBatch = CommonOptions.MaxTokensPerBatch();
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var raw = CommonOptions.Raw();
        var json = CommonOptions.Json("Print the metrics as one JSON object.");
        var command = new Command("evaluate", "Measures how well a reward model ranks the answers of ranked lists.")
        {
            model, baseModel, loss, maxTokensPerBatch, device, threads, raw, json,
        };
        data.AddTo(command);
        command.SetAction(parsed =>
        {
            var metrics = new RankingMetricsAccumulator(RankingLoss.ByName(parsed.GetValue(loss)!));
            Threads.Set(parsed.GetValue(threads));
            Devices.Named(parsed.GetValue(device)!, "--device");
            using var ensemble = RewardEnsemble.Load(parsed.GetValue(model)!, parsed.GetValue(device), parsed.GetValue(baseModel));
            var scoringModel = ensemble.Members[0];
            scoringModel.ReadsTextAsChat &= !parsed.GetValue(raw);
            var logger = new LineLogger(errors.WriteLine);
            using var lists = new ListReading(scoringModel, logger) { Purpose = ListPurpose.Evaluation }.Read(data.Of(parsed)!);
            if (EqualAnswers.Describe(lists) is { } description)
                logger.LogWarning("{EqualAnswers}", description);
            var rewards = ensemble.Score(lists, parsed.GetValue(maxTokensPerBatch));
            for (var l = 0; l < lists.Count; l++)
                metrics.Add([.. rewards[l].Select(reward => reward.Mean)], RankingList.Of(lists[l]), lists[l].PromptIds);
            if (metrics.Result.PairCount == 0)
                throw new RankedDataException(
                    $"The data ({Counted.Of(lists.Count, "list")}) have no ordered pair, so there is nothing to measure; "
                    + "expected lists of two or more answers that are not all tied or equal.");
            output.WriteLine(parsed.GetValue(json)
                ? JsonSerializer.Serialize(metrics.Result, jsonOptions)
                : $"{metrics.Result.ListCount} lists, {metrics.Result.AnswerCount} answers, {metrics.Result.PairCount} pairs: "
                    + MetricsText.Of(metrics.Result));
        });
        return command;
    }
}
