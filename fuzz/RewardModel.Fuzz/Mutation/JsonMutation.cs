using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;
using RewardModel.Reading;

namespace RewardModel.Fuzz.Mutation;

/// <summary>Changes JSON, or lines of it, as values with names: replaces, removes, repeats, moves and nests them.</summary>
/// <param name="words">Names and texts that mean something to what reads it.</param>
internal sealed class JsonMutation(IReadOnlyList<string> words) : IMutation
{
    private const int MaxNesting = 80, DeepNesting = 3000, MaxNodes = 4000, MaxCopies = 300;

    private static readonly string[] texts =
    [
        "", " ", "\0", "\n", "é", "\U0001f600", "\ufffd", "a\u0301", "../x", "/", "-1", "0", "1e400", "true", "null", "{}", "%s", "\\", "\"", "a\r\nb",
        "(a+)+$", "[", "(", "\\", ".", "model.safetensors",
    ];

    private static readonly string[] numbers =
    [
        "0", "-0", "1", "-1", "2", "3", "0.5", "-0.5", "1e-320", "1e308", "1e400", "-1e400", "2147483647", "2147483648", "-2147483648",
        "4294967296", "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616",
        "1e9", "1000000", "100000000000000000000000000000000000000000", "1.0", "1E+2", "65535", "65536", "131072",
    ];

    private static readonly JsonSerializerOptions relaxed = new() { MaxDepth = DeepNesting + MaxNesting };

    /// <inheritdoc/>
    public byte[] Apply(byte[] input, byte[] other, FuzzRandom random)
    {
        var lines = Encoding.UTF8.GetString(input).Split('\n');
        if (Parsed(input) is { } whole)
            return Changed(whole, Parsed(other), random);
        // Lines of JSON: one of them.
        var at = random.Below(lines.Length);
        if (Parsed(Encoding.UTF8.GetBytes(lines[at])) is not { } line)
            return input;
        var otherLines = Encoding.UTF8.GetString(other).Split('\n');
        lines[at] = Encoding.UTF8.GetString(Changed(line, Parsed(Encoding.UTF8.GetBytes(random.Pick(otherLines))), random));
        if (random.OneIn(8))
            lines = [.. lines, random.Pick(random.OneIn(2) ? lines : otherLines)];
        return Encoding.UTF8.GetBytes(string.Join('\n', lines));
    }

    private byte[] Changed(JsonNode root, JsonNode? other, FuzzRandom random)
    {
        // Of a holder the root can be replaced like any other value.
        var holder = new JsonArray(root);
        for (var i = random.Few(most: 6); i > 0; i--)
            Change(holder, other, random);
        var text = TextOf(holder.Count == 0 ? null : holder[0]);
        return Encoding.UTF8.GetBytes(random.OneIn(12) ? WithRepeatedName(text, random) : random.OneIn(24) ? WithEscape(text, random) : text);
    }

    private static string TextOf(JsonNode? node)
    {
        try
        {
            return node?.ToJsonString(relaxed) ?? "null";
        }
        catch (InvalidOperationException)
        {
            // It is nested deeper than can be written.
            return "[]";
        }
    }

    private void Change(JsonArray holder, JsonNode? other, FuzzRandom random)
    {
        var places = PlacesOf(holder);
        if (places.Count == 0)
            return;
        var (parent, name, index) = random.Pick(places);
        var value = parent is JsonObject members ? members[name!] : parent[index];
        switch (random.Below(10))
        {
            case 0 or 1 or 2:
                Set(parent, name, index, NewValue(random, value));
                break;
            case 3:
                if (parent is JsonObject without)
                    without.Remove(name!);
                else if (parent != holder)
                    ((JsonArray)parent).RemoveAt(index);
                break;
            case 4:
                var source = random.Pick(places);
                Set(parent, name, index, (source.Parent is JsonObject from ? from[source.Name!] : source.Parent[source.Index])?.DeepClone());
                break;
            case 5 when other is not null:
                var parts = PlacesOf(new JsonArray(other.DeepClone()));
                var part = random.Pick(parts);
                Set(parent, name, index, (part.Parent is JsonObject found ? found[part.Name!] : part.Parent[part.Index])?.DeepClone());
                break;
            case 6 when value is JsonObject target:
                target[Name(random)] = random.OneIn(2) ? NewValue(random, value) : random.Pick(places).Parent.DeepClone();
                break;
            case 6 or 7 when value is JsonArray list:
                var copied = list.Count > 0 && random.OneIn(2) ? random.Pick<JsonNode?>([.. list]) : NewValue(random, value);
                var copies = copied is null or JsonValue && random.OneIn(32) ? MaxCopies : random.Few(most: 4);
                for (var i = 0; i < copies; i++)
                    list.Add(copied?.DeepClone());
                break;
            case 8 when random.OneIn(3):
                Set(parent, name, index, Nested(value, random));
                break;
            case 9 when parent is JsonObject renamed:
                renamed.Remove(name!);
                renamed[Name(random)] = value?.DeepClone();
                break;
            default:
                Set(parent, name, index, JsonNode.Parse(random.Pick(numbers)));
                break;
        }
    }

