using System.Text;
using RewardModel.Jinja;
using RewardModel.Tokenizers.Normalizers;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.PreTokenizers;

/// <summary>Reads the "pre_tokenizer" of a tokenizer.json.</summary>
internal static class PreTokenizerReader
{
    // The expression of GPT-2's encoder: contractions, words, numbers and other signs with the space before them, white space.
    private const string Gpt2Expression = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>The steps before the model; what can't be used is among the problems.</summary>
    public static PreTokenization Read(JsonComponent? component)
    {
        var steps = component is null ? [] : Steps(component);
        var endsInBytes = steps is [.., ByteSpellingStep];
        return new PreTokenization(endsInBytes ? steps[..^1] : steps, endsInBytes);
    }

    private static PreTokenizationStep[] Steps(JsonComponent component)
    {
        PreTokenizationStep[] result;
        switch (component.Text("type"))
        {
            case "BertPreTokenizer":
                result =
                [
                    Cut(Rune.IsWhiteSpace, DelimiterBehavior.Removed),
                    Cut(CharacterData.Punctuation.Contains, DelimiterBehavior.Isolated),
                ];
                break;
            case "ByteLevel":
                result = ReadByteLevel(component);
                break;
            case "Digits":
                var isEachOne = component.OptionalFlag("individual_digits") ?? false;
                result = [Cut(Rune.IsNumber, isEachOne ? DelimiterBehavior.Isolated : DelimiterBehavior.Contiguous)];
                break;
            case "Metaspace":
                result = [ReadMetaspace(component)];
                break;
            case "Punctuation":
                var behavior = component.Has("behavior") ? ReadBehavior(component) : DelimiterBehavior.Isolated;
                result = [Cut(CharacterData.Punctuation.Contains, behavior)];
                break;
            case "Sequence":
                result = [.. component.Steps("pretokenizers").SelectMany(Steps)];
                break;
            case "Split":
                result = ReadSplit(component);
                break;
            case "Whitespace":
                result = [new CutStep(new WordRunCutter())];
                break;
            case "WhitespaceSplit":
                result = [Cut(Rune.IsWhiteSpace, DelimiterBehavior.Removed)];
                break;
            case var type:
                component.RejectType(
                    type, "BertPreTokenizer", "ByteLevel", "Digits", "Metaspace", "Punctuation", "Sequence", "Split", "Whitespace",
                    "WhitespaceSplit");
                return [];
        }
        component.RejectUnread();
        return result;
    }

    private static CutStep Cut(Func<Rune, bool> isDelimiter, DelimiterBehavior behavior) =>
        new(new CharacterCutter(isDelimiter, behavior));

    private static PreTokenizationStep[] ReadByteLevel(JsonComponent component)
    {
        // Offsets are not part of this library's results.
        component.Ignore("trim_offsets");
        var steps = new List<PreTokenizationStep>();
        if (component.OptionalFlag("add_prefix_space") ?? true)
            steps.Add(new PrefixSpaceStep());
        // Files written before the option existed always cut by GPT-2's expression.
        if (component.OptionalFlag("use_regex") ?? true)
            steps.Add(new CutStep(new PatternCutter(TextPattern.Expression(Gpt2Expression), DelimiterBehavior.Isolated, invert: false)));
        steps.Add(new ByteSpellingStep());
        return [.. steps];
    }

    private static PreTokenizationStep[] ReadSplit(JsonComponent component)
    {
        var behavior = ReadBehavior(component);
        var invert = component.OptionalFlag("invert") ?? false;
        return TextPattern.Read(component) is { } pattern ? [new CutStep(new PatternCutter(pattern, behavior, invert))] : [];
    }

    private static MetaspaceStep ReadMetaspace(JsonComponent component)
    {
        // Older files have it besides 'replacement'.
        component.Ignore("str_rep");
        var replacement = component.Character("replacement");
        var addsPrefix = component.OptionalFlag("add_prefix_space");
        MetaspacePrefix prefix;
        switch (component.OptionalText("prepend_scheme") ?? (addsPrefix is false ? "never" : "always"))
        {
            case "always":
                prefix = MetaspacePrefix.Always;
                break;
            case "first":
                prefix = MetaspacePrefix.First;
                break;
            case "never":
                prefix = MetaspacePrefix.Never;
                break;
            case var scheme:
                component.AddProblem($"'prepend_scheme' is '{Excerpt.Of(scheme)}', expected always, first or never");
                prefix = MetaspacePrefix.Never;
                break;
        }
        if (addsPrefix is false && prefix != MetaspacePrefix.Never)
            component.AddProblem("'add_prefix_space' is false, but 'prepend_scheme' is not 'never'");
        return new MetaspaceStep(replacement, prefix, component.OptionalFlag("split") ?? true);
    }

    private static DelimiterBehavior ReadBehavior(JsonComponent component)
    {
        var name = component.Text("behavior");
        if (Enum.TryParse<DelimiterBehavior>(name, out var behavior) && behavior.ToString() == name)
            return behavior;
        var supported = string.Join(", ", Enum.GetNames<DelimiterBehavior>());
        component.AddProblem($"the behavior '{Excerpt.Of(name)}' is not supported; supported are {supported}");
        return default;
    }
}
