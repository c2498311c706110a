using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RewardModel.Files;
using RewardModel.Lists;

namespace RewardModel.Server.Protocols;

/// <summary>
/// The members of one object of a request, read by type. What is wrong is collected, and a stand-in is returned, so that all problems of a
/// request are found at once. A member whose value is null counts as absent.
/// </summary>
internal sealed class RequestMembers
{
    private readonly Dictionary<string, JsonElement> members = [];
    private readonly HashSet<string> known = [];
    private readonly RequestProblems problems;
    private readonly int mostItems;
    // What stands before the names of its members: inputs[3].
    private readonly string path;

    /// <param name="root">The request.</param>
    /// <param name="mostItems">Most items of a member that is an array, but for token ids.</param>
    public RequestMembers(JsonElement root, int mostItems)
        : this(root, "", new RequestProblems(), mostItems)
    {
    }

    private RequestMembers(JsonElement element, string path, RequestProblems problems, int mostItems)
    {
        (this.path, this.problems, this.mostItems) = (path, problems, mostItems);
        foreach (var property in element.EnumerateObject())
            if (property.Value.ValueKind != JsonValueKind.Null)
                members.Add(property.Name, property.Value);
    }

    /// <summary>What a value is, in words: <c>an array</c>.</summary>
    public static string NameOf(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a boolean",
    };

    /// <summary>Ends the request when anything was wrong.</summary>
    /// <exception cref="RequestException">400: all problems.</exception>
    public void ThrowIfWrong()
    {
        if (problems.Text is { } text)
            throw new RequestException(StatusCodes.Status400BadRequest, "invalid_request", text);
    }

    /// <summary>Whether a member is there and not null.</summary>
    public bool Has(string name)
    {
        known.Add(name);
        return members.ContainsKey(name);
    }

    /// <summary>A member that is there.</summary>
    public JsonElement this[string name] => members[name];

    /// <summary>A member's path from the root on.</summary>
    public string PathOf(string name) => path.Length == 0 ? name : $"{path}.{name}";

    /// <summary>Adds a problem of a member or of one of its items.</summary>
    public void Reject(string place, string problem) => problems.Add(() => $"{place} {problem}");

    /// <summary>The members that nothing has asked for are wrong, with the nearest name that is known.</summary>
    public void RejectUnknown()
    {
        foreach (var name in members.Keys.Where(name => !known.Contains(name)))
            problems.Add(() => $"{PathOf(Quoted.Text(name))} is no member of this request; "
                + (Nearest(name) is { } nearest
                    ? $"did you mean {nearest}?"
                    : $"expected {string.Join(", ", known.Order(StringComparer.Ordinal))}"));
    }

    /// <summary>The known name that is like another one; null where none is.</summary>
    private string? Nearest(string name)
    {
        // The time that it takes grows with the name, which is the client's.
        const int mostCompared = 64;
        if (name.Length > mostCompared)
            return null;
        var nearest = known.Select(other => (Name: other, Distance: EditDistance(name, other))).MinBy(other => other.Distance);
        return nearest.Distance <= Math.Max(2, name.Length / 3) ? nearest.Name : null;
    }

    /// <summary>A text; null where it is absent.</summary>
    public string? Text(string name) => Has(name) ? TextOf(this[name], PathOf(name)) : null;

    /// <summary>True or false; null where it is absent.</summary>
    public bool? Flag(string name)
    {
        if (!Has(name))
            return null;
        var value = this[name];
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return value.GetBoolean();
        Reject(PathOf(name), $"is {NameOf(value.ValueKind)}; expected true or false");
        return null;
    }

