using Microsoft.ML.Tokenizers;
using RewardModel.Tokenization.Pipeline;

namespace RewardModel.Tokenization.Normalizers;

/// <summary>Reads the "normalizer" of a tokenizer.json.</summary>
internal static class NormalizerReader
{
    /// <summary>The normalizer; null where there is none, or where it can't be used, which is then among the problems.</summary>
    public static Normalizer? Read(JsonComponent? component)
    {
        if (component is null)
            return null;
        Normalizer normalizer;
        switch (component.Text("type"))
        {
            case "NFC":
                normalizer = new NfcNormalizer();
                break;
            case "Prepend":
                normalizer = new PrependNormalizer(component.Text("prepend"));
                break;
            case "Replace":
                normalizer = new ReplaceNormalizer(component.LiteralPattern(), component.Text("content"));
                break;
            case "Sequence":
                normalizer = new NormalizerSequence([.. component.Components("normalizers").Select(Read).OfType<Normalizer>()]);
                break;
            case var type:
                component.RejectType(type, "NFC", "Prepend", "Replace", "Sequence");
                return null;
        }
        component.RejectUnread();
        return normalizer;
    }
}
