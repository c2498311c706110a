using System.Text.Json;

namespace RewardModel.Lists;

/// <summary>
/// JSON can name half of a character by an escape, as <c>\ud83d</c>: parsers pass over it, and fail only when the text is asked for.
/// </summary>
internal static class WholeCharacters
{
    /// <summary>Where the first text begins that has half of a character; null where none has.</summary>
    /// <param name="utf8">JSON.</param>
    /// <exception cref="JsonException">It is none.</exception>
    public static long? FirstWithout(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IndexOf("\\ud"u8) < 0 && utf8.IndexOf("\\uD"u8) < 0)
            return null;
        // Deeper than whoever has parsed it may have allowed.
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = int.MaxValue });
        while (reader.Read())
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                try
                {
                    reader.GetString();
                }
                catch (InvalidOperationException)
                {
                    return reader.TokenStartIndex;
                }
        return null;
    }
}
