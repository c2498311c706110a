using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Training.Data;
using RewardModel.Training.Metrics;

namespace RewardModel.Cli;

/// <summary>What is told of the scored answers of a list.</summary>
internal enum ScoreOutput
{
    /// <summary>Their rewards, in the order of the answers.</summary>
    Rewards,

    /// <summary>Their order, best first, too.</summary>
    Ranking,

    /// <summary>The best one alone.</summary>
    Best,
}

/// <summary>
/// <c>reward-model score</c>, <c>rank</c> and <c>best-of-n</c>: rewards of answers, from the command line or from a file.
/// </summary>
internal static class ScoreCommand
{
    private const string rewardsKey = "rewards";
    private const string rewardKey = "reward";
    private const string deviationsKey = "reward_stds";
    private const string deviationKey = "reward_std";
    private const string outputsKey = "outputs";
    private const string rankingKey = "ranking";
    private const string bestKey = "best";
    private const string bestAnswerKey = "best_answer";
    private const string errorKey = "error";

    private static readonly string[] ownKeys = [rewardsKey, rewardKey, deviationsKey, deviationKey, outputsKey, rankingKey, bestKey, bestAnswerKey, errorKey];

    private static readonly JsonWriterOptions writerOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create(ScoreOutput kind, TextWriter output, TextWriter errors)
    {
        var (name, description, each) = kind switch
        {
            ScoreOutput.Rewards => ("score", "Scores answers: one number each, higher is better.", "with its rewards"),
            ScoreOutput.Ranking => (
                "rank", "Sorts answers by their rewards, best first.", "with its rewards and its ranking: the answers' indices from 0, best first"),
            ScoreOutput.Best => (
                "best-of-n", "Chooses the answer with the highest reward.",
                "with the index from 0 of its best answer, that answer and its reward"),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
        };
        var model = CommonOptions.Models();
        var baseModel = CommonOptions.BaseModel();
        var outputWeights = CommonOptions.OutputWeights();
        var data = new DataOptions($"Answers to score: ranked lists, single answers or whole conversations. Prints each row again, {each}.", isRequired: false);
        var prompt = CommonOptions.Value<string?>("--prompt", "TEXT", "The prompt.");
        var answers = new Option<string[]>("--answer")
        {
            Description = "An answer to the prompt; give it once for each answer.",
            HelpName = "TEXT",
        };
        var maxTokensPerBatch = CommonOptions.MaxTokensPerBatch();
        var batchInvariant = CommonOptions.BatchInvariant();
        var device = CommonOptions.Device();
        var threads = CommonOptions.Threads();
        var raw = CommonOptions.Raw();
        var json = CommonOptions.Json("Print what is found of --answer as one JSON object.");
        var command = new Command(name, description)
        {
            model, baseModel, outputWeights, prompt, answers, maxTokensPerBatch, batchInvariant, device, threads, raw, json,
        };
        data.AddTo(command);
        command.Validators.Add(result =>
        {
            var hasText = result.GetResult(prompt) is not null && result.GetResult(answers) is not null;
            if (result.GetResult(data.Data) is not null == (result.GetResult(prompt) is not null || result.GetResult(answers) is not null)
                || (result.GetResult(data.Data) is null && !hasText))
                result.AddError("Give either --data FILE, or --prompt TEXT with at least one --answer TEXT.");
        });
        command.SetAction(parsed =>
        {
            Threads.Set(parsed.GetValue(threads));
            Devices.Named(parsed.GetValue(device)!, "--device");
            var logger = new LineLogger(errors.WriteLine);
            using var lines = data.Of(parsed) is { } files ? new LineScoring(files, logger) : null;
            lines?.Check();
            using var ensemble = RewardEnsemble.Load(
                parsed.GetValue(model)!, parsed.GetValue(device), parsed.GetValue(baseModel), CommonOptions.Numbers(parsed, outputWeights));
            var scoringModel = ensemble.Members[0];
            foreach (var member in ensemble.Members)
                member.Transformer.IsBatchInvariant = parsed.GetValue(batchInvariant);
            scoringModel.ReadsTextAsChat &= !parsed.GetValue(raw);
            if (lines is not null)
            {
                foreach (var line in lines.Score(ensemble, parsed.GetValue(maxTokensPerBatch)))
                    output.WriteLine(JsonOf(line, kind, ensemble.OutputNames));
                return;
            }
            var texts = parsed.GetValue(answers)!;
            var list = RankedList.BestFirst(parsed.GetValue(prompt)!, texts);
            var (tokenized, cut) = scoringModel.Tokenize(scoringModel.ToScore([list]));
            DataLog.LogCut(cut, "--prompt", scoringModel.Rule.MaxLength, logger);
            var scored = ScoredLine.Of(ensemble, tokenized[0], texts, parsed.GetValue(maxTokensPerBatch));
            RankingMetricsAccumulator.CheckFinite(scored.Rewards);
            if (parsed.GetValue(json))
                output.WriteLine(JsonOf(scored, kind, ensemble.OutputNames));
            else
                foreach (var answer in Shown(scored.Rewards, kind))
                    output.WriteLine($"{RewardText(scored, answer, kind)}  {texts[answer]}");
        });
        return command;
    }

