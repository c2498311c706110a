using Microsoft.ML.Tokenizers;
using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.Normalizers;

/// <summary>Reads the "normalizer" of a tokenizer.json.</summary>
internal static class NormalizerReader
{
    /// <summary>The normalizer; null where there is none, or where it can't be used, which is then among the problems.</summary>
    public static Normalizer? Read(JsonComponent? component)
    {
        if (component is null)
            return null;
        Normalizer? normalizer;
        switch (component.Text("type"))
        {
            case "BertNormalizer":
                normalizer = ReadBert(component);
                break;
            case "ByteLevel":
                normalizer = new ByteLevelNormalizer();
                break;
            case "Lowercase":
                normalizer = new LowercaseNormalizer();
                break;
            case "NFC":
                normalizer = UnicodeNormalizer.Nfc;
                break;
            case "NFD":
                normalizer = UnicodeNormalizer.Nfd;
                break;
            case "NFKC":
                normalizer = UnicodeNormalizer.Nfkc;
                break;
            case "NFKD":
                normalizer = UnicodeNormalizer.Nfkd;
                break;
            case "Nmt":
                normalizer = new NmtNormalizer();
                break;
            case "Precompiled":
                normalizer = ReadPrecompiled(component);
                break;
            case "Prepend":
                normalizer = new PrependNormalizer(component.Text("prepend"));
                break;
            case "Replace":
                var content = component.Text("content");
                normalizer = TextPattern.Read(component) is { } pattern ? new ReplaceNormalizer(pattern, content) : null;
                break;
            case "Sequence":
                normalizer = new NormalizerSequence([.. component.Steps("normalizers").Select(Read).OfType<Normalizer>()]);
                break;
            case "Strip":
                normalizer = new StripNormalizer(
                    component.OptionalFlag("strip_left") ?? true, component.OptionalFlag("strip_right") ?? true);
                break;
            case "StripAccents":
                normalizer = new RemovalNormalizer(CharacterData.Marks);
                break;
            case var type:
                component.RejectType(
                    type, "BertNormalizer", "ByteLevel", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Nmt", "Precompiled", "Prepend",
                    "Replace", "Sequence", "Strip", "StripAccents");
                return null;
        }
        component.RejectUnread();
        return normalizer;
    }

    private static NormalizerSequence ReadBert(JsonComponent component)
    {
        var lowercase = component.OptionalFlag("lowercase") ?? true;
        var steps = new List<Normalizer>();
        if (component.OptionalFlag("clean_text") ?? true)
            steps.Add(new CleanTextNormalizer());
        if (component.OptionalFlag("handle_chinese_chars") ?? true)
            steps.Add(new ChineseCharacterNormalizer());
        if (component.OptionalFlag("strip_accents") ?? lowercase)
            steps.AddRange([UnicodeNormalizer.Nfd, new RemovalNormalizer(CharacterData.NonspacingMarks)]);
        if (lowercase)
            steps.Add(new LowercaseNormalizer());
        return new NormalizerSequence(steps);
    }

    private static PrecompiledNormalizer? ReadPrecompiled(JsonComponent component)
    {
        var text = component.Text("precompiled_charsmap");
        var table = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, table, out var length))
        {
            component.AddProblem("'precompiled_charsmap' is not base64");
            return null;
        }
        var normalizer = PrecompiledNormalizer.TryRead(table.AsSpan(0, length), out var reason);
        if (normalizer is null)
            component.AddProblem($"'precompiled_charsmap' is not a table of replacements: {reason}");
        return normalizer;
    }
}
