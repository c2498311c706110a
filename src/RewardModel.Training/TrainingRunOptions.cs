using System.Text.Json.Serialization;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tokenizers;

namespace RewardModel.Training;

/// <summary>
/// The options of a whole run, from data files to a model directory: those of the command <c>train</c>, of a run file, and of
/// <see cref="TrainingRun"/>. Paths are relative to the current directory.
/// </summary>
public sealed record TrainingRunOptions : TrainingOptions
{
    /// <summary>File of the ranked lists to train on; - is standard input.</summary>
    [JsonPropertyName("data")]
    public required string Data { get; init; }

    /// <summary>File of the ranked lists to evaluate on; null (default): <see cref="EvaluationFraction"/> of the prompts of Data.</summary>
    [JsonPropertyName("eval-data")]
    public string? EvaluationData { get; init; }

    /// <summary>
    /// Fraction of the prompts of <see cref="Data"/> that is held out for evaluation; 0: none. Null (default): 0.1, or none of them where
    /// <see cref="EvaluationData"/> is given.
    /// </summary>
    [JsonPropertyName("eval-fraction")]
    public double? EvaluationFraction { get; init; }

    /// <summary>How invalid lines of the data are handled. Default: all are reported, and the run stops.</summary>
    [JsonPropertyName("on-bad-data")]
    public BadData OnBadData { get; init; }

    /// <summary>Directory of the Hugging Face checkpoint to start from; null where <see cref="Config"/> is given.</summary>
    [JsonPropertyName("backbone")]
    public string? Backbone { get; init; }

    /// <summary>A Hugging Face config.json of a model to train from scratch; null where <see cref="Backbone"/> is given.</summary>
    [JsonPropertyName("config")]
    public string? Config { get; init; }

    /// <summary>
    /// Directory of a tokenizer, with its special tokens and chat template. Null (default): the tokenizer of <see cref="Backbone"/>, and,
    /// if that is a reward model, the rule in its reward_model.json.
    /// </summary>
    [JsonPropertyName("tokenizer")]
    public string? Tokenizer { get; init; }

    /// <summary>
    /// Maximum length of prompt and answer together, in tokens; null (default): that of a saved reward model, or the model's own limit.
    /// </summary>
    [JsonPropertyName("max-length")]
    public int? MaxLength { get; init; }

    /// <summary>
    /// How plain-text prompts and answers are tokenised; null (default): as in a saved reward model, or jointly. Does not apply to
    /// encoders, conversations and token ids.
    /// </summary>
    [JsonPropertyName("encoding")]
    public TextEncoding? Encoding { get; init; }

    /// <summary>Dropout rate of the whole architecture. Default 0.</summary>
    [JsonPropertyName("dropout")]
    public double Dropout { get; init; }

    /// <summary>
    /// How the weights that are frozen are stored. Default float32. In fewer bits they take less memory and are rounded; the model is saved
    /// with the original ones, which are read again from <see cref="Backbone"/>, and scores with weights that are stored as in training.
    /// </summary>
    [JsonPropertyName("frozen-weights")]
    public WeightStorage FrozenWeights { get; init; }

    /// <summary>Directory for the trained model and, in <c>training/</c>, for the run's log and states.</summary>
    [JsonPropertyName("output")]
    public required string Output { get; init; }

    /// <summary>Whether to resume from the newest state in <see cref="Output"/>, if there is one. Default false.</summary>
    [JsonIgnore]
    public bool Resume { get; init; }

    /// <summary>Device: cpu (default), cuda or cuda:N.</summary>
    [JsonPropertyName("device")]
    public string Device { get; init; } = "cpu";

    /// <summary>Number of threads for computation and tokenisation; null (default): one per core.</summary>
    [JsonPropertyName("threads")]
    public int? Threads { get; init; }

    /// <summary>Which weights are frozen and stored in fewer bits; null where none are.</summary>
    internal FrozenWeights? StoredWeights =>
        FrozenWeights != WeightStorage.Float32 && UnfrozenLayers is { } count ? new FrozenWeights(FrozenWeights, count) : null;

    private bool HasFrozenWeights => UnfrozenLayers is not null;

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
                EvaluationFraction is null or (>= 0 and < 1), nameof(EvaluationFraction), EvaluationFraction,
                "a number from 0 (no evaluation) to below 1"),
            Problem(MaxLength is null or >= 1, nameof(MaxLength), MaxLength, "at least 1"),
            Problem(Dropout is >= 0 and < 1, nameof(Dropout), Dropout, "a number from 0 to below 1"),
            Problem(
                FrozenWeights == WeightStorage.Float32 || HasFrozenWeights, nameof(FrozenWeights), FrozenWeights,
                "Float32 without --unfrozen-layers, because nothing is frozen"),
            Problem(
                FrozenWeights == WeightStorage.Float32 || Config is null, nameof(FrozenWeights), FrozenWeights,
                "Float32 with --config, because the model is saved with the original weights of its --backbone"),
            Problem(Threads is null or >= 1, nameof(Threads), Threads, "at least 1"),
            MissingData(Data, nameof(Data)),
            MissingData(EvaluationData, nameof(EvaluationData)),
            Data == DataPath.StandardInput && EvaluationData == Data
                ? "--data and --eval-data are both standard input, which can be read once; give one of them as a file"
                : null,
            Missing(Config, File.Exists(Config), nameof(Config), "file"),
            Missing(Tokenizer, Directory.Exists(Tokenizer), nameof(Tokenizer), "directory"),
        ];
        return found.OfType<string>();
    }

    private static string? MissingData(string? path, string property) => Directory.Exists(path)
        ? Problem(false, property, $"'{path}', a directory", "a file; give one of the files in it")
        : Missing(path, path is not null && DataPath.Exists(path), property, "file");

    private static string? Missing(string? path, bool isThere, string property, string kind) =>
        path is null ? null : Problem(isThere, property, $"'{path}'", $"an existing {kind}");
}
