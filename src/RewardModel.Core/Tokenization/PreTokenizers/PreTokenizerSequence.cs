using Microsoft.ML.Tokenizers;

namespace RewardModel.Tokenization.PreTokenizers;

/// <summary>Pre-tokenizers one after the other, each cutting the words of the one before.</summary>
internal sealed class PreTokenizerSequence(IReadOnlyList<PreTokenizer> preTokenizers) : PreTokenizer
{
    public override IEnumerable<(int, int)> PreTokenize(string text)
    {
        List<(int Offset, int Length)> words = [(0, text.Length)];
        foreach (var preTokenizer in preTokenizers)
        {
            var parts = new List<(int, int)>();
            foreach (var (offset, length) in words)
                foreach (var (start, partLength) in preTokenizer.PreTokenize(text.AsSpan(offset, length)))
                    parts.Add((offset + start, partLength));
            words = parts;
        }
        return words;
    }

    public override IEnumerable<(int, int)> PreTokenize(ReadOnlySpan<char> text) => PreTokenize(text.ToString());
}
