using System.Text.Json;
using System.Text.RegularExpressions;
using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>
/// The fields of one row, or of an object in it, read by type. What is wrong is collected in <see cref="Problems"/>, and a stand-in is
/// returned, so that all problems of a row are found at once. A field whose value is null counts as absent.
/// </summary>
internal sealed partial class RowFields
{
    private readonly Dictionary<string, JsonElement> fields = [];
    private readonly HashSet<string> nullKeys = [];
    private readonly HashSet<string> usedKeys = [];
    private readonly List<string> problems;
    // What the names of an inner object's fields start with.
    private readonly string path;

    /// <param name="root">The row: an object.</param>
    /// <param name="source">Where it was read from.</param>
    /// <param name="scoreFrom">How scores are computed from numbers; null where they are read.</param>
    public RowFields(JsonElement root, SourceLine source = default, ScoreExpression? scoreFrom = null)
        : this(root, source, scoreFrom, [], "")
    {
    }

    private RowFields(JsonElement root, SourceLine source, ScoreExpression? scoreFrom, List<string> problems, string path)
    {
        (Source, ScoreFrom, this.problems, this.path) = (source, scoreFrom, problems, path);
        foreach (var property in root.EnumerateObject())
            if (property.Value.ValueKind == JsonValueKind.Null)
                nullKeys.Add(property.Name);
            else if (!fields.TryAdd(property.Name, property.Value))
                problems.Add($"{Quoted(property.Name)} is given twice");
    }

    /// <summary>Where the row was read from.</summary>
    public SourceLine Source { get; }

    /// <summary>How scores are computed from numbers of the row; null where they are read.</summary>
    public ScoreExpression? ScoreFrom { get; }

    /// <summary>Whether answers are to be scored only.</summary>
    public bool IsToScore { get; init; }

    /// <summary>Whether the row may also be one text or one conversation.</summary>
    public bool MayBeWhole { get; init; }

    /// <summary>The names of the fields that are not null.</summary>
    public IReadOnlyCollection<string> Keys => fields.Keys;

    public IReadOnlyList<string> Problems => problems;

    public IReadOnlyList<string> UnusedKeys => [.. fields.Keys.Except(usedKeys)];

    /// <summary>What a value is, in words: <c>an array</c>.</summary>
    public static string NameOf(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a boolean",
    };

    /// <summary>Adds a problem that the caller found.</summary>
    public void Reject(string problem) => problems.Add(problem);

    public bool Has(string key) => fields.ContainsKey(key);

    /// <summary>The only one of several keys that is there, or else the first.</summary>
    public string OnlyOf(string[] keys)
    {
        string[] given = [.. keys.Where(Has)];
        if (given.Length > 1)
            problems.Add($"{string.Join(" and ", given.Select(Quoted))} are given, expected one of them");
        return given.FirstOrDefault(keys[0]);
    }

    /// <summary>What kind of value a field has; undefined where it is absent.</summary>
    public JsonValueKind KindOf(string key) => fields.TryGetValue(key, out var element) ? element.ValueKind : JsonValueKind.Undefined;

    /// <summary>Whether a field is an array of objects, the first of which has all of these keys.</summary>
    public bool IsArrayOf(string key, params ReadOnlySpan<string> itemKeys)
    {
        if (KindOf(key) != JsonValueKind.Array || fields[key].GetArrayLength() == 0
            || fields[key][0] is not { ValueKind: JsonValueKind.Object } first)
            return false;
        foreach (var itemKey in itemKeys)
            if (!first.TryGetProperty(itemKey, out _))
                return false;
        return true;
    }

    /// <summary>Whether a field is an object that has all of these keys.</summary>
    public bool IsObjectWith(string key, params ReadOnlySpan<string> itemKeys)
    {
        if (KindOf(key) != JsonValueKind.Object)
            return false;
        foreach (var itemKey in itemKeys)
            if (!fields[key].TryGetProperty(itemKey, out _))
                return false;
        return true;
    }

