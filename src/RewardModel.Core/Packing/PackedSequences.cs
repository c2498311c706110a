using RewardModel.Kernels;
using RewardModel.Lists;
using TorchSharp;
using static TorchSharp.torch;

namespace RewardModel.Packing;

/// <summary>
/// All token sequences of a batch in one flat row, without padding. A sequence is a segment, together with the parent that it
/// continues: a ranked list is one prompt segment and K answer segments that continue it, so the prompt's tokens exist, and are
/// computed, once. Segments without a parent come first, then those with one; similar lengths are together. Linear layers, norms and
/// MLPs work on [T, ...] and know nothing of segments; only attention does.
/// </summary>
/// <remarks>
/// Example: prompt (7 8 9) with answers (1 2) and (3) is the row 7 8 9 1 2 3, with positions 0 1 2 3 4 3, segments (0, 3),
/// (3, 2, parent 0), (5, 1, parent 0), and rewards read at rows 4 and 5.
/// </remarks>
public sealed class PackedSequences : IDisposable
{
    private readonly Tensor tokenIds_T;
    private readonly Tensor positionIds_T;
    private readonly Tensor tokenTypeIds_T;
    private readonly Tensor firstRows_N;
    private readonly Tensor scoredRows_N;
    private readonly Tensor? keyRows_T, scoredKeyRows_N;
    private bool isDisposed;

    private PackedSequences(
        long[] tokenIds, long[] positionIds, long[] tokenTypeIds, Segment[] segments, (int List, ulong Content)[] contents,
        int[] scoredSegments, int[] scoredLengths, PromptKeys? prompts, Device? device)
    {
        TorchLibraries.Require();
        Segments = segments;
        Contents = contents;
        ScoredSegments = scoredSegments;
        ScoredLengths = scoredLengths;
        Prompts = prompts;
        TokenCount = tokenIds.Length;
        tokenIds_T = DeviceTensor.Of(tokenIds, device).DetachFromDisposeScope();
        positionIds_T = DeviceTensor.Of(positionIds, device).DetachFromDisposeScope();
        tokenTypeIds_T = DeviceTensor.Of(tokenTypeIds, device).DetachFromDisposeScope();
        var firstComputed = new int[segments.Length];
        for (var s = 1; s < segments.Length; s++)
            firstComputed[s] = firstComputed[s - 1] + segments[s - 1].Computed;
        long[] firstRows = [.. scoredSegments.Select(index =>
            (long)firstComputed[segments[index].Parent == Segment.NoParent ? index : segments[index].Parent])];
        firstRows_N = DeviceTensor.Of(firstRows, device).DetachFromDisposeScope();
        long[] scoredRows = [.. scoredSegments.Zip(scoredLengths, (index, length) => (long)firstComputed[index] + length - segments[index].Known - 1)];
        scoredRows_N = DeviceTensor.Of(scoredRows, device).DetachFromDisposeScope();
        if (segments.Any(segment => segment.Known > 0))
        {
            long[] keyRows =
            [
                .. segments.SelectMany(segment => Enumerable.Range(segment.Start + segment.Known, segment.Computed)).Select(row => (long)row),
            ];
            keyRows_T = DeviceTensor.Of(keyRows, device).DetachFromDisposeScope();
            scoredKeyRows_N = DeviceTensor.Of(Array.ConvertAll(scoredRows, row => keyRows[row]), device).DetachFromDisposeScope();
        }
        LongestSequence = (int)positionIds.Max() + 1;
        HighestTokenId = (int)tokenIds.Max();
        HighestTokenType = (int)tokenTypeIds.Max();
        Attention = new AttentionLayout(segments, scoredSegments, Device);
    }

    /// <summary>Where the tensors lie.</summary>
    public Device Device => TokenIds.device;

    /// <summary>Token ids, [T], int64.</summary>
    public Tensor TokenIds => Alive(tokenIds_T);

    /// <summary>Position of each token in its sequence, [T], int64: an answer's go on from its prompt's length.</summary>
    public Tensor PositionIds => Alive(positionIds_T);

    /// <summary>Type of each token, [T], int64: 0 in prompts, <see cref="TokenizedList.AnswerTokenType"/> in answers.</summary>
    public Tensor TokenTypeIds => Alive(tokenTypeIds_T);

    /// <summary>
    /// Row of the first token of each scored sequence, [N], int64: its prompt's, where it has one; of what is computed of it, where a part is
    /// known.
    /// </summary>
    public Tensor FirstRows => Alive(firstRows_N);

    /// <summary>Row of the last token of each scored sequence, [N], int64: where its reward is read.</summary>
    public Tensor ScoredRows => Alive(scoredRows_N);

    /// <summary>
    /// Where the rows of queries, all or those of <see cref="ScoredRows"/>, lie in the row of keys, int64; null for all rows where the keys of
    /// all tokens are computed.
    /// </summary>
    internal Tensor? KeyRows(bool scoredOnly) => !scoredOnly ? keyRows_T : scoredKeyRows_N ?? ScoredRows;

