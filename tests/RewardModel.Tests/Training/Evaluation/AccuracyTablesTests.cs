using RewardModel.Training.Evaluation;
using RewardModel.Training.Metrics;
using static RewardModel.Tests.Training.Evaluation.SomeScoredLists;

namespace RewardModel.Tests.Training.Evaluation;

public class AccuracyTablesTests
{
    [Fact]
    public void Gaps_that_are_mostly_the_largest_one_are_told_from_the_others()
    {
        // 9 different gaps up to 1.8, then 91 of 4.
        ScoredList[] lists = [.. Enumerable.Range(0, 100).Select(i => List([0, i % 2], [0, i < 9 ? 1 + i / 10.0 : 4]))];
        var table = AccuracyTables.Of(new ScoredLists(lists)).Single(table => table.By == "score-gap");
        Assert.Equal([("up to 1.8", 9L), ("above 1.8", 91L)], table.Rows.Select(row => (row.Name, row.PairCount)));
    }

    [Theory]
    [InlineData("answers")]
    [InlineData("rank-distance")]
    [InlineData("score-gap")]
    [InlineData("length-difference")]
    [InlineData("source")]
    [InlineData("group")]
    [InlineData("language")]
    [InlineData("truncation")]
    public void Every_row_is_that_of_its_pairs_alone(string by)
    {
        var lists = Random(300, seed: 1);
        string? NameOf((int List, int Better, int Worse, double Difference) pair)
        {
            var list = lists[pair.List];
            double better = list.TokenCounts[pair.Better], worse = list.TokenCounts[pair.Worse];
            return by switch
            {
                "answers" => $"{list.Rewards.Count}",
                "rank-distance" => list.Ranking.Scores.Distinct().Count(
                    score => score >= list.Ranking.Scores[pair.Worse] && score < list.Ranking.Scores[pair.Better]).ToString(),
                "score-gap" => $"{list.Ranking.Scores[pair.Better] - list.Ranking.Scores[pair.Worse]}",
                "length-difference" => (better / worse) switch
                {
                    >= 2 => "better answer at least 2x as long",
                    >= 1.25 => "better answer 1.25x to 2x as long",
                    > 0.8 => "similar lengths",
                    > 0.5 => "worse answer 1.25x to 2x as long",
                    _ => "worse answer at least 2x as long",
                },
                "source" => list.Source,
                "group" => list.Group,
                "language" => list.Language,
                _ => list.IsCut ? "cut" : "whole",
            };
        }
        var table = Assert.Single(AccuracyTables.Of(new ScoredLists(lists)), table => table.By == by);
        var expected = PairsOf(lists).Where(pair => NameOf(pair) is not null).GroupBy(pair => NameOf(pair)!).ToDictionary(group => group.Key);
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), table.Rows.Select(row => row.Name).Order(StringComparer.Ordinal));
        Assert.All(table.Rows, row =>
        {
            var pairs = expected[row.Name].ToArray();
            Assert.Equal(
                (pairs.Length, pairs.Select(pair => pair.List).Distinct().Count()), ((int)row.PairCount, row.ListCount));
            Assert.Equal(AccuracyOf(pairs.Select(pair => pair.Difference)), row.Accuracy, 1e-12);
            Assert.Equal(pairs.Average(pair => pair.Difference), row.Margin, 1e-12);
            var (low, high) = AccuracyInterval.Of(
            [
                .. pairs.GroupBy(pair => lists[pair.List].Prompt).Select(prompt => (
                    prompt.Sum(pair => (Math.Sign(pair.Difference) + 1) / 2.0), prompt.LongCount())),
            ]);
            Assert.Equal(low, row.AccuracyLow, 1e-12);
            Assert.Equal(high, row.AccuracyHigh, 1e-12);
        });
    }

    [Fact]
    public void Rows_are_in_the_order_of_what_they_differ_in_and_names_the_largest_first()
    {
        var tables = AccuracyTables.Of(new ScoredLists(Random(300, seed: 1))).ToDictionary(table => table.By, table => table.Rows);
        Assert.Equal(["2", "3", "4", "5", "6"], tables["answers"].Select(row => row.Name));
        Assert.Equal(["1", "2", "3"], tables["score-gap"].Select(row => row.Name));
        Assert.Equal(["whole", "cut"], tables["truncation"].Select(row => row.Name));
        Assert.Equal(5, tables["length-difference"].Count);
        foreach (var by in new[] { "source", "group", "language" })
            Assert.Equal(tables[by].OrderByDescending(row => row.PairCount), tables[by]);
    }

    [Fact]
    public void A_table_of_one_row_is_left_out()
    {
        ScoredList[] lists = [List([1, 0], [1, 0]) with { Group = "a", ScoresAreOrder = true }, List([0, 1], [1, 0]) with { Group = "a" }];
        Assert.Empty(AccuracyTables.Of(new ScoredLists(lists)));
        Assert.Equal("group", Assert.Single(AccuracyTables.Of(new ScoredLists([.. lists, List([0, 1], [1, 0]) with { Group = "b" }]))).By);
        Assert.Empty(AccuracyTables.Of(new ScoredLists([])));
    }

    [Fact]
    public void Where_all_lists_have_one_prompt_intervals_count_lists()
    {
        ScoredList[] lists =
            [.. Enumerable.Range(0, 40).Select(i => List([i % 4, 1], [1, 0], prompt: 7) with { Group = i % 2 == 0 ? "a" : "b" })];
        var row = Assert.Single(AccuracyTables.Of(new ScoredLists(lists))).Rows[0];
        Assert.Equal(
            AccuracyInterval.Of([.. Enumerable.Range(0, 20).Select(i => (i % 2 == 0 ? 0.0 : 1, 1L))]), (row.AccuracyLow, row.AccuracyHigh));
    }

    [Fact]
    public void Long_lists_are_put_together()
    {
        int[] sizes = [8, 9, 12, 16, 17, 40, 64];
        var table = AccuracyTables.Of(new ScoredLists(
        [
            .. sizes.Select(size => List([.. new float[size]], [.. Enumerable.Range(0, size).Select(i => i == 0 ? 1.0 : 0)])),
        ])).Single(table => table.By == "answers");
        Assert.Equal(
            [("8", 1), ("9 to 16", 3), ("17 to 32", 1), ("33 to 64", 2)], table.Rows.Select(row => (row.Name, row.ListCount)));
    }

    [Fact]
    public void More_than_thirty_names_end_in_a_row_of_the_others()
    {
        // Group i has i lists; 40 groups.
        var table = AccuracyTables.Of(new ScoredLists(
        [
            .. Enumerable.Range(1, 40).SelectMany(
                group => Enumerable.Repeat(0, group).Select(_ => List([1, 0], [1, 0]) with { Group = $"{group}" })),
        ])).Single();
        Assert.Equal(31, table.Rows.Count);
        Assert.Equal(("40", 40), (table.Rows[0].Name, table.Rows[0].ListCount));
        Assert.Equal(("others (10)", 55), (table.Rows[30].Name, table.Rows[30].ListCount));
    }

    [Fact]
    public void Many_gaps_are_put_into_bins_of_as_many_pairs()
    {
        var random = new Random(4);
        ScoredList[] lists =
        [
            .. Enumerable.Range(0, 1000).Select(i => List([i % 3, 1], [random.Next(1, 200) / 10.0, 0]) with { ScoresAreOrder = i % 10 == 0 }),
        ];
        var table = AccuracyTables.Of(new ScoredLists(lists)).Single(table => table.By == "score-gap");
        Assert.Equal(5, table.Rows.Count);
        Assert.Equal(900, table.Rows.Sum(row => row.PairCount));
        Assert.All(table.Rows, row => Assert.InRange(row.PairCount, 170, 190));
        Assert.StartsWith("up to ", table.Rows[0].Name, StringComparison.Ordinal);
        // The name tells which pairs the second row has.
        var words = table.Rows[1].Name.Split(' ', ',');
        var (low, high) = (double.Parse(words[1]), double.Parse(words[^1]));
        Assert.Equal(
            table.Rows[1].PairCount,
            lists.Count(list => !list.ScoresAreOrder && list.Ranking.Scores[0] > low && list.Ranking.Scores[0] <= high));
        Assert.Equal($"above {words[^1]}", table.Rows[2].Name.Split(", ")[0]);
    }

    [Fact]
    public void Gaps_that_differ_by_rounding_are_the_same() => Assert.Equal(
        ["0.1", "0.2"],
        AccuracyTables.Of(new ScoredLists([List([1, 0, 2], [0.1, 0.2, 0.3]), List([1, 0], [0.4, 0.3])])).Single(table => table.By == "score-gap")
            .Rows.Select(row => row.Name));
}
