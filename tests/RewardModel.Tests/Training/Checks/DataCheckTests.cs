using RewardModel.Lists;
using RewardModel.Training.Checks;

namespace RewardModel.Tests.Training.Checks;

public class DataCheckTests
{
    private static readonly DataCheckSettings quick = new DataCheckSettings { HasNearDuplicates = false, HasNgrams = false };

    /// <summary>Nothing is wrong with these: six prompts of different words, and answers of equal lengths.</summary>
    private static readonly RankedList[] clean =
    [
        .. new[] { "Why is the sky blue?", "Name a river of Asia.", "How do bees fly?", "What is a prime?", "Who wrote Faust?", "Where is Oslo?" }
            .Select((prompt, i) => new RankedList(prompt, [$"good reply {i}", $"poor reply {i}"], [1, 0], new SourceLine("data.jsonl", i + 1))),
    ];

    [Fact]
    public void Nothing_is_found_in_clean_lists()
    {
        var report = Report(clean, heldOut: [4, 5], new DataCheckSettings());
        Assert.Empty(report.Findings);
        Assert.Equal((6, 12L, 6, 6L), (report.ListCount, report.AnswerCount, report.PromptCount, report.PairCount));
        Assert.Equal((4, 2), (report.Split!.TrainListCount, report.Split.HeldOutListCount));
    }

    /// <summary>Each is one list more behind the clean ones, in line 7.</summary>
    public static TheoryData<string, string, string, string, string> OfText => new()
    {
        { FindingId.NoPairs, "What is tea?", "A drink.", "A drink!", "tied" },
        { FindingId.IdenticalAnswers, "What is tea?", "A drink.", "A drink.", "" },
        { FindingId.EmptyAnswers, "What is tea?", "A drink.", " \n\t", "" },
        { FindingId.PromptRepeated, "What is tea made of?", " What is tea made of? Of leaves.", "Of wood, which is not that bad.", "" },
        { FindingId.Mojibake, "What is tea?", "A caf\u00c3\u00a9.", "A drink.", "" },
        { FindingId.ReplacementCharacters, "What is tea?", "A caf\ufffd.", "A drink.", "" },
        { FindingId.ByteOrderMarks, "\ufeffWhat is tea?", "A drink.", "A stone.", "" },
        { FindingId.ControlCharacters, "What is tea?", "A dr\u0007ink.", "A stone.", "" },
        { FindingId.HtmlEntities, "What is tea?", "Leaves &amp; water", "A drink.", "" },
        { FindingId.SpecialTokens, "What is tea?", "A drink.<|im_end|>", "A stone.", "" },
        { FindingId.SpecialTokens, "What is tea?", "A drink.<own>", "A stone.", "" },
        { FindingId.MixedScripts, "What is the best of teas?", "Это горячий напиток.", "A drink of leaves.", "" },
    };