    /// <summary>The segments, those without a parent first.</summary>
    internal IReadOnlyList<Segment> Segments { get; }

    /// <summary>For each segment the list that it is of, by its place among the packed ones, and a hash of its token ids.</summary>
    internal IReadOnlyList<(int List, ulong Content)> Contents { get; }

    /// <summary>What a <see cref="PromptCache"/> knows of the prompts, and is to know; null without one.</summary>
    internal PromptKeys? Prompts { get; }

    /// <summary>Index of the segment that each scored sequence ends in, N of them.</summary>
    internal IReadOnlyList<int> ScoredSegments { get; }

    /// <summary>For each scored sequence how many tokens of that segment are its own: not all where it is the beginning of another one.</summary>
    internal IReadOnlyList<int> ScoredLengths { get; }

    /// <summary>Whether sequences end within a segment, as the steps of a solution do.</summary>
    internal bool EndsWithin => ScoredSegments.Zip(ScoredLengths).Any(scored => scored.Second < Segments[scored.First].Length);

    /// <summary>Whether segments continue others.</summary>
    public bool SharesPrompts => Segments[^1].Parent != Segment.NoParent;

    /// <summary>Count T of tokens in the row.</summary>
    public int TokenCount { get; }

    /// <summary>Count of tokens that there are keys of: those of the row, and those that are known.</summary>
    internal int KeyCount => Segments[^1].Start + Segments[^1].Length;

    /// <summary>Tokens of the longest sequence, its parent's included.</summary>
    public int LongestSequence { get; }

    /// <summary>The highest of the token ids.</summary>
    public int HighestTokenId { get; }

    /// <summary>The highest of the token types.</summary>
    public int HighestTokenType { get; }

    internal AttentionLayout Attention { get; }

    /// <summary>For layers that compute all tokens.</summary>
    internal QueryRows AllRows => new(this, AreScored: false);

    /// <summary>Packs ranked lists. Rewards come out list by list, in the order of each list's answers.</summary>
    /// <param name="lists">At least one list; every answer has at least one token.</param>
    /// <param name="sharePrompts">
    /// True: each prompt is laid out once and its answers continue it (a list whose prompt is cut in several ways has several). False:
    /// every answer brings its own copy of the prompt, as encoders need; causal backbones give the same rewards either way. With true an answer
    /// that is the beginning of the next one, as the steps of a solution are, is not laid out either: its reward is read within that one.
    /// </param>
    /// <param name="device">Where the tensors are to lie: the model's device. Null: on the CPU.</param>
    /// <exception cref="ArgumentException">There is no list, or a list with no answer or with an answer of no tokens.</exception>
    public static PackedSequences Pack(IReadOnlyList<TokenizedList> lists, bool sharePrompts = true, Device? device = null) =>
        Pack(lists, sharePrompts, device, cache: null);

    /// <summary>The same with a cache: what it knows of the prompts is not laid out.</summary>
    internal static PackedSequences Pack(IReadOnlyList<TokenizedList> lists, bool sharePrompts, Device? device, PromptCache? cache)
    {
        Check(lists);
        var pieces = new List<Piece>();
        var scored = new List<(int Piece, int Length)>();
        foreach (var (l, list) in lists.Index())
        {
            var (prompts, promptOfAnswer) = list.DistinctPrompts();
            var pieceOfPrompt = new int[prompts.Count];
            for (var p = 0; p < prompts.Count; p++)
            {
                pieceOfPrompt[p] = Segment.NoParent;
                if (!sharePrompts || prompts[p].Length == 0)
                    continue;
                pieceOfPrompt[p] = pieces.Count;
                pieces.Add(new Piece(l, prompts[p], [], 0, 0, Segment.NoParent));
            }
            foreach (var (k, (answer, p)) in list.AnswerIds.Zip(promptOfAnswer).Index())
            {
                scored.Add((pieces.Count, sharePrompts ? answer.Length : prompts[p].Length + answer.Length));
                if (sharePrompts && list.IsContinued(k))
                    continue;
                pieces.Add(pieceOfPrompt[p] == Segment.NoParent
                    ? new Piece(l, prompts[p], answer, list.AnswerTokenType, 0, Segment.NoParent)
                    : new Piece(l, [], answer, list.AnswerTokenType, prompts[p].Length, pieceOfPrompt[p]));
            }
        }
        return LayOut(pieces, scored, device, cache);
    }

    /// <summary>Tokens that <see cref="Pack(IReadOnlyList{TokenizedList}, bool, Device)"/> lays out for a list.</summary>
    public static int CountTokens(TokenizedList list, bool sharePrompts = true)
    {
        ArgumentNullException.ThrowIfNull(list);
        var (prompts, promptOfAnswer) = list.DistinctPrompts();
        return (sharePrompts ? prompts.Sum(ids => ids.Length) : promptOfAnswer.Sum(p => prompts[p].Length))
            + list.AnswerIds.Index().Sum(answer => sharePrompts && list.IsContinued(answer.Index) ? 0 : answer.Item.Length);
    }

