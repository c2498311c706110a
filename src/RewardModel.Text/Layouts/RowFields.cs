using System.Text.Json;
using RewardModel.Lists;

namespace RewardModel.Layouts;

/// <summary>
/// The fields of one row, or of an object in it, read by type. What is wrong is collected in <see cref="Problems"/>, and a stand-in is
/// returned, so that all problems of a row are found at once. A field whose value is null counts as absent.
/// </summary>
internal sealed class RowFields
{
    private readonly Dictionary<string, JsonElement> fields = [];
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
            if (property.Value.ValueKind != JsonValueKind.Null && !fields.TryAdd(property.Name, property.Value))
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

    /// <summary>A finite number.</summary>
    public double Score(string key) => Field(key) is { } element ? ScoreOf(element, Quoted(key)) : 0;

    /// <summary>An integer from 1, the best.</summary>
    public double Rank(string key) => Field(key) is { } element ? RankOf(element, Quoted(key)) : 1;

    /// <summary>What <see cref="ScoreFrom"/> makes of the numbers of this object.</summary>
    public double ComputedScore()
    {
        if (ScoreFrom is null)
            throw new InvalidOperationException("There is no expression to compute scores by.");
        var score = ScoreFrom.Of(name => Has(name) ? Score(name) : Missing(name));
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

    public int[] TokenIds(string key) => Field(key) is { } element ? TokenIdsOf(element, Quoted(key)) : [];

    public int[][] AnswerIds(string key) => Items(key, "arrays of token ids", NonEmptyTokenIdsOf);

    /// <summary>Whether a field is there and an array, as messages are.</summary>
    public bool IsArray(string key) => fields.TryGetValue(key, out var element) && element.ValueKind == JsonValueKind.Array;

    public ChatMessage[] Messages(string key) => Items(key, "messages", MessageOf);

    /// <summary>Answers of the assistant, each a string, or messages.</summary>
    public ChatMessage[][] AnswerMessages(string key) => Items(key, "strings or arrays of messages", AnswerOf);

    /// <summary>One answer of the assistant: a string, or messages.</summary>
    public ChatMessage[] Answer(string key) => Field(key) is { } element ? AnswerOf(element, Quoted(key)) : [];

    /// <summary>Whether both fields are there and strings.</summary>
    public bool AreTexts(string first, string second) =>
        new[] { first, second }.All(key => fields.TryGetValue(key, out var element) && element.ValueKind == JsonValueKind.String);

    /// <summary>The messages with "system" as the first of them, where it is given and says something.</summary>
    public ChatMessage[] WithSystem(ChatMessage[] messages)
    {
        if (!Has("system") || Text("system") is not { Length: > 0 } system)
            return messages;
        if (!messages.Any(message => message.Role == "system"))
            return [new ChatMessage("system", system), .. messages];
        problems.Add("\"system\" is given beside a system message, expected one of them");
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
        Items("tools", "objects", (element, name) =>
        {
            if (element.ValueKind != JsonValueKind.Object)
                problems.Add($"{name} is {NameOf(element)}, expected an object");
            return element;
        });
        return fields["tools"].Clone();
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
}
