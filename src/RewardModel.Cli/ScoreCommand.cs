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
    private const string tokensKey = "token_rewards";
    private const string stepsKey = "step_rewards";
    private const string errorKey = "error";

    private static readonly string[] ownKeys =
    [
        rewardsKey, rewardKey, deviationsKey, deviationKey, outputsKey, rankingKey, bestKey, bestAnswerKey, tokensKey, stepsKey, errorKey,
    ];

    private static readonly JsonWriterOptions writerOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonSerializerOptions textOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

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
        var perToken = new Option<bool>("--per-token") { Description = "Also the reward at every token of an answer. Causal models." };
        var perStep = CommonOptions.Value<string?>(
            "--per-step", "SEPARATOR",
            "Also the reward at the end of every step of an answer: behind SEPARATOR, a text with \\n for a line break, or a special token. Causal models.");
        var json = CommonOptions.Json("Print what is found of --answer as one JSON object.");
        var command = new Command(name, description)
        {
            model, baseModel, outputWeights, prompt, answers, maxTokensPerBatch, batchInvariant, device, threads, raw, json,
        };
        if (kind == ScoreOutput.Rewards)
        {
            command.Options.Add(perToken);
            command.Options.Add(perStep);
        }
        data.AddTo(command);
        command.Validators.Add(result =>
        {
            var hasText = result.GetResult(prompt) is not null && result.GetResult(answers) is not null;
            if (result.GetResult(data.Data) is not null == (result.GetResult(prompt) is not null || result.GetResult(answers) is not null)
                || (result.GetResult(data.Data) is null && !hasText))
                result.AddError("Give either --data FILE, or --prompt TEXT with at least one --answer TEXT.");
            if (result.GetResult(perToken) is { Implicit: false } && result.GetResult(perStep) is { Implicit: false })
                result.AddError("--per-token and --per-step are given; expected one of them.");
            try
            {
                SeparatorOf(result.GetResult(perStep) is null ? null : result.GetValue(perStep));
            }
            catch (ArgumentException e)
            {
                result.AddError($"--per-step: {e.Message}");
            }
        });
        command.SetAction(parsed =>
        {
            Threads.Set(parsed.GetValue(threads));
            Devices.Named(parsed.GetValue(device)!, "--device");
            var logger = new LineLogger(errors.WriteLine);
            using var lines = data.Of(parsed) is { } files ? new LineScoring(files, logger) : null;
            lines?.Check();
            using var ensemble = RewardEnsemble.Load(
                parsed.GetValue(model)!, parsed.GetValue(device), parsed.GetValue(baseModel), CommonOptions.WeightsOfOutputs(parsed, outputWeights));
            var scoringModel = ensemble.Members[0];
            foreach (var member in ensemble.Members)
                member.Transformer.IsBatchInvariant = parsed.GetValue(batchInvariant);
            scoringModel.ReadsTextAsChat &= !parsed.GetValue(raw);
            var separator = kind == ScoreOutput.Rewards ? SeparatorOf(parsed.GetValue(perStep)) : null;
            var within = separator is not null || (kind == ScoreOutput.Rewards && parsed.GetValue(perToken))
                ? new ProcessScoring(ensemble.Members, separator)
                : null;
            within?.Check();
            if (lines is not null)
            {
                foreach (var line in lines.Score(ensemble, parsed.GetValue(maxTokensPerBatch), within))
                    output.WriteLine(JsonOf(line, kind, ensemble.OutputNames));
                return;
            }
            var texts = parsed.GetValue(answers)!;
            var list = RankedList.BestFirst(parsed.GetValue(prompt)!, texts);
            var read = scoringModel.ToScore([list])[0];
            var scored = within is null
                ? Scored(ensemble, read, texts, parsed.GetValue(maxTokensPerBatch), logger)
                : ScoredWithin(within, scoringModel, read, texts, parsed.GetValue(maxTokensPerBatch), logger);
            RankingMetricsAccumulator.CheckFinite(scored.Rewards);
            if (parsed.GetValue(json))
                output.WriteLine(JsonOf(scored, kind, ensemble.OutputNames));
            else
                foreach (var answer in Shown(scored.Rewards, kind))
                {
                    output.WriteLine($"{RewardText(scored, answer, kind)}  {texts[answer]}");
                    foreach (var (reward, text) in RewardsWithin(scored.Within?[answer]))
                        output.WriteLine($"{reward?.ToString("F4", CultureInfo.InvariantCulture) ?? "cut off",13}  {JsonSerializer.Serialize(text, textOptions)}");
                }
        });
        return command;
    }

    /// <exception cref="ArgumentException">It is empty, or has an escape that is not known.</exception>
    private static string? SeparatorOf(string? written) => written is null ? null : StepEnds.Unescape(written);

    private static ScoredLine Scored(
        RewardEnsemble ensemble, RankedList list, IReadOnlyList<string> answers, int maxTokensPerBatch, LineLogger logger)
    {
        var (tokenized, cut) = ensemble.Members[0].Tokenize([list]);
        DataLog.LogCut(cut, "--prompt", ensemble.Members[0].Rule.MaxLength, logger);
        return ScoredLine.Of(ensemble, tokenized[0], answers, maxTokensPerBatch);
    }

    private static ScoredLine ScoredWithin(
        ProcessScoring within, ScoringModel model, RankedList list, IReadOnlyList<string> answers, int maxTokensPerBatch, LineLogger logger)
    {
        var (rewards, cut) = within.Score([list], maxTokensPerBatch);
        DataLog.LogCut(cut, "--prompt", model.Rule.MaxLength, logger);
        return new ScoredLine(null, answers, [.. rewards[0].Select(answer => answer.Reward)], null, null, IsSingle: false, Problem: null)
        {
            Within = rewards[0],
        };
    }

    private static IEnumerable<(float? Reward, string Text)> RewardsWithin(ProcessReward? answer) =>
        answer?.Steps?.Select(step => (step.Reward, step.Text)) ?? answer?.Tokens?.Select(token => ((float?)token.Reward, token.Text)) ?? [];

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
            if (line.Within is [var only])
            {
                writer.WritePropertyName(only.Steps is null ? tokensKey : stepsKey);
                WriteWithin(writer, only);
            }
            if (line.Outputs is { } ofAnswer)
            {
                writer.WritePropertyName(outputsKey);
                WriteOutputs(writer, ofAnswer[0], outputNames!);
            }
            return;
        }
        WriteNumbers(writer, rewardsKey, line.Rewards, line.Answers.Count);
        if (line.Within is { } within)
        {
            writer.WriteStartArray(within[0].Steps is null ? tokensKey : stepsKey);
            foreach (var answer in within)
                WriteWithin(writer, answer);
            writer.WriteEndArray();
        }
        if (line.Deviations is { } deviations && kind == ScoreOutput.Rewards)
            WriteNumbers(writer, deviationsKey, deviations, line.Answers.Count);
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

    private static void WriteWithin(Utf8JsonWriter writer, ProcessReward answer)
    {
        writer.WriteStartArray();
        foreach (var token in answer.Tokens ?? [])
        {
            writer.WriteStartObject();
            writer.WriteString("text", token.Text);
            WriteOrNull(writer, "start", token.Start);
            WriteOrNull(writer, "end", token.End);
            writer.WriteNumber(rewardKey, token.Reward);
            writer.WriteEndObject();
        }
        foreach (var step in answer.Steps ?? [])
        {
            writer.WriteStartObject();
            writer.WriteString("text", step.Text);
            writer.WriteNumber("end", step.End);
            if (step.Reward is { } reward)
                writer.WriteNumber(rewardKey, reward);
            else
                writer.WriteNull(rewardKey);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void WriteOrNull(Utf8JsonWriter writer, string key, int? number)
    {
        if (number is { } value)
            writer.WriteNumber(key, value);
        else
            writer.WriteNull(key);
    }

    private static void WriteOutputs(Utf8JsonWriter writer, IReadOnlyList<float> outputs, IReadOnlyList<string> names)
    {
        writer.WriteStartObject();
        foreach (var (name, output) in names.Zip(outputs))
            writer.WriteNumber(name, output);
        writer.WriteEndObject();
    }

    private static void WriteNumbers(Utf8JsonWriter writer, string key, IReadOnlyList<float> numbers, int answerCount)
    {
        writer.WriteStartArray(key);
        foreach (var number in numbers)
            writer.WriteNumberValue(number);
        // Steps of which the end was cut off.
        for (var i = numbers.Count; i < answerCount; i++)
            writer.WriteNullValue();
        writer.WriteEndArray();
    }
}
