using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RewardModel.Tokenizers.Pipeline;

/// <summary>Changes single members of a JSON file, in UTF-8; every other byte stays as it was.</summary>
internal static class JsonEdit
{
    private static readonly JsonSerializerOptions plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Sets a member of an object; one that is not there comes first, with the white space that is before the first one now.</summary>
    public static byte[] Set(byte[] utf8, string name, JsonNode value)
    {
        byte[] text = [.. JsonSerializer.SerializeToUtf8Bytes(value, plain)];
        if (Find(utf8, name) is { } range)
            return Replaced(utf8, range, text);
        var json = new Utf8JsonReader(utf8);
        json.Read();
        var start = (int)json.BytesConsumed;
        json.Read();
        var isEmpty = json.TokenType == JsonTokenType.EndObject;
        byte[] member = [.. JsonSerializer.SerializeToUtf8Bytes(name, plain), .. ": "u8, .. text];
        return Replaced(
            utf8, start..start, isEmpty ? member : [.. utf8[start..(int)json.TokenStartIndex], .. member, (byte)',']);
    }

    /// <summary>Sets a member of an object within the object; nothing changes where that is missing or something else.</summary>
    public static byte[] Set(byte[] utf8, string section, string name, JsonNode value) =>
        Find(utf8, section) is { } range && utf8[range.Start] == (byte)'{' ? Replaced(utf8, range, Set(utf8[range], name, value)) : utf8;

    /// <summary>Where a member's value stands: of several with the name the last, which is the one that is read.</summary>
    private static Range? Find(byte[] utf8, string name)
    {
        Range? found = null;
        var json = new Utf8JsonReader(utf8);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isWanted = json.ValueTextEquals(name);
            json.Read();
            var start = (int)json.TokenStartIndex;
            json.Skip();
            if (isWanted)
                found = start..(int)json.BytesConsumed;
        }
        return found;
    }

    private static byte[] Replaced(byte[] utf8, Range range, byte[] by) => [.. utf8[..range.Start], .. by, .. utf8[range.End..]];
}
