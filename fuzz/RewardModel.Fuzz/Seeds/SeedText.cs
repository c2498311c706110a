using System.Text;
using System.Text.Json.Nodes;

namespace RewardModel.Fuzz.Seeds;

/// <summary>Seeds as bytes, and the words that are in them.</summary>
internal static class SeedText
{
    /// <summary>Texts in UTF-8.</summary>
    public static byte[][] Of(params IEnumerable<string> texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];

    /// <summary>All names and texts in JSON, or in lines of it.</summary>
    public static string[] WordsOf(params IEnumerable<string> jsons)
    {
        var words = new HashSet<string>();
        foreach (var json in jsons)
            Add(JsonNode.Parse(json), words);
        return [.. words.Order(StringComparer.Ordinal)];
    }

    private static void Add(JsonNode? node, HashSet<string> words)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, value) in members)
                {
                    words.Add(name);
                    Add(value, words);
                }
                break;
            case JsonArray items:
                foreach (var item in items)
                    Add(item, words);
                break;
            case JsonValue value when value.TryGetValue<string>(out var text):
                words.Add(text);
                break;
        }
    }
}
