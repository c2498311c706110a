using Microsoft.ML.Tokenizers;

namespace RewardModel.Tokenizers.PreTokenizers;

/// <summary>What the "pre_tokenizer" of a tokenizer.json says.</summary>
/// <param name="steps">What makes words of a text, one after the other.</param>
/// <param name="endsInBytes">Whether the words are spelt in the byte alphabet in the end, which is left to the model.</param>
internal sealed class PreTokenization(IReadOnlyList<PreTokenizationStep> steps, bool endsInBytes) : PreTokenizer
{
    public IReadOnlyList<PreTokenizationStep> Steps => steps;

    public bool EndsInBytes => endsInBytes;

    /// <summary>Whether it makes a difference that a text starts the whole text.</summary>
    public bool DependsOnPlace { get; } = steps.Any(step => step is MetaspaceStep { Prefix: MetaspacePrefix.First });

    public void Apply(WordList list)
    {
        foreach (var step in steps)
            step.Apply(list);
    }

    /// <summary>The words by their place in the text as it is, even where they are written in another way.</summary>
    public override IEnumerable<(int, int)> PreTokenize(string text)
    {
        var list = new WordList(text, startsText: true, keepsOrigins: true);
        Apply(list);
        return list.Words.Select(word => list.OriginOf(word.Start, word.Start + word.Length))
            .Select(origin => (origin.Start, origin.End - origin.Start));
    }

    public override IEnumerable<(int, int)> PreTokenize(ReadOnlySpan<char> text) => PreTokenize(text.ToString());
}
