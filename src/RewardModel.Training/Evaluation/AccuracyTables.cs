using System.Globalization;
using System.Runtime.InteropServices;

namespace RewardModel.Training.Evaluation;

/// <summary>Divides the pairs by what they or their lists differ in.</summary>
internal static class AccuracyTables
{
    /// <summary>More names than this are one row.</summary>
    private const int mostNames = 30;

    /// <summary>More different gaps of scores than this are put into bins.</summary>
    private const int mostGaps = 8;

    private const int gapBinCount = 5;

    /// <summary>Numbers above this, of answers and of ranks, are put together up to the next power of 2.</summary>
    private const int mostSingleNumbers = 8;

    private static readonly string[] lengthNames =
    [
        "better answer at least 2x as long", "better answer 1.25x to 2x as long", "similar lengths", "worse answer 1.25x to 2x as long",
        "worse answer at least 2x as long",
    ];

    private static readonly string[] truncationNames = ["whole", "cut"];

    /// <summary>The tables of at least two rows.</summary>
    public static IReadOnlyList<AccuracyTable> Of(ScoredLists lists) =>
        [.. Divisions(lists).Select(division => Table(lists, division)).Where(table => table.Rows.Count > 1)];

    /// <summary>What pairs are divided by.</summary>
    public static IReadOnlyList<PairDivision> Divisions(ScoredLists lists) =>
    [
        new("answers", pair => NumberBin(pair.Of.Rewards.Count), NameOfNumberBin),
        new("rank-distance", new RankDistances().Of, NameOfNumberBin),
        OfGaps(lists),
        new("length-difference", LengthBin, bin => lengthNames[bin]),
        OfNames(lists, "source", list => list.Source),
        OfNames(lists, "group", list => list.Group),
        OfNames(lists, "language", list => list.Language),
        new("truncation", pair => pair.Of.IsCut ? 1 : 0, bin => truncationNames[bin]),
    ];

    private static AccuracyTable Table(ScoredLists lists, PairDivision division)
    {
        var rows = new SortedDictionary<int, AccuracyCounter>();
        foreach (var pair in lists.Pairs())
        {
            var row = division.RowOf(pair);
            if (row < 0)
                continue;
            if (!rows.TryGetValue(row, out var counter))
                rows.Add(row, counter = new AccuracyCounter());
            counter.Add(pair);
        }
        return new AccuracyTable(division.By, [.. rows.Select(row => row.Value.ToRow(division.NameOf(row.Key))!)]);
    }

    private static int NumberBin(int number) =>
        number <= mostSingleNumbers ? number : mostSingleNumbers + BitLength(number - 1) - BitLength(mostSingleNumbers - 1);

    private static string NameOfNumberBin(int bin)
    {
        if (bin <= mostSingleNumbers)
            return Invariant($"{bin}");
        var highest = mostSingleNumbers << (bin - mostSingleNumbers);
        return Invariant($"{highest / 2 + 1} to {highest}");
    }

    private static int BitLength(int number) => 32 - int.LeadingZeroCount(number);

    private static int LengthBin(ScoredPair pair)
    {
        long better = pair.Of.TokenCounts[pair.Better], worse = pair.Of.TokenCounts[pair.Worse];
        var (longer, shorter) = (Math.Max(better, worse), Math.Min(better, worse));
        // 1.25 as whole numbers.
        if (longer == shorter || 4 * longer < 5 * shorter)
            return 2;
        var isTwice = longer >= 2 * shorter;
        return better > worse ? (isTwice ? 0 : 1) : (isTwice ? 4 : 3);
    }

