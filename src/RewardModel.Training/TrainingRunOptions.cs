using System.Text.Json.Serialization;
using RewardModel.Adapters;
using RewardModel.Layouts;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tokenizers;
using RewardModel.Training.Data;

namespace RewardModel.Training;

/// <summary>
/// The options of a whole run, from data files to a model directory: those of the command <c>train</c>, of a run file, and of
/// <see cref="TrainingRun"/>. Paths are relative to the current directory.
/// </summary>
public sealed record TrainingRunOptions : TrainingOptions
{
    /// <summary>
    /// Files, folders or patterns of the ranked lists to train on; - is standard input. A number behind = is how often an epoch has each list:
    /// <c>web.parquet=0.5</c>. None where <see cref="TrainingInputs.Data"/> gives the lists.
    /// </summary>
    [JsonPropertyName("data")]
    public required DataPaths Data { get; init; }

    /// <summary>Those of the lists to evaluate on; null (default): <see cref="EvaluationFraction"/> of the prompts of Data.</summary>
    [JsonPropertyName("eval-data")]
    public DataPaths? EvaluationData { get; init; }

    /// <summary>
    /// SQL over the files of <see cref="Data"/> as the table <c>data</c>, and over those of <see cref="EvaluationData"/> likewise, whose rows are
    /// read in their place: <c>SELECT question AS prompt, [good, bad] AS answers FROM data</c>. Null (default): the rows as they are.
    /// </summary>
    [JsonPropertyName("query")]
    public string? Query { get; init; }

    /// <summary>The name of the layout that all rows have, one of <see cref="DataLayout.Known"/>; null (default): they show it.</summary>
    [JsonPropertyName("layout")]
    public string? Layout { get; init; }

    /// <summary>
    /// How an answer's score is computed from numbers beside it: <c>helpfulness + 0.5*correctness</c>. Null (default): as the layout says.
    /// </summary>
    [JsonPropertyName("score-from")]
    public string? ScoreFrom { get; init; }

    /// <summary>The key of the rows whose value is their lists' <see cref="RankedList.Group"/>; null (default): none.</summary>
    [JsonPropertyName("group-by")]
    public string? GroupBy { get; init; }

    /// <summary>What is held out as a whole. Default: prompts.</summary>
    [JsonPropertyName("split-by")]
    public SplitBy SplitBy { get; init; }

    /// <summary>The most lists of one prompt that are trained on, chosen by the seed; null (default): all.</summary>
    [JsonPropertyName("max-lists-per-prompt")]
    public int? MaxListsPerPrompt { get; init; }

    /// <summary>
    /// Directory in which tokenised lists are kept: a second run on the same data starts at once. Null (default): none.
    /// </summary>
    [JsonPropertyName("cache")]
    public string? Cache { get; init; }

    /// <summary>
    /// Fraction of the prompts of <see cref="Data"/> that is held out for evaluation; 0: none. Null (default): 0.1, or none of them where
    /// <see cref="EvaluationData"/> is given.
    /// </summary>
    [JsonPropertyName("eval-fraction")]
    public double? EvaluationFraction { get; init; }

    /// <summary>
    /// Seed of the choice of held-out prompts; null (default): <see cref="TrainingOptions.Seed"/>. Trainings with different seeds are
    /// compared on the same prompts with it.
    /// </summary>
    [JsonPropertyName("split-seed")]
    public long? SplitSeed { get; init; }

    /// <summary>
    /// Number of trainings with consecutive seeds, from <see cref="TrainingOptions.Seed"/> on: an ensemble, which <see cref="EnsembleRun"/>
    /// trains. Null (default): one training.
    /// </summary>
    [JsonPropertyName("seeds")]
    public int? Seeds { get; init; }

    /// <summary>How invalid lines of the data are handled. Default: all are reported, and the run stops.</summary>
    [JsonPropertyName("on-bad-data")]
    public BadData OnBadData { get; init; }

    /// <summary>
    /// Directory of the Hugging Face checkpoint to start from, or of an adapter in PEFT's format to train further; null where
    /// <see cref="Config"/> is given.
    /// </summary>
    [JsonPropertyName("backbone")]
    public string? Backbone { get; init; }

    /// <summary>
    /// Directory of the model that <see cref="Backbone"/>, an adapter, changes. Null (default): where its adapter_config.json says.
    /// </summary>
    [JsonPropertyName("base-model")]
    public string? BaseModel { get; init; }

