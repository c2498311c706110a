using RewardModel.Training.Metrics;

namespace RewardModel.Training.Evaluation;

/// <summary>Counts some of the pairs of <see cref="ScoredLists"/>, in their order, in constant memory.</summary>
internal sealed class AccuracyCounter
{
    private PromptSums prompts;
    private int listCount;
    private double margin;
    private int lastList = -1;
    private int unit = -1;
    private double unitRight;
    private long unitPairs;

    /// <summary>How many pairs there are.</summary>
    public long PairCount { get; private set; }

    /// <summary>How many of them are right, halves for equal rewards.</summary>
    public double Right { get; private set; }

    /// <summary>Adds a pair.</summary>
    public void Add(in ScoredPair pair)
    {
        var difference = pair.Difference;
        if (pair.Unit != unit)
        {
            EndUnit();
            unit = pair.Unit;
        }
        if (pair.List != lastList)
        {
            lastList = pair.List;
            listCount++;
        }
        PairCount++;
        margin += difference;
        Right += ScoredPair.RightOf(difference);
        unitRight += ScoredPair.RightOf(difference);
        unitPairs++;
    }

    /// <summary>What was counted; null without pairs.</summary>
    /// <param name="name">Which pairs they are.</param>
    public AccuracyRow? ToRow(string name)
    {
        if (PairCount == 0)
            return null;
        EndUnit();
        var (low, high) = AccuracyInterval.Of(prompts);
        return new AccuracyRow(name, listCount, PairCount, Right / PairCount, low, high, margin / PairCount);
    }

    private void EndUnit()
    {
        if (unitPairs > 0)
            prompts.Add(unitRight, unitPairs);
        (unitRight, unitPairs) = (0, 0);
    }
}
