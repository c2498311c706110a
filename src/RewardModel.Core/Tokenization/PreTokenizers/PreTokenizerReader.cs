using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;
using RewardModel.Tokenization.Pipeline;

namespace RewardModel.Tokenization.PreTokenizers;

/// <summary>Reads the "pre_tokenizer" of a tokenizer.json.</summary>
internal static class PreTokenizerReader
{
    private static readonly PreTokenization whole = new(null, IsByteLevel: false, AddsPrefixSpace: false);

    // The expression of GPT-2's encoder: contractions, words, numbers and other signs with the space before them, white space.
    private const string Gpt2Pattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    // Oniguruma's constructs that .NET reads as something else without complaint: POSIX brackets and intersections of classes.
    private static readonly string[] misread = ["[:", "&&"];

    /// <summary>The steps before the model; what can't be used is among the problems.</summary>
    public static PreTokenization Read(JsonComponent? component)
    {
        if (component is null)
            return whole;
        PreTokenization result;
        switch (component.Text("type"))
        {
            case "ByteLevel":
                result = ReadByteLevel(component);
                break;
            case "Split":
                result = whole with { Splitter = ReadSplit(component) };
                break;
            case "Sequence":
                result = ReadSequence(component);
                break;
            case var type:
                component.RejectType(type, "ByteLevel", "Sequence", "Split");
                return whole;
        }
        component.RejectUnread();
        return result;
    }

    private static PreTokenization ReadByteLevel(JsonComponent component)
    {
        // Offsets are not part of this library's results.
        component.Ignore("trim_offsets");
        // Files written before the option existed always cut by GPT-2's expression.
        var splitter = component.OptionalFlag("use_regex") ?? true ? Isolate(Gpt2Pattern) : null;
        return new PreTokenization(splitter, IsByteLevel: true, component.OptionalFlag("add_prefix_space") ?? true);
    }

    private static PreTokenization ReadSequence(JsonComponent component)
    {
        var components = component.Components("pretokenizers");
        var steps = components.Select(Read).ToArray();
        for (var i = 0; i < steps.Length; i++)
        {
            if (steps[i].IsByteLevel && i < steps.Length - 1)
                components[i].AddProblem("ByteLevel is not supported before another pre-tokenizer; it must be the last one");
            if (steps[i].AddsPrefixSpace && i > 0)
                components[i].AddProblem("add_prefix_space is not supported after another pre-tokenizer");
        }
        PreTokenizer[] splitters = [.. steps.Select(step => step.Splitter).OfType<PreTokenizer>()];
        return new PreTokenization(
            splitters.Length > 1 ? new PreTokenizerSequence(splitters) : splitters.SingleOrDefault(),
            steps.Any(step => step.IsByteLevel),
            steps.Any(step => step.AddsPrefixSpace));
    }

    private static SplitPreTokenizer? ReadSplit(JsonComponent component)
    {
        var regex = ReadPattern(component);
        var invert = component.OptionalFlag("invert") ?? false;
        switch (component.Text("behavior"))
        {
            case "Isolated":
                return regex is null ? null : new SplitPreTokenizer(regex, keepMatches: true, keepGaps: true);
            case "Removed":
                return regex is null ? null : new SplitPreTokenizer(regex, keepMatches: invert, keepGaps: !invert);
            case var behavior:
                component.AddProblem($"the behavior '{behavior}' is not supported; supported are Isolated, Removed");
                return null;
        }
    }

    private static Regex? ReadPattern(JsonComponent component)
    {
        var pattern = component.Component("pattern");
        var literal = pattern?.OptionalText("String");
        var expression = pattern?.OptionalText("Regex");
        pattern?.RejectUnread();
        if (literal is not null)
            return MakeRegex(Regex.Escape(literal));
        if (expression is null)
            component.AddProblem("'pattern' has neither a String nor a Regex");
        else if (misread.FirstOrDefault(expression.Contains) is { } construct)
            component.AddProblem($"the expression {expression} uses '{construct}', which is not supported");
        else
            return TryMakeRegex(expression, component);
        return null;
    }

    private static Regex? TryMakeRegex(string expression, JsonComponent component)
    {
        try
        {
            return MakeRegex(expression);
        }
        catch (ArgumentException exception)
        {
            component.AddProblem($"the expression is not supported: {exception.Message}");
            return null;
        }
    }

    private static SplitPreTokenizer Isolate(string expression) => new(MakeRegex(expression), keepMatches: true, keepGaps: true);

    private static Regex MakeRegex(string expression) => new(expression, RegexOptions.CultureInvariant | RegexOptions.Compiled);
}
