using System.CommandLine;
using System.Globalization;
using RewardModel.Data;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Training.Data;
using TorchSharp;

namespace RewardModel.Cli;

/// <summary><c>reward-model normalize</c>: gives the rewards of a saved model a scale.</summary>
internal static class NormalizeCommand
{
    public static Command Create(TextWriter output, TextWriter errors)
    {
        const string form = "JSON, Parquet, CSV or TSV, plain, .gz or .zst.";
        var model = CommonOptions.Model();
        var reference = CommonOptions.Value<string?>(
            "--reference", "FILE", $"Answers whose rewards get mean 0: single answers, or ranked lists, of which the best ones count. {form}");
        var heldOut = CommonOptions.Value<string?>(
            "--held-out", "FILE", $"Answers whose rewards get mean 0 and standard deviation 1: all that the file has. {form}");
        var maxTokensPerBatch = CommonOptions.MaxTokensPerBatch();
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var onBadData = CommonOptions.OnBadData();
        var raw = CommonOptions.Raw();
        var command = new Command(
            "normalize", "Sets the mean and standard deviation in a reward model's reward_model.json, which its rewards are normalised by.")
        {
            model, reference, heldOut, maxTokensPerBatch, device, threads, onBadData, raw,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(reference) is null == result.GetResult(heldOut) is null)
                result.AddError("Give either --reference FILE or --held-out FILE.");
        });
        command.SetAction(parsed =>
        {
            Threads.Set(parsed.GetValue(threads));
            var place = Devices.Named(parsed.GetValue(device)!, "--device");
            var directory = parsed.GetValue(model)!;
            using var scoringModel = ScoringModel.Load(directory);
            scoringModel.Transformer.to(place);
            scoringModel.ReadsTextAsChat &= !parsed.GetValue(raw);
            var logger = new LineLogger(errors.WriteLine);
            var file = parsed.GetValue(reference);
            using var lists = new ListReading(scoringModel, logger) { Purpose = ListPurpose.Scoring }
                .Read(new RankedListFiles(file ?? parsed.GetValue(heldOut)!)
                {
                    Tables = new DuckDbTables(),
                    OnBadData = parsed.GetValue(onBadData),
                });
            var normalization = new RewardNormalization(file is null ? NormalizedBy.HeldOut : NormalizedBy.Reference, file);
            var normalizer = normalization.Of(scoringModel, lists, parsed.GetValue(maxTokensPerBatch), logger);
            scoringModel.SetNormalizer(normalizer);
            scoringModel.SaveRule(directory);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"Model: {directory}, reward = (raw - {normalizer.Mean}) / {normalizer.Std}"));
        });
        return command;
    }
}
