using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using PreferencePairs;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Training.Data;

// Makes pairs for DPO (arXiv 2305.18290) of a policy's answers by a reward model, in TRL's format: prompt, chosen and rejected, as text or
// as messages, with chosen_reward and rejected_reward.
//
//   dotnet run -c Release --project samples/PreferencePairs -- MODEL_DIR generations.jsonl pairs.jsonl
//
// A row of generations has a prompt and its answers, {"prompt": "...", "answers": ["...", "..."]} or {"messages": [...], "answers": [...]},
// in any order; a file of any length takes the same memory. --pairs says which answers make pairs: the best and the worst, all, or the best
// and any other. Pairs with a difference of rewards below --min-margin are left out, and so are ties.

// Rows that are read, and scored together.
const int GroupSize = 256;

var (kind, minMargin, seed) = (PairChoice.BestWorst, 0.0, 1UL);
var options = args.Skip(3).Chunk(2);
var isValid = args.Length >= 3 && !args[..3].Any(argument => argument.StartsWith('-')) && options.All(option => option switch
{
    ["--pairs", PairChoice.BestWorst or PairChoice.All or PairChoice.BestRandom] => (kind = option[1]).Length > 0,
    ["--min-margin", var value] => double.TryParse(value, CultureInfo.InvariantCulture, out minMargin) && minMargin >= 0,
    ["--seed", var value] => ulong.TryParse(value, out seed),
    _ => false,
});
if (!isValid)
{
    Console.Error.WriteLine(
        "Usage: PreferencePairs MODEL_DIR DATA OUTPUT [--pairs best-worst|all|best-random, default best-worst] "
        + "[--min-margin X, from 0, default 0] [--seed S, from 0, default 1]");
    return 2;
}
var (modelDirectory, data, output) = (args[0], args[1], args[2]);

using var model = ScoringModel.Load(modelDirectory);
var writerOptions = new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
var random = new SplitMix64(seed);
var counts = new PairCounts(minMargin);
// Written beside, and renamed when it is whole.
var pending = output + ".pending";
await using (var writer = new StreamWriter(pending))
    await foreach (var group in new RankedListFiles(data).ReadAsync().Chunk(GroupSize))
        foreach (var (list, rewards) in group.Zip(await model.ScoreAsync(group)))
            foreach (var (chosen, rejected) in PairsOf(rewards))
                if (counts.Add(list.Answers[chosen], list.Answers[rejected], rewards[chosen], rewards[rejected]))
                    await writer.WriteLineAsync(Row(list, rewards, chosen, rejected));
File.Move(pending, output, overwrite: true);
counts.Print();
return 0;

IEnumerable<(int Chosen, int Rejected)> PairsOf(float[] rewards)
{
    if (rewards.Length > 1)
        return PairChoice.Of(kind, rewards, random);
    counts.AddSingle();
    return [];
}

string Row(RankedList list, float[] rewards, int chosen, int rejected)
{
    var row = new JsonObject
    {
        ["prompt"] = Text(list.Prompt),
        ["chosen"] = Text(list.Answers[chosen]),
        ["rejected"] = Text(list.Answers[rejected]),
        ["chosen_reward"] = rewards[chosen],
        ["rejected_reward"] = rewards[rejected],
    };
    if (list.Chat?.Prompt.Tools is { } tools)
        row["tools"] = JsonSerializer.SerializeToNode(tools);
    return row.ToJsonString(writerOptions);

    // Of a conversation prompt and answers are messages as JSON.
    JsonNode? Text(string text) => list.Chat is null ? text : JsonNode.Parse(text);
}
