using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using GenerateSortingTask;
using RewardModel.Lists;

// Writes a ranking task that takes a transformer to solve, with a tokenizer and a model configuration for it:
// train.jsonl, test.jsonl (other prompts), config.json, tokenizer/.


const string Usage = "Usage: GenerateSortingTask OUTPUT_DIR [--lists N, at least 1, default 4000] [--seed S, from 0, default 1]";
var trainListCount = 4000;
var seed = 1UL;
var options = args.Skip(1).Chunk(2);
var isValid = args is [var output, ..] && !output.StartsWith('-') && options.All(option => option switch
{
    ["--lists", var value] => int.TryParse(value, out trainListCount) && trainListCount > 0,
    ["--seed", var value] => ulong.TryParse(value, out seed),
    _ => false,
});
if (!isValid)
{
    Console.Error.WriteLine(Usage);
    return 2;
}

var directory = Directory.CreateDirectory(args[0]).FullName;
var tokenizerDirectory = Directory.CreateDirectory(Path.Combine(directory, "tokenizer")).FullName;
var testListCount = Math.Max(1, trainListCount / Sizes.TrainListsPerTestList);
var lists = new SortingTask(seed).Lists(trainListCount + testListCount);
WriteLists("train.jsonl", lists.Take(trainListCount));
WriteLists("test.jsonl", lists.Skip(trainListCount));

var tokenizer = TaskTokenizer.Build();
WriteJson(Path.Combine(tokenizerDirectory, "tokenizer.json"), tokenizer.Json);
WriteJson(Path.Combine(tokenizerDirectory, "tokenizer_config.json"), TaskTokenizer.Config());
WriteJson(Path.Combine(directory, "config.json"), ModelConfig.Build(tokenizer));
Console.WriteLine(
    $"{trainListCount} lists to train on and {testListCount} to evaluate on, {tokenizer.VocabularySize} tokens, in '{directory}'");
return 0;

void WriteLists(string file, IEnumerable<RankedList> part) => File.WriteAllLines(
    Path.Combine(directory, file), part.Select(list => JsonSerializer.Serialize(new { prompt = list.Prompt, answers = list.Answers })));

static void WriteJson(string path, JsonObject json)
{
    var readable = new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    File.WriteAllText(path, json.ToJsonString(readable) + "\n");
}
