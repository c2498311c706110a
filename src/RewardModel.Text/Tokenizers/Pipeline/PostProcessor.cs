using RewardModel.Jinja;

namespace RewardModel.Tokenizers.Pipeline;

/// <summary>The special tokens that are put around a text.</summary>
/// <param name="Before">What stands before it.</param>
/// <param name="After">What stands after it.</param>
/// <param name="Pair">What stands around two texts; null where nothing is said about them.</param>
internal sealed record PostProcessor(IReadOnlyList<int> Before, IReadOnlyList<int> After, SpecialTokenRule? Pair)
{
    /// <summary>More special tokens than any tokenizer puts around texts.</summary>
    private const int MaxTokenCount = 1000;

    private static readonly PostProcessor nothing = new([], [], Pair: null);

    /// <summary>Every id that is put anywhere.</summary>
    public IEnumerable<int> Ids =>
        [.. Before, .. After, .. Pair?.BeforePrompt ?? [], .. Pair?.AfterPrompt ?? [], .. Pair?.AfterAnswer ?? []];

    /// <summary>Reads the "post_processor" of a tokenizer.json; what can't be used is among the problems.</summary>
    public static PostProcessor Read(JsonComponent? component)
    {
        if (component is null)
            return nothing;
        var result = nothing;
        switch (component.Text("type"))
        {
            case "BertProcessing":
                result = ReadClassAndSeparator(component, separatorsBetween: 1, answerTokenType: 1);
                break;
            case "ByteLevel":
                // It changes offsets only.
                component.Ignore("add_prefix_space");
                component.Ignore("trim_offsets");
                component.Ignore("use_regex");
                break;
            case "RobertaProcessing":
                component.Ignore("add_prefix_space");
                component.Ignore("trim_offsets");
                result = ReadClassAndSeparator(component, separatorsBetween: 2, answerTokenType: 0);
                break;
            case "Sequence":
                result = ReadSequence(component);
                break;
            case "TemplateProcessing":
                result = ReadTemplate(component);
                break;
            case var type:
                component.RejectType(type, "BertProcessing", "ByteLevel", "RobertaProcessing", "Sequence", "TemplateProcessing");
                return nothing;
        }
        component.RejectUnread();
        return result;
    }

    private static PostProcessor ReadSequence(JsonComponent component)
    {
        var parts = component.Steps("processors").Select(Read).Where(part => part != nothing).ToArray();
        if (parts.Length > 1)
            component.AddProblem($"{parts.Length} of the 'processors' add special tokens, expected at most one");
        return parts.FirstOrDefault(nothing);
    }

    private static PostProcessor ReadClassAndSeparator(JsonComponent component, int separatorsBetween, int answerTokenType)
    {
        var (separator, classification) = (component.TokenAndId("sep"), component.TokenAndId("cls"));
        int[] between = [.. Enumerable.Repeat(separator, separatorsBetween)];
        return new PostProcessor(
            [classification], [separator], new SpecialTokenRule([classification], between, [separator], answerTokenType));
    }

    private static PostProcessor ReadTemplate(JsonComponent component)
    {
        var tokens = component.Component("special_tokens");
        var (single, _) = ReadPieces(component, "single", tokens);
        if (single.Count != 2)
            component.AddProblem($"'single' has the text {single.Count - 1} times, expected once");
        var (pair, types) = ReadPieces(component, "pair", tokens);
        return new PostProcessor(
            single[0], single.ElementAtOrDefault(1) ?? [],
            pair.Count == 3 ? new SpecialTokenRule(pair[0], pair[1], pair[2], types[1]) : null);
    }

    /// <summary>The ids before, between and after a template's texts, and the texts' token types.</summary>
    private static (List<List<int>> Ids, List<int> Types) ReadPieces(JsonComponent component, string name, JsonComponent? tokens)
    {
        var ids = new List<List<int>> { new() };
        var types = new List<int>();
        foreach (var piece in component.Steps(name))
        {
            if (piece.Component("SpecialToken") is { } special)
            {
                ids[^1].AddRange(IdsOf(tokens, special.Text("id"), piece));
            }
            else if (piece.Component("Sequence") is { } text)
            {
                ids.Add([]);
                types.Add(text.OptionalNumber("type_id") ?? 0);
            }
            piece.RejectUnread();
            if (ids.Sum(part => part.Count) <= MaxTokenCount)
                continue;
            component.AddProblem($"'{name}' has more than {MaxTokenCount} special tokens");
            return (ids, types);
        }
        return (ids, types);
    }

    private static IEnumerable<int> IdsOf(JsonComponent? tokens, string name, JsonComponent piece)
    {
        if (tokens?.Component(name) is { } token && token.Numbers("ids") is { Count: > 0 } ids)
            return ids;
        piece.AddProblem($"the special token '{Excerpt.Of(name)}' has no ids among 'special_tokens'");
        return [];
    }
}
