using System.Text.Json;
using RewardModel.Lists;

namespace RewardModel.Layouts;

internal sealed partial class RowFields
{
    // Who speaks in ShareGPT's messages, and the role that it is.
    private static readonly Dictionary<string, string> speakers = new()
    {
        ["human"] = "user",
        ["gpt"] = "assistant",
        ["system"] = "system",
        ["observation"] = "tool",
        ["user"] = "user",
        ["assistant"] = "assistant",
        ["tool"] = "tool",
    };

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

    /// <summary>Earlier turns of a conversation as pairs of what the user and the assistant said; none where the field is absent.</summary>
    public ChatMessage[] Turns(string key)
    {
        usedKeys.Add(key);
        if (!HasItems(key))
            return [];
        return [.. Items(key, "pairs of strings", TurnOf).SelectMany(turn => turn)];
    }

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

    /// <summary>Tools change what a model reads as well.</summary>
    public void RejectTools()
    {
        if (HasItems("tools") && (KindOf("tools") != JsonValueKind.String || !string.IsNullOrWhiteSpace(Text("tools"))))
            problems.Add(
                "\"tools\" are given beside a text: they change what the model reads, but only a chat template says how; expected \"messages\"");
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
        if (string.IsNullOrWhiteSpace(Text("tools")) || Json("tools") is not { } tools)
            return null;
        return ItemsOf(tools, "\"tools\"", "objects", ToolOf) is [] ? null : tools;
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

    private ChatMessage[] TurnOf(JsonElement element, string name)
    {
        var problemCount = problems.Count;
        var texts = ItemsOf(element, name, "two strings", TextOf);
        if (problems.Count == problemCount && texts.Length != 2)
            problems.Add($"{name} has {Count(texts.Length, "item")}, expected what the user said and the answer");
        return texts.Length == 2 ? [new ChatMessage("user", texts[0]), new ChatMessage("assistant", texts[1])] : [];
    }

    private JsonElement ToolOf(JsonElement element, string name)
    {
        if (element.ValueKind != JsonValueKind.Object)
            problems.Add($"{name} is {NameOf(element)}, expected an object");
        return element;
    }
}
