using System.Text;

namespace RewardModel.Tokenizers.OlderFiles;

/// <summary>A piece of SentencePiece's vocabulary.</summary>
internal readonly record struct SentencePiece(string Text, float Score, SentencePieceKind Kind);

/// <summary>The kinds of pieces that are not all alike here, by their numbers in sentencepiece_model.proto.</summary>
internal enum SentencePieceKind
{
    Normal = 1,
    Control = 3,
    UserDefined = 4,
}

/// <summary>What a SentencePiece model says: a message of sentencepiece_model.proto.</summary>
/// <param name="Pieces">The vocabulary; a piece's place is its id.</param>
/// <param name="IsBpe">Whether pieces are merged, instead of chosen by their scores.</param>
/// <param name="FallsBackToBytes">Whether a character that the vocabulary lacks becomes its UTF-8 bytes.</param>
/// <param name="UnknownId">What stands for a character that the vocabulary lacks.</param>
/// <param name="UnknownPiece">Its text.</param>
/// <param name="Charsmap">The table of replacements before anything else; may be empty.</param>
internal sealed record SentencePieceFile(
    IReadOnlyList<SentencePiece> Pieces, bool IsBpe, bool FallsBackToBytes, int UnknownId, string UnknownPiece, byte[] Charsmap)
{
    private const ulong UnigramType = 1, BpeType = 2;

    /// <summary>
    /// The longest piece in UTF-16 units. SentencePiece's own limit is lower, and merges of endless pieces would take forever.
    /// </summary>
    private const int MaxPieceLength = 1024;

    /// <exception cref="InvalidDataException">The file is malformed, or a model of another type.</exception>
    public static SentencePieceFile Read(ReadOnlySpan<byte> content)
    {
        var pieces = new List<SentencePiece>();
        ReadOnlySpan<byte> trainer = default, normalizer = default;
        for (var model = new ProtobufReader(content); model.MoveNext();)
            switch (model.Field)
            {
                case 1:
                    pieces.Add(ReadPiece(model.Bytes));
                    break;
                case 2:
                    trainer = model.Bytes;
                    break;
                case 3:
                    normalizer = model.Bytes;
                    break;
            }
        if (pieces.Count == 0)
            throw new InvalidDataException("it has no pieces");

        var (type, fallsBack, unknownId, unknownPiece, charsmap) = (UnigramType, false, 0UL, "<unk>", Array.Empty<byte>());
        for (var spec = new ProtobufReader(trainer); spec.MoveNext();)
            switch (spec.Field)
            {
                case 3:
                    type = spec.Number;
                    break;
                case 35:
                    fallsBack = spec.Number != 0;
                    break;
                case 40:
                    unknownId = spec.Number;
                    break;
                case 45:
                    unknownPiece = Text(spec.Bytes);
                    break;
            }
        for (var spec = new ProtobufReader(normalizer); spec.MoveNext();)
            if (spec.Field == 2)
                charsmap = spec.Bytes.ToArray();
        if (type is not (UnigramType or BpeType))
            throw new InvalidDataException($"its model type is {type}, expected 1 (Unigram) or 2 (BPE)");
        if (unknownId >= (ulong)pieces.Count)
            throw new InvalidDataException($"its unk_id is {unknownId}, but it has {pieces.Count} pieces");
        return new SentencePieceFile(pieces, type == BpeType, fallsBack, (int)unknownId, unknownPiece, charsmap);
    }

    /// <summary>
    /// The merges by which the pieces come about: every way to cut a piece into two others, those of the best pieces first, as
    /// transformers lists them.
    /// </summary>
    public IEnumerable<(string Left, string Right)> Merges()
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < Pieces.Count; i++)
            ids[Pieces[i].Text] = i;
        var merges = new List<(string Left, string Right, float Score)>();
        foreach (var piece in Pieces)
            merges.AddRange(Halves(piece.Text)
                .Where(halves => ids.ContainsKey(halves.Left) && ids.ContainsKey(halves.Right))
                .OrderBy(halves => ids[halves.Left]).ThenBy(halves => ids[halves.Right])
                .Select(halves => (halves.Left, halves.Right, piece.Score)));
        return merges.OrderByDescending(merge => merge.Score)
            .ThenByDescending(merge => CharacterCount(merge.Left)).ThenByDescending(merge => CharacterCount(merge.Right))
            .Select(merge => (merge.Left, merge.Right));
    }

    private static IEnumerable<(string Left, string Right)> Halves(string piece)
    {
        for (var i = 1; i < piece.Length; i++)
            if (!char.IsLowSurrogate(piece[i]))
                yield return (piece[..i], piece[i..]);
    }

    private static int CharacterCount(string text) => text.EnumerateRunes().Count();

    private static SentencePiece ReadPiece(ReadOnlySpan<byte> message)
    {
        var piece = new SentencePiece("", 0, SentencePieceKind.Normal);
        for (var field = new ProtobufReader(message); field.MoveNext();)
            piece = field.Field switch
            {
                1 => piece with { Text = Text(field.Bytes) },
                2 => piece with { Score = field.Float },
                3 => piece with { Kind = (SentencePieceKind)field.Number },
                _ => piece,
            };
        if (piece.Text.Length > MaxPieceLength)
            throw new InvalidDataException($"a piece has {piece.Text.Length} characters, expected at most {MaxPieceLength}");
        return float.IsFinite(piece.Score) ? piece : throw new InvalidDataException($"the score of '{piece.Text}' is {piece.Score}");
    }

    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);
}
