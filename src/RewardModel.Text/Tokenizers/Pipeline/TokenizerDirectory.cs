using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Files;
using RewardModel.Reading;
using RewardModel.Tokenizers.Models;
using RewardModel.Tokenizers.OlderFiles;
using RewardModel.Tokenizers.PreTokenizers;

namespace RewardModel.Tokenizers.Pipeline;

/// <summary>Reads the tokenizer files of a checkpoint's directory.</summary>
internal static class TokenizerDirectory
{
    internal const string TokenizerFile = "tokenizer.json";
    internal const string ConfigFile = "tokenizer_config.json";
    internal const string SpecialTokensFile = "special_tokens_map.json";
    private const string ChatTemplateFile = "chat_template.jinja";

    /// <summary>The files that can be part of a tokenizer.</summary>
    public static readonly IReadOnlyList<string> FileNames =
    [
        TokenizerFile, ConfigFile, SpecialTokensFile, .. OlderTokenizer.FileNames, ChatTemplateFile,
    ];

    /// <summary>What a file of a tokenizer is read as.</summary>
    public static FileKind KindOf(string name) => name == ChatTemplateFile ? FileKind.Template : FileKind.Tokenizer;

    public static bool HasTokenizer(string directory) =>
        FolderFile.Exists(directory, TokenizerFile) || OlderTokenizer.IsIn(directory);

    public static HuggingFaceTokenizer Read(string directory)
    {
        var problems = new List<string>();
        foreach (var name in FileNames.Where(name => FolderFile.Exists(directory, name)))
            try
            {
                if (ForeignContent.OfFile(FolderFile.Checked(directory, name), KindOf(name)) is { } foreign)
                    problems.Add($"{name}: the file is {foreign.What}. {foreign.Advice}");
                else if (Path.GetExtension(name) is ".txt" or ".jinja")
                    FolderFile.ReadUtf8(directory, name, KindOf(name));
            }
            catch (FileRefusedException exception)
            {
                problems.Add($"{name}: {exception.Problem}. {exception.Advice}");
            }
        ThrowIfAny(problems, directory);
        using var tokenizerJson = JsonFile.Read(directory, TokenizerFile, problems);
        using var configJson = JsonFile.Read(directory, ConfigFile, problems);
        using var specialTokensJson = JsonFile.Read(directory, SpecialTokensFile, problems);
        if (!HasTokenizer(directory))
            problems.Add($"{TokenizerFile} is missing; save the tokenizer with transformers' fast tokenizers to get one");
        ThrowIfAny(problems, directory);

        if (tokenizerJson is not null)
            return Make(directory, (TokenizerFile, tokenizerJson), configJson, (SpecialTokensFile, specialTokensJson));
        var older = OlderTokenizer.Read(directory, Settings(configJson, specialTokensJson), problems);
        ThrowIfAny(problems, directory);
        using var json = JsonDocument.Parse(older!.Json);
        using var specialTokens = JsonDocument.Parse(older.SpecialTokens);
        return Make(directory, (older.File, json), configJson, (older.File, specialTokens));
    }

    private static HuggingFaceTokenizer Make(
        string directory, (string Name, JsonDocument Json) tokenizer, JsonDocument? configJson,
        (string Name, JsonDocument? Json) specialTokensMap)
    {
        var problems = new List<string>();
        var definition = TokenizerDefinition.Read(Root(tokenizer.Name, tokenizer.Json, problems)!);
        var configRoot = Root(ConfigFile, configJson, problems);
        var config = new SpecialTokenConfig(
            configRoot, Root(specialTokensMap.Name, specialTokensMap.Json, problems), definition.Ids);
        var specialTokens = config.ReadIds();
        var rule = config.ReadRule(specialTokens, definition.PostProcessor);
        var chat = new ChatTokens(ChatTemplateOf(directory, configRoot), config.ReadTexts(), MaxLengthOf(configRoot));
        ThrowIfAny(problems, directory);

        string[] files = [.. FileNames.Select(name => FolderFile.PathOf(directory, name)).Where(File.Exists)];
        return Make(definition, specialTokens, rule, chat, directory, files);
    }

