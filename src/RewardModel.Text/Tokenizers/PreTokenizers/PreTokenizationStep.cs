using RewardModel.Tokenizers.Pipeline;

namespace RewardModel.Tokenizers.PreTokenizers;

/// <summary>A step from a text to the words that the model encodes.</summary>
internal abstract record PreTokenizationStep
{
    public abstract void Apply(WordList list);
}

/// <summary>Cuts words.</summary>
internal sealed record CutStep(Cutter Cutter) : PreTokenizationStep
{
    public override void Apply(WordList list) => list.Cut(Cutter);
}

/// <summary>Puts a space before every word that doesn't start with one.</summary>
internal sealed record PrefixSpaceStep : PreTokenizationStep
{
    public override void Apply(WordList list) => list.Rewrite(static (writer, start, end) =>
    {
        if (writer.Source[start] != ' ')
            writer.Write(' ', start, start);
        writer.Copy(start, end);
    });
}

/// <summary>Spells words in the byte alphabet.</summary>
internal sealed record ByteSpellingStep : PreTokenizationStep
{
    public override void Apply(WordList list) => list.Rewrite(static (writer, start, end) =>
    {
        for (int i = start, length; i < end; i += length)
        {
            length = char.IsSurrogatePair(writer.Source, i) ? 2 : 1;
            foreach (var unit in ByteAlphabet.Spell(writer.Source.AsSpan(i, length)))
                writer.Write(unit, i, i + length);
        }
    });
}

/// <summary>SentencePiece's way with spaces: each becomes a sign, with which words start.</summary>
/// <param name="Replacement">The sign: ▁.</param>
/// <param name="Prefix">Which words get one that have none.</param>
/// <param name="Cuts">Whether words are cut before every sign.</param>
internal sealed record MetaspaceStep(char Replacement, MetaspacePrefix Prefix, bool Cuts) : PreTokenizationStep
{
    private readonly Cutter cutter = new CharacterCutter(
        character => character.Value == Replacement, DelimiterBehavior.MergedWithNext);

    public override void Apply(WordList list)
    {
        var startsText = list.StartsText;
        list.Rewrite((writer, start, end) =>
        {
            var isPrefixed = Prefix switch
            {
                MetaspacePrefix.Always => true,
                MetaspacePrefix.First => startsText && start == 0,
                _ => false,
            };
            if (isPrefixed && writer.Source[start] != ' ' && writer.Source[start] != Replacement)
                writer.Write(Replacement, start, start);
            for (var i = start; i < end; i++)
                writer.Write(writer.Source[i] == ' ' ? Replacement : writer.Source[i], i, i + 1);
        });
        if (Cuts)
            list.Cut(cutter);
    }
}

/// <summary>Which words <see cref="MetaspaceStep"/> puts a sign before.</summary>
internal enum MetaspacePrefix
{
    /// <summary>All.</summary>
    Always,

    /// <summary>That at the start of the text.</summary>
    First,

    /// <summary>None.</summary>
    Never,
}