    /// <summary>
    /// What each output of a head with several counts in a reward, as <see cref="Checkpoints.OutputWeights.Parse"/> reads it: numbers with commas
    /// between them, with or without names. A new head has as many outputs. Null (default): as config.json says,
    /// <see cref="Checkpoints.RewardOutputs.WeightsSetting"/>.
    /// </summary>
    [JsonPropertyName("output-weights")]
    public string? OutputWeights { get; init; }

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

    /// <summary>
    /// Which answers give the trained model's rewards their scale, computed with the weights that are kept and saved as its normaliser.
    /// <c>none</c> (default): rewards stay raw. <c>held-out</c>: all held-out answers have mean 0 and standard deviation 1.
    /// <c>held-out-best</c>: the best answers of the held-out lists have mean 0. <c>reference:FILE</c>: the answers of a file, of ranked lists
    /// the best ones, have mean 0, as in Learning to summarize (arXiv 2009.01325) and InstructGPT (arXiv 2203.02155).
    /// </summary>
    [JsonPropertyName("normalize")]
    public string Normalize { get; init; } = RewardNormalization.None;

    /// <summary>
    /// Whether steps and evaluations are also written for TensorBoard, into <c>training/tensorboard</c> of <see cref="Output"/>. Default
    /// false.
    /// </summary>
    [JsonPropertyName("tensorboard")]
    public bool TensorBoard { get; init; }

    /// <summary>Whether to resume from the newest state in <see cref="Output"/>, if there is one. Default false.</summary>
    [JsonIgnore]
    public bool Resume { get; init; }

    /// <summary>Device: cpu (default), cuda or cuda:N.</summary>
    [JsonPropertyName("device")]
    public string Device { get; init; } = "cpu";

    /// <summary>Number of threads for computation and tokenisation; null (default): one per core.</summary>
    [JsonPropertyName("threads")]
    public int? Threads { get; init; }

    /// <summary>Whether held-out prompts are chosen from the training data.</summary>
    internal bool SplitsData => EvaluationData is null && EvaluationFraction != 0;

    /// <summary>Files of this run.</summary>
    /// <param name="paths">Where they are.</param>
    /// <param name="inputs">What reads tables, and layouts in code.</param>
    internal RankedListFiles FilesOf(DataPaths paths, TrainingInputs inputs) => new(paths)
    {
        Tables = inputs.Tables,
        Layouts = inputs.Layouts,
        Query = Query,
        Layout = Layout,
        ScoreFrom = ScoreFrom,
        GroupBy = GroupBy,
        OnBadData = OnBadData,
    };

    internal RewardNormalization? Normalization => RewardNormalization.Parse(Normalize).Value;

    /// <summary>Which weights are frozen and stored in fewer bits; null where none are.</summary>
    internal FrozenWeights? StoredWeights =>
        FrozenWeights != WeightStorage.Float32 && HasFrozenWeights ? new FrozenWeights(FrozenWeights, UnfrozenLayers ?? 0) : null;

    internal Checkpoints.OutputWeights? WeightsOfOutputs => OutputWeights is null ? null : Checkpoints.OutputWeights.Parse(OutputWeights);

    // Beside adapters everything is frozen.
    private bool HasFrozenWeights => UnfrozenLayers is not null || LoraRank is not null || (Backbone is { } backbone && AdapterConfig.IsIn(backbone));