    /// <summary>Releases the tensors; nothing can be read from them afterwards.</summary>
    public void Dispose()
    {
        isDisposed = true;
        tokenIds_T.Dispose();
        positionIds_T.Dispose();
        tokenTypeIds_T.Dispose();
        firstRows_N.Dispose();
        scoredRows_N.Dispose();
        keyRows_T?.Dispose();
        scoredKeyRows_N?.Dispose();
        Attention.Dispose();
        Prompts?.Dispose();
    }

    private Tensor Alive(Tensor tensor)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        return tensor;
    }

    private static PackedSequences LayOut(
        List<Piece> pieces, List<(int Piece, int Length)> scored, Device? device, PromptCache? cache)
    {
        var prompts = cache is null ? null : new PromptKeys(cache);
        try
        {
            return LayOut(pieces, scored, device, prompts);
        }
        catch
        {
            // What was found in the cache is not read after all.
            prompts?.Dispose();
            throw;
        }
    }

    /// <summary>Puts the pieces into the order that attention computes fastest.</summary>
    private static PackedSequences LayOut(
        List<Piece> pieces, List<(int Piece, int Length)> scored, Device? device, PromptKeys? prompts)
    {
        var order = AttentionLayout.Order([.. pieces.Select(piece => new Segment(0, piece.Length, piece.Parent))]);
        var place = new int[pieces.Count];
        for (var i = 0; i < order.Length; i++)
            place[order[i]] = i;

        var tokenIds = new List<long>();
        var positionIds = new List<long>();
        var tokenTypeIds = new List<long>();
        var segments = new List<Segment>();
        var contents = new List<(int, ulong)>();
        // What is read of a piece first is computed in any case.
        var firstRead = prompts is null ? [] : scored.GroupBy(read => read.Piece).ToDictionary(reads => reads.Key, reads => reads.Min(read => read.Length));
        var takesParts = device is null || device.type == DeviceType.CPU;
        var start = 0;
        foreach (var index in order)
        {
            var piece = pieces[index];
            var known = piece.Parent == Segment.NoParent
                ? prompts?.Add(start, piece.Ids, mostKnown: firstRead.TryGetValue(index, out var first) ? first - 1 : piece.Length, takesParts) ?? 0
                : 0;
            segments.Add(new Segment(start, piece.Length, piece.Parent == Segment.NoParent ? Segment.NoParent : place[piece.Parent], known));
            contents.Add((piece.List, DropoutHash.Of(piece.Ids)));
            start += piece.Length;
            tokenIds.AddRange(piece.Ids.Skip(known).Select(id => (long)id));
            tokenTypeIds.AddRange(
                Enumerable.Range(known, piece.Length - known).Select(token => token < piece.PromptIds.Length ? 0L : piece.AnswerTokenType));
            positionIds.AddRange(Enumerable.Range(piece.FirstPosition + known, piece.Length - known).Select(position => (long)position));
        }
        return new PackedSequences(
            [.. tokenIds], [.. positionIds], [.. tokenTypeIds], [.. segments], [.. contents],
            [.. scored.Select(read => place[read.Piece])], [.. scored.Select(read => read.Length)], prompts, device);
    }

    private static void Check(IReadOnlyList<TokenizedList> lists)
    {
        ArgumentNullException.ThrowIfNull(lists);
        if (lists.Count == 0)
            throw new ArgumentException("There is no list to pack; expected at least one.", nameof(lists));
        foreach (var list in lists)
        {
            if (list.AnswerIds.Count == 0)
                throw new ArgumentException($"The list at {list.Source} has no answers; expected at least one.", nameof(lists));
            if (list.OwnPromptIds is { } own && own.Count != list.AnswerIds.Count)
                throw new ArgumentException(
                    $"The list at {list.Source} has {list.AnswerIds.Count} answers and {own.Count} entries in "
                    + $"{nameof(list.OwnPromptIds)}; expected one for each answer, or none at all.",
                    nameof(lists));
            for (var k = 0; k < list.AnswerIds.Count; k++)
                if (list.AnswerIds[k].Length == 0)
                    throw new ArgumentException(
                        $"Answer {k + 1} of the list at {list.Source} has no tokens; expected at least one, where its reward is read.",
                        nameof(lists));
        }
    }

    /// <summary>A segment to be: list, ids, the answer's token type, the first token's position, and the piece that it continues.</summary>
    private sealed record Piece(int List, int[] PromptIds, int[] AnswerIds, int AnswerTokenType, int FirstPosition, int Parent)
    {
        public int Length => PromptIds.Length + AnswerIds.Length;

        public int[] Ids => PromptIds.Length == 0 ? AnswerIds : AnswerIds.Length == 0 ? PromptIds : [.. PromptIds, .. AnswerIds];
    }
}