    /// <summary>The answers that are told, in their order.</summary>
    private static IEnumerable<int> Shown(IReadOnlyList<float> rewards, ScoreOutput kind) => kind switch
    {
        ScoreOutput.Ranking => Ranking(rewards),
        ScoreOutput.Best => Ranking(rewards)[..1],
        _ => Enumerable.Range(0, rewards.Count),
    };

    private static string RewardText(ScoredLine line, int answer, ScoreOutput kind)
    {
        var reward = line.Rewards[answer].ToString("F4", CultureInfo.InvariantCulture).PadLeft(9);
        return kind == ScoreOutput.Rewards && line.Deviations is { } deviations
            ? $"{reward} ± {deviations[answer].ToString("F4", CultureInfo.InvariantCulture)}"
            : reward;
    }

    /// <summary>Indices of the answers, best first; of equal rewards the first.</summary>
    private static int[] Ranking(IReadOnlyList<float> rewards) =>
        [.. Enumerable.Range(0, rewards.Count).OrderByDescending(answer => rewards[answer])];

    /// <summary>The line's own fields, with what was found added.</summary>
    private static string JsonOf(ScoredLine line, ScoreOutput kind, IReadOnlyList<string>? outputNames)
    {
        RankingMetricsAccumulator.CheckFinite(line.Rewards);
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, writerOptions))
        {
            writer.WriteStartObject();
            foreach (var field in line.Row?.EnumerateObject().AsEnumerable() ?? [])
                if (!ownKeys.Contains(field.Name))
                    field.WriteTo(writer);
            if (line.Problem is not null)
                writer.WriteString(errorKey, line.Problem);
            else
                WriteFound(writer, line, kind, outputNames);
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    private static void WriteFound(Utf8JsonWriter writer, ScoredLine line, ScoreOutput kind, IReadOnlyList<string>? outputNames)
    {
        if (kind == ScoreOutput.Best)
        {
            var best = Ranking(line.Rewards)[0];
            writer.WriteNumber(bestKey, best);
            if (line.Answers.Count > 0)
                writer.WriteString(bestAnswerKey, line.Answers[best]);
            writer.WriteNumber(rewardKey, line.Rewards[best]);
            return;
        }
        if (line.IsSingle && kind == ScoreOutput.Rewards)
        {
            writer.WriteNumber(rewardKey, line.Rewards[0]);
            if (line.Deviations is { } deviation)
                writer.WriteNumber(deviationKey, deviation[0]);
            if (line.Outputs is { } ofAnswer)
            {
                writer.WritePropertyName(outputsKey);
                WriteOutputs(writer, ofAnswer[0], outputNames!);
            }
            return;
        }
        WriteNumbers(writer, rewardsKey, line.Rewards);
        if (line.Deviations is { } deviations && kind == ScoreOutput.Rewards)
            WriteNumbers(writer, deviationsKey, deviations);
        if (line.Outputs is { } outputs && kind == ScoreOutput.Rewards)
        {
            writer.WriteStartArray(outputsKey);
            foreach (var ofAnswer in outputs)
                WriteOutputs(writer, ofAnswer, outputNames!);
            writer.WriteEndArray();
        }
        if (kind != ScoreOutput.Ranking)
            return;
        writer.WriteStartArray(rankingKey);
        foreach (var answer in Ranking(line.Rewards))
            writer.WriteNumberValue(answer);
        writer.WriteEndArray();
    }

    private static void WriteOutputs(Utf8JsonWriter writer, IReadOnlyList<float> outputs, IReadOnlyList<string> names)
    {
        writer.WriteStartObject();
        foreach (var (name, output) in names.Zip(outputs))
            writer.WriteNumber(name, output);
        writer.WriteEndObject();
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string key, IReadOnlyList<float> numbers)
    {
        writer.WriteStartArray(key);
        foreach (var number in numbers)
            writer.WriteNumberValue(number);
        writer.WriteEndArray();
    }
}
