using Microsoft.ML.Tokenizers;
using RewardModel.Jinja;
using RewardModel.Tokenizers.Decoders;
using RewardModel.Tokenizers.Models;
using RewardModel.Tokenizers.Normalizers;
using RewardModel.Tokenizers.PreTokenizers;

namespace RewardModel.Tokenizers.Pipeline;

/// <summary>What a tokenizer.json says.</summary>
/// <param name="AddedTokens">The tokens that are found in the text itself.</param>
/// <param name="Normalizer">What rewrites the text between them; null for nothing.</param>
/// <param name="PreTokenization">What cuts it into words.</param>
/// <param name="Model">What encodes the words; null only where it is among the problems.</param>
/// <param name="PostProcessor">What puts special tokens around the text.</param>
/// <param name="Decoder">What turns tokens into text.</param>
/// <param name="Ids">The id of every token, of the model and added.</param>
internal sealed record TokenizerDefinition(
    IReadOnlyList<AddedToken> AddedTokens,
    Normalizer? Normalizer,
    PreTokenization PreTokenization,
    ModelDefinition? Model,
    PostProcessor PostProcessor,
    ITokenDecoder Decoder,
    IReadOnlyDictionary<string, int> Ids)
{
    /// <summary>The largest vocabularies of published models have a million tokens.</summary>
    private const int MaxId = (1 << 24) - 1;

    /// <summary>Reads the file; what can't be used is among the problems.</summary>
    public static TokenizerDefinition Read(JsonComponent root)
    {
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
        var model = modelComponent is null ? null : ModelReader.Read(modelComponent);
        if (modelComponent is null)
            root.AddProblem("'model' is missing, expected an object");
        root.RejectUnread();

        var ids = IdsOf(model, addedTokens, root);
        var known = ids.Values.ToHashSet();
        foreach (var id in postProcessor.Ids.Distinct().Where(id => !known.Contains(id)))
            root.AddProblem($"post_processor: the id {id} is not in the vocabulary");
        return new TokenizerDefinition(addedTokens, normalizer, preTokenization, model, postProcessor, decoder, ids);
    }

    private static Dictionary<string, int> IdsOf(ModelDefinition? model, IReadOnlyList<AddedToken> addedTokens, JsonComponent root)
    {
        var ids = new Dictionary<string, int>(model?.Vocabulary ?? [], StringComparer.Ordinal);
        var tokens = new Dictionary<int, string>();
        foreach (var (token, id) in ids)
            tokens[id] = token;
        foreach (var token in addedTokens)
            if (ids.TryGetValue(token.Content, out var id) && id != token.Id)
                root.AddProblem($"the added token '{Excerpt.Of(token.Content)}' has the id {token.Id}, but elsewhere the id {id}");
            else if (tokens.TryGetValue(token.Id, out var content) && content != token.Content)
                root.AddProblem(
                    $"the added token '{Excerpt.Of(token.Content)}' has the id {token.Id} of the token '{Excerpt.Of(content)}'");
            else
                (ids[token.Content], tokens[token.Id]) = (token.Id, token.Content);
        var tooHigh = ids.Where(entry => entry.Value > MaxId).Select(entry => $"{entry.Value} of '{entry.Key}'");
        root.AddProblemOfSome($"{{0}} ids are above {MaxId}, which no embedding has rows for: {{1}}", [.. tooHigh]);
        return ids;
    }
}
