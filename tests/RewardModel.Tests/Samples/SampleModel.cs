using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Samples;

/// <summary>A model of the sorting task with random weights; its rewards are as good for comparing as any.</summary>
internal sealed class SampleModel : IDisposable
{
    private const string ChatTemplate = "{% for message in messages %}{{ message.content }}{% endfor %}";

    private readonly TemporaryDirectory directory = new();

    public SampleModel(int listCount)
    {
        Assert.Equal(0, SampleProgram.GenerateSortingTask.Run(this["task"], "--lists", $"{listCount}").ExitCode);
        var config = JsonNode.Parse(File.ReadAllText(this["task/tokenizer/tokenizer_config.json"]))!;
        config["chat_template"] = ChatTemplate;
        File.WriteAllText(this["task/tokenizer/tokenizer_config.json"], config.ToJsonString());
        Model = new ScoringModel(
            RewardTransformer.FromConfig(HuggingFaceConfig.ReadFile(this["task/config.json"]), seed: 1),
            HuggingFaceTokenizer.Load(this["task/tokenizer"]));
        Model.Save(ModelDirectory);
        Lists = RankedListReader.Read(DataFile).Lists;
    }

    public ScoringModel Model { get; }

    public string ModelDirectory => this["model"];

    /// <summary>Lists of nine answers each.</summary>
    public string DataFile => this["task/train.jsonl"];

    public IReadOnlyList<RankedList> Lists { get; }

    public string this[string relative] => directory[relative];

    /// <summary>Writes lists, and gives the file's path.</summary>
    public string Write(string name, IEnumerable<(string Prompt, string[] Answers)> rows)
    {
        File.WriteAllLines(this[name], rows.Select(row => new JsonObject
        {
            ["prompt"] = row.Prompt,
            ["answers"] = new JsonArray([.. row.Answers.Select(answer => (JsonNode)answer)]),
        }.ToJsonString()));
        return this[name];
    }

    public void Dispose()
    {
        Model.Dispose();
        directory.Dispose();
    }
}
