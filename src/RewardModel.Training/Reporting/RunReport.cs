using System.Text.Json.Serialization;

namespace RewardModel.Training.Reporting;

/// <summary>The beginning of a run, or of its continuation: the first line of its log.</summary>
/// <param name="Step">Steps taken before.</param>
/// <param name="StepCount">Steps of the whole run.</param>
public sealed record RunReport(int Step, int StepCount) : TrainingReport(Step)
{
    /// <summary>The version of this library.</summary>
    public required string Version { get; init; }

    /// <summary>TorchSharp, libtorch, .NET and the system, in words.</summary>
    public required string Libraries { get; init; }

    /// <summary>The device, and the number of threads, in words.</summary>
    public required string Device { get; init; }

    /// <summary>The architecture, and what it starts from, in words.</summary>
    public required string Model { get; init; }

    /// <summary>All parameters of the model.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Those that are trained.</summary>
    public required long TrainedParameterCount { get; init; }

    /// <summary>Training lists that the loss applies to.</summary>
    public required int ListCount { get; init; }

    /// <summary>Held-out lists.</summary>
    public required int HeldOutListCount { get; init; }

    /// <summary>A digest of all lists, training and held-out: two runs with the same one have the same data.</summary>
    public required string DataDigest { get; init; }

    /// <summary>The options that differ from their defaults, by their names on the command line.</summary>
    public required IReadOnlyDictionary<string, string> Options { get; init; }

    /// <summary>The command that started the run; null where it was started from code.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Command { get; init; }

    /// <summary>Why transformers can't score padded batches of the saved model, and what to do about it; null where it can.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? PaddingProblem { get; init; }
}
