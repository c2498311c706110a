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
        var card = ModelCard.Of(record, 512);
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
        var card = ModelCard.Of(record, 777);
        Assert.Contains($"**{record.Evaluation!.Metrics.Accuracy.ToString("F3", System.Globalization.CultureInfo.InvariantCulture)}**", card);
        Assert.Contains("| data | train.jsonl |", card);
        Assert.Contains("| epochs | 2 |", card);
        Assert.DoesNotContain("secret", card);
        Assert.Contains("777 tokens", card);
        foreach (var diagnosis in record.Diagnoses.Where(diagnosis => diagnosis.Severity > 0))
            Assert.Contains(diagnosis.Sentence[..20], card);
        Assert.DoesNotContain("## Results", ModelCard.Of(record with { Evaluation = null }, 777));
    }

    [Fact]
    public void A_card_that_was_written_by_hand_stays()
    {
        Assert.True(ModelCard.Write(directory.Path, SampleRecord.Full(), 512));
        Assert.True(ModelCard.Write(directory.Path, SampleRecord.Full() with { Name = "other" }, 512));
        var file = directory[ModelCard.FileName];
        Assert.Contains("# other", File.ReadAllText(file));
        File.WriteAllText(file, "mine");
        Assert.False(ModelCard.Write(directory.Path, SampleRecord.Full(), 512));
        Assert.Equal("mine", File.ReadAllText(file));
    }
}
