using System.Globalization;

namespace RewardModel.Ranking;

/// <summary>
/// By how much the rewards of a pair should be apart: m in -log sigmoid(r_w - r_l - m) (Llama 2, arXiv 2307.09288, eq. 2) and in the hinge
/// loss.
/// </summary>
internal abstract record PairMargin
{
    private const string none = "none", column = "column", scoreDifference = "score-difference*", small = "llama2-small",
        large = "llama2-large";

    /// <summary>What <see cref="Parse"/> takes.</summary>
    public const string Forms = $"{none}, {column}, {scoreDifference}X, {small}, {large}, or a number from 0 to 1000000";

    /// <summary>No margin.</summary>
    public static PairMargin None { get; } = new Constant(0);

    /// <summary>Whether all margins are 0.</summary>
    public bool IsNone => this == None;

    /// <summary>Whether the margins are those of the data.</summary>
    public bool IsOfData => this is OfData;

    /// <summary>The margin of an option's text; null where it is none of <see cref="Forms"/>.</summary>
    public static PairMargin? Parse(string text) => text switch
    {
        none => None,
        column => new OfData(),
        small => new Steps(1.0 / 3),
        large => new Steps(1),
        _ when text.StartsWith(scoreDifference, StringComparison.Ordinal) =>
            NumberOf(text[scoreDifference.Length..]) is { } scale && scale > 0 ? new ScoreDifference(scale) : null,
        _ => NumberOf(text) is { } number ? new Constant(number) : null,
    };

    /// <summary>The margin of a pair.</summary>
    /// <param name="list">The list that it belongs to.</param>
    /// <param name="scoreDifference">Score of the better answer minus that of the worse, positive.</param>
    public abstract double Of(RankingList list, double scoreDifference);

    // Rewards that far apart are no scale that a loss of pairs could teach.
    private const double mostMargin = 1_000_000;

    private static double? NumberOf(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= mostMargin
            ? number
            : null;

    /// <summary>The same for every pair.</summary>
    private sealed record Constant(double Margin) : PairMargin
    {
        public override double Of(RankingList list, double scoreDifference) => Margin;
    }

    /// <summary>That of the list in the data, 0 where it has none.</summary>
    private sealed record OfData : PairMargin
    {
        public override double Of(RankingList list, double scoreDifference) => list.Margin ?? 0;
    }

    /// <summary>A multiple of how far the scores are apart: of answers that are given best first, of their distance in rank.</summary>
    private sealed record ScoreDifference(double Scale) : PairMargin
    {
        public override double Of(RankingList list, double scoreDifference) => Scale * scoreDifference;
    }

    /// <summary>
    /// Llama 2's margins (arXiv 2307.09288, table 27): 0, 1, 2 or 3 units for answers that are negligibly better, slightly better, better and
    /// significantly better. Unit 1/3 is its "margin small", unit 1 its "margin large". The steps are whole numbers of the score difference:
    /// below 1, from 1, from 2, and from 3.
    /// </summary>
    private sealed record Steps(double Unit) : PairMargin
    {
        // 4.1 - 1.1 is a little less than 3 in binary.
        private const double rounding = 1e-9;

        public override double Of(RankingList list, double scoreDifference) =>
            Unit * Math.Floor(Math.Min(scoreDifference, 3) + rounding);
    }
}
