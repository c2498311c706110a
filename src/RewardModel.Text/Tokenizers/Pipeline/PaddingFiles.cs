using System.Text.Json;
using RewardModel.Files;

namespace RewardModel.Tokenizers.Pipeline;

/// <summary>
/// A tokenizer's files with the padding token of an exported model. transformers takes the token from tokenizer_config.json; from
/// special_tokens_map.json in older versions; what tokenizer.json says about padding is what others use.
/// </summary>
internal static class PaddingFiles
{
    private const string Token = "pad_token";

    /// <summary>The files that have to change, by their names: tokenizer_config.json also where there is none yet.</summary>
    /// <param name="files">The paths of the tokenizer's files.</param>
    /// <param name="id">The token's id.</param>
    /// <param name="content">The token: one that the vocabulary has.</param>
    public static IReadOnlyDictionary<string, byte[]> Changed(IReadOnlyList<string> files, int id, string content)
    {
        var byName = files.ToDictionary(path => Path.GetFileName(path));
        var changed = new Dictionary<string, byte[]>();
        foreach (var name in new[] { TokenizerDirectory.ConfigFile, TokenizerDirectory.SpecialTokensFile })
        {
            var path = byName.GetValueOrDefault(name);
            if (path is null && name != TokenizerDirectory.ConfigFile)
                continue;
            var utf8 = path is null ? "{}\n"u8.ToArray() : InputFile.ReadBytes(path, FileKind.Tokenizer);
            if (ContentOf(utf8) != content)
                changed[name] = JsonEdit.Set(utf8, Token, content);
        }
        if (byName.TryGetValue(TokenizerDirectory.TokenizerFile, out var tokenizerPath))
        {
            var utf8 = InputFile.ReadBytes(tokenizerPath, FileKind.Tokenizer);
            var edited = JsonEdit.Set(JsonEdit.Set(utf8, "padding", "pad_id", id), "padding", Token, content);
            if (!edited.AsSpan().SequenceEqual(utf8))
                changed[TokenizerDirectory.TokenizerFile] = edited;
        }
        return changed;
    }

    private static string? ContentOf(byte[] utf8)
    {
        using var json = JsonDocument.Parse(utf8);
        if (!json.RootElement.TryGetProperty(Token, out var token))
            return null;
        if (token.ValueKind == JsonValueKind.Object && token.TryGetProperty("content", out var content))
            token = content;
        return token.ValueKind == JsonValueKind.String ? token.GetString() : null;
    }
}
