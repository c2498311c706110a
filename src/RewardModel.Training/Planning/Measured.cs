using System.Text.Json;
using System.Text.Json.Serialization;
using RewardModel.Checkpoints;
using RewardModel.Files;
using RewardModel.Reading;

namespace RewardModel.Training.Planning;

/// <summary>Figures that were measured, in place of those that are computed; null: computed.</summary>
internal sealed record Measured
{
    private static readonly JsonSerializerOptions options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
    };

    /// <summary>Seconds that one rank takes for a token, forward and backward, as it will train (with checkpointing, if so).</summary>
    public double? SecondsPerToken { get; init; }

    /// <summary>Seconds of an optimiser step over all trained parameters on one rank; a rank that updates a part takes that part.</summary>
    public double? OptimizerSeconds { get; init; }

    /// <summary>Seconds of a step that do not depend on tokens: launching, reading numbers back.</summary>
    public double? FixedSecondsPerStep { get; init; }

    /// <summary>Bytes a second from a rank to another of its node.</summary>
    public double? LinkBandwidth { get; init; }

    /// <summary>Seconds of a message in a node.</summary>
    public double? LinkLatency { get; init; }

    /// <summary>Bytes a second from a node to the others.</summary>
    public double? NodeBandwidth { get; init; }

    /// <summary>Seconds of a message between nodes.</summary>
    public double? NodeLatency { get; init; }

    /// <summary>Standard deviation of a rank's time for the same work, as a share of its mean.</summary>
    public double? StepDeviation { get; init; }

    /// <summary>How it is distributed.</summary>
    public SpreadKind? StepSpread { get; init; }

    /// <summary>Whether messages travel while layers are computed; false where both take the same processors.</summary>
    public bool? OverlapsCommunication { get; init; }

    /// <summary>Reads a JSON object of such figures.</summary>
    /// <exception cref="CheckpointException">There is no such file, or it is not such an object.</exception>
    public static Measured Read(string path)
    {
        string text;
        try
        {
            text = InputFile.ReadText(path, FileKind.Settings);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CheckpointException(
                path, ["there is no such file"], "Expected measured figures as docs/planning.md describes them.", e);
        }
        var names = string.Join(", ", typeof(Measured).GetProperties()
            .Select(property => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name)));
        try
        {
            var measured = JsonSerializer.Deserialize<Measured>(text, options) ?? new Measured();
            string[] problems = [.. measured.Problems()];
            return problems.Length == 0
                ? measured
                : throw new CheckpointException(path, problems, "Measure again, or leave the figure out.");
        }
        catch (JsonException e)
        {
            throw new CheckpointException(
                path, [$"the file is not an object of measured figures: {JsonProblem.Of(e)}"], $"Expected any of: {names}.", e);
        }
    }

    /// <summary>A cluster with the bandwidths and latencies that were measured.</summary>
    public ClusterShape ApplyTo(ClusterShape cluster) => cluster with
    {
        LinkBandwidth = LinkBandwidth ?? cluster.LinkBandwidth,
        LinkLatency = LinkLatency ?? cluster.LinkLatency,
        NodeBandwidth = NodeBandwidth ?? cluster.NodeBandwidth,
        NodeLatency = NodeLatency ?? cluster.NodeLatency,
    };

    private IEnumerable<string> Problems()
    {
        foreach (var (name, value, isPositive) in new[]
        {
            ("seconds_per_token", SecondsPerToken, true), ("optimizer_seconds", OptimizerSeconds, false),
            ("fixed_seconds_per_step", FixedSecondsPerStep, false), ("link_bandwidth", LinkBandwidth, true),
            ("link_latency", LinkLatency, false), ("node_bandwidth", NodeBandwidth, true), ("node_latency", NodeLatency, false),
            ("step_deviation", StepDeviation, false),
        })
            if (value < 0 || (isPositive && value == 0))
                yield return FormattableString.Invariant($"{name} is {value}; expected {(isPositive ? "a number above 0" : "0 or more")}");
    }
}
