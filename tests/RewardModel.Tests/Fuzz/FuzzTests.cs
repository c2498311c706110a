using System.Text;
using RewardModel.Fuzz.Mutation;
using RewardModel.Fuzz.Targets;

namespace RewardModel.Tests.Fuzz;

public class FuzzTests
{
    // Of the seeds and of changed ones; ./fuzz.sh runs hundreds of thousands.
    private const int CaseCount = 200, SlowCaseCount = 10;

    public static TheoryData<string> Targets { get; } = [.. KnownTargets.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void A_target_does_nothing_undocumented_with_its_seeds_and_changed_ones(string name)
    {
        using var directory = new TemporaryDirectory();
        var target = KnownTargets.Named(name);
        var random = new FuzzRandom(1);
        foreach (var seed in target.Seeds)
            Check(target, seed, directory.Path);
        for (var i = 0; i < (name is "tables" or "config-model" ? SlowCaseCount : CaseCount); i++)
            Check(target, target.Next(random.Pick(target.Seeds), random.Pick(target.Seeds), random), directory.Path);
    }

    [Fact]
    public void Names_of_targets_are_names_of_files_and_differ()
    {
        Assert.All(KnownTargets.All, target => Assert.Matches("^[a-z-]+$", target.Name));
        Assert.Distinct(KnownTargets.All.Select(target => target.Name));
    }

    [Fact]
    public void Seeds_are_small() => Assert.InRange(KnownTargets.All.Sum(target => target.Seeds.Sum(seed => seed.Length)), 10_000, 200_000);

    [Fact]
    public void The_same_seed_changes_inputs_in_the_same_way() => Assert.All(KnownTargets.All, target =>
    {
        byte[][] Changed(ulong seed)
        {
            var random = new FuzzRandom(seed);
            return [.. Enumerable.Range(0, 20).Select(_ => target.Next(target.Seeds[0], target.Seeds[^1], random))];
        }

        Assert.Equal(Changed(5), Changed(5));
        Assert.NotEqual(Changed(5), Changed(6));
    });

    [Fact]
    public void What_is_documented_is_no_finding_and_all_else_is()
    {
        var target = new FuzzTarget(
            "some", [[1]], new ByteMutation(), (input, _) => throw (input[0] == 1 ? new IOException() : new InvalidCastException()), typeof(IOException));
        Assert.Null(target.FindingOf([1], ""));
        Assert.IsType<InvalidCastException>(target.FindingOf([2], ""));
    }

    [Fact]
    public void Changed_json_is_most_often_json()
    {
        var random = new FuzzRandom(3);
        var mutation = new JsonMutation(["a", "b"]);
        var seed = """{"a": [1, {"b": "c"}], "d": null}"""u8.ToArray();
        var changed = Enumerable.Range(0, 200).Select(_ => mutation.Apply(seed, seed, random)).ToArray();
        Assert.InRange(changed.Count(IsJson), 150, 200);
        Assert.InRange(changed.Select(Encoding.UTF8.GetString).Distinct().Count(), 100, 200);
    }

    private static bool IsJson(byte[] utf8)
    {
        try
        {
            using var _ = System.Text.Json.JsonDocument.Parse(utf8, new System.Text.Json.JsonDocumentOptions { MaxDepth = 5000 });
            return true;
        }
        catch (System.Text.Json.JsonException)
        {
            return false;
        }
    }

    private static void Check(FuzzTarget target, byte[] input, string folder)
    {
        var exception = target.FindingOf(input, folder);
        Assert.True(exception is null, $"{target.Name} with {Convert.ToBase64String(input)}: {exception}");
    }
}
