using RewardModel.Training.Records;
using YamlDotNet.RepresentationModel;

namespace RewardModel.Tests.Training.Records;

public sealed class ModelCardTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void The_metadata_are_yaml_with_the_results_also_of_a_hostile_name()
    {
        var record = SampleRecord.Full() with { Name = "a: \"b\"\n---\n# <script>alert(1)</script>" };
        var card = ModelCard.Of(record, 512, isAdapter: false);
        Assert.StartsWith("---\n", card);
        var yaml = new YamlStream();
        yaml.Load(new StringReader(card[4..(card.IndexOf("\n---\n", StringComparison.Ordinal) + 1)]));
        var root = (YamlMappingNode)yaml.Documents[0].RootNode;
        Assert.Equal("transformers", $"{root["library_name"]}");
        var index = root["model-index"][0];
        Assert.Equal("a: \"b\" --- # <script>alert(1)</script>", $"{index["name"]}");
        Assert.Equal(
            Math.Round(record.Evaluation!.Metrics.Accuracy, 4).ToString(System.Globalization.CultureInfo.InvariantCulture),
            $"{index["results"][0]["metrics"][0]["value"]}");
        Assert.DoesNotContain("<script>", card[(card.IndexOf("\n---\n", StringComparison.Ordinal) + 5)..]);
    }

    [Fact]
    public void It_tells_results_use_training_and_limits_without_anybodys_paths()
    {
        var sample = SampleRecord.Full();
        var record = sample with
        {
            Run = sample.Run! with { Options = new Dictionary<string, string> { ["data"] = "/home/me/secret/train.jsonl", ["epochs"] = "2" } },
        };
        var card = ModelCard.Of(record, 777, isAdapter: false);
        Assert.Contains($"**{record.Evaluation!.Metrics.Accuracy.ToString("F3", System.Globalization.CultureInfo.InvariantCulture)}**", card);
        Assert.Contains("| data | train.jsonl |", card);
        Assert.Contains("| epochs | 2 |", card);
        Assert.DoesNotContain("secret", card);
        Assert.Contains("777 tokens", card);
        foreach (var diagnosis in record.Diagnoses.Where(diagnosis => diagnosis.Severity > 0))
            Assert.Contains(diagnosis.Sentence[..20], card);
        Assert.DoesNotContain("## Results", ModelCard.Of(record with { Evaluation = null }, 777, isAdapter: false));
    }

    [Theory]
    [InlineData("data", """["/home/me/secret/a.jsonl=2","/home/me/secret/b/"]""", "a.jsonl=2, b")]
    [InlineData("eval-data", "/home/me/secret/[a]*.jsonl", @"\[a\]\*.jsonl")]
    [InlineData("eval-data", "[a]*.jsonl", @"\[a\]\*.jsonl")]
    [InlineData("normalize", "reference:/home/me/secret/best.jsonl", "reference:best.jsonl")]
    [InlineData("normalize", "held-out", "held-out")]
    public void Of_paths_the_last_parts_are_told(string option, string value, string told)
    {
        var sample = SampleRecord.Full();
        var card = ModelCard.Of(
            sample with { Run = sample.Run! with { Options = new Dictionary<string, string> { [option] = value } } }, 512, isAdapter: false);
        Assert.Contains($"| {option} | {told} |\n", card);
        Assert.DoesNotContain("secret", card);
    }

    [Fact]
    public void An_adapter_is_read_with_peft()
    {
        var (adapter, whole) = (ModelCard.Of(SampleRecord.Full(), 512, isAdapter: true), ModelCard.Of(SampleRecord.Full(), 512, isAdapter: false));
        Assert.Contains("library_name: peft\n", adapter);
        Assert.Contains("AutoPeftModelForSequenceClassification.from_pretrained(\"path/to/this/directory\", num_labels=1).eval()\n", adapter);
        Assert.DoesNotContain("peft", whole, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("AutoModelForSequenceClassification.from_pretrained(\"path/to/this/directory\").eval()\n", whole);
    }

    [Fact]
    public void A_card_that_was_written_by_hand_stays()
    {
        Assert.True(ModelCard.Write(directory.Path, SampleRecord.Full(), 512, isAdapter: false));
        Assert.True(ModelCard.Write(directory.Path, SampleRecord.Full() with { Name = "other" }, 512, isAdapter: false));
        var file = directory[ModelCard.FileName];
        Assert.Contains("# other", File.ReadAllText(file));
        File.WriteAllText(file, "mine");
        Assert.False(ModelCard.Write(directory.Path, SampleRecord.Full(), 512, isAdapter: false));
        Assert.Equal("mine", File.ReadAllText(file));
    }
}