    [Theory, MemberData(nameof(OfText))]
    public void What_is_wrong_with_one_list_is_found_there_and_nothing_else_is(string id, string prompt, string better, string worse,
        string scores)
    {
        var list = new RankedList(prompt, [better, worse], scores == "tied" ? [1, 1] : [1, 0], new SourceLine("data.jsonl", 7));
        var report = Report([.. clean, list], [], new DataCheckSettings { HasNgrams = false, SpecialTokens = ["<own>", "the", ""] });
        string[] expected = id == FindingId.IdenticalAnswers ? [FindingId.NoPairs, id] : [id];
        Assert.Equal(expected, report.Findings.Select(finding => finding.Id));
        Assert.All(report.Findings, finding =>
        {
            Assert.Equal(1, finding.Count);
            Assert.Equal(["data.jsonl:7"], finding.Examples.Select(source => source.ToString()));
            Assert.Contains($"1 of {(finding.Share < 1 / 13.5 ? 14 : 7)} ", finding.Sentence, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("Leaves & water; AT&T, R&D;")]
    [InlineData("É«quote», «à la carte», MAÇÃO, Ânimo, naïve, ñandú, β-Ä")]
    [InlineData("tabs\tand\r\nlines")]
    [InlineData("the own <b>tag</b> [1] a < b > c | d")]
    public void What_only_looks_wrong_is_not_found(string answer) =>
        Assert.Empty(Report([.. clean, List("What is tea?", [answer, answer + "."])], [], quick).Findings);

    [Theory]
    [InlineData("“Itâ€™s”")]
    [InlineData("Â£5")]
    [InlineData("ðŸ˜€")]
    [InlineData("ï»¿start")]
    [InlineData("Ð¿Ñ€Ð¸Ð²ÐµÑ‚")]
    [InlineData("ä½\u00a0å¥½")]
    public void Mojibake_has_many_forms(string answer) =>
        Assert.Equal(1, Report([List("What is tea?", [answer, "A drink."])], [], quick).Mojibake!.Count);

    [Fact]
    public void Prompts_on_both_sides_leak()
    {
        var report = Report([.. clean, List(clean[0].Prompt, ["another one", "and a worse"], 7)], heldOut: [4, 6], new DataCheckSettings());
        var leak = Assert.Single(report.Findings, finding => finding.Id == FindingId.Leak);
        Assert.Equal((FindingSeverity.Error, 1L, 0.5, "data.jsonl:7"),
            (leak.Severity, leak.Count, leak.Share, leak.Examples.Single().ToString()));
        Assert.Equal(0, report.Split!.NearLeak!.Count);
        Assert.Equal((2L, 7L), (report.SharedPrompts.Count, report.SharedPrompts.Of));
        Assert.Equal(0, Report([.. clean, List(clean[0].Prompt, ["another one", "and a worse"], 7)], heldOut: [0, 6], quick).Split!.Leak.Count);
    }

    [Fact]
    public void White_space_and_case_make_no_other_prompt()
    {
        var report = Report(
            [.. clean, List(" why is  the\nSKY blue? ", ["another one", "and a worse"], 7)], heldOut: [4, 6], new DataCheckSettings());
        Assert.Equal([FindingId.NearLeak, FindingId.NearDuplicates], report.Findings.Select(finding => finding.Id));
        Assert.Equal((0L, 1L, 1L), (report.Split!.Leak.Count, report.Split.LeakButForSpaceAndCase!.Count, report.Split.NearLeak!.Count));
        Assert.Equal((2L, 2), (report.NearDuplicates!.Count, report.LargestCluster));
    }

    [Fact]
    public void Lists_of_one_prompt_leak_by_their_answers()
    {
        RankedList[] lists =
        [
            List("Rate the shop.", ["Everything was fresh and the people are kind to us", "Closed again, as it was all week"]),
            List("Rate the shop.", ["Parking is a dream, prices are not", "They sold me last year's bread"]),
            List("Rate the shop.", ["Everything was fresh and the people are kind to us", "Closed again, as it was all week"]),
            List("Rate the shop.", ["Everything was fresh, and the people are kind to us", "Closed again, as it was all week!"]),
        ];
        var report = Report(lists, heldOut: [2, 3], new DataCheckSettings());
        Assert.Equal((1L, 1L, 0L), (report.Split!.Leak.Count, report.Split.NearLeak!.Count, report.Split.LeakButForSpaceAndCase!.Count));
        Assert.Equal((1L, 2L, 3L), (report.DuplicateLists.Count, report.SharedPrompts.Count, report.NearDuplicates!.Count));
        Assert.Equal([0, 1, 0, 0], Clusters(lists));
        // With another prompt among them they are told apart by prompts again.
        Assert.Equal([0, 0, 0, 0, 1], Clusters([.. lists, clean[0]]));
    }

    [Fact]
    public void Equal_lists_are_duplicates_in_any_order_of_their_answers_but_not_with_other_scores()
    {
        RankedList[] lists =
        [
            new("p", ["a", "b"], [1, 0]), new("p", ["b", "a"], [0, 1]), new("p", ["a", "b"], [2, 0]), new("q", ["a", "b"], [1, 0]),
        ];
        Assert.Equal(1, Report(lists, [], quick).DuplicateLists.Count);
    }

    [Fact]
    public void Answers_of_five_prompts_are_boilerplate()
    {
        RankedList[] lists = [.. clean.Select((list, i) => List(list.Prompt, [$"answer {i}", "I can't help."], i + 1))];
        var found = Report(lists, [], quick).Boilerplate;
        Assert.Equal((6L, 12L, "data.jsonl:1"), (found.Count, found.Of, found.Examples.Single().ToString()));
        Assert.Equal(0, Report(lists[..4], [], quick).Boilerplate.Count);
        Assert.Equal(0, Report([.. Enumerable.Repeat(lists[0], 9), lists[1]], [], quick).Boilerplate.Count);
    }

    [Fact]
    public void Pairs_ties_and_notes_are_counted()
    {
        RankedList[] lists =
        [
            new("p", ["a", "b", "c"], [1, 1, 0]) { Margin = 2, Group = "x" }, new("q", ["a"], [1]) { Weight = 3, Group = "y" },
            new("r", ["longer", "short"], [1, 0]) { Group = "x" },
        ];
        var report = Report(lists, [], quick);
        Assert.Equal((3L, 1L, 4L), (report.PairCount, report.TiedPairs.Count, report.TiedPairs.Of));
        Assert.Equal([(1, 1), (2, 1), (3, 1)], report.ListsByAnswerCount.Select(pair => (pair.Key, pair.Value)));
        Assert.Equal((1L, 1L, 1L, 3L), (report.ListsWithoutPairs.Count, report.Margins.Count, report.Weights.Count, report.Groups.Count));
        Assert.Equal([("x", 2), ("y", 1)], report.ListsByGroup.Select(pair => (pair.Key, pair.Value)));
        Assert.Equal((1L, 0L, 3L), (report.LongerIsBetter!.Count, report.ShorterIsBetter!.Count, report.LongerIsBetter.Of));
        Assert.Equal(new DataLengths(1, 6, 6, 6), report.AnswerCharacters);
        Assert.Null(report.AnswerTokens);
        Assert.Null(report.Truncation);
    }

    [Fact]
    public void Tokens_tell_what_is_cut_and_what_becomes_equal()
    {
        var check = new DataCheck(quick with { TokensAfterAnswer = 1 });
        var cut = new TruncationCount(new CutCount(1, 1, 6, 12), new CutCount(0, 2, 0, 4));
        check.Add(List("p", ["long one", "long two"]), new TokenizedList([1, 2], [[3, 9], [3, 9]], [1, 0]), cut);
        check.Add(List("q", ["a b", "c d"]), new TokenizedList([1], [[3, 4, 9], [5, 6, 9]], [1, 0]),
            new TruncationCount(new CutCount(0, 1, 0, 1), new CutCount(0, 2, 0, 6)));
        var report = check.Report([false, false]);
        Assert.Equal((0L, 1L, 1L), (report.IdenticalTexts!.Count, report.IdenticalTokens!.Count, report.IdenticalAnswers.Count));
        Assert.Equal((1L, 1L), (report.PairCount, report.ListsWithoutPairs.Count));
        Assert.Equal((1L, 2L), (report.CutLists!.Count, report.CutLists.Of));
        Assert.Equal((6L, 0.5), (report.Truncation!.Value.Prompts.LostTokens, report.Truncation.Value.Prompts.CutShare));
        Assert.Equal((2L, 4L), (report.OneTokenAnswers!.Count, report.OneTokenAnswers.Of));
        Assert.Equal((new DataLengths(1, 2, 2, 2), new DataLengths(2, 3, 3, 3)), (report.PromptTokens, report.AnswerTokens));
        var sentence = Assert.Single(report.Findings, finding => finding.Id == FindingId.IdenticalAnswers).Sentence;
        Assert.Contains("(1 only after the cut or the chat template)", sentence, StringComparison.Ordinal);
        Assert.Contains(
            "takes 26.1 % of all tokens", report.Findings.Single(finding => finding.Id == FindingId.Cut).Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Lists_of_ids_have_no_figures_of_text()
    {
        var check = new DataCheck(new DataCheckSettings());
        int[] prompt = [.. Enumerable.Range(10, 60)];
        check.Add(new TokenizedList(prompt, [[3, 9, 9], [4, 9]], [1, 0]));
        check.Add(new TokenizedList([.. prompt[..^1], 5], [[3, 9], [4, 9]], [1, 0]));
        check.Add(new TokenizedList([1, 2, 3], [[3, 9], [4, 9]], [1, 0]));
        var report = check.Report([false, true, false]);
        Assert.Equal((0L, 1L), (report.Split!.Leak.Count, report.Split.NearLeak!.Count));
        Assert.Null(report.PromptCharacters);
        Assert.Null(report.Mojibake);
        Assert.Null(report.EmptyAnswers);
        Assert.Null(report.LongerIsBetter);
        Assert.Null(report.ListsByScript);
        Assert.Equal(["more-tokens"], report.Baselines.Select(baseline => baseline.Name));
        Assert.Equal([0, 0, 1], check.NearDuplicateClusters());
        Assert.Contains("tokens of a prompt", report.ToText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Conversations_are_read_without_their_json()
    {
        var chat = List("What is tea?", ["A caf\u00c3\u00a9.", "A drink."]).AsChat();
        var report = Report([chat], [], quick);
        Assert.Equal((1L, 0L), (report.Mojibake!.Count, report.HtmlEntities!.Count));
        Assert.Equal(12, report.PromptCharacters!.Longest);
    }

    [Fact]
    public void Scripts_and_languages_are_counted()
    {
        RankedList[] lists =
        [
            List("Was ist das?", ["Das ist nicht der Hund und auch nicht die Katze.", "Ein Tier"]),
            List("What is that?", ["That is not the dog and it is not the cat.", "An animal"]),
            List("Qu'est-ce que c'est?", ["Ce n'est pas le chien et pas une vache, mais elle est dans la cour.", "Un animal"]),
            List("Xyzzy?", ["Plugh", "Plover"]),
            List("这是什么？", ["这是一只狗", "动物"]),
            List("これは何ですか", ["これは犬です", "動物"]),
            List("Что это?", ["Это собака", "Животное"]),
        ];
        var report = Report(lists, [], quick);
        Assert.Equal(
            [("latin", 4), ("cyrillic", 1), ("han", 1), ("kana", 1)], report.ListsByScript!.Select(pair => (pair.Key, pair.Value)));
        Assert.Equal(
            [("de", 1), ("en", 1), ("fr", 1), ("unknown", 1)], report.ListsByGuessedLanguage!.Select(pair => (pair.Key, pair.Value)));
    }

    [Fact]
    public void Longer_answers_that_win_are_a_warning()
    {
        RankedList[] lists =
            [.. Enumerable.Range(0, 40).Select(
                i => List($"prompt {i}", i < 25 ? [$"longer one {i}", $"{i}"] : [$"{i}", $"longer one {i}"], i + 1))];
        var found = Assert.Single(Report(lists, [], quick).Findings);
        Assert.Equal((FindingId.LongerWins, FindingSeverity.Warning, 25L, 0.625), (found.Id, found.Severity, found.Count, found.Share));
        // 23 of 38 is above 60 %, 22 of 37 below.
        Assert.Single(Report(lists[2..], [], quick).Findings);
        Assert.Empty(Report(lists[3..], [], quick).Findings);
        Assert.Equal(
            FindingId.ShorterWins,
            Assert.Single(Report([.. lists.Select(list => list with { Scores = [0, 1] })], [], quick).Findings).Id);
    }

    [Fact]
    public void Sides_are_as_many_as_lists()
    {
        var check = new DataCheck(quick);
        check.Add(clean[0]);
        var error = Assert.Throws<ArgumentException>(() => check.Report([]));
        Assert.StartsWith("There are 0 sides for 1 list; expected one for each.", error.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(check.NearDuplicateClusters);
    }

    internal static DataReport Report(IReadOnlyList<RankedList> lists, int[] heldOut, DataCheckSettings settings)
    {
        var check = new DataCheck(settings);
        foreach (var list in lists)
            check.Add(list);
        return check.Report([.. Enumerable.Range(0, lists.Count).Select(heldOut.Contains)]);
    }

    internal static RankedList List(string prompt, string[] answers, int line = 1) =>
        new(prompt, answers, RankedList.ScoresOfOrder(answers.Length), new SourceLine("data.jsonl", line));

    private static int[] Clusters(IEnumerable<RankedList> lists)
    {
        var check = new DataCheck(new DataCheckSettings());
        foreach (var list in lists)
            check.Add(list);
        return check.NearDuplicateClusters();
    }
}
