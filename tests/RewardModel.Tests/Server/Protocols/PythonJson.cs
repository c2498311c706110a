using System.Text;
using System.Text.Json.Nodes;

namespace RewardModel.Tests.Server.Protocols;

/// <summary>JSON as Python's <c>json.dumps</c> writes it, and so <c>requests</c> and <c>aiohttp</c>: ASCII, a space behind commas and colons.</summary>
internal static class PythonJson
{
    public static byte[] Dumps(JsonNode? value)
    {
        var text = new StringBuilder();
        Write(value, text);
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private static void Write(JsonNode? value, StringBuilder text)
    {
        switch (value)
        {
            case JsonObject members:
                text.Append('{');
                foreach (var (i, (name, member)) in members.Index())
                {
                    text.Append(i == 0 ? "" : ", ");
                    WriteText(name, text);
                    text.Append(": ");
                    Write(member, text);
                }
                text.Append('}');
                break;
            case JsonArray items:
                text.Append('[');
                foreach (var (i, item) in items.Index())
                {
                    text.Append(i == 0 ? "" : ", ");
                    Write(item, text);
                }
                text.Append(']');
                break;
            case JsonValue when value.GetValueKind() == System.Text.Json.JsonValueKind.String:
                WriteText(value.GetValue<string>(), text);
                break;
            default:
                text.Append(value?.ToJsonString() ?? "null");
                break;
        }
    }

    private static void WriteText(string value, StringBuilder text)
    {
        text.Append('"');
        foreach (var character in value)
            text.Append(character switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                < ' ' or > '~' => $"\\u{(int)character:x4}",
                _ => character.ToString(),
            });
        text.Append('"');
    }
}