    /// <summary>An object of the row.</summary>
    public RowFields Object(string key)
    {
        var element = Field(key);
        return ObjectOf(element ?? emptyObject, Quoted(key));
    }

    /// <summary>An array of objects, at least one.</summary>
    public RowFields[] Objects(string key) => Items(key, "objects", ObjectOf);

    /// <summary>Adds a problem of one field: <c>"key" ...</c>.</summary>
    public void Reject(string key, string problem)
    {
        usedKeys.Add(key);
        problems.Add($"{Quoted(key)} {problem}");
    }

    /// <summary>Whether a key is there, be its value null.</summary>
    public bool IsNamed(string key) => Has(key) || nullKeys.Contains(key);

    /// <summary>Whether a field is an array that starts with a string.</summary>
    public bool IsArrayOfTexts(string key) =>
        IsArray(key) && fields[key].GetArrayLength() > 0 && fields[key][0].ValueKind == JsonValueKind.String;

    /// <summary>Whether a field is there and no empty array.</summary>
    public bool HasItems(string key) => Has(key) && !(IsArray(key) && fields[key].GetArrayLength() == 0);

    /// <summary>Whether a field is a string that starts with a text.</summary>
    public bool StartsWith(string key, string start) =>
        KindOf(key) == JsonValueKind.String && fields[key].GetString()!.StartsWith(start, StringComparison.Ordinal);

    /// <summary>What a value is as text: of a string itself, of a number or a boolean its JSON; null where it is absent or something else.</summary>
    public string? Label(string key)
    {
        usedKeys.Add(key);
        return KindOf(key) switch
        {
            JsonValueKind.String => fields[key].GetString(),
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => fields[key].GetRawText(),
            _ => null,
        };
    }

    /// <summary>Whether a field is a string that has a text in it.</summary>
    public bool Contains(string key, string part) =>
        KindOf(key) == JsonValueKind.String && fields[key].GetString()!.Contains(part, StringComparison.Ordinal);

    public string Text(string key) => Field(key) is { } element ? TextOf(element, Quoted(key)) : "";

    public string[] Texts(string key) => Items(key, "strings", TextOf);

    /// <summary>A text that is not empty.</summary>
    public string NonEmptyText(string key) => Field(key) is { } element ? NonEmptyTextOf(element, Quoted(key)) : "";

    /// <summary>Texts, none of them empty.</summary>
    public string[] NonEmptyTexts(string key) => Items(key, "strings", NonEmptyTextOf);

    /// <summary>A text that says something.</summary>
    public string AnswerText(string key) => Field(key) is { } element ? AnswerTextOf(element, Quoted(key)) : "";

    /// <summary>Texts that say something.</summary>
    public string[] AnswerTexts(string key) => Items(key, "strings", AnswerTextOf);

    /// <summary>Texts, given as an array or, in tables, as the JSON of one.</summary>
    public string[] TextsOfJson(string key)
    {
        if (KindOf(key) != JsonValueKind.String)
            return Texts(key);
        usedKeys.Add(key);
        if (Json(key) is not { } json)
            return [];
        var texts = ItemsOf(json, Quoted(key), "strings", TextOf);
        if (texts is [] && json.ValueKind == JsonValueKind.Array)
            problems.Add($"{Quoted(key)} is empty, expected at least one item");
        return texts;
    }

    public int[] TokenIds(string key) => Field(key) is { } element ? TokenIdsOf(element, Quoted(key)) : [];

    public int[][] AnswerIds(string key) => Items(key, "arrays of token ids", NonEmptyTokenIdsOf);

    /// <summary>Whether a field is there and an array, as messages are.</summary>
    public bool IsArray(string key) => fields.TryGetValue(key, out var element) && element.ValueKind == JsonValueKind.Array;

    /// <summary>Whether both fields are there and strings.</summary>
    public bool AreTexts(string first, string second) =>
        new[] { first, second }.All(key => fields.TryGetValue(key, out var element) && element.ValueKind == JsonValueKind.String);

    /// <summary>Fields whose values are known by other names, or are of no account.</summary>
    public void Ignore(params IEnumerable<string> keys) => usedKeys.UnionWith(keys);

