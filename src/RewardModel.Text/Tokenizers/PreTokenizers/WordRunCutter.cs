using System.Text;
using RewardModel.Tokenizers.Normalizers;

namespace RewardModel.Tokenizers.PreTokenizers;

/// <summary>The pre-tokenizer Whitespace: runs of word characters, and runs of others, without the white space.</summary>
internal sealed class WordRunCutter : Cutter
{
    private enum Kind
    {
        Space,
        Word,
        Other,
    }

    public override void Cut(ReadOnlySpan<char> text, int offset, List<(int Start, int Length)> words)
    {
        var (start, kind) = (0, Kind.Space);
        for (int i = 0, length; i < text.Length; i += length)
        {
            Rune.DecodeFromUtf16(text[i..], out var character, out length);
            var next = KindOf(character);
            if (next == kind)
                continue;
            if (kind != Kind.Space)
                words.Add((offset + start, i - start));
            (start, kind) = (i, next);
        }
        if (kind != Kind.Space)
            words.Add((offset + start, text.Length - start));
    }

    private static Kind KindOf(Rune character) =>
        Rune.IsWhiteSpace(character) ? Kind.Space : CharacterData.IsWord(character) ? Kind.Word : Kind.Other;
}
