using System.Text.Json;
using RewardModel.Jinja;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.Models;

/// <summary>Reads the "model" of a tokenizer.json.</summary>
internal static class ModelReader
{
    /// <summary>The longest tokens of published models have some 50 characters.</summary>
    private const int MaxTokenLength = 256;

    /// <summary>The model; null where there is none of a type that can be used. What is wrong is among the problems.</summary>
    public static ModelDefinition? Read(JsonComponent component)
    {
        ModelDefinition? definition;
        // Files written before there were several types don't name it.
        switch (component.OptionalText("type") ?? GuessType(component))
        {
            case "BPE":
                definition = BpeDefinition.Read(component);
                break;
            case "Unigram":
                definition = UnigramDefinition.Read(component);
                break;
            case "WordLevel":
                definition = WordLevelDefinition.Read(component);
                break;
            case "WordPiece":
                definition = WordPieceDefinition.Read(component);
                break;
            case var type:
                component.RejectType(type, "BPE", "Unigram", "WordLevel", "WordPiece");
                return null;
        }
        component.RejectUnread();
        return definition;
    }

    /// <summary>The tokens and ids of an object; what is wrong is among the problems.</summary>
    public static Dictionary<string, int> ReadVocabulary(JsonComponent component)
    {
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        if (component.Member("vocab") is not { ValueKind: JsonValueKind.Object } members || !members.EnumerateObject().Any())
        {
            component.AddProblem("'vocab' is not an object of tokens and ids with at least one token");
            return vocabulary;
        }
        var wrong = new List<string>();
        foreach (var member in members.EnumerateObject())
            if (member.Value.ValueKind == JsonValueKind.Number && member.Value.TryGetInt32(out var id) && id >= 0)
                vocabulary[member.Name] = id;
            else
                wrong.Add($"'{member.Name}'");
        component.AddProblemOfSome("the ids of {0} tokens are not integers from 0 on: {1}", wrong);

        var shared = vocabulary.GroupBy(entry => entry.Value).Where(group => group.Skip(1).Any());
        component.AddProblemOfSome("{0} ids belong to several tokens: {1}", [.. shared.Select(group => $"{group.Key}")]);
        return vocabulary;
    }

    /// <summary>
    /// Checks the lengths of tokens that are looked for at every place of a word: the time grows with the longest one's.
    /// </summary>
    public static void CheckLengths(JsonComponent component, IEnumerable<string> tokens)
    {
        var tooLong = tokens.Where(token => token.Length > MaxTokenLength).Select(token => $"'{token}'");
        component.AddProblemOfSome($"{{0}} tokens of 'vocab' have more than {MaxTokenLength} characters: {{1}}", [.. tooLong]);
    }

    /// <summary>The token for what the vocabulary lacks, which it must have.</summary>
    public static string ReadUnknownToken(JsonComponent component, Dictionary<string, int> vocabulary)
    {
        var token = component.Text("unk_token");
        if (component.Member("unk_token") is not null && !vocabulary.ContainsKey(token))
            component.AddProblem($"'unk_token' is '{Excerpt.Of(token)}', which 'vocab' lacks");
        return token;
    }

    private static string GuessType(JsonComponent component)
    {
        if (component.Has("merges"))
            return "BPE";
        if (component.Has("max_input_chars_per_word"))
            return "WordPiece";
        return component.Has("unk_id") ? "Unigram" : "";
    }
}
