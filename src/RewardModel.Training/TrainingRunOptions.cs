using System.Text.Json.Serialization;
using RewardModel.Reading;
using RewardModel.Tokenizers;

namespace RewardModel.Training;

/// <summary>
/// A whole run, from files to a model's directory: what the command line's <c>train</c> takes, what a run file holds, and what
/// <see cref="TrainingRun"/> does. Paths are relative to the current directory.
/// </summary>
public sealed record TrainingRunOptions : TrainingOptions
{
    /// <summary>File of the ranked lists to train on.</summary>
    [JsonPropertyName("data")]
    public required string Data { get; init; }

    /// <summary>File of the ranked lists to evaluate on; null (default): <see cref="EvaluationFraction"/> of the prompts of Data.</summary>
    [JsonPropertyName("eval-data")]
    public string? EvaluationData { get; init; }

    /// <summary>
    /// Share of the prompts of <see cref="Data"/> that is held out for evaluation; 0: none. Null (default): 0.1, or none of them where
    /// <see cref="EvaluationData"/> is given.
    /// </summary>
    [JsonPropertyName("eval-fraction")]
    public double? EvaluationFraction { get; init; }

    /// <summary>What to do about rows of the data that can't be used. Default: list them all and stop.</summary>
    [JsonPropertyName("on-bad-data")]
    public BadData OnBadData { get; init; }

    /// <summary>Directory of the Hugging Face checkpoint to start from; null where <see cref="Config"/> is given.</summary>
    [JsonPropertyName("backbone")]
    public string? Backbone { get; init; }

    /// <summary>A Hugging Face config.json of a model to train from scratch; null where <see cref="Backbone"/> is given.</summary>
    [JsonPropertyName("config")]
    public string? Config { get; init; }

    /// <summary>
    /// Directory with a tokenizer, whose special tokens and chat template are taken with it. Null (default): that of
    /// <see cref="Backbone"/>, with what its reward_model.json says, if it is a reward model.
    /// </summary>
    [JsonPropertyName("tokenizer")]
    public string? Tokenizer { get; init; }

    /// <summary>Most tokens of prompt and answer together; null (default): as a reward model was saved, or what the model takes.</summary>
    [JsonPropertyName("max-length")]
    public int? MaxLength { get; init; }

    /// <summary>
    /// How prompts and answers that are plain text become token ids; null (default): as a reward model was saved, or jointly. Encoders,
    /// conversations and token ids have one way only.
    /// </summary>
    [JsonPropertyName("encoding")]
    public TextEncoding? Encoding { get; init; }

    /// <summary>Rate of every dropout that the architecture has. Default 0.</summary>
    [JsonPropertyName("dropout")]
    public double Dropout { get; init; }

    /// <summary>Directory for the trained model and, in <c>training/</c>, for the run's log and states.</summary>
    [JsonPropertyName("output")]
    public required string Output { get; init; }

    /// <summary>Whether to go on from the newest state in <see cref="Output"/>, if it has one. Default false.</summary>
    [JsonIgnore]
    public bool Resume { get; init; }

    /// <summary>Where to compute: cpu (default), cuda or cuda:N.</summary>
    [JsonPropertyName("device")]
    public string Device { get; init; } = "cpu";

    /// <summary>Threads of the computation and of the tokenizer; null (default): one per core.</summary>
    [JsonPropertyName("threads")]
    public int? Threads { get; init; }

    /// <inheritdoc/>
    private protected override IEnumerable<string> Problems()
    {
        string?[] found =
        [
            .. base.Problems(),
            Backbone is null == Config is null
                ? "give either --backbone DIR (start from a checkpoint) or --config FILE (train from scratch)"
                : null,
            EvaluationData is not null && EvaluationFraction is not null ? "give --eval-data or --eval-fraction, not both" : null,
            Problem(
                EvaluationFraction is null or (>= 0 and < 1), nameof(EvaluationFraction), EvaluationFraction, "a number from 0 (no evaluation) to below 1"),
            Problem(MaxLength is null or >= 1, nameof(MaxLength), MaxLength, "at least 1"),
            Problem(Dropout is >= 0 and < 1, nameof(Dropout), Dropout, "a number from 0 to below 1"),
            Problem(Threads is null or >= 1, nameof(Threads), Threads, "at least 1"),
            Missing(Data, File.Exists(Data), nameof(Data), "file"),
            Missing(EvaluationData, File.Exists(EvaluationData), nameof(EvaluationData), "file"),
            Missing(Config, File.Exists(Config), nameof(Config), "file"),
            Missing(Tokenizer, Directory.Exists(Tokenizer), nameof(Tokenizer), "directory"),
        ];
        return found.OfType<string>();
    }

    private static string? Missing(string? path, bool isThere, string property, string kind) =>
        path is null ? null : Problem(isThere, property, $"'{path}'", $"an existing {kind}");
}
