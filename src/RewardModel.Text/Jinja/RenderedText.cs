using System.Text.Json;
using RewardModel.Lists;

namespace RewardModel.Jinja;

/// <summary>
/// A rendered conversation that knows which parts of it the template wrote and which came from the data, so that the names of special
/// tokens in users' text can stay text.
/// </summary>
public sealed class RenderedText
{
    private readonly TextValue value;
    private readonly Conversation conversation;

    internal RenderedText(TextValue value, Conversation conversation) => (this.value, this.conversation) = (value, conversation);

    /// <summary>A text of the data, of which no template wrote anything.</summary>
    internal static RenderedText OfData(string text) =>
        new(new TextValue(text, TextOrigin.User), new Conversation([]));

    /// <summary>The whole text.</summary>
    public string Text => value.Text;

    /// <summary>
    /// The parts in their order. What was computed from both (by a filter that doesn't keep them apart) counts as users' text.
    /// </summary>
    public IReadOnlyList<(string Text, bool IsTemplate)> Pieces
    {
        get
        {
            var pieces = new List<(string Text, bool IsTemplate)>();
            for (int start = 0, end; start < Text.Length; start = end)
            {
                var isTemplate = OriginAt(start) == TextOrigin.Template;
                for (end = start + 1; end < Text.Length && OriginAt(end) == TextOrigin.Template == isTemplate;)
                    end++;
                pieces.Add((Text[start..end], isTemplate));
            }
            return pieces;
        }
    }

    internal RenderedText Part(int start, int length) => new(value.Part(start, length), conversation);

    internal TextOrigin OriginAt(int index) => value.OriginAt(index);

    /// <summary>The parts of one origin each, normalised one by one and put together.</summary>
    internal RenderedText PartsNormalizedBy(Func<string, string> normalize)
    {
        var parts = new TextValue.Builder();
        for (int start = 0, end; start < Text.Length; start = end)
        {
            var origin = OriginAt(start);
            for (end = start + 1; end < Text.Length && OriginAt(end) == origin;)
                end++;
            parts.Append(new TextValue(normalize(Text[start..end]), origin));
        }
        return new RenderedText(parts.ToText(), conversation);
    }

    /// <summary>Whether any string of the conversation, once normalised, has a text in it.</summary>
    internal bool DataHas(string text, Func<string, string> normalize)
    {
        return conversation.Messages.Any(message => Has(message.Json)) || (conversation.Tools is { } tools && Has(tools));

        bool Has(JsonElement json) => json.ValueKind switch
        {
            JsonValueKind.String => IsIn(json.GetString()!),
            JsonValueKind.Array => json.EnumerateArray().Any(Has),
            JsonValueKind.Object => json.EnumerateObject().Any(member => IsIn(member.Name) || Has(member.Value)),
            _ => false,
        };

        bool IsIn(string whole) => normalize(whole).Contains(text, StringComparison.Ordinal);
    }
}
