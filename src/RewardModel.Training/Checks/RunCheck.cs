using System.Runtime.InteropServices;
using RewardModel.Lists;
using RewardModel.Scoring;

namespace RewardModel.Training.Checks;

/// <summary>The check of the lists of a run, while they are read.</summary>
internal sealed class RunCheck
{
    /// <summary>At a run's start a sample has to do: so many lists are checked within a second or two.</summary>
    private const int mostOfRun = 20_000;

    private readonly DataCheck check;
    private readonly int mostLists;
    private int seenCount;

    /// <param name="model">Its tokenizer is used.</param>
    /// <param name="isInFull">Whether all lists are checked in every way.</param>
    /// <param name="needsClusters">Whether lists are divided by what is nearly the same.</param>
    public RunCheck(ScoringModel model, bool isInFull, bool needsClusters)
    {
        var settings = DataCheckSettings.For(model) with { HasNearDuplicates = isInFull || needsClusters, HasNgrams = isInFull };
        check = new DataCheck(settings);
        mostLists = isInFull || needsClusters ? int.MaxValue : mostOfRun;
    }

    /// <inheritdoc cref="DataCheck.Add(RankedList, TokenizedList?, TruncationCount, bool)"/>
    public void Add(RankedList? list, TokenizedList tokens, TruncationCount cut, bool isOfEvalData)
    {
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
    public DataReport? Report(int listCount, IEnumerable<int> heldOut)
    {
        if (seenCount != listCount)
            return null;
        var count = Math.Min(listCount, mostLists);
        var isHeldOut = new bool[count];
        foreach (var index in heldOut)
            if (index < count)
                isHeldOut[index] = true;
        return check.Report(isHeldOut);
    }
}