    private JsonNode? NewValue(FuzzRandom random, JsonNode? old) => random.Below(9) switch
    {
        0 => null,
        1 => random.OneIn(2),
        2 => new JsonObject(),
        3 => new JsonArray(),
        4 => random.Pick(texts),
        5 or 6 when words.Count > 0 => random.Pick(words),
        7 when old is JsonValue => $"{old}{random.Pick(texts)}",
        _ => JsonNode.Parse(random.Pick(numbers)),
    };

    private string Name(FuzzRandom random) => words.Count > 0 && !random.OneIn(8) ? random.Pick(words) : random.Pick(texts);

    private static JsonNode? Nested(JsonNode? value, FuzzRandom random)
    {
        var result = value?.DeepClone();
        for (var depth = 1 + random.Below(random.OneIn(16) ? DeepNesting : random.OneIn(2) ? MaxNesting : 2); depth > 0; depth--)
            result = depth % 7 == 3 ? new JsonObject { ["a"] = result } : new JsonArray(result);
        return result;
    }

    private string WithRepeatedName(string text, FuzzRandom random)
    {
        var starts = Enumerable.Range(0, text.Length).Where(i => text[i] == '{').ToArray();
        if (starts.Length == 0)
            return text;
        var start = random.Pick(starts) + 1;
        var end = text.IndexOf('"', Math.Min(start + 1, text.Length));
        var name = text.AsSpan(start).StartsWith("\"") && end > start ? text[start..(end + 1)] : JsonSerializer.Serialize(Name(random));
        return $"{text[..start]}{name}:{random.Pick(numbers)}{(text.AsSpan(start).StartsWith("}") ? "" : ",")}{text[start..]}";
    }

    private static string WithEscape(string text, FuzzRandom random)
    {
        var quotes = Enumerable.Range(0, text.Length).Where(i => text[i] == '"').ToArray();
        return quotes.Length == 0 ? text : text.Insert(random.Pick(quotes) + 1, random.OneIn(2) ? @"\ud800" : @"\u0000");
    }

    private static void Set(JsonNode parent, string? name, int index, JsonNode? value)
    {
        if (parent is JsonObject members)
            members[name!] = value;
        else
            parent[index] = value;
    }

    /// <summary>Where values stand in others.</summary>
    private static List<(JsonNode Parent, string? Name, int Index)> PlacesOf(JsonArray holder)
    {
        var places = new List<(JsonNode, string?, int)>();
        var rest = new Stack<JsonNode>([holder]);
        while (rest.TryPop(out var node) && places.Count < MaxNodes)
            if (node is JsonArray items)
                for (var i = 0; i < items.Count; i++)
                    Add(node, null, i, items[i]);
            else if (node is JsonObject members)
                foreach (var (name, value) in members)
                    Add(node, name, 0, value);
        return places;

        void Add(JsonNode parent, string? name, int index, JsonNode? value)
        {
            places.Add((parent, name, index));
            if (value is JsonArray or JsonObject)
                rest.Push(value);
        }
    }

    /// <summary>Null for what is no JSON, or is null, or has a name twice, which nodes can't hold.</summary>
    private static JsonNode? Parsed(byte[] utf8)
    {
        try
        {
            // Texts are looked at when they are asked for; none has half of a character.
            return !Utf8.IsValid(utf8) || LoneSurrogates.Replace([.. utf8]) > 0 ? null
                : JsonNode.Parse(utf8, null, new JsonDocumentOptions { MaxDepth = DeepNesting, AllowDuplicateProperties = false });
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
