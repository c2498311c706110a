using System.Text;
using RewardModel.Layouts;
using RewardModel.Lists;
using RewardModel.Reading;

namespace RewardModel.Tests.Reading;

public sealed class RankedListReaderTests : IDisposable
{
    private const string Good = """{"prompt": "p", "answers": ["a", "b"]}""";
    private const string GoodIds = """{"prompt_ids": [1], "answer_ids": [[2], [3]]}""";

    private readonly string directory = Directory.CreateTempSubdirectory("ranked-lists-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void Lists_come_in_the_order_of_the_file_and_know_their_line()
    {
        var path = Written("a.jsonl", $$"""

            {"prompt": "first", "answers": ["你好", "b"], "id": 1}

            {"prompt": "second", "chosen": "c", "rejected": "d", "id": 2, "source": "s"}
            """);
        var file = RankedListReader.Read(path);
        Assert.Equal(["first", "second"], file.Lists.Select(list => list.Prompt));
        Assert.Equal(["你好", "b"], file.Lists[0].Answers);
        Assert.Equal([new SourceLine(path, 2), new SourceLine(path, 4)], file.Lists.Select(list => list.Source));
        Assert.Equal([("id", 2), ("source", 1)], file.IgnoredKeys.Select(pair => (pair.Key, pair.Value)));
        Assert.Empty(file.TokenizedLists);
        Assert.Empty(file.BadLines);
    }

    [Fact]
    public void Token_ids_are_a_kind_of_their_own()
    {
        var file = RankedListReader.Read(Written("a.jsonl", GoodIds));
        Assert.Empty(file.Lists);
        Assert.Equal([[2], [3]], Assert.Single(file.TokenizedLists).AnswerIds);
    }

    [Fact]
    public void Escaped_lone_surrogates_of_good_lines_are_read_as_replacement_characters_and_counted()
    {
        var path = Written("a.jsonl", """
            {"prompt": "\ud83d!", "answers": ["\ud83d\ude00", "\ude00\ude00"], "\ud800": 1}
            {"prompt": "\ud83d"}
            {"messages": [{"role": "user", "content": "\udfff"}], "answers": ["a"]}
            """);
        var file = RankedListReader.Read(path, BadData.Skip);
        Assert.Equal(("\uFFFD!", 5), (file.Lists[0].Prompt, file.LoneSurrogateCount));
        Assert.Equal(["\U0001F600", "\uFFFD\uFFFD"], file.Lists[0].Answers);
        Assert.Equal(["\uFFFD"], file.IgnoredKeys.Keys);
        Assert.Equal("\uFFFD", file.Lists[1].Chat!.Prompt.Messages[0].Json.GetProperty("content").GetString());
        Assert.Single(file.BadLines);
    }

    [Fact]
    public void One_line_in_another_encoding_spoils_no_other_line()
    {
        var path = Path.Combine(directory, "a.jsonl");
        File.WriteAllText(path, $"{Good}\n\"é\"\n{Good}\n", Encoding.Latin1);
        var file = RankedListReader.Read(path, BadData.Skip);
        Assert.Equal([1, 3], file.Lists.Select(list => list.Source.Line));
        Assert.Equal($"{path}:2: not UTF-8", Assert.Single(file.BadLines).ToString());
    }

    [Fact]
    public void A_file_of_empty_lines_has_no_lists()
    {
        var file = RankedListReader.Read(Written("a.jsonl", "\n \n"));
        Assert.Empty(file.Lists);
        Assert.Empty(file.TokenizedLists);
    }

    [Fact]
    public void An_array_is_read_as_its_items_whose_lines_are_named()
    {
        var path = Written("a.json", $$"""
            [
              {{Good}},
              {
                "prompt": "p",
                "answers": ["a", "b"
              },
              {"prompt": "q"}, {{Good}}
            ]
            """);
        Assert.Equal(
            $"""
            '{path}' has 2 bad lines:
            {path}:3: invalid JSON at byte 3 of line 6
            {path}:7: no answers, expected "answers", or "chosen" and "rejected", or "answer_ids"; found "prompt", of which --query can make them
            Correct these lines, or skip them (--on-bad-data skip; in code, BadData.Skip).
            """,
            Assert.Throws<RankedDataException>(() => RankedListReader.Read(path)).Message);
        Assert.Equal([2, 7], RankedListReader.Read(path, BadData.Skip).Lists.Select(list => list.Source.Line));
    }

    [Fact]
    public void Prompts_that_were_found_are_counted_by_their_rule()
    {
        var file = RankedListReader.Read(Written("a.jsonl", """
            {"chosen": "Q: a\nA: b", "rejected": "Q: a\nA: c"}
            {"chosen": "Q: a\nA: d", "rejected": "Q: a\nA: e"}
            {"chosen": "one two", "rejected": "one three"}
            {"prompt": "p", "chosen": "one two", "rejected": "one three"}
            {"chosen": "x", "rejected": "y"}
            """), BadData.Skip);
        Assert.Equal((4, 1), (file.Lists.Count, file.BadLines.Count));
        Assert.Equal([(PromptEnd.Turn, 2), (PromptEnd.Word, 1)], file.FoundPrompts.Select(pair => (pair.Key, pair.Value)).Order());
    }

    [Fact]
    public void Lists_without_a_pair_are_read()
    {
        var file = RankedListReader.Read(Written(
            "a.jsonl", """
            {"prompt": "p", "answers": ["only"]}
            {"prompt": "p", "answers": ["a", "b"], "scores": [1, 1]}
            """));
        Assert.Equal([1, 2], file.Lists.Select(list => list.Answers.Count));
    }

    [Fact]
    public void Bad_lines_are_one_error_that_names_them_all()
    {
        var path = Written("a.jsonl", $"{Good}\n[]\n{GoodIds}\n{Good}\n{{\n");
        var exception = Assert.Throws<RankedDataException>(() => RankedListReader.Read(path));
        Assert.Equal(
            $"""
            '{path}' has 3 bad lines:
            {path}:2: an array, expected an object such as {"{"}"prompt": "...", "answers": ["best", "worst"]{"}"}
            {path}:3: token ids, expected text as in line 1: data hold one kind
            {path}:5: invalid JSON at byte 2
            Correct these lines, or skip them (--on-bad-data skip; in code, BadData.Skip).
            """,
            exception.Message);
        Assert.Equal([2, 3, 5], exception.BadLines.Select(line => line.Source.Line));
    }

    [Fact]
    public void Bad_lines_can_be_skipped_and_are_returned()
    {
        var path = Written("a.jsonl", $$"""
            {"prompt": 1, "id": 1}
            {{GoodIds}}
            {{Good}}
            {{GoodIds}}
            """);
        var file = RankedListReader.Read(path, BadData.Skip);
        Assert.Equal([2, 4], file.TokenizedLists.Select(list => list.Source.Line));
        Assert.Equal(
            [
                $"{path}:1: no answers, expected \"answers\", or \"chosen\" and \"rejected\", or \"answer_ids\"; found \"prompt\", "
                    + "\"id\", of which --query can make them",
                $"{path}:3: text, expected token ids as in line 2: data hold one kind",
            ],
            file.BadLines.Select(line => line.ToString()));
        Assert.Empty(file.IgnoredKeys);
    }

    [SharedTheory("data/ranked")]
    [InlineData("e2e-quality", 962)]
    [InlineData("hh-harmless-test", 1836)]
    [InlineData("oasst-en100", 166)]
    [InlineData("pandalm-kwise", 119)]
    [InlineData("pandalm-pairs", 685)]
    [InlineData("summeval", 80)]
    [InlineData("wmt23-zh-en", 724)]
    [InlineData("zh-sentiment-lists", 2466)]
    public void Real_rankings_are_read_without_a_bad_line(string name, int count)
    {
        var file = RankedListReader.Read(Shared.PathOf($"data/ranked/{name}.jsonl.gz"));
        Assert.Equal(count, file.Lists.Count);
        Assert.Empty(file.IgnoredKeys);
    }

    private string Written(string name, string text)
    {
        var path = Path.Combine(directory, name);
        File.WriteAllText(path, text);
        return path;
    }
}
