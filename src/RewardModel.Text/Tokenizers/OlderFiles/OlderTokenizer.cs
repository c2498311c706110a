using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Files;
using RewardModel.Jinja;

namespace RewardModel.Tokenizers.OlderFiles;

/// <summary>
/// A tokenizer saved without tokenizer.json: vocab.txt, vocab.json with merges.txt, or a SentencePiece model. It is written as the
/// tokenizer.json into which transformers converts it, so that from there on there is one way.
/// </summary>
internal sealed class OlderTokenizer
{
    private const string VocabularyText = "vocab.txt", VocabularyJson = "vocab.json", Merges = "merges.txt";

    /// <summary>T5 has 100, and some of its kin a few thousand.</summary>
    private const int MaxExtraCount = 100_000;

    private static readonly string[] sentencePieceFiles = ["tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "spm.model"];

    // config.json's model_type, for directories whose tokenizer_config.json doesn't name a class.
    private static readonly Dictionary<string, string> classOfModelType = new()
    {
        ["albert"] = "AlbertTokenizer",
        ["bert"] = "BertTokenizer",
        ["deberta-v2"] = "DebertaV2Tokenizer",
        ["distilbert"] = "DistilBertTokenizer",
        ["electra"] = "ElectraTokenizer",
        ["gpt2"] = "GPT2Tokenizer",
        ["llama"] = "LlamaTokenizer",
        ["mistral"] = "LlamaTokenizer",
        ["opt"] = "GPT2Tokenizer",
        ["qwen2"] = "Qwen2Tokenizer",
        ["qwen3"] = "Qwen2Tokenizer",
        ["roberta"] = "RobertaTokenizer",
        ["t5"] = "T5Tokenizer",
        ["xlm-roberta"] = "XLMRobertaTokenizer",
    };

    private readonly string directory;
    private readonly string file;
    private readonly string tokenizerClass;
    private readonly JsonObject config;
    private readonly Dictionary<string, int> ids = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, JsonObject> addedTokens = [];

    private OlderTokenizer(string directory, string file, string tokenizerClass, JsonObject config) =>
        (this.directory, this.file, this.tokenizerClass, this.config) = (directory, file, tokenizerClass, config);

    /// <summary>The names of all files that such a tokenizer may consist of.</summary>
    public static IReadOnlyList<string> FileNames { get; } =
        [VocabularyText, VocabularyJson, Merges, "added_tokens.json", .. sentencePieceFiles];

    /// <summary>Whether a directory has one.</summary>
    public static bool IsIn(string directory) => MainFile(directory) is not null;

    /// <summary>Reads a tokenizer; null if it can't be read, which is then among the problems.</summary>
    /// <param name="directory">The directory, which has one.</param>
    /// <param name="settings">What tokenizer_config.json says, and special_tokens_map.json where that says nothing.</param>
    /// <param name="problems">Where problems are added.</param>
    public static OlderTokenizerJson? Read(string directory, JsonObject settings, List<string> problems)
    {
        var file = MainFile(directory)!;
        try
        {
            return Read(directory, file, settings, problems);
        }
        catch (Exception exception) when (
            exception is InvalidDataException or JsonException or InvalidOperationException or FormatException or ArgumentException
                or FileRefusedException)
        {
            problems.Add($"{file}: the file can't be used: {exception.Message}");
            return null;
        }
    }

    private static OlderTokenizerJson? Read(string directory, string file, JsonObject settings, List<string> problems)
    {
        var tokenizerClass = ClassOf(directory, file, settings);
        if (!SpecialTokenNames.Classes.Contains(tokenizerClass))
        {
            problems.Add(
                $"{file}: the tokenizer class '{Excerpt.Of(tokenizerClass)}' is not supported without a tokenizer.json; supported are "
                + $"{string.Join(", ", SpecialTokenNames.Classes)}; save it with transformers' fast tokenizers to get a tokenizer.json");
            return null;
        }
        var config = SpecialTokenNames.Of(tokenizerClass);
        foreach (var (name, value) in settings)
            config[name] = value?.DeepClone();
        var tokenizer = new OlderTokenizer(directory, file, tokenizerClass, config);
        var json = tokenizer.Convert();
        return new OlderTokenizerJson(file, Utf8(json), Utf8(tokenizer.SpecialTokens()));

        static byte[] Utf8(JsonObject content) => Encoding.UTF8.GetBytes(content.ToJsonString());
    }

    private static string? MainFile(string directory)
    {
        var hasPairs = FolderFile.Exists(directory, VocabularyJson) && FolderFile.Exists(directory, Merges);
        return sentencePieceFiles.Append(VocabularyText).FirstOrDefault(name => FolderFile.Exists(directory, name))
            ?? (hasPairs ? VocabularyJson : null);
    }

    private static string ClassOf(string directory, string file, JsonObject settings)
    {
        if (TextOf("tokenizer_config.json", "tokenizer_class", settings["tokenizer_class"]) is { } name)
            return name.EndsWith("Fast", StringComparison.Ordinal) ? name[..^4] : name;
        const string fileName = "config.json";
        var config = FolderFile.Exists(directory, fileName)
            ? JsonNode.Parse(FolderFile.ReadBytes(directory, fileName, FileKind.Config)) as JsonObject : null;
        var modelType = TextOf(fileName, "model_type", config?["model_type"]);
        if (modelType is not null)
            return classOfModelType.GetValueOrDefault(modelType, $"of the model type {modelType}");
        return file switch
        {
            VocabularyText => "BertTokenizer",
            VocabularyJson => "GPT2Tokenizer",
            _ => "LlamaTokenizer",
        };
    }

    private static string? TextOf(string file, string name, JsonNode? value) => value is null ? null
        : value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>()
        : throw new InvalidDataException($"'{name}' of {file} is {Excerpt.Of(value.ToJsonString())}, expected a string");

    private JsonObject Convert()
    {
        var root = tokenizerClass switch
        {
            "BertTokenizer" or "DistilBertTokenizer" or "ElectraTokenizer" => ConvertBert(),
            "GPT2Tokenizer" or "RobertaTokenizer" or "Qwen2Tokenizer" => ConvertByteLevel(),
            _ => ConvertSentencePiece(),
        };
        AddTokens();
        var tokens = new JsonArray();
        foreach (var token in addedTokens.Values)
            tokens.Add((JsonNode)token);
        root["added_tokens"] = tokens;
        root["post_processor"] = PostProcessor();
        return root;
    }

    private JsonObject ConvertBert()
    {
        var lines = FolderFile.ReadText(directory, VocabularyText, FileKind.Tokenizer).TrimEnd('\n').Split('\n');
        var vocabulary = new JsonObject();
        for (var i = 0; i < lines.Length; i++)
            vocabulary[lines[i].TrimEnd('\r')] = ids[lines[i].TrimEnd('\r')] = i;
        if (!Flag("do_basic_tokenize", true))
            throw new InvalidDataException("'do_basic_tokenize' is false, which is not supported; expected true");
        return new JsonObject
        {
            ["normalizer"] = Typed("BertNormalizer",
                ("clean_text", true), ("handle_chinese_chars", Flag("tokenize_chinese_chars", true)),
                ("strip_accents", config["strip_accents"]?.DeepClone()), ("lowercase", Flag("do_lower_case", true))),
            ["pre_tokenizer"] = Typed("BertPreTokenizer"),
            ["decoder"] = Typed("WordPiece"),
            ["model"] = Typed("WordPiece", ("unk_token", Name("unk_token")), ("vocab", vocabulary)),
        };
    }

    private JsonObject ConvertByteLevel()
    {
        var vocabulary = JsonNode.Parse(FolderFile.ReadBytes(directory, VocabularyJson, FileKind.Tokenizer)) as JsonObject
            ?? throw new InvalidDataException("it is not an object of tokens and ids");
        foreach (var (token, id) in vocabulary)
            ids[token] = Integer(id, token);
        var merges = new JsonArray();
        foreach (var line in FolderFile.ReadLines(directory, Merges, FileKind.Tokenizer))
            if (line.Length > 0 && !line.StartsWith("#version", StringComparison.Ordinal))
                merges.Add((JsonNode)line);
        var isQwen = tokenizerClass == "Qwen2Tokenizer";
        var byteLevel = Typed("ByteLevel", ("add_prefix_space", Flag("add_prefix_space", false)), ("use_regex", !isQwen));
        const string expression =
            @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
        var split = Typed("Split", ("pattern", new JsonObject { ["Regex"] = expression }), ("behavior", "Isolated"));
        return new JsonObject
        {
            ["normalizer"] = isQwen ? Typed("NFC") : null,
            ["pre_tokenizer"] = isQwen ? Typed("Sequence", ("pretokenizers", new JsonArray(split, byteLevel))) : byteLevel,
            ["decoder"] = Typed("ByteLevel"),
            ["model"] = Typed("BPE", ("vocab", vocabulary), ("merges", merges)),
        };
    }

    private JsonObject ConvertSentencePiece()
    {
        var model = SentencePieceFile.Read(FolderFile.ReadBytes(directory, file, FileKind.Tokenizer));
        if (model.IsBpe != (tokenizerClass == "LlamaTokenizer"))
            throw new InvalidDataException(
                $"it is a {(model.IsBpe ? "BPE" : "Unigram")} model, which the class {tokenizerClass} doesn't have");
        var pieces = model.Pieces.Select(piece => (piece.Text, Score: (double)piece.Score)).ToList();
        var unknownId = model.UnknownId;
        switch (tokenizerClass)
        {
            case "AlbertTokenizer":
                // Pieces of digits that end in a comma: numbers are to be split before it.
                pieces = pieces.ConvertAll(piece => IsNumberWithComma(piece.Text) ? (piece.Text, piece.Score - 100) : piece);
                break;
            case "T5Tokenizer":
                var extraCount = Number("extra_ids", 100);
                if (extraCount is < 0 or > MaxExtraCount)
                    throw new InvalidDataException($"'extra_ids' is {extraCount}, expected from 0 to {MaxExtraCount}");
                for (var i = extraCount - 1; i >= 0; i--)
                    pieces.Add(($"<extra_id_{i}>", 0));
                break;
            case "XLMRobertaTokenizer":
                // fairseq's order of the special tokens, and its one token more.
                pieces = [("<s>", 0), ("<pad>", 0), ("</s>", 0), ("<unk>", 0), .. pieces.Skip(3), ("<mask>", 0)];
                unknownId = 3;
                break;
        }
        for (var i = 0; i < pieces.Count; i++)
            ids[pieces[i].Text] = i;
        foreach (var piece in model.Pieces.Where(piece => piece.Kind is SentencePieceKind.Control or SentencePieceKind.UserDefined))
            if (ids.TryGetValue(piece.Text, out var id))
                addedTokens[id] = AddedToken(id, piece.Text, isSpecial: piece.Kind == SentencePieceKind.Control);
        if (tokenizerClass == "T5Tokenizer")
            foreach (var (name, _) in pieces.Skip(model.Pieces.Count))
                addedTokens[ids[name]] = AddedToken(ids[name], name, isSpecial: true);
        return tokenizerClass == "LlamaTokenizer" ? Llama(model) : Unigram(model, pieces, unknownId);
    }

    private JsonObject Llama(SentencePieceFile model)
    {
        var (isLegacy, hasPrefix) = (Flag("legacy", true), Flag("add_prefix_space", true));
        var vocabulary = new JsonObject();
        foreach (var (piece, id) in ids)
            vocabulary[piece] = id;
        var merges = new JsonArray();
        foreach (var (left, right) in model.Merges())
            merges.Add((JsonNode)$"{left} {right}");
        var steps = new JsonArray(Replace("▁", " "), Typed("ByteFallback"), Typed("Fuse"));
        if (hasPrefix)
            steps.Add((JsonNode)Typed("Strip", ("content", " "), ("start", 1), ("stop", 0)));
        var normalizers = new JsonArray(Replace(" ", "▁"));
        if (hasPrefix)
            normalizers.Insert(0, Typed("Prepend", ("prepend", "▁")));
        return new JsonObject
        {
            ["normalizer"] = isLegacy ? Typed("Sequence", ("normalizers", normalizers)) : null,
            ["pre_tokenizer"] = isLegacy ? null : Metaspace(hasPrefix ? "first" : "never", cuts: false),
            ["decoder"] = Typed("Sequence", ("decoders", steps)),
            ["model"] = Typed("BPE",
                ("unk_token", model.UnknownPiece), ("fuse_unk", true), ("byte_fallback", true), ("vocab", vocabulary), ("merges", merges)),
        };
    }

    private JsonObject Unigram(SentencePieceFile model, List<(string Text, double Score)> pieces, int unknownId)
    {
        var isAlbert = tokenizerClass == "AlbertTokenizer";
        var isDeberta = tokenizerClass == "DebertaV2Tokenizer";
        var steps = new JsonArray();
        if (isAlbert)
            steps = [Replace("``", "\""), Replace("''", "\"")];
        if (isAlbert && !Flag("keep_accents", false))
            steps = [.. Detached(steps), Typed("NFKD"), Typed("StripAccents")];
        if ((isAlbert && Flag("do_lower_case", true)) || (isDeberta && Flag("do_lower_case", false)))
            steps.Add((JsonNode)Typed("Lowercase"));
        if (isDeberta)
            steps.Add((JsonNode)Typed("Strip"));
        if (model.Charsmap.Length > 0)
            steps.Add((JsonNode)Typed("Precompiled", ("precompiled_charsmap", System.Convert.ToBase64String(model.Charsmap))));
        if (!isAlbert && !isDeberta)
            steps.Add((JsonNode)Typed("Strip", ("strip_left", false), ("strip_right", true)));
        steps.Add((JsonNode)Typed("Replace",
            ("pattern", new JsonObject { ["Regex"] = " {2,}" }), ("content", isAlbert || isDeberta ? " " : "▁")));

        var prefix = Flag("add_prefix_space", true) ? (Flag("legacy", true) ? "always" : "first") : "never";
        var preTokenizers = new JsonArray(Metaspace(prefix, cuts: true));
        if (isDeberta && Flag("split_by_punct", false))
            preTokenizers.Insert(0, Typed("Punctuation", ("behavior", "Isolated")));
        var vocabulary = new JsonArray();
        foreach (var (text, score) in pieces)
            vocabulary.Add((JsonNode)new JsonArray(text, score));
        return new JsonObject
        {
            ["normalizer"] = Typed("Sequence", ("normalizers", steps)),
            ["pre_tokenizer"] = Typed("Sequence", ("pretokenizers", preTokenizers)),
            ["decoder"] = Metaspace(prefix, cuts: true),
            ["model"] = Typed("Unigram", ("unk_id", unknownId), ("vocab", vocabulary), ("byte_fallback", false)),
        };
    }

    private static JsonNode?[] Detached(JsonArray array) => [.. array.Select(node => node!.DeepClone())];

    private JsonObject? PostProcessor() => tokenizerClass switch
    {
        "GPT2Tokenizer" or "LlamaTokenizer" or "Qwen2Tokenizer" => Beginning(),
        "RobertaTokenizer" => Typed("RobertaProcessing", ("sep", TokenAndId("sep_token")), ("cls", TokenAndId("cls_token"))),
        "XLMRobertaTokenizer" => Typed("RobertaProcessing", ("sep", TokenAndId("eos_token")), ("cls", TokenAndId("bos_token"))),
        "T5Tokenizer" => Template([Text("A"), Special("eos_token")]),
        _ => Typed("BertProcessing", ("sep", TokenAndId("sep_token")), ("cls", TokenAndId("cls_token"))),
    };

    /// <summary>What puts bos_token and eos_token around a text; null where neither is asked for.</summary>
    private JsonObject? Beginning()
    {
        var pieces = new JsonArray(Text("A"));
        if (Flag("add_bos_token", tokenizerClass == "LlamaTokenizer"))
            pieces.Insert(0, Special("bos_token"));
        if (Flag("add_eos_token", false))
            pieces.Add((JsonNode)Special("eos_token"));
        return pieces.Count == 1 ? null : Template(pieces);
    }

    private JsonObject Template(JsonArray single)
    {
        var tokens = new JsonObject();
        foreach (var name in single.Select(piece => piece!["SpecialToken"]?["id"]?.GetValue<string>()).OfType<string>())
            tokens[name] = new JsonObject { ["id"] = name, ["ids"] = new JsonArray(IdOf(name)), ["tokens"] = new JsonArray(name) };
        return Typed("TemplateProcessing", ("single", single), ("pair", null), ("special_tokens", tokens));
    }

    private static JsonObject Text(string id) => new() { ["Sequence"] = new JsonObject { ["id"] = id, ["type_id"] = 0 } };

    private JsonObject Special(string member) =>
        new() { ["SpecialToken"] = new JsonObject { ["id"] = Name(member), ["type_id"] = 0 } };

    private JsonArray TokenAndId(string member) => [Name(member), IdOf(Name(member))];

    private int IdOf(string token) =>
        ids.TryGetValue(token, out var id) ? id : throw new InvalidDataException($"the vocabulary has no special token '{token}'");

    /// <summary>The tokens that are found in the text: what the files list, and the special tokens.</summary>
    private void AddTokens()
    {
        foreach (var (id, token) in config["added_tokens_decoder"] as JsonObject ?? [])
            if (int.TryParse(id, out var number) && token is JsonObject options)
            {
                var added = (JsonObject)options.DeepClone();
                added["id"] = number;
                addedTokens[number] = added;
                ids[NameOf(added) ?? throw new InvalidDataException($"the added token {id} has no content")] = number;
            }
        var special = SpecialTokens();
        var isSpecial = special.Select(entry => NameOf(entry.Value)).ToHashSet();
        const string older = "added_tokens.json";
        if (FolderFile.Exists(directory, older))
            foreach (var (content, id) in JsonNode.Parse(FolderFile.ReadBytes(directory, older, FileKind.Tokenizer)) as JsonObject
                ?? throw new InvalidDataException("added_tokens.json is not an object of tokens and ids"))
            {
                ids[content] = Integer(id, content);
                addedTokens.TryAdd(ids[content], AddedToken(ids[content], content, isSpecial.Contains(content)));
            }
        var more = (config["additional_special_tokens"] as JsonArray ?? []).ToArray();
        foreach (var token in special.Select(entry => entry.Value).Concat(more))
            if (NameOf(token) is { } name && ids.TryGetValue(name, out var id))
            {
                var added = AddedToken(id, name, isSpecial: true);
                if (token is JsonObject options)
                    foreach (var option in new[] { "lstrip", "rstrip", "single_word" })
                        added[option] = options[option]?.DeepClone() ?? false;
                if (config["added_tokens_decoder"]?[$"{id}"] is null)
                    addedTokens[id] = added;
            }
    }

    /// <summary>The special tokens that are in the vocabulary.</summary>
    private JsonObject SpecialTokens()
    {
        var result = new JsonObject();
        foreach (var member in SpecialTokenNames.Members)
            if (NameOf(config[member]) is { } name && ids.ContainsKey(name))
                result[member] = config[member]!.DeepClone();
        return result;
    }

    private string Name(string member) =>
        NameOf(config[member]) ?? throw new InvalidDataException($"tokenizer_config.json has no '{member}', which {tokenizerClass} needs");

    private static string? NameOf(JsonNode? token) => (token is JsonObject options ? options["content"] : token)?.GetValue<string>();

    private static int Integer(JsonNode? id, string token) => id is JsonValue value && value.TryGetValue(out int number) && number >= 0
        ? number
        : throw new InvalidDataException(
            $"the id of '{Excerpt.Of(token)}' is {Excerpt.Of(id?.ToJsonString() ?? "null")}, expected an integer from 0 on");

    private bool Flag(string name, bool otherwise) => config[name]?.GetValue<bool>() ?? otherwise;

    private int Number(string name, int otherwise) => config[name]?.GetValue<int>() ?? otherwise;


    private static bool IsNumberWithComma(string piece) =>
        piece.Length >= 2 && piece[^1] == ',' && char.IsDigit(piece[^2]);

    private static JsonObject AddedToken(int id, string content, bool isSpecial) => new()
    {
        ["id"] = id,
        ["content"] = content,
        ["normalized"] = false,
        ["special"] = isSpecial,
    };

    private static JsonObject Replace(string text, string content) =>
        Typed("Replace", ("pattern", new JsonObject { ["String"] = text }), ("content", content));

    private static JsonObject Metaspace(string prefix, bool cuts) =>
        Typed("Metaspace", ("replacement", "▁"), ("prepend_scheme", prefix), ("split", cuts));

    private static JsonObject Typed(string type, params (string Name, JsonNode? Value)[] members)
    {
        var result = new JsonObject { ["type"] = type };
        foreach (var (name, value) in members)
            result[name] = value;
        return result;
    }
}
