using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.PreTokenizers;

/// <summary>A text on its way to the model, and the words it has been cut into so far.</summary>
internal sealed class WordList
{
    // For every UTF-16 unit of the text where what it was made of starts and ends in the text as it was; null while it is the same text.
    private readonly bool keepsOrigins;
    private List<(int Start, int End)>? origins;
    private List<(int Start, int Length)> words;
    private List<(int Start, int Length)> spare = [];
    private readonly int originalLength;

    /// <param name="text">The text, which is one word at first.</param>
    /// <param name="startsText">Whether it starts where the whole text does, before which special tokens may have been taken out.</param>
    /// <param name="keepsOrigins">Whether <see cref="OriginOf"/> will be asked.</param>
    public WordList(string text, bool startsText, bool keepsOrigins)
    {
        Text = text;
        originalLength = text.Length;
        StartsText = startsText;
        this.keepsOrigins = keepsOrigins;
        words = text.Length == 0 ? [] : [(0, text.Length)];
    }

    public string Text { get; private set; }

    public bool StartsText { get; }

    public IReadOnlyList<(int Start, int Length)> Words => words;

    /// <summary>Cuts every word.</summary>
    public void Cut(Cutter cutter)
    {
        spare.Clear();
        foreach (var (start, length) in words)
            cutter.Cut(Text.AsSpan(start, length), start, spare);
        (words, spare) = (spare, words);
    }

    /// <summary>Writes every word anew. What lies between words is left out.</summary>
    public void Rewrite(Action<WordWriter, int, int> rewrite)
    {
        spare.Clear();
        var writer = new WordWriter(Text, keepsOrigins ? [] : null);
        foreach (var (start, length) in words)
        {
            var first = writer.Length;
            rewrite(writer, start, start + length);
            TextGrowth.Check("the pre-tokenizer", originalLength, writer.Length);
            if (writer.Length > first)
                spare.Add((first, writer.Length - first));
        }
        origins = writer.Sources?.ConvertAll(source => OriginOf(source.Start, source.End));
        Text = writer.ToString();
        (words, spare) = (spare, words);
    }

    /// <summary>Where in the text as it was a part of <see cref="Text"/> comes from.</summary>
    public (int Start, int End) OriginOf(int start, int end)
    {
        if (origins is null || (start == 0 && end == 0))
            return (start, end);
        return start < end ? (origins[start].Start, origins[end - 1].End) : (origins[start - 1].End, origins[start - 1].End);
    }
}
