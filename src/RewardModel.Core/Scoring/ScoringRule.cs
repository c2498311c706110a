using System.Text.Json;
using System.Text.Json.Serialization;
using RewardModel.Checkpoints;
using RewardModel.Files;
using RewardModel.Reading;
using RewardModel.Tokenizers;

namespace RewardModel.Scoring;

/// <summary>
/// What a reward depends on besides weights and tokenizer. Saved with the model as <c>reward_model.json</c>, so that it can't change
/// between training and scoring.
/// </summary>
/// <param name="SpecialTokens">The ids put around prompts and answers. Lists that come as token ids are taken to have them.</param>
/// <param name="MaxLength">
/// Maximum length of prompt and answer together, in tokens: prompts are truncated at their start, and answers that are too long by
/// themselves at their end.
/// </param>
public sealed record ScoringRule(SpecialTokenRule SpecialTokens, int MaxLength)
{
    internal const string FileName = "reward_model.json";

    /// <summary>The ids put around prompts and answers.</summary>
    public SpecialTokenRule SpecialTokens
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(SpecialTokens));
    } = SpecialTokens ?? throw new ArgumentNullException(nameof(SpecialTokens));

    /// <summary>Maximum length of prompt and answer together, in tokens.</summary>
    public int MaxLength { get; init; } = MaxLength;

    /// <summary>The normaliser, applied to raw rewards.</summary>
    public RewardNormalizer Normalizer
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Normalizer));
    } = RewardNormalizer.None;

    /// <summary>The chat template that renders conversations; null if there is none.</summary>
    public string? ChatTemplate { get; init; }

    /// <summary>
    /// Whether a plain-text prompt is scored as a user's message, and its answer as the assistant's: true if the model was trained on
    /// conversations. False if the file does not say, as in older versions.
    /// </summary>
    public bool TextIsChat { get; init; }

    /// <summary>
    /// How plain-text prompts and answers are tokenised. Joint for new models; Separate if the file does not say, as in older versions.
    /// </summary>
    public TextEncoding Encoding { get; init; } = TextEncoding.Separate;

    /// <summary>
    /// Which weights were frozen and stored in fewer bits when the model was trained: they are stored so whenever it is loaded, as the weights
    /// that were trained are fitted to the rounded ones. Null, and not in the file, where all were float32.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public FrozenWeights? FrozenWeights { get; init; }

    private static readonly JsonSerializerOptions jsonOptions = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        Converters = { new EncodingConverter(), new StorageConverter() },
    };

    /// <summary>Reads what was saved with a model; null where nothing was, as in the checkpoints of others.</summary>
    internal static ScoringRule? Read(string directory) => ReadFile(directory)?.Rule;

    /// <summary>
    /// What is saved with an adapter whose head has several outputs, of which its base model's config.json says nothing; else null.
    /// </summary>
    internal static OutputWeights? ReadOutputWeights(string directory) => ReadFile(directory)?.NamedWeights();

    private static SavedRule? ReadFile(string directory)
    {
        if (!FolderFile.Exists(directory, FileName))
            return null;
        const string advice = "Restore the file as it was saved, or train again.";
        var path = Path.Combine(directory, FileName);
        try
        {
            var saved = JsonSerializer.Deserialize<SavedRule>(CheckpointLayout.ReadText(directory, FileName), jsonOptions)
                ?? throw new JsonException("The file holds null");
            saved.Rule.Check();
            saved.NamedWeights();
            return saved;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new CheckpointException(path, [$"the file is invalid: {(e is JsonException json ? JsonProblem.Of(json) : e.Message.TrimEnd('.'))}"], advice, e);
        }
    }

    /// <exception cref="ArgumentException">A number is one that no rule has; all are listed.</exception>
    private void Check()
    {
        string[] problems =
        [
            .. ((IEnumerable<int>)[.. SpecialTokens.BeforePrompt, .. SpecialTokens.AfterPrompt, .. SpecialTokens.AfterAnswer])
                .Where(id => id < 0).Select(id => $"a special token is {id}; expected an id from 0"),
            .. SpecialTokens.AnswerTokenType < 0
                ? (string[])[$"answer_token_type is {SpecialTokens.AnswerTokenType}; expected a number from 0"] : [],
            .. MaxLength <= SpecialTokens.Count
                ? (string[])
                [
                    $"max_length is {MaxLength}; expected at least {SpecialTokens.Count + 1}, for the special tokens and an answer",
                ]
                : [],
        ];
        if (problems.Length > 0)
            throw new ArgumentException(string.Join("; ", problems));
    }

    /// <param name="directory">Where the model lies.</param>
    /// <param name="outputs">Those of an adapter's head; null where config.json says them.</param>
    internal void Write(string directory, RewardOutputs? outputs = null)
    {
        var saved = new SavedRule(typeof(ScoringRule).Assembly.GetName().Version!.ToString(3), this)
        {
            OutputWeights = outputs is null or { AreSingle: true }
                ? null : outputs.Names.Zip(outputs.Weights).ToDictionary(output => output.First, output => output.Second),
        };
        PendingFile.WriteText(Path.Combine(directory, FileName), JsonSerializer.Serialize(saved, jsonOptions) + "\n");
    }

    private sealed class EncodingConverter : JsonConverter<TextEncoding>
    {
        public override TextEncoding Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var value = JsonDocument.ParseValue(ref reader);
            return value.RootElement.GetRawText() switch
            {
                "\"joint\"" => TextEncoding.Joint,
                "\"separate\"" => TextEncoding.Separate,
                var other => throw new JsonException($"encoding is {other}; expected \"joint\" or \"separate\""),
            };
        }

        public override void Write(Utf8JsonWriter writer, TextEncoding value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value == TextEncoding.Joint ? "joint" : "separate");
    }

    private sealed class StorageConverter : JsonConverter<WeightStorage>
    {
        public override WeightStorage Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var value = JsonDocument.ParseValue(ref reader);
            return value.RootElement.GetRawText() switch
            {
                "\"bfloat16\"" => WeightStorage.Bfloat16,
                "\"int8\"" => WeightStorage.Int8,
                "\"nf4\"" => WeightStorage.Nf4,
                var other => throw new JsonException($"storage is {other}; expected \"bfloat16\", \"int8\" or \"nf4\""),
            };
        }

        public override void Write(Utf8JsonWriter writer, WeightStorage value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString().ToLowerInvariant());
    }

    private sealed record SavedRule(string LibraryVersion, ScoringRule Rule)
    {
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public Dictionary<string, double>? OutputWeights { get; init; }

        public OutputWeights? NamedWeights() => OutputWeights is null
            ? null : Checkpoints.OutputWeights.Named([.. OutputWeights.Select(weight => (weight.Key, weight.Value))]);
    }
}