    private static readonly JsonElement emptyObject = JsonSerializer.SerializeToElement(new object());

    private string Quoted(string key) => $"{path}\"{key}\"";

    private RowFields ObjectOf(JsonElement element, string name)
    {
        if (element.ValueKind == JsonValueKind.Object)
            return new RowFields(element, Source, ScoreFrom, problems, $"{name}.");
        problems.Add($"{name} is {NameOf(element)}, expected an object");
        return new RowFields(emptyObject, Source, ScoreFrom, problems, $"{name}.");
    }

    /// <summary>The JSON that a string holds; null where it holds something else, which is a problem.</summary>
    private JsonElement? Json(string key)
    {
        try
        {
            // Half a surrogate pair is no text.
            var text = Escape().Replace(Text(key), match => match.Groups["alone"].Success ? @"\uFFFD" : match.Value);
            using var document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            problems.Add($"{Quoted(key)} is a string that is no JSON, expected an array, or the JSON of one");
            return null;
        }
    }

    private string NonEmptyTextOf(JsonElement element, string name)
    {
        var problemCount = problems.Count;
        var text = TextOf(element, name);
        if (problems.Count == problemCount && text.Length == 0)
            problems.Add($"{name} is empty, expected a text");
        return text;
    }

    private string AnswerTextOf(JsonElement element, string name)
    {
        var problemCount = problems.Count;
        var text = TextOf(element, name);
        if (problems.Count == problemCount && string.IsNullOrWhiteSpace(text))
            problems.Add($"{name} is empty, expected an answer");
        return text;
    }

    private static string Count(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";

    private JsonElement? Field(string key)
    {
        usedKeys.Add(key);
        if (fields.TryGetValue(key, out var element))
            return element;
        problems.Add($"{Quoted(key)} is missing");
        return null;
    }

    /// <summary>The items of an array that must have at least one.</summary>
    private T[] Items<T>(string key, string items, Func<JsonElement, string, T> itemOf)
    {
        if (Field(key) is not { } element)
            return [];
        var values = ItemsOf(element, Quoted(key), items, itemOf);
        if (values is [] && element.ValueKind == JsonValueKind.Array)
            problems.Add($"{Quoted(key)} is empty, expected at least one item");
        return values;
    }

    private T[] ItemsOf<T>(JsonElement element, string name, string items, Func<JsonElement, string, T> itemOf)
    {
        if (element.ValueKind == JsonValueKind.Array)
            return [.. element.EnumerateArray().Select((item, index) => itemOf(item, $"{name}[{index}]"))];
        problems.Add($"{name} is {NameOf(element)}, expected an array of {items}");
        return [];
    }

    private string TextOf(JsonElement element, string name)
    {
        if (element.ValueKind == JsonValueKind.String)
            return element.GetString()!;
        problems.Add($"{name} is {NameOf(element)}, expected a string");
        return "";
    }

    private int[] TokenIdsOf(JsonElement element, string name) => ItemsOf(element, name, "token ids", TokenIdOf);

    private int[] NonEmptyTokenIdsOf(JsonElement element, string name)
    {
        var ids = TokenIdsOf(element, name);
        if (ids is [] && element.ValueKind == JsonValueKind.Array)
            problems.Add($"{name} is empty, expected at least one token id");
        return ids;
    }

    private int TokenIdOf(JsonElement element, string name)
    {
        if (element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out var id) && id >= 0)
            return id;
        problems.Add($"{name} is {Shown(element)}, expected a token id: an integer from 0 to {int.MaxValue}");
        return 0;
    }

    private static string Shown(JsonElement element) =>
        element.ValueKind == JsonValueKind.Number ? element.GetRawText() : NameOf(element);

    /// <summary>An escape of JSON: of two surrogates, of one alone, or another.</summary>
    [GeneratedRegex(@"\\(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD](?<alone>[89a-fA-F])[0-9a-fA-F]{2}|.)")]
    private static partial Regex Escape();
}
