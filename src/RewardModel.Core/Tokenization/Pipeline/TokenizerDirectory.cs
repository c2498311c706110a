using System.Text.Json;
using Microsoft.ML.Tokenizers;
using RewardModel.Tokenization.Decoders;
using RewardModel.Tokenization.Normalizers;
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

    public static HuggingFaceTokenizer Read(string directory)
    {
        var problems = new List<string>();
        using var tokenizerJson = JsonFile.Read(directory, TokenizerFile, problems);
        using var configJson = JsonFile.Read(directory, ConfigFile, problems);
        using var specialTokensJson = JsonFile.Read(directory, SpecialTokensFile, problems);
        if (!File.Exists(Path.Combine(directory, TokenizerFile)))
            problems.Add($"{TokenizerFile} is missing; save the tokenizer with transformers' fast tokenizers to get one");
        Throw(directory, problems);

        var root = new JsonComponent(TokenizerFile, "", tokenizerJson!.RootElement, problems);
        root.Ignore("version");
        // transformers sets both anew for every call, and saves whatever the last call had.
        root.Ignore("truncation");
        root.Ignore("padding");
        AddedToken[] addedTokens = [.. root.Components("added_tokens").Select(AddedToken.Read)];
        var normalizer = NormalizerReader.Read(root.Component("normalizer"));
        var preTokenization = PreTokenizerReader.Read(root.Component("pre_tokenizer"));
        var postProcessor = PostProcessor.Read(root.Component("post_processor"));
        var decoder = DecoderReader.Read(root.Component("decoder"));
        var modelComponent = root.Component("model");
        if (modelComponent is null)
            root.AddProblem("'model' is missing, expected an object");
        var definition = modelComponent is null ? null : BpeDefinition.Read(modelComponent);
        root.RejectUnread();

        var ids = IdsOf(definition, addedTokens, root);
        var config = new SpecialTokenConfig(
            root, Root(ConfigFile, configJson, problems), Root(SpecialTokensFile, specialTokensJson, problems), ids);
        var specialTokens = config.ReadIds();
        var rule = config.ReadRule(specialTokens, postProcessor);
        Throw(directory, problems);

        var tokensById = ids.ToDictionary(entry => entry.Value, entry => entry.Key);
        var model = new BpeModel(definition!, preTokenization, tokensById);
        var specialIds = addedTokens.Where(token => token.IsSpecial).Select(token => token.Id).ToHashSet();
        var decoding = new TokenDecoding(directory, tokensById, specialIds, decoder);
        Tokenizer Make(IEnumerable<AddedToken> tokens) =>
            new PipelineTokenizer(normalizer, [.. tokens], preTokenization.AddsPrefixSpace, model, decoding);
        return new HuggingFaceTokenizer(
            Make(addedTokens),
            Make(addedTokens.Where(token => !token.IsSpecial)),
            postProcessor,
            decoding,
            specialTokens,
            rule,
            tokensById.Keys.Max() + 1,
            [.. fileNames.Select(name => Path.Combine(directory, name)).Where(File.Exists)]);
    }

    private static JsonComponent? Root(string name, JsonDocument? document, List<string> problems) =>
        document is null ? null : new JsonComponent(name, "", document.RootElement, problems);

    /// <summary>The ids of the model's tokens and of the added ones.</summary>
    private static Dictionary<string, int> IdsOf(BpeDefinition? definition, IReadOnlyList<AddedToken> addedTokens, JsonComponent root)
    {
        var ids = new Dictionary<string, int>(definition?.Vocabulary ?? [], StringComparer.Ordinal);
        var tokens = new Dictionary<int, string>();
        foreach (var (token, id) in ids)
            tokens[id] = token;
        foreach (var token in addedTokens)
            if (ids.TryGetValue(token.Content, out var id) && id != token.Id)
                root.AddProblem($"the added token '{token.Content}' has the id {token.Id}, but elsewhere the id {id}");
            else if (tokens.TryGetValue(token.Id, out var content) && content != token.Content)
                root.AddProblem($"the added token '{token.Content}' has the id {token.Id} of the token '{content}'");
            else
                (ids[token.Content], tokens[token.Id]) = (token.Id, token.Content);
        return ids;
    }

    private static void Throw(string directory, List<string> problems)
    {
        if (problems.Count > 0)
            throw new TokenizerException(directory, problems);
    }
}