    /// <summary>A whole number; null where it is absent.</summary>
    public int? Count(string name, int least = 1)
    {
        if (!Has(name))
            return null;
        var value = this[name];
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var count) && count >= least)
            return count;
        Reject(PathOf(name), $"is {Shown(value)}; expected a whole number of at least {least}");
        return null;
    }

    /// <summary>The items of a member that is an array, which has to be there.</summary>
    /// <param name="name">The member.</param>
    /// <param name="expected">What the items are: <c>strings</c>.</param>
    /// <param name="read">An item and its path to what it is.</param>
    /// <param name="least">How many there have to be: 0 or 1.</param>
    /// <exception cref="RequestException">413: there are more than a request may have, so that they are not even read.</exception>
    public TItem[] Items<TItem>(string name, string expected, Func<JsonElement, string, TItem> read, int least = 1)
    {
        if (Has(name) && this[name] is { ValueKind: JsonValueKind.Array } array && array.GetArrayLength() > mostItems)
            throw new RequestException(
                StatusCodes.Status413PayloadTooLarge, "too_many_rows",
                $"{PathOf(name)} has {array.GetArrayLength()} items; expected at most {mostItems}. Divide it into several requests.");
        if (Has(name))
            return ItemsOf(this[name], PathOf(name), expected, read, least);
        Reject(PathOf(name), $"is missing; expected an array of {expected}");
        return [];
    }

    public TItem[] ItemsOf<TItem>(JsonElement value, string place, string expected, Func<JsonElement, string, TItem> read, int least = 1)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            Reject(place, $"is {NameOf(value.ValueKind)}; expected an array of {expected}");
            return [];
        }
        if (value.GetArrayLength() < least)
            Reject(place, $"is empty; expected an array of {expected}, at least one");
        return [.. value.EnumerateArray().Select((item, i) => read(item, $"{place}[{i}]"))];
    }

    /// <summary>A text; what it is that has to be one is named by its place.</summary>
    public string TextOf(JsonElement value, string place)
    {
        if (value.ValueKind == JsonValueKind.String)
            return value.GetString()!;
        Reject(place, $"is {NameOf(value.ValueKind)}; expected a string");
        return "";
    }

    /// <summary>Token ids, at least <paramref name="least"/>.</summary>
    public int[] IdsOf(JsonElement value, string place, int least = 1) => ItemsOf(value, place, "token ids", IdOf, least);

    /// <summary>The members of an object.</summary>
    public RequestMembers? ObjectOf(JsonElement value, string place)
    {
        if (value.ValueKind == JsonValueKind.Object)
            return new RequestMembers(value, place, problems, mostItems);
        Reject(place, $"is {NameOf(value.ValueKind)}; expected an object");
        return null;
    }

    /// <summary>A message of a conversation.</summary>
    public ChatMessage MessageOf(JsonElement value, string place)
    {
        if (value.ValueKind != JsonValueKind.Object)
            Reject(place, $"is {NameOf(value.ValueKind)}; expected a message such as {{\"role\": \"user\", \"content\": \"...\"}}");
        else if (!value.TryGetProperty("role", out var role))
            Reject($"{place}.role", "is missing; expected who speaks, such as \"user\"");
        else if (role.ValueKind != JsonValueKind.String || role.ValueEquals(""))
            Reject($"{place}.role", $"is {Shown(role)}; expected who speaks, such as \"user\"");
        else if (!value.TryGetProperty("content", out _) && !value.TryGetProperty("tool_calls", out _))
            Reject($"{place}.content", "is missing; expected what is said");
        else
            return ChatMessage.FromJson(value);
        return new ChatMessage("user", "");
    }

    private int IdOf(JsonElement value, string place)
    {
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var id) && id >= 0)
            return id;
        Reject(place, $"is {Shown(value)}; expected a token id, a whole number of at least 0");
        return 0;
    }

    /// <summary>A number is shown, anything else is named.</summary>
    private static string Shown(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number ? Quoted.Text(value.GetRawText())
        : value.ValueKind == JsonValueKind.String && value.ValueEquals("") ? "empty"
        : NameOf(value.ValueKind);

    /// <summary>Levenshtein's: how many signs have to be put in, taken out or replaced.</summary>
    private static int EditDistance(string first, string second)
    {
        var row = Enumerable.Range(0, second.Length + 1).ToArray();
        for (var i = 1; i <= first.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= second.Length; j++)
                (diagonal, row[j]) = (
                    row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (first[i - 1] == second[j - 1] ? 0 : 1)));
        }
        return row[^1];
    }
}
