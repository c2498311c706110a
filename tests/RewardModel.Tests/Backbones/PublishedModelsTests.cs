using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using RewardModel.Backbones;
using RewardModel.Checkpoints;

namespace RewardModel.Tests.Backbones;

/// <summary>
/// The config.json of published models as their authors wrote it, in published.json: that it is read, and describes as many numbers as the
/// model has. docs/models.md lists them.
/// </summary>
public sealed partial class PublishedModelsTests
{
    private static readonly JsonArray published = JsonNode.Parse(
        File.ReadAllText(Path.Combine(Shared.RepositoryRoot, "tests/RewardModel.Tests/Backbones/published.json")))!.AsArray();

    public static TheoryData<string> Names => [.. published.Select(model => model!["checkpoint"]!.GetValue<string>())];

    [Theory, MemberData(nameof(Names))]
    public void Its_config_is_read_and_describes_as_many_numbers_as_it_has(string name)
    {
        var model = published.Single(model => model!["checkpoint"]!.GetValue<string>() == name)!;
        var description = Backbone.Describe(HuggingFaceConfig.Parse(model["config"]!.ToJsonString(), "config.json"));
        var config = model["config"]!;
        // What matrices there are beside those of the backbone, where files have it: biases, norms and poolers are less than half a percent.
        var ofHead = model["has_vocabulary_head"]!.GetValue<bool>()
            ? (Int128)config["vocab_size"]!.GetValue<int>() * (config["hidden_size"] ?? config["n_embd"])!.GetValue<int>()
            : 0;
        var parameters = model["parameters"]!.GetValue<long>();
        Assert.InRange((double)(description.MatrixSize + ofHead) / parameters, 0.99, 1.0005);
    }

    [Fact]
    public void Every_family_is_among_them() => Assert.Equal(
        Backbone.ModelTypes.Order(StringComparer.Ordinal),
        published.Select(model => model!["config"]!["model_type"]!.GetValue<string>()).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void The_documentation_has_a_row_for_every_family_with_published_models_that_are_tested()
    {
        var rows = File.ReadLines(Path.Combine(Shared.RepositoryRoot, "docs/models.md"))
            .Select(line => FamilyRow().Match(line)).Where(match => match.Success)
            .ToDictionary(match => match.Groups["type"].Value, match => Name().Matches(match.Groups["models"].Value).Select(name => name.Value));
        Assert.Equal(Backbone.ModelTypes.Order(StringComparer.Ordinal), rows.Keys.Order(StringComparer.Ordinal));
        var tested = published.ToLookup(
            model => model!["config"]!["model_type"]!.GetValue<string>(), model => model!["checkpoint"]!.GetValue<string>());
        foreach (var (type, names) in rows)
            Assert.Equal(tested[type].Order(StringComparer.Ordinal), names.Order(StringComparer.Ordinal));
    }

    [GeneratedRegex(@"^\| [^|]+ \| `(?<type>[a-z0-9_-]+)` \| (?<models>[^|]+) \|")]
    private static partial Regex FamilyRow();

    [GeneratedRegex(@"[A-Za-z0-9-]+/[A-Za-z0-9._-]+")]
    private static partial Regex Name();
}
