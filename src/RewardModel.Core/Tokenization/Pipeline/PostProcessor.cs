namespace RewardModel.Tokenization.Pipeline;

/// <summary>The special tokens that are put around a text.</summary>
internal sealed record PostProcessor(IReadOnlyList<int> IdsBefore, IReadOnlyList<int> IdsAfter)
{
    private static readonly PostProcessor nothing = new([], []);

    /// <summary>Reads the "post_processor" of a tokenizer.json; what can't be used is among the problems.</summary>
    public static PostProcessor Read(JsonComponent? component)
    {
        if (component is null)
            return nothing;
        var result = nothing;
        switch (component.Text("type"))
        {
            case "ByteLevel":
                // It changes offsets only.
                component.Ignore("add_prefix_space");
                component.Ignore("trim_offsets");
                component.Ignore("use_regex");
                break;
            case "TemplateProcessing":
                // Of pairs of texts, which this library doesn't encode.
                component.Ignore("pair");
                result = ReadTemplate(component);
                break;
            case "Sequence":
                var parts = component.Components("processors").Select(Read).ToArray();
                result = new PostProcessor(
                    [.. parts.Reverse().SelectMany(part => part.IdsBefore)], [.. parts.SelectMany(part => part.IdsAfter)]);
                break;
            case var type:
                component.RejectType(type, "ByteLevel", "Sequence", "TemplateProcessing");
                return nothing;
        }
        component.RejectUnread();
        return result;
    }

    private static PostProcessor ReadTemplate(JsonComponent component)
    {
        var tokens = component.Component("special_tokens");
        var ids = new[] { new List<int>(), new List<int>() };
        var textCount = 0;
        foreach (var piece in component.Components("single"))
        {
            if (piece.Component("SpecialToken") is { } special)
                ids[Math.Min(textCount, 1)].AddRange(IdsOf(tokens, special.Text("id"), piece));
            else if (piece.Component("Sequence") is not null)
                textCount++;
            piece.RejectUnread();
        }
        if (textCount != 1)
            component.AddProblem($"'single' has the text {textCount} times, expected once");
        return new PostProcessor(ids[0], ids[1]);
    }

    private static IEnumerable<int> IdsOf(JsonComponent? tokens, string name, JsonComponent piece)
    {
        if (tokens?.Component(name) is { } token && token.Numbers("ids") is { Count: > 0 } ids)
            return ids;
        piece.AddProblem($"the special token '{name}' has no ids among 'special_tokens'");
        return [];
    }
}
