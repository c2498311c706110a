using System.Text.Json;
using System.Text.Json.Nodes;

namespace RewardModel.Layouts;

/// <summary>
/// In a table all objects of a column have the same members: those that one doesn't have are null. A chat template would see them, so they are
/// taken away.
/// </summary>
internal static class NullMembers
{
    /// <summary>The content of a message that only calls a tool is null in JSON as well.</summary>
    private const string content = "content";

    /// <summary>A row of a table without the members that are null within its objects; those of the row itself stay.</summary>
    public static JsonElement Without(JsonElement row)
    {
        if (!row.EnumerateObject().Any(field => HasNull(field.Value)))
            return row;
        var node = JsonObject.Create(row)!;
        foreach (var (_, value) in node)
            Remove(value);
        return JsonSerializer.SerializeToElement(node);
    }

    private static bool HasNull(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().Any(field => field.Value.ValueKind == JsonValueKind.Null || HasNull(field.Value)),
        JsonValueKind.Array => value.EnumerateArray().Any(HasNull),
        _ => false,
    };

    private static void Remove(JsonNode? node)
    {
        if (node is JsonArray array)
        {
            foreach (var item in array)
                Remove(item);
        }
        else if (node is JsonObject members)
        {
            foreach (var name in members.Where(member => member.Value is null && member.Key != content).Select(member => member.Key).ToArray())
                members.Remove(name);
            foreach (var (_, value) in members)
                Remove(value);
        }
    }
}
