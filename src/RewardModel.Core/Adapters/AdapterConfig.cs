using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using RewardModel.Checkpoints;
using RewardModel.Files;

namespace RewardModel.Adapters;

/// <summary>The <c>adapter_config.json</c> of an adapter in PEFT's format.</summary>
internal sealed class AdapterConfig
{
    // Long enough for every name of a module, short enough for no hostile pattern.
    private static readonly TimeSpan matchTime = TimeSpan.FromSeconds(1);

    private static readonly string[] biasNames = ["none", "all", "lora_only"];

    // Ways of drawing A and B that leave the base model as it is.
    private static readonly string[] harmlessStarts = ["gaussian", "eva", "orthogonal"];

    // What changes the result where it is set, and how.
    private static readonly (string Key, string Effect)[] refused =
    [
        ("use_dora", "DoRA scales the columns of weights"),
        ("lora_bias", "B would have a bias"),
        ("use_qalora", "QALoRA pools what A takes"),
        ("layer_replication", "layers would be computed several times"),
        ("trainable_token_indices", "single rows of the embedding would be replaced"),
        ("target_parameters", "parameters that belong to no linear layer would be changed"),
        ("megatron_config", "layers would be Megatron's parallel ones"),
        ("alora_invocation_tokens", "the adapter would act on a part of the tokens"),
        ("arrow_config", "several adapters would be mixed"),
        ("use_bdlora", "A and B would consist of blocks"),
        ("kasa_config", "the base model's weights would be changed"),
        ("monteclora_config", "A and B would be sampled in every pass"),
        ("corda_config", "the base model's weights would be changed"),
        ("lora_ga_config", "the base model's weights would be changed"),
        ("velora_config", "gradients would be approximated"),
    ];

    private readonly JsonNode? targets;
    private readonly JsonNode? excluded;
    private readonly int[]? layerNumbers;
    private readonly IReadOnlyList<string> layerPatterns;
    private readonly Dictionary<string, double> ranks;
    private readonly Dictionary<string, double> alphas;

    private AdapterConfig(JsonObject json, string path)
    {
        var reader = new ConfigReader(json, path);
        reader.OneOf("peft_type", ["LORA"]);
        TaskType = reader.Has("task_type") ? reader.Text("task_type") : null;
        BaseModel = reader.Has("base_model_name_or_path") ? reader.Text("base_model_name_or_path") : null;
        var bias = reader.OneOf("bias", biasNames, "none");
        targets = StringOrStrings(reader, json, "target_modules");
        excluded = StringOrStrings(reader, json, "exclude_modules");
        layerNumbers = Numbers(reader, json, "layers_to_transform");
        layerPatterns = Strings(StringOrStrings(reader, json, "layers_pattern"));
        ranks = Pattern(reader, json, "rank_pattern");
        alphas = Pattern(reader, json, "alpha_pattern");
        Options = new LoraOptions(reader.Size("r", 8, LoraOptions.MostRank))
        {
            Alpha = reader.Double("lora_alpha", 8),
            Dropout = reader.Double("lora_dropout", 0),
            IsRankStabilized = reader.Bool("use_rslora", false),
            Bias = Enum.GetValues<LoraBias>()[Math.Max(0, Array.IndexOf(biasNames, bias))],
            Targets = string.Join(',', Strings(targets)),
            ModulesToSave = string.Join(',', reader.OptionalStrings("modules_to_save") ?? []),
        };
        foreach (var (key, effect) in refused)
            Refuse(reader, json, key, effect);
        CheckStart(reader, json);
        // Where the adapter comes from, how A and B were drawn, and what only PEFT's own classes need. How weights are stored
        // (fan_in_fan_out) the architecture says.
        reader.Ignore("revision", "inference_mode", "auto_mapping", "peft_version", "fan_in_fan_out", "megatron_core", "qalora_group_size");
        reader.Ignore("loftq_config", "eva_config", "runtime_config", "ensure_weight_tying");
        if (targets is null)
            reader.Problem("'target_modules' is missing; expected names of layers, a regular expression or \"all-linear\"");
        else
            foreach (var problem in Options.Problems())
                reader.Problem(problem);
        reader.Finish();
    }

    /// <summary>What the adapters are, but for layers that have their own rank or alpha.</summary>
    public LoraOptions Options { get; }

    /// <summary>The model that the adapter changes: a path, or a name on the hub; null where the file does not say.</summary>
    public string? BaseModel { get; }

    /// <summary>PEFT's <c>task_type</c>; null where the file does not say.</summary>
    public string? TaskType { get; }

