using Microsoft.Extensions.Logging.Abstractions;
using RewardModel.Distributed;
using RewardModel.Files;
using RewardModel.Training.Runs;

namespace RewardModel.Tests.Training.Runs;

public class SavedStateTests
{
    [Theory]
    [InlineData("""{"Fingerprint": {}, "State": {}}""")]
    [InlineData("""{"Fingerprint": {}, "State": null, "EvaluatedSteps": []}""")]
    [InlineData("""{"State": {}, "EvaluatedSteps": []}""")]
    public void A_state_that_lacks_a_part_is_damaged(string json) => Assert.Contains(
        "The state of step 1 is damaged: state.json lacks the fingerprint, the state or the evaluated steps of the run.", MessageOf(json),
        StringComparison.Ordinal);

    [Fact]
    public void A_state_with_a_value_that_cannot_be_is_damaged()
    {
        var message = MessageOf("""{"Fingerprint": {"FrozenWeights": {}}, "State": {}, "EvaluatedSteps": []}""");
        Assert.Contains("state.json' is damaged (expected bfloat16, int8 or nf4 (Parameter 'Storage'))", message, StringComparison.Ordinal);
    }

    private static string MessageOf(string json)
    {
        using var directory = new TemporaryDirectory();
        var step = Directory.CreateDirectory(directory[Path.Combine(RunDirectory.FolderName, "states", "step-00000001")]).FullName;
        File.WriteAllText(Path.Combine(step, "state.json"), json);
        new FileManifest([FileManifest.Of(step, "state.json")]).Write(Path.Combine(step, SavedSteps.ManifestFile));
        return Assert.Throws<RunDirectoryException>(
            () => new RunDirectory(directory.Path).FindState(SingleProcess.Instance, NullLogger.Instance)).Message;
    }
}
