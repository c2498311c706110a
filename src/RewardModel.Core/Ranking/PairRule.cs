namespace RewardModel.Ranking;

/// <summary>A pair of answers of one list.</summary>
/// <param name="Better">Index of the better answer; of a tie, of either.</param>
/// <param name="Worse">Index of the other one.</param>
/// <param name="Margin">By how much their rewards should be apart.</param>
/// <param name="IsTie">Whether none of them is better.</param>
internal readonly record struct RankedPair(int Better, int Worse, double Margin, bool IsTie);

/// <summary>Which answers of a list make a pair, and with what margin.</summary>
internal sealed record PairRule(TieHandling Ties, PairMargin Margin)
{
    /// <summary>All pairs of a list, each once.</summary>
    public List<RankedPair> PairsOf(RankingList list)
    {
        var pairs = new List<RankedPair>();
        var scores = list.Scores;
        for (var i = 0; i < scores.Count; i++)
            for (var j = 0; j < scores.Count; j++)
            {
                var difference = scores[i] - scores[j];
                if (difference > 0 && !list.AreEqual(i, j))
                    pairs.Add(new RankedPair(i, j, Margin.Of(list, difference), IsTie: false));
                else if (difference == 0 && i < j && Ties == TieHandling.Half && !list.AreEqual(i, j))
                    pairs.Add(new RankedPair(i, j, Margin: 0, IsTie: true));
            }
        return pairs;
    }
}
