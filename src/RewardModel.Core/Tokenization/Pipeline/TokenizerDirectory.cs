using System.Text.Json;
using Microsoft.ML.Tokenizers;
using RewardModel.Tokenization.Models;
using RewardModel.Tokenization.PreTokenizers;

namespace RewardModel.Tokenization.Pipeline;

/// <summary>Reads the tokenizer files of a checkpoint's directory.</summary>
internal static class TokenizerDirectory
{
    private const string TokenizerFile = "tokenizer.json";
    private const string ConfigFile = "tokenizer_config.json";
    private const string SpecialTokensFile = "special_tokens_map.json";

    private static readonly string[] fileNames =
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
            Root(ConfigFile, configJson, problems), Root(SpecialTokensFile, specialTokensJson, problems), definition.Ids);
        var specialTokens = config.ReadIds();
        var rule = config.ReadRule(specialTokens, definition.PostProcessor);
        ThrowIfAny(problems, directory);

        string[] files = [.. fileNames.Select(name => Path.Combine(directory, name)).Where(File.Exists)];
        return Make(definition, specialTokens, rule, directory, files);
    }

    private static HuggingFaceTokenizer Make(
        TokenizerDefinition definition, SpecialTokenIds specialTokenIds, SpecialTokenRule rule, string directory, string[] files)
    {
        var tokensById = definition.Ids.ToDictionary(entry => entry.Value, entry => entry.Key);
        var decoding = new TokenDecoding(directory, tokensById, definition.AddedTokens, definition.Decoder);
        var preTokenization = definition.PreTokenization;
        if (preTokenization.EndsInBytes && !definition.Model!.SpellsBytes)
            preTokenization = new PreTokenization([.. preTokenization.Steps, new ByteSpellingStep()], endsInBytes: false);

        // Special tokens must not come out of plain text by way of the model either.
        var specialTokens = definition.AddedTokens.Where(token => token.IsSpecial).Select(token => token.Content).ToHashSet();
        specialTokens.IntersectWith(definition.Model!.Vocabulary.Keys);
        var model = definition.Model.Make(preTokenization.EndsInBytes, hidden: new HashSet<string>());
        var plainTextModel = definition.Model.LooksWordsUp && specialTokens.Count > 0
            ? definition.Model.Make(preTokenization.EndsInBytes, specialTokens)
            : model;
        return new HuggingFaceTokenizer(
            MakeTokenizer(definition.AddedTokens, model),
            MakeTokenizer([.. definition.AddedTokens.Where(token => !token.IsSpecial)], plainTextModel),
            definition.PostProcessor,
            decoding,
            specialTokenIds,
            rule,
            tokensById.Keys.Max() + 1,
            files);

        Tokenizer MakeTokenizer(IReadOnlyList<AddedToken> tokens, WordModel words) =>
            new PipelineTokenizer(definition.Normalizer, tokens, preTokenization, words, decoding);
    }

    private static JsonComponent? Root(string name, JsonDocument? document, List<string> problems) =>
        document is null ? null : new JsonComponent(name, "", document.RootElement, problems);

    private static void ThrowIfAny(List<string> problems, string directory)
    {
        if (problems.Count > 0)
            throw new TokenizerException(directory, problems);
    }
}