    private static HuggingFaceTokenizer Make(
        TokenizerDefinition definition, SpecialTokenIds specialTokenIds, SpecialTokenRule rule, ChatTokens chat, string directory,
        string[] files)
    {
        var tokensById = definition.Ids.ToDictionary(entry => entry.Value, entry => entry.Key);
        if (definition.Normalizer is { } normalizer)
            foreach (var token in definition.AddedTokens.Where(token => token.IsNormalized))
                tokensById[token.Id] = normalizer.Normalize(token.Content);
        var specialTokens = definition.AddedTokens.Where(token => token.IsSpecial).Select(token => token.Content).ToHashSet();
        var decoding = new TokenDecoding(directory, tokensById, specialTokens, definition.Decoder);
        var preTokenization = definition.PreTokenization;
        if (preTokenization.EndsInBytes && !definition.Model!.SpellsBytes)
            preTokenization = new PreTokenization([.. preTokenization.Steps, new ByteSpellingStep()], endsInBytes: false);

        // Special tokens must not come out of plain text by way of the model either.
        var hidden = specialTokens.Intersect(definition.Model!.Vocabulary.Keys).ToHashSet();
        var model = definition.Model.Make(preTokenization.EndsInBytes, hidden: new HashSet<string>());
        var plainTextModel = definition.Model.LooksWordsUp && hidden.Count > 0
            ? definition.Model.Make(preTokenization.EndsInBytes, hidden)
            : model;
        return new HuggingFaceTokenizer(
            MakeTokenizer(definition.AddedTokens, model),
            MakeTokenizer([.. definition.AddedTokens.Where(token => !token.IsSpecial)], plainTextModel),
            definition.PostProcessor,
            decoding,
            definition.Model.Type,
            specialTokenIds,
            rule,
            chat,
            tokensById.Keys.Max() + 1,
            files)
        {
            SpecialAddedTokens = [.. definition.AddedTokens.Where(token => token.IsSpecial).OrderBy(token => token.Id)],
        };

        PipelineTokenizer MakeTokenizer(IReadOnlyList<AddedToken> tokens, WordModel words) =>
            new PipelineTokenizer(definition.Normalizer, tokens, preTokenization, words, decoding);
    }

    private static int? MaxLengthOf(JsonComponent? config) =>
        config?.Member("model_max_length") is { ValueKind: JsonValueKind.Number } length
        && length.TryGetDouble(out var number) && number is >= 1 and <= int.MaxValue ? (int)number : null;

    /// <summary>
    /// The text of chat_template.jinja, else of the configuration's template, or of its template "default" if it has several.
    /// </summary>
    private static string? ChatTemplateOf(string directory, JsonComponent? config)
    {
        if (FolderFile.Exists(directory, ChatTemplateFile))
            return FolderFile.ReadText(directory, ChatTemplateFile, FileKind.Template);
        if (config?.Member("chat_template") is not { ValueKind: JsonValueKind.Array })
            return config?.OptionalText("chat_template");
        var template = config.Components("chat_template").FirstOrDefault(template => template.Text("name") == "default");
        if (template is null)
            config.AddProblem("none of the templates in 'chat_template' has the name 'default'; name one so");
        return template?.Text("template");
    }

    /// <summary>What tokenizer_config.json says, and special_tokens_map.json where that says nothing.</summary>
    private static JsonObject Settings(JsonDocument? config, JsonDocument? specialTokens)
    {
        var settings = new JsonObject();
        foreach (var document in new[] { specialTokens, config }.OfType<JsonDocument>())
            foreach (var member in document.RootElement.EnumerateObject())
                settings[member.Name] = JsonNode.Parse(member.Value.GetRawText());
        return settings;
    }

    private static JsonComponent? Root(string name, JsonDocument? document, List<string> problems) =>
        document is null ? null : new JsonComponent(name, "", document.RootElement, problems);

    private static void ThrowIfAny(List<string> problems, string directory)
    {
        if (problems.Count > 0)
            throw new TokenizerException(directory, problems);
    }
}
