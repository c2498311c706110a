using System.Globalization;
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
    // Who speaks in ShareGPT's messages, and the role that it is.
    private static readonly Dictionary<string, string> speakers = new()
    {
        ["human"] = "user", ["gpt"] = "assistant", ["system"] = "system", ["observation"] = "tool",
        ["user"] = "user", ["assistant"] = "assistant", ["tool"] = "tool",
    };

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

    /// <summary>Whether all of these are there.</summary>
    public bool HasAll(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
            if (!Has(key))
                return false;
        return true;
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

    /// <summary>A finite number, which tables may have as text.</summary>
    public double Score(string key)
    {
        if (Field(key) is not { } element)
            return 0;
        if (NumberOf(element) is { } number)
            return number;
        problems.Add($"{Quoted(key)} is {ShownText(element)}, expected a finite number");
        return 0;
    }

    /// <summary>A finite number; null where it is absent or no number, as the <c>N/A</c> of an answer that was not rated.</summary>
    public double? ScoreOrNone(string key)
    {
        usedKeys.Add(key);
        return Has(key) ? NumberOf(fields[key]) : null;
    }

    /// <summary>Whether a field is there and no empty array.</summary>
    public bool HasItems(string key) => Has(key) && !(IsArray(key) && fields[key].GetArrayLength() == 0);

    /// <summary>Earlier turns of a conversation as pairs of what the user and the assistant said; none where the field is absent.</summary>
    public ChatMessage[] Turns(string key)
    {
        usedKeys.Add(key);
        if (!HasItems(key))
            return [];
        return [.. Items(key, "pairs of strings", TurnOf).SelectMany(turn => turn)];
    }

    /// <summary>An array of such numbers.</summary>
    public double?[] ScoresOrNone(string key) => Items(key, "numbers", (element, _) => NumberOf(element));

    /// <summary>Whether a field is a string that starts with a text.</summary>
    public bool StartsWith(string key, string start) =>
        KindOf(key) == JsonValueKind.String && fields[key].GetString()!.StartsWith(start, StringComparison.Ordinal);

    /// <summary>An integer of a range, which tables may have as text.</summary>
    public int Integer(string key, int min, int max)
    {
        if (Field(key) is not { } element)
            return min;
        if (NumberOf(element) is { } number && double.IsInteger(number) && number >= min && number <= max)
            return (int)number;
        problems.Add($"{Quoted(key)} is {ShownText(element)}, expected {IntegersOf(min, max)}");
        return min;
    }

    /// <summary>An integer, the lower the better, which tables may have as text.</summary>
    /// <param name="key">The field.</param>
    /// <param name="best">The lowest that there is.</param>
    public double Rank(string key, int best = 1)
    {
        if (Field(key) is not { } element)
            return best;
        if (NumberOf(element) is { } rank && double.IsInteger(rank) && rank >= best)
            return rank;
        problems.Add($"{Quoted(key)} is {ShownText(element)}, expected an integer from {best} (the best)");
        return best;
    }

    /// <summary>What <see cref="ScoreFrom"/> makes of the numbers of this object.</summary>
    /// <param name="numberOf">Numbers that stand elsewhere, by their names; null for a name that is none.</param>
    public double ComputedScore(Func<string, double?>? numberOf = null)
    {
        if (ScoreFrom is null)
            throw new InvalidOperationException("There is no expression to compute scores by.");
        var score = ScoreFrom.Of(name => Has(name) ? Score(name) : numberOf?.Invoke(name) ?? Missing(name));
        if (!double.IsFinite(score) && problems.Count == 0)
            problems.Add($"'{ScoreFrom.Text}' is {score} here, expected a finite number");
        return score;

        double Missing(string name)
        {
            problems.Add($"{Quoted(name)} is missing, which '{ScoreFrom.Text}' needs");
            return 0;
        }
    }

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

    public string Text(string key) => Field(key) is { } element ? TextOf(element, Quoted(key)) : "";

    public string[] Texts(string key) => Items(key, "strings", TextOf);

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

    public ChatMessage[] Messages(string key) => Items(key, "messages", MessageOf);

    /// <summary>Answers of the assistant, each a string, or messages.</summary>
    public ChatMessage[][] AnswerMessages(string key) => Items(key, "strings or arrays of messages", AnswerOf);

    /// <summary>One answer of the assistant: a string, or messages.</summary>
    public ChatMessage[] Answer(string key) => Field(key) is { } element ? AnswerOf(element, Quoted(key)) : [];

    /// <summary>Messages as ShareGPT has them: <c>{"from": "human", "value": "..."}</c>.</summary>
    public ChatMessage[] SpokenMessages(string key) => Items(key, "messages", SpokenMessageOf);

    /// <summary>One message as ShareGPT has them.</summary>
    public ChatMessage SpokenMessage(string key) =>
        Field(key) is { } element ? SpokenMessageOf(element, Quoted(key)) : new ChatMessage("user", "");

    /// <summary>One message.</summary>
    public ChatMessage Message(string key) => Field(key) is { } element ? MessageOf(element, Quoted(key)) : new ChatMessage("user", "");

    /// <summary>Whether both fields are there and strings.</summary>
    public bool AreTexts(string first, string second) =>
        new[] { first, second }.All(key => fields.TryGetValue(key, out var element) && element.ValueKind == JsonValueKind.String);

    /// <summary>The messages with "system" as the first of them, where it is given and says something.</summary>
    public ChatMessage[] WithSystem(ChatMessage[] messages, string key = "system")
    {
        if (!Has(key) || Text(key) is not { Length: > 0 } system)
            return messages;
        if (!messages.Any(message => message.Role == "system"))
            return [new ChatMessage("system", system), .. messages];
        problems.Add($"\"{key}\" is given beside a system message, expected one of them");
        return messages;
    }

    /// <summary>"system" changes what a model reads, and what it reads before a text is not known.</summary>
    public void RejectSystem()
    {
        if (Has("system") && Text("system") != "")
            problems.Add(
                "\"system\" is given beside a text: it changes what the model reads, but only a chat template says how; expected messages, "
                + "such as {\"messages\": [{\"role\": \"system\", \"content\": \"...\"}, {\"role\": \"user\", \"content\": \"...\"}], "
                + "\"answers\": [...]}");
    }

    /// <summary>The tools that the assistant may call; null for none.</summary>
    public JsonElement? Tools()
    {
        if (!Has("tools"))
            return null;
        Items("tools", "objects", ToolOf);
        return fields["tools"].Clone();
    }

    /// <summary>The same, where they are also given as the JSON of an array, or as an empty text for none.</summary>
    public JsonElement? ToolsOfJson()
    {
        if (KindOf("tools") != JsonValueKind.String)
            return Tools();
        if (string.IsNullOrWhiteSpace(Text("tools")) || Json("tools") is not { } tools || tools is { ValueKind: JsonValueKind.Array } && tools.GetArrayLength() == 0)
            return null;
        ItemsOf(tools, "\"tools\"", "objects", ToolOf);
        return tools;
    }

    /// <summary>Fields whose values are known by other names, or are of no account.</summary>
    public void Ignore(params IEnumerable<string> keys) => usedKeys.UnionWith(keys);

    /// <summary>A score per answer: from "scores", from "ranks" (rank r is score -r), or else from the order of the answers.</summary>
    public double[] Scores(string answersKey)
    {
        if (Has("scores") && Has("ranks"))
            problems.Add("\"scores\" and \"ranks\" are both given, expected at most one of them");
        var scores = Has("scores") ? Items("scores", "numbers", ScoreOf)
            : Has("ranks") ? Items("ranks", "integers", (element, name) => -RankOf(element, name))
            : null;
        if (!fields.TryGetValue(answersKey, out var answers) || answers.ValueKind != JsonValueKind.Array)
            return [];
        var answerCount = answers.GetArrayLength();
        if (scores is not null && scores.Length != answerCount)
            problems.Add($"{Count(scores.Length, Has("scores") ? "score" : "rank")} for {Count(answerCount, "answer")}");
        return scores ?? RankedList.ScoresOfOrder(answerCount);
    }

    /// <summary>The scores of a pair, from "score_chosen" and "score_rejected" where they are given.</summary>
    public double[] PairScores()
    {
        if (!Has("score_chosen") && !Has("score_rejected"))
            return RankedList.ScoresOfOrder(2);
        var problemCount = problems.Count;
        double[] scores =
        [
            .. new[] { "score_chosen", "score_rejected" }.Select(key => Field(key) is { } element ? ScoreOf(element, Quoted(key)) : 0),
        ];
        if (problems.Count == problemCount && scores[0] < scores[1])
            problems.Add(
                $"\"score_chosen\" is {Shown(fields["score_chosen"])} and \"score_rejected\" is {Shown(fields["score_rejected"])}, "
                + "expected the chosen answer to have the higher score, or the same");
        return scores;
    }

    /// <summary>Whether the scores are made of an order: of that in which the answers are given, or of ranks.</summary>
    public bool ScoresAreOrder => !Has("scores") && !Has("score_chosen");

    /// <summary>By how much the rewards of the line's pairs should be apart; null where it doesn't say.</summary>
    public double? Margin() => Number("margin", ListNotes.IsMargin, "a finite number, 0 or more");

    /// <summary>What the line's loss is multiplied with.</summary>
    public double Weight() => Number("weight", ListNotes.IsWeight, "a finite number above 0") ?? 1;

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

    private JsonElement ToolOf(JsonElement element, string name)
    {
        if (element.ValueKind != JsonValueKind.Object)
            problems.Add($"{name} is {NameOf(element)}, expected an object");
        return element;
    }

    private string AnswerTextOf(JsonElement element, string name)
    {
        var problemCount = problems.Count;
        var text = TextOf(element, name);
        if (problems.Count == problemCount && string.IsNullOrWhiteSpace(text))
            problems.Add($"{name} is empty, expected an answer");
        return text;
    }

    private ChatMessage[] TurnOf(JsonElement element, string name)
    {
        var problemCount = problems.Count;
        var texts = ItemsOf(element, name, "two strings", TextOf);
        if (problems.Count == problemCount && texts.Length != 2)
            problems.Add($"{name} has {Count(texts.Length, "item")}, expected what the user said and the answer");
        return texts.Length == 2 ? [new ChatMessage("user", texts[0]), new ChatMessage("assistant", texts[1])] : [];
    }

    private ChatMessage SpokenMessageOf(JsonElement element, string name)
    {
        const string expected = "expected a message such as {\"from\": \"human\", \"value\": \"...\"}";
        if (element.ValueKind != JsonValueKind.Object)
        {
            problems.Add($"{name} is {NameOf(element)}, {expected}");
            return new ChatMessage("user", "");
        }
        var message = ObjectOf(element, name);
        var (speaker, text) = (message.Text("from"), message.Text("value"));
        if (message.Has("from") && !speakers.ContainsKey(speaker) && message.KindOf("from") == JsonValueKind.String)
            message.Reject("from", $"is '{speaker}', expected one of {string.Join(", ", speakers.Keys)}");
        return new ChatMessage(speakers.GetValueOrDefault(speaker, "user"), text);
    }

    private static double? NumberOf(JsonElement element)
    {
        var number = element.ValueKind switch
        {
            JsonValueKind.Number => element.GetDouble(),
            JsonValueKind.String when double.TryParse(element.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) => parsed,
            _ => double.NaN,
        };
        return double.IsFinite(number) ? number : null;
    }

    private static string IntegersOf(int min, int max) => max == min + 1 ? $"{min} or {max}" : $"an integer from {min} to {max}";

    /// <summary>A value for a message that expects a number: also of a string what it says, when it is short.</summary>
    private static string ShownText(JsonElement element) =>
        element.ValueKind == JsonValueKind.String && element.GetString() is { Length: <= 20 } text ? $"'{text}'" : Shown(element);

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

    private ChatMessage[] AnswerOf(JsonElement element, string name)
    {
        if (element.ValueKind == JsonValueKind.String)
            return [new ChatMessage("assistant", TextOf(element, name))];
        if (element.ValueKind != JsonValueKind.Array || element.GetArrayLength() == 0)
        {
            var found = element.ValueKind == JsonValueKind.Array ? "empty" : NameOf(element);
            problems.Add($"{name} is {found}, expected a string or an array of messages");
            return [];
        }
        return ItemsOf(element, name, "messages", MessageOf);
    }

    private ChatMessage MessageOf(JsonElement element, string name)
    {
        if (element.ValueKind != JsonValueKind.Object)
            problems.Add($"{name} is {NameOf(element)}, expected a message such as {{\"role\": \"user\", \"content\": \"...\"}}");
        else if (!element.TryGetProperty("role", out var role))
            problems.Add($"{name} has no \"role\"");
        else if (role.ValueKind != JsonValueKind.String)
            problems.Add($"{name}: \"role\" is {NameOf(role)}, expected a string");
        else if (role.ValueEquals(""))
            problems.Add($"{name}: \"role\" is empty, expected who speaks, such as \"user\"");
        else if (!element.TryGetProperty("content", out _) && !element.TryGetProperty("tool_calls", out _))
            problems.Add($"{name} has neither \"content\" nor \"tool_calls\"");
        else
            return ChatMessage.FromJson(element);
        return new ChatMessage("user", "");
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

    /// <summary>A number that need not be there.</summary>
    private double? Number(string key, Func<double, bool> isValid, string expected)
    {
        if (!Has(key) || Field(key) is not { } element)
            return null;
        if (element.ValueKind == JsonValueKind.Number && isValid(element.GetDouble()))
            return element.GetDouble();
        problems.Add($"{Quoted(key)} is {Shown(element)}, expected {expected}");
        return null;
    }

    private double ScoreOf(JsonElement element, string name)
    {
        if (element.ValueKind == JsonValueKind.Number && double.IsFinite(element.GetDouble()))
            return element.GetDouble();
        problems.Add($"{name} is {Shown(element)}, expected a finite number");
        return 0;
    }

    private double RankOf(JsonElement element, string name)
    {
        if (element.ValueKind == JsonValueKind.Number && element.GetDouble() is >= 1 and var rank && double.IsInteger(rank))
            return rank;
        problems.Add($"{name} is {Shown(element)}, expected an integer from 1 (the best)");
        return 0;
    }

    private static string Shown(JsonElement element) =>
        element.ValueKind == JsonValueKind.Number ? element.GetRawText() : NameOf(element);

    /// <summary>An escape of JSON: of two surrogates, of one alone, or another.</summary>
    [GeneratedRegex(@"\\(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD](?<alone>[89a-fA-F])[0-9a-fA-F]{2}|.)")]
    private static partial Regex Escape();
}
