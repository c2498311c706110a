using System.CommandLine;
using RewardModel.Files;
using RewardModel.Ranking;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Records;

namespace RewardModel.Cli;

/// <summary><c>reward-model evaluate</c>: how well a model ranks the answers of a file, and where it doesn't.</summary>
internal static class EvaluateCommand
{
    public static Command Create(TextWriter output, TextWriter errors)
    {
        var model = CommonOptions.Models();
        var baseModel = CommonOptions.BaseModel();
        var outputWeights = CommonOptions.OutputWeights();
        var data = new DataOptions("Ranked lists to evaluate on.", areGrouped: true);
        var reference = CommonOptions.Value<string?>(
            "--reference", "PATH", "Reference answers, whose rewards are told beside; of a list the best one is the reference.");
        var loss = CommonOptions.Value(
            "--loss", string.Join('|', RankingLoss.Names), "Ranking loss to report.", new RankingLossOptions().Loss);
        var maxTokensPerBatch = CommonOptions.MaxTokensPerBatch();
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var raw = CommonOptions.Raw();
        var html = CommonOptions.Value<string?>("--html", "FILE", "Write a report with charts and examples, to be opened in a browser.");
        var json = CommonOptions.Json("Print the evaluation as one JSON object.");
        var command = new Command("evaluate", "Measures how well a reward model ranks the answers of ranked lists, and where it fails.")
        {
            model, baseModel, outputWeights, reference, loss, maxTokensPerBatch, device, threads, raw, html, json,
        };
        data.AddTo(command);
        command.SetAction(parsed =>
        {
            RankingLoss.ByName(parsed.GetValue(loss)!);
            CommonOptions.CheckFolder("--html", parsed.GetValue(html));
            Threads.Set(parsed.GetValue(threads));
            Devices.Named(parsed.GetValue(device)!, "--device");
            using var ensemble = RewardEnsemble.Load(
                parsed.GetValue(model)!, parsed.GetValue(device), parsed.GetValue(baseModel), CommonOptions.WeightsOfOutputs(parsed, outputWeights));
            ensemble.Members[0].ReadsTextAsChat &= !parsed.GetValue(raw);
            var files = data.Of(parsed)!;
            var evaluation = new EvaluationRun(ensemble, new LineLogger(errors.WriteLine))
            {
                Loss = parsed.GetValue(loss)!,
                MaxTokensPerBatch = parsed.GetValue(maxTokensPerBatch),
                Reference = parsed.GetValue(reference) is { } path ? data.Of(parsed, new DataPaths(path)) : null,
            }.Run(files);
            var record = RunRecord.OfEvaluation($"{string.Join(", ", parsed.GetValue(model)!)} on {files.Name}", evaluation);
            if (parsed.GetValue(html) is { } file)
                PendingFile.WriteText(file, HtmlReport.Of(record));
            if (parsed.GetValue(json))
            {
                output.WriteLine(evaluation.ToJson());
                return;
            }
            var metrics = evaluation.Metrics;
            output.WriteLine(
                $"{metrics.ListCount} lists, {metrics.AnswerCount} answers, {metrics.PairCount} pairs: {MetricsText.Of(metrics)}");
            foreach (var line in EvaluationText.LinesOf(evaluation))
                output.WriteLine(line);
            foreach (var diagnosis in record.Diagnoses)
                output.WriteLine($"{diagnosis.Severity.ToString().ToLowerInvariant()}: {diagnosis.Sentence}");
        });
        return command;
    }
}