    /// <summary>Whether there is such a file in a directory.</summary>
    public static bool IsIn(string directory) => FolderFile.Exists(directory, CheckpointLayout.AdapterConfigFile);

    /// <summary>Reads the file of a directory.</summary>
    /// <exception cref="CheckpointException">It can't be used: all reasons are listed.</exception>
    public static AdapterConfig Read(string directory)
    {
        var path = Path.Combine(directory, CheckpointLayout.AdapterConfigFile);
        var json = HuggingFaceConfig.Parse(CheckpointLayout.ReadText(directory, CheckpointLayout.AdapterConfigFile), path).Json;
        return new AdapterConfig(json, path);
    }

    /// <summary>Whether a layer has an adapter, by PEFT's rules.</summary>
    /// <param name="module">The layer's name in the model that the adapter was made for.</param>
    public bool IsTarget(string module)
    {
        if (excluded is JsonValue && Matches(Strings(excluded)[0], module)
            || excluded is JsonArray && Strings(excluded).Any(end => ModuleNames.EndsWith(module, end)))
            return false;
        // What is trained in full has no adapter.
        if (LoraOptions.NamesOf(Options.ModulesToSave).Any(saved => $".{module}.".Contains($".{saved}.", StringComparison.Ordinal)))
            return false;
        if (targets is JsonValue)
            return Strings(targets)[0].Equals(LoraOptions.AllLinearTargets, StringComparison.OrdinalIgnoreCase)
                || Matches(Strings(targets)[0], module);
        return Strings(targets).Any(end => ModuleNames.EndsWith(module, end))
            && (layerNumbers is not { Length: > 0 } || Strings(targets).Contains(module) || layerNumbers.Contains(LayerOf(module)));
    }

    /// <summary>The rank of a layer's adapter.</summary>
    public int RankOf(string module) => (int)(Own(ranks, module) ?? Options.Rank);

    /// <summary>What the scale of a layer's adapter is made of.</summary>
    public double AlphaOf(string module) => Own(alphas, module) ?? Options.AlphaOrDefault;

    /// <summary>Writes the file.</summary>
    /// <param name="directory">Where.</param>
    /// <param name="options">What the adapters are.</param>
    /// <param name="baseModel">Path of the model that they change.</param>
    /// <param name="targets">Ends of the names of the layers that have one.</param>
    /// <param name="modulesToSave">Ends of the names of the modules that are trained in full.</param>
    /// <param name="isTransposed">Whether the layers store their weights as [inputs, outputs].</param>
    /// <param name="layers">Name, rank and alpha of each adapter.</param>
    public static void Write(
        string directory, LoraOptions options, string baseModel, IEnumerable<string> targets, IEnumerable<string> modulesToSave,
        bool isTransposed, IReadOnlyCollection<(string Name, int Rank, double Alpha)> layers)
    {
        static JsonArray List(IEnumerable<string> values) => [.. values.Select(value => (JsonNode)value)];
        // PEFT writes whole numbers.
        static JsonNode Number(double value) => value == Math.Truncate(value) && Math.Abs(value) < int.MaxValue ? (int)value : value;
        var json = new JsonObject
        {
            ["alpha_pattern"] = new JsonObject(layers.Where(layer => layer.Alpha != options.AlphaOrDefault)
                .Select(layer => KeyValuePair.Create(layer.Name, (JsonNode?)Number(layer.Alpha)))),
            ["base_model_name_or_path"] = baseModel,
            ["bias"] = biasNames[(int)options.Bias],
            ["fan_in_fan_out"] = isTransposed,
            ["inference_mode"] = true,
            ["init_lora_weights"] = true,
            ["lora_alpha"] = Number(options.AlphaOrDefault),
            ["lora_dropout"] = options.Dropout,
            ["modules_to_save"] = List(modulesToSave),
            ["peft_type"] = "LORA",
            ["r"] = options.Rank,
            ["rank_pattern"] = new JsonObject(layers.Where(layer => layer.Rank != options.Rank)
                .Select(layer => KeyValuePair.Create(layer.Name, (JsonNode?)layer.Rank))),
            ["target_modules"] = List(targets),
            ["task_type"] = "SEQ_CLS",
            ["use_dora"] = false,
            ["use_rslora"] = options.IsRankStabilized,
        };
        HuggingFaceConfig.WriteJson(Path.Combine(directory, CheckpointLayout.AdapterConfigFile), json);
    }