    private static PairDivision OfNames(ScoredLists lists, string by, Func<ScoredList, string?> nameOf)
    {
        var sizes = new Dictionary<string, long>();
        foreach (var pair in lists.Pairs())
            if (nameOf(pair.Of) is { } name)
                CollectionsMarshal.GetValueRefOrAddDefault(sizes, name, out _)++;
        string[] names =
        [
            .. sizes.OrderByDescending(name => name.Value).ThenBy(name => name.Key, StringComparer.Ordinal).Select(name => name.Key),
        ];
        var rows = names.Take(mostNames).Select((name, row) => (name, row)).ToDictionary(name => name.name, name => name.row);
        return new PairDivision(
            by, pair => nameOf(pair.Of) is { } name ? rows.GetValueOrDefault(name, mostNames) : -1,
            row => row < mostNames ? names[row] : Invariant($"others ({names.Length - mostNames})"));
    }

    /// <summary>
    /// Only of lists whose scores are more than an order. In bins of about as many pairs where there are many different gaps.
    /// </summary>
    private static PairDivision OfGaps(ScoredLists lists)
    {
        // In float32 0.3 - 0.2 and 0.2 - 0.1 are the same gap.
        static float GapOf(in ScoredPair pair) =>
            pair.Of.ScoresAreOrder ? -1 : (float)(pair.Of.Ranking.Scores[pair.Better] - pair.Of.Ranking.Scores[pair.Worse]);

        var different = new HashSet<float>();
        foreach (var pair in lists.Pairs())
            if (GapOf(pair) is >= 0 and var gap && different.Add(gap) && different.Count > mostGaps)
                break;
        if (different.Count <= mostGaps)
        {
            float[] values = [.. different.Order()];
            return new PairDivision("score-gap", pair => Array.BinarySearch(values, GapOf(pair)), row => Invariant($"{values[row]}"));
        }
        var gaps = new float[lists.PairCount];
        var gapCount = 0;
        foreach (var pair in lists.Pairs())
            if (GapOf(pair) is >= 0 and var gap)
                gaps[gapCount++] = gap;
        Array.Resize(ref gaps, gapCount);
        Array.Sort(gaps);
        // Values that occur, so that a bin of gaps has all that are equal: up to its edge.
        float[] edges =
        [
            .. Enumerable.Range(1, gapBinCount - 1).Select(i => gaps[(int)((long)i * gaps.Length / gapBinCount)])
                .Where(edge => edge < gaps[^1]).Distinct(),
        ];
        // Where nearly all gaps are the largest one, the others are a bin of their own.
        if (edges.Length == 0)
            edges = [gaps.Last(gap => gap < gaps[^1])];
        var names = NamesOf(edges);
        return new PairDivision(
            "score-gap",
            pair => GapOf(pair) is >= 0 and var gap ? (Array.BinarySearch(edges, gap) is var place && place < 0 ? ~place : place) : -1,
            row => row == 0 ? $"up to {names[0]}"
                : row == edges.Length ? $"above {names[^1]}"
                : $"above {names[row - 1]}, up to {names[row]}");
    }

    /// <summary>The edges as text, with as few digits as tell them apart.</summary>
    private static string[] NamesOf(float[] edges)
    {
        for (var digits = 2; ; digits++)
        {
            string[] names = [.. edges.Select(edge => edge.ToString($"G{digits}", CultureInfo.InvariantCulture))];
            if (names.Distinct().Count() == names.Length)
                return names;
        }
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    /// <summary>By how many different scores of their list the answers of a pair are apart.</summary>
    private sealed class RankDistances
    {
        private ScoredList? list;
        private int[] levels = [];

        public int Of(ScoredPair pair)
        {
            if (list != pair.Of)
                (list, levels) = (pair.Of, ScoredList.LevelsOf(pair.Of.Ranking.Scores));
            return NumberBin(levels[pair.Better] - levels[pair.Worse]);
        }
    }
}

/// <summary>A way to divide pairs.</summary>
/// <param name="By">What by, as <see cref="AccuracyTable.By"/>.</param>
/// <param name="RowOf">The number of the row that a pair belongs to; negative for none.</param>
/// <param name="NameOf">What a row is called.</param>
internal sealed record PairDivision(string By, Func<ScoredPair, int> RowOf, Func<int, string> NameOf);
