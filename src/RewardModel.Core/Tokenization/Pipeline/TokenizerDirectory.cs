using System.Text.Json;
using Microsoft.ML.Tokenizers;

namespace RewardModel.Tokenization.Pipeline;

/// <summary>Reads the tokenizer files of a checkpoint's directory.</summary>
internal static class TokenizerDirectory
{
    private const string TokenizerFile = "tokenizer.json";
    private const string ConfigFile = "tokenizer_config.json";
    private const string SpecialTokensFile = "special_tokens_map.json";

    /// <summary>The files that can be part of a tokenizer.</summary>
    public static readonly IReadOnlyList<string> FileNames =
    [
        TokenizerFile, ConfigFile, SpecialTokensFile, "added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model",
        "chat_template.jinja",
    ];

    public static bool HasTokenizer(string directory) => File.Exists(Path.Combine(directory, TokenizerFile));

    public static HuggingFaceTokenizer Read(string directory)
    {
        var problems = new List<string>();
        using var tokenizerJson = JsonFile.Read(directory, TokenizerFile, problems);
        using var configJson = JsonFile.Read(directory, ConfigFile, problems);
        using var specialTokensJson = JsonFile.Read(directory, SpecialTokensFile, problems);
        if (!File.Exists(Path.Combine(directory, TokenizerFile)))
            problems.Add($"{TokenizerFile} is missing; save the tokenizer with transformers' fast tokenizers to get one");
        ThrowIfAny(problems, directory);

        var root = Root(TokenizerFile, tokenizerJson, problems)!;
        var definition = TokenizerDefinition.Read(root);
        var config = new SpecialTokenConfig(
            root, Root(ConfigFile, configJson, problems), Root(SpecialTokensFile, specialTokensJson, problems), definition.Ids);
        var specialTokens = config.ReadIds();
        var rule = config.ReadRule(specialTokens, definition.PostProcessor);
        ThrowIfAny(problems, directory);

        string[] files = [.. FileNames.Select(name => Path.Combine(directory, name)).Where(File.Exists)];
        return Make(definition, specialTokens, rule, directory, files);
    }

    private static HuggingFaceTokenizer Make(
        TokenizerDefinition definition, SpecialTokenIds specialTokens, SpecialTokenRule rule, string directory, string[] files)
    {
        var tokensById = definition.Ids.ToDictionary(entry => entry.Value, entry => entry.Key);
        var model = new BpeModel(definition.Model!, definition.PreTokenization, tokensById);
        var decoding = new TokenDecoding(directory, tokensById, definition.AddedTokens, definition.Decoder);
        var plainTextTokens = definition.AddedTokens.Where(token => !token.IsSpecial);
        return new HuggingFaceTokenizer(
            MakeTokenizer(definition.AddedTokens),
            MakeTokenizer([.. plainTextTokens]),
            definition.PostProcessor,
            decoding,
            specialTokens,
            rule,
            tokensById.Keys.Max() + 1,
            files);

        Tokenizer MakeTokenizer(IReadOnlyList<AddedToken> tokens) =>
            new PipelineTokenizer(definition.Normalizer, tokens, definition.PreTokenization.AddsPrefixSpace, model, decoding);
    }

    private static JsonComponent? Root(string name, JsonDocument? document, List<string> problems) =>
        document is null ? null : new JsonComponent(name, "", document.RootElement, problems);

    private static void ThrowIfAny(List<string> problems, string directory)
    {
        if (problems.Count > 0)
            throw new TokenizerException(directory, problems);
    }
}
