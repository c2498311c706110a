using RewardModel.Cli;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Training.Data;
using RewardModel.Scoring;
using RewardModel.Tests.Scoring;

namespace RewardModel.Tests.Training.Data;

public class ListFileTests
{
    [Fact]
    public void What_is_left_out_ignored_or_replaced_is_logged()
    {
        using var directory = new TemporaryDirectory();
        var path = directory["lists.jsonl"];
        File.WriteAllText(path, """
            {"prompt": "p", "answers": ["\ud83d", "\ude00\ude00"], "id": 1}
            {"prompt": "p", "answers": []}
            """);
        using var log = new StringWriter { NewLine = "\n" };
        Assert.Single(ListFile.Read(path, BadData.Skip, new LineLogger(log.WriteLine)).Lists);
        Assert.Equal(
            $"""
            warning: {path}:2: "answers" is empty, expected at least one item: left out
            warning: {path}: 1 lines left out, 1 lists read
            warning: {path}: 1 lines have a key 'id', which has no meaning here and is ignored
            warning: {path}: 3 lone surrogates, halves of characters, are read as U+FFFD

            """, log.ToString());
    }

    [Fact]
    public void What_is_cut_is_logged_with_its_shares()
    {
        using var directory = new TemporaryDirectory();
        using var model = new ScoringModel(TinyModel.Create("gpt2"), ScoringModelTests.Tokenizer(directory), maxLength: 6);
        RankedListFile File(params RankedList[] lists) => new(lists, [], [], new Dictionary<string, int>());
        Assert.Equal("", Logged(File(RankedList.BestFirst("abc", "de", "f"))));
        // Of 8 + 8 + 1 tokens of prompts 5 + 4 + 1, of 3 + 2 + 8 of answers 2.
        Assert.Equal(
            "warning: train.jsonl: cut to 6 tokens for a prompt and an answer together (--max-length): 2 of 2 prompts (100 %) lose their "
            + "beginning, 58.8 % of all prompt tokens; 1 of 3 answers (33.3 %) lose their end, 15.4 % of all answer tokens\n",
            Logged(File(RankedList.BestFirst("abcdefgh", "xy", "z"), RankedList.BestFirst("a", "abcdefg"))));
        Assert.Equal(
            "warning: train.jsonl: cut to 6 tokens for a prompt and an answer together (--max-length): 1 of 2000 prompts (0.1 %) lose "
            + "their beginning, 0.1 % of all prompt tokens\n",
            Logged(File([RankedList.BestFirst("abcde", "x"), .. Enumerable.Repeat(RankedList.BestFirst("abcd", "x"), 1999)])));

        string Logged(RankedListFile file)
        {
            using var log = new StringWriter { NewLine = "\n" };
            ListFile.Tokenize(model, file, "train.jsonl", new LineLogger(log.WriteLine));
            return log.ToString();
        }
    }
}