    /// <inheritdoc/>
    private protected override IEnumerable<string> Problems()
    {
        string?[] found =
        [
            .. base.Problems(),
            Backbone is null == Config is null
                ? "give either --backbone DIR (start from a checkpoint) or --config FILE (train from scratch)"
                : null,
            Problem(
                BaseModel is null || Backbone is not null, nameof(BaseModel), $"'{BaseModel}'", "nothing without --backbone, which is an adapter then"),
            Problem(
                OutputWeights is null || Checkpoints.OutputWeights.TryParse(OutputWeights, out _), nameof(OutputWeights), $"'{OutputWeights}'",
                Checkpoints.OutputWeights.Forms),
            Problem(
                LoraRank is null || Config is null, nameof(LoraRank), LoraRank,
                "nothing with --config: a model that is trained from scratch has no weights that an adapter could change"),
            EvaluationData is not null && EvaluationFraction is not null ? "give --eval-data or --eval-fraction, not both" : null,
            Problem(
                EvaluationFraction is null or (>= 0 and < 1), nameof(EvaluationFraction), EvaluationFraction,
                "a number from 0 (no evaluation) to below 1"),
            Problem(
                SplitSeed is null || SplitsData, nameof(SplitSeed), SplitSeed,
                $"none, because {(EvaluationData is null ? "--eval-fraction 0 holds nothing out" : "--eval-data gives the held-out lists")}"),
            Problem(Seeds is null or (>= 2 and <= 1000), nameof(Seeds), Seeds, "2 to 1000"),
            Seeds is not null && (ReadsStandardInput(Data) || ReadsStandardInput(EvaluationData))
                ? "--seeds reads the data once for every seed, and standard input can be read once; give files"
                : null,
            Problem(MaxLength is null or >= 1, nameof(MaxLength), MaxLength, "at least 1"),
            Problem(Dropout is >= 0 and < 1, nameof(Dropout), Dropout, "a number from 0 to below 1"),
            Problem(
                FrozenWeights == WeightStorage.Float32 || HasFrozenWeights, nameof(FrozenWeights), FrozenWeights,
                "Float32 without --unfrozen-layers or --lora-rank, because nothing is frozen"),
            Problem(
                FrozenWeights == WeightStorage.Float32 || Config is null, nameof(FrozenWeights), FrozenWeights,
                "Float32 with --config, because the model is saved with the original weights of its --backbone"),
            Problem(Threads is null or (>= 1 and <= 4096), nameof(Threads), Threads, "1 to 4096"),
            Problem(
                RewardNormalization.Parse(Normalize).IsValid, nameof(Normalize), $"'{Normalize}'", RewardNormalization.Expected),
            Problem(
                Normalization is null or { By: NormalizedBy.Reference } || EvaluationFraction != 0, nameof(Normalize), $"'{Normalize}'",
                "none or reference:FILE, because --eval-fraction 0 holds nothing out"),
            Problem(
                Normalization?.ReferenceFile is not { } reference || File.Exists(reference), nameof(Normalize), $"'{Normalize}'",
                "an existing file of reference answers"),
            Problem(Cache is null || !File.Exists(Cache), nameof(Cache), $"'{Cache}', a file", "a directory, which is made if there is none"),
            .. MissingData(Data, nameof(Data)),
            .. MissingData(EvaluationData, nameof(EvaluationData)),
            Problem(EvaluationData is not { Count: 0 }, nameof(EvaluationData), "empty", "files, folders or patterns, or none"),
            ScoreFromProblem(),
            Problem(
                SplitBy == SplitBy.Prompt || SplitsData, nameof(SplitBy), SplitBy,
                $"prompt, because {(EvaluationData is null ? "--eval-fraction 0 holds nothing out" : "--eval-data gives the held-out lists")}"),
            Problem(
                // Lists that come from code have groups without it.
                SplitBy != SplitBy.Group || GroupBy is not null || Data.Count == 0, nameof(SplitBy), SplitBy, "another value without --group-by"),
            Problem(MaxListsPerPrompt is null or >= 1, nameof(MaxListsPerPrompt), MaxListsPerPrompt, "at least 1"),
            Problem(
                EvaluationData is null || DataSource.Weighted(EvaluationData) is null,
                nameof(EvaluationData), $"'{EvaluationData}'", "paths without weights, because each of its lists is evaluated once"),
            Problem(
                Query is null || DataSource.Weighted(Data) is null, nameof(Data),
                $"'{Data}'", "paths without weights, because --query makes one table of them"),
            ReadsStandardInput(Data) && ReadsStandardInput(EvaluationData)
                ? "--data and --eval-data are both standard input, which can be read once; give one of them as a file"
                : null,
            Missing(Config, File.Exists(Config), nameof(Config), "file"),
            Missing(BaseModel, Directory.Exists(BaseModel), nameof(BaseModel), "directory"),
            Missing(Tokenizer, Directory.Exists(Tokenizer), nameof(Tokenizer), "directory"),
        ];
        return found.OfType<string>();
    }

    private static bool ReadsStandardInput(DataPaths? paths) => paths?.Contains(DataPath.StandardInput) == true;

    private static IEnumerable<string?> MissingData(DataPaths? paths, string property) =>
        paths is null ? [] : DataSource.ProblemsOf(paths).Select(problem => $"{NameOf(property)}: {problem.TrimEnd('.')}");

    private string? ScoreFromProblem()
    {
        try
        {
            _ = ScoreFrom is null ? null : new ScoreExpression(ScoreFrom);
            return null;
        }
        catch (ArgumentException e)
        {
            return $"{NameOf(nameof(ScoreFrom))}: {e.Message.TrimEnd('.')}";
        }
    }

    private static string? Missing(string? path, bool isThere, string property, string kind) =>
        path is null ? null : Problem(isThere, property, $"'{path}'", $"an existing {kind}");
}
