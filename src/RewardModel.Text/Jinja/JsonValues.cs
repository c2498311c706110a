using System.Text.Json;

namespace RewardModel.Jinja;

/// <summary>JSON as values of a template. Strings are users' text, but for a message's role.</summary>
internal static class JsonValues
{
    /// <param name="json">The value.</param>
    /// <param name="isMessage">Whether it is a message, whose role chooses between parts of the template.</param>
    public static object? Of(JsonElement json, bool isMessage = false)
    {
        RenderBudget.CheckStack();
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                var dict = new DictValue();
                foreach (var member in json.EnumerateObject())
                    dict[new TextValue(member.Name, TextOrigin.User)] = isMessage && member.Name == "role" && IsWord(member.Value)
                        ? new TextValue(member.Value.GetString()!, TextOrigin.Template)
                        : Of(member.Value);
                return dict;
            case JsonValueKind.Array:
                return new SequenceValue([.. json.EnumerateArray().Select(item => Of(item))]);
            case JsonValueKind.String:
                return new TextValue(json.GetString()!, TextOrigin.User);
            case JsonValueKind.Number:
                return json.TryGetInt64(out var number) && !json.GetRawText().AsSpan().ContainsAny('.', 'e', 'E')
                    ? (object)number
                    : json.GetDouble();
            case JsonValueKind.True or JsonValueKind.False:
                return json.GetBoolean();
            default:
                return null;
        }
    }

    /// <summary>A name such as <c>user</c>, which templates put into special tokens: &lt;|user|&gt;. It can't hold one itself.</summary>
    private static bool IsWord(JsonElement role) => role.ValueKind == JsonValueKind.String
        && role.GetString()!.All(character => char.IsAsciiLetterOrDigit(character) || character is '_' or '-');
}
