using System.Diagnostics;
using System.Text;
using RewardModel.Checkpoints;

namespace RewardModel.Tests.Checkpoints;

/// <summary>Files as long as they may be and as bad as they can be: judged within a second, in bounded memory.</summary>
[Collection(nameof(RunsAlone))]
public sealed class LongestFilesTests : IDisposable
{
    private const string More = "and more problems of this kind";

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData("\"a#\":0,", More)]
    [InlineData("\"a\":{},", More)]
    [InlineData("\"a#\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},", More)]
    [InlineData("\"a#\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},", null)]
    [InlineData("\"__metadata__\":{\"a#\":0},", More)]
    [InlineData("[", "the header is not JSON of an object of tensors: '[' is an invalid start of a property name. Expected a '\"'. "
        + "LineNumber: 0 | BytePositionInLine: 1")]
    public void A_header(string part, string? lastProblem)
    {
        var header = Text("{", part, "}", 8_000_000);
        var path = directory["model.safetensors"];
        File.WriteAllBytes(path, SafetensorsBytes.Of(header, 0));
        Assert.Equal(lastProblem, LastProblem(() => SafetensorsFile.Open(path).Dispose(), 12 * header.Length));
    }

    [Theory]
    [InlineData("\"a\":0,")]
    [InlineData("\"a#\":\"../b\",")]
    public void An_index(string part)
    {
        var index = Text("{\"weight_map\":{", part, "}}", 20_000_000);
        File.WriteAllText(directory["model.safetensors.index.json"], index);
        Assert.Equal(More, LastProblem(() => CheckpointReader.Open(directory.Path).Dispose(), 16 * index.Length));
    }

    [Fact]
    public void A_configuration()
    {
        var config = Text("{", "\"a#\":0,", "}", 2_000_000);
        File.WriteAllText(directory["config.json"], config);
        Assert.Equal(More, LastProblem(() => HuggingFaceConfig.Read(directory.Path).Reader().Finish(), 100 * config.Length));
    }

    /// <summary>As many parts as fit, # in them replaced by a number; those that end in a comma are closed.</summary>
    private static string Text(string start, string part, string end, int length)
    {
        var text = new StringBuilder(start, length);
        for (var i = 0; text.Length + part.Length + 8 < length; i++)
            text.Append(part.Replace("#", i.ToString("x6"), StringComparison.Ordinal));
        if (part[^1] == ',')
            text.Remove(text.Length - 1, 1).Append(end);
        return text.Append(' ', length - text.Length).ToString();
    }

    private static string? LastProblem(Action read, int maxBytes)
    {
        var bytes = GC.GetAllocatedBytesForCurrentThread();
        // The processor's time, not the wall's: other programs may be running.
        var time = Process.GetCurrentProcess().TotalProcessorTime;
        var error = Record.Exception(read);
        Assert.InRange(Process.GetCurrentProcess().TotalProcessorTime - time, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - bytes, 0, maxBytes);
        return error is null ? null : Assert.IsType<CheckpointException>(error).Problems[^1];
    }
}
