using System.Runtime.InteropServices;
using RewardModel.Lists;
using RewardModel.Scoring;

namespace RewardModel.Training.Checks;

/// <summary>The check of the lists of a run, while they are read.</summary>
internal sealed class RunCheck
{
    /// <summary>At a run's start a sample has to do: so many lists are checked within a second or two.</summary>
    private const int mostOfRun = 20_000;

    /// <summary>Kept as they are, for an evaluation that edits some of those that are held out: a tenth, mostly.</summary>
    private const int mostOriginals = 1000;

    private const int mostOriginalCharacters = 2_000_000;

    private readonly SampledLists originals = new(mostOriginals, mostOriginalCharacters), evalOriginals = new(mostOriginals, mostOriginalCharacters);
    private readonly DataCheck check;
    private readonly bool isInFull;
    private readonly int mostLists;
    private int seenCount;

    /// <param name="model">Its tokenizer is used.</param>
    /// <param name="isInFull">Whether all lists are checked in every way.</param>
    /// <param name="needsClusters">Whether lists are divided by what is nearly the same.</param>
    public RunCheck(ScoringModel model, bool isInFull, bool needsClusters)
    {
        this.isInFull = isInFull;
        check = new DataCheck(DataCheckSettings.For(model) with { HasNearDuplicates = isInFull || needsClusters });
        mostLists = isInFull || needsClusters ? int.MaxValue : mostOfRun;
    }

    /// <inheritdoc cref="DataCheck.Add(RankedList, TokenizedList?, TruncationCount, bool)"/>
    public void Add(RankedList? list, TokenizedList tokens, TruncationCount cut, bool isOfEvalData)
    {
        if (list is not null)
            (isOfEvalData ? evalOriginals : originals).Add(seenCount, list);
        if (seenCount++ >= mostLists)
            return;
        if (list is null)
            check.Add(tokens, cut);
        else
            check.Add(list, tokens, cut, isOfEvalData);
    }

    /// <summary>The cluster of each list, as a text that can be kept.</summary>
    public string ClustersAsText() => Convert.ToBase64String(MemoryMarshal.AsBytes<int>(check.NearDuplicateClusters()));

    /// <summary>The clusters of a text.</summary>
    public static int[] ClustersOf(string text) => MemoryMarshal.Cast<byte, int>(Convert.FromBase64String(text)).ToArray();

    /// <summary>What was found; null where some lists were not seen.</summary>
    /// <param name="listCount">How many there are.</param>
    /// <param name="heldOut">The indices of those that are held out; none where nothing is.</param>
    public DataReport? Report(int listCount, IEnumerable<int> heldOut) =>
        SidesOf(listCount, heldOut) is { } isHeldOut ? check.Report(isHeldOut, trainsNgrams: isInFull) : null;

    /// <summary>What linear models of words and characters make of the held-out lists, in their order: null of a list that was not kept.</summary>
    /// <inheritdoc cref="Report"/>
    public IReadOnlyList<(string Name, IReadOnlyList<float[]?> Scores)> NgramScores(int listCount, IReadOnlyList<int> heldOut) =>
        SidesOf(listCount, heldOut) is { } isHeldOut
            ? [.. check.NgramScores(isHeldOut).Select(model => (model.Name, (IReadOnlyList<float[]?>)[.. heldOut.Select(model.ByList.GetValueOrDefault)]))]
            : [];

    /// <summary>Those of some lists that were kept as they are, with their places among these; none where some lists were not seen.</summary>
    /// <param name="listCount">How many lists there are.</param>
    /// <param name="indices">The indices of some of them.</param>
    public IReadOnlyList<(int Index, RankedList List)> OriginalsOf(int listCount, IReadOnlyList<int> indices)
    {
        if (seenCount != listCount)
            return [];
        var kept = originals.InOrder().Concat(evalOriginals.InOrder()).ToDictionary(list => list.Index, list => list.List);
        return [.. indices.Select((index, place) => (place, kept.GetValueOrDefault(index)!)).Where(list => list.Item2 is not null)];
    }

    /// <summary>For each list that was checked whether it is held out; null where some were not seen.</summary>
    private bool[]? SidesOf(int listCount, IEnumerable<int> heldOut)
    {
        if (seenCount != listCount)
            return null;
        var isHeldOut = new bool[Math.Min(listCount, mostLists)];
        foreach (var index in heldOut)
            if (index < isHeldOut.Length)
                isHeldOut[index] = true;
        return isHeldOut;
    }
}
