using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using BestOfN;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;

// Chooses the best of N answers to each prompt by a reward model, and says what that is worth for N and for fewer answers:
//
//   dotnet run -c Release --project samples/BestOfN -- MODEL_DIR generations.jsonl best.jsonl
//   dotnet run -c Release --project samples/BestOfN -- MODEL_DIR --prompt "Sort 5 2 3 16 17 19 10 7 ascending:" \
//     "19 17 16 10 7 5 3 2" "2 3 5 7 10 16 17 19"
//
// A row has a prompt and its answers, {"prompt": "...", "answers": ["...", "..."]} or {"messages": [...], "answers": [...]}, in any order;
// a file of any length takes the same memory.

// Rows that are read, and scored together.
const int GroupSize = 256;

var writerOptions = new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
var curve = new BestOfNCurve();
switch (args)
{
    case [var modelDirectory, "--prompt", var prompt, _, .. var more] when more.Length > 0:
        {
            using var model = ScoringModel.Load(modelDirectory);
            var answers = args[3..];
            var rewards = model.Score(prompt, answers);
            Console.WriteLine(BestOf(RankedList.BestFirst(prompt, answers), rewards));
            curve.Add(rewards);
            break;
        }
    case [var modelDirectory, var data, var output] when data != "--prompt":
        {
            using var model = ScoringModel.Load(modelDirectory);
            // Written beside, and renamed when it is whole.
            var pending = output + ".pending";
            await using (var writer = new StreamWriter(pending))
                await foreach (var group in new RankedListFiles(data).ReadAsync().Chunk(GroupSize))
                    foreach (var (list, rewards) in group.Zip(await model.ScoreAsync(group)))
                    {
                        await writer.WriteLineAsync(BestOf(list, rewards));
                        curve.Add(rewards);
                    }
            File.Move(pending, output, overwrite: true);
            break;
        }
    default:
        Console.Error.WriteLine("Usage: BestOfN MODEL_DIR DATA OUTPUT, or BestOfN MODEL_DIR --prompt PROMPT ANSWER ANSWER...");
        return 2;
}
curve.Print();
return 0;

string BestOf(RankedList list, float[] rewards)
{
    // Of equal rewards the first.
    var best = Array.IndexOf(rewards, rewards.Max());
    return new JsonObject
    {
        ["prompt"] = Text(list.Prompt),
        ["answer"] = Text(list.Answers[best]),
        ["index"] = best,
        ["reward"] = rewards[best],
    }.ToJsonString(writerOptions);

    // Of a conversation prompt and answers are messages as JSON.
    JsonNode? Text(string text) => list.Chat is null ? text : JsonNode.Parse(text);
}