    private static void Refuse(ConfigReader reader, JsonObject json, string key, string effect)
    {
        if (json[key] is not null and not JsonArray { Count: 0 } and not JsonObject { Count: 0 } && json[key]!.GetValueKind() != JsonValueKind.False)
            reader.Problem($"'{key}' is {Quoted.Json(json[key])}; expected no such setting: {effect}, which is not supported");
        reader.Ignore(key);
    }

    /// <summary>Some ways of drawing A and B take what they stand for out of the base model's weights.</summary>
    private static void CheckStart(ConfigReader reader, JsonObject json)
    {
        const string key = "init_lora_weights";
        reader.Ignore(key);
        if (json[key] is { } start && start.GetValueKind() is not (JsonValueKind.True or JsonValueKind.False)
            && !(start.GetValueKind() == JsonValueKind.String && harmlessStarts.Contains(start.GetValue<string>())))
            reader.Problem(
                $"'{key}' is {Quoted.Json(start)}; expected true: with others the base model's weights were changed before training. "
                + "PEFT's save_pretrained with path_initial_model_for_weight_conversion writes an adapter of the unchanged model");
    }

    private static JsonNode? StringOrStrings(ConfigReader reader, JsonObject json, string key)
    {
        reader.Ignore(key);
        var value = json[key];
        if (value is null || value.GetValueKind() == JsonValueKind.String
            || (value is JsonArray array && array.All(item => item?.GetValueKind() == JsonValueKind.String)))
            return value;
        reader.Problem($"'{key}' is {Quoted.Json(value)}; expected a string or a list of strings");
        return null;
    }

    private static IReadOnlyList<string> Strings(JsonNode? value) => value switch
    {
        null => [],
        JsonArray array => [.. array.Select(item => item!.GetValue<string>())],
        _ => [value.GetValue<string>()],
    };

    private static int[]? Numbers(ConfigReader reader, JsonObject json, string key)
    {
        reader.Ignore(key);
        JsonNode?[] numbers = json[key] switch { null => [], JsonArray array => [.. array], var one => [one] };
        if (numbers.All(number => number?.GetValueKind() == JsonValueKind.Number && int.TryParse(number.ToJsonString(), out _)))
            return json[key] is null ? null : [.. numbers.Select(number => int.Parse(number!.ToJsonString(), CultureInfo.InvariantCulture))];
        reader.Problem($"'{key}' is {Quoted.Json(json[key])}; expected a whole number or a list of them");
        return null;
    }

    private static Dictionary<string, double> Pattern(ConfigReader reader, JsonObject json, string key)
    {
        reader.Ignore(key);
        var found = new Dictionary<string, double>();
        if (json[key] is JsonObject pattern && pattern.All(pair => pair.Value?.GetValueKind() == JsonValueKind.Number))
            foreach (var (name, value) in pattern)
                found.Add(name, double.Parse(value!.ToJsonString(), CultureInfo.InvariantCulture));
        else if (json[key] is not null)
            reader.Problem($"'{key}' is {Quoted.Json(json[key])}; expected an object of numbers");
        foreach (var (name, value) in found.Where(pair => !(key == "rank_pattern" ? IsRank(pair.Value) : LoraOptions.IsAlpha(pair.Value))))
            reader.Problem(FormattableString.Invariant(
                $"'{key}' has {value} for {Quoted.Text(name)}; expected a number above 0, of ranks a whole one up to {LoraOptions.MostRank}"));
        return found;
    }

    private static bool IsRank(double value) => value is >= 1 and <= LoraOptions.MostRank && value == Math.Truncate(value);

    private static double? Own(Dictionary<string, double> pattern, string module)
    {
        foreach (var (name, value) in pattern)
            if (Matches($@"(.*\.)?({name})", module))
                return value;
        return null;
    }

    private int LayerOf(string module)
    {
        string[] patterns = layerPatterns.Count == 0 ? [@"[^.]*"] : [.. layerPatterns];
        foreach (var pattern in patterns)
            if (Find($@"^.*?\.{pattern}\.(\d+)\.", module) is { Success: true } match)
                return int.Parse(match.Groups[^1].Value, CultureInfo.InvariantCulture);
        return -1;
    }

    private static bool Matches(string pattern, string module) => Find($"^(?:{pattern})$", module).Success;

    private static Match Find(string pattern, string module)
    {
        try
        {
            return Regex.Match(module, pattern, RegexOptions.CultureInvariant, matchTime);
        }
        catch (Exception e) when (e is RegexParseException or RegexMatchTimeoutException)
        {
            throw new CheckpointException(
                CheckpointLayout.AdapterConfigFile, [$"a regular expression can't be used: {Quoted.Text(pattern)}"],
                "Name the layers in a list.", e);
        }
    }
}
