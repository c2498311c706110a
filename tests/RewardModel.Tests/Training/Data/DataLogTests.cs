using RewardModel.Cli;
using RewardModel.Lists;
using RewardModel.Reading;
using RewardModel.Scoring;
using RewardModel.Tests.Scoring;
using RewardModel.Tokenizers;
using RewardModel.Training.Data;

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
            warning: {path}:2: "answers" is empty, expected at least one item: skipped
            warning: {path}: 1 line skipped, 1 list read
            warning: {path}: unknown key 'id' in 1 line: ignored
            warning: {path}: 3 unpaired surrogates replaced by U+FFFD

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
            "warning: train.jsonl: truncated to 6 tokens for a prompt and an answer together (--max-length): 2 of 2 prompts (100 %) lose "
            + "their beginning, 58.8 % of all prompt tokens; 1 of 3 answers (33.3 %) loses its end, 15.4 % of all answer tokens\n",
            Logged(File(RankedList.BestFirst("abcdefgh", "xy", "z"), RankedList.BestFirst("a", "abcdefg"))));
        Assert.Equal(
            "warning: train.jsonl: truncated to 6 tokens for a prompt and an answer together (--max-length): 1 of 2000 prompts (0.1 %) loses "
            + "its beginning, 0.1 % of all prompt tokens\n",
            Logged(File([RankedList.BestFirst("abcde", "x"), .. Enumerable.Repeat(RankedList.BestFirst("abcd", "x"), 1999)])));

        string Logged(RankedListFile file)
        {
            using var log = new StringWriter { NewLine = "\n" };
            ListFile.Tokenize(model, file, "train.jsonl", BadData.Error, new LineLogger(log.WriteLine));
            return log.ToString();
        }
    }

    [Fact]
    public void Prompts_that_were_found_are_logged_once_with_their_rules()
    {
        using var directory = new TemporaryDirectory();
        var path = directory["lists.jsonl"];
        const string turn = """{"chosen": "User: a\nBot: b", "rejected": "User: a\nBot: c"}""";
        const string word = """{"chosen": "one two", "rejected": "one three"}""";
        Assert.Equal(
            $"{path}: no \"prompt\" in 3 lists: it is taken to be what \"chosen\" and \"rejected\" both start with, up to the last turn such as "
            + "Assistant: (in 2 lists) or the last whole word (in 1 list)\n",
            Logged($"{turn}\n{word}\n{turn}\n"));
        Assert.Equal(
            $"{path}: no \"prompt\" in 1 list: it is taken to be what \"chosen\" and \"rejected\" both start with, up to the last whole word "
            + "(in 1 list)\n",
            Logged(word));

        string Logged(string text)
        {
            File.WriteAllText(path, text);
            using var log = new StringWriter { NewLine = "\n" };
            ListFile.Read(path, BadData.Error, new LineLogger(log.WriteLine));
            return log.ToString();
        }
    }

    /// <summary>Rejects what the user says twice, as templates do that want the roles to alternate.</summary>
    internal const string StrictTemplate =
        "{% for m in messages %}{% if m.content == 'no' %}{{ raise_exception('not that') }}{% endif %}{{ m.content }}{% endfor %}";

    [Fact]
    public void Lists_that_the_template_rejects_are_told_all_at_once_or_left_out()
    {
        using var directory = new TemporaryDirectory();
        ScoringModelTests.Tokenizer(directory);
        File.WriteAllText(directory["tokenizer/chat_template.jinja"], StrictTemplate);
        using var model = new ScoringModel(TinyModel.Create(), HuggingFaceTokenizer.Load(directory["tokenizer"]), maxLength: 12);
        var train = FileOf("train.jsonl", (1, "a"), (2, "no"), (5, "no"), (7, "b"));
        var heldOut = FileOf("train.jsonl", (3, "c"), (4, "no"));
        const string reason =
            "chat template, line 1, column 68: the template rejects the conversation: not that";

        using var log = new StringWriter { NewLine = "\n" };
        var logger = new LineLogger(log.WriteLine);
        (RankedListFile, string)[] files = [(train, "train.jsonl"), (heldOut, "held-out lists")];
        var exception = Assert.Throws<RankedDataException>(() => ListFile.Tokenize(model, files, BadData.Error, logger));
        Assert.Equal(
            $"""
            'train.jsonl' has 3 bad lines:
            train.jsonl:2: {reason}
            train.jsonl:4: {reason}
            train.jsonl:5: {reason}
            Correct these lines, or skip them (--on-bad-data skip; in code, BadData.Skip).
            """, exception.Message);
        Assert.Equal([2, 4, 5], exception.BadLines.Select(line => line.Source.Line));
        Assert.Equal("", log.ToString());

        var lists = ListFile.Tokenize(model, files, BadData.Skip, logger);
        Assert.Equal([[1, 7], [3]], lists.Select(side => side.Select(list => list.Source.Line)));
        Assert.Equal(
            $"""
            warning: train.jsonl:2: {reason}: skipped
            warning: train.jsonl:5: {reason}: skipped
            warning: train.jsonl: 2 lines rejected by the tokenizer or its chat template skipped, 2 lists left
            warning: train.jsonl:4: {reason}: skipped
            warning: held-out lists: 1 line rejected by the tokenizer or its chat template skipped, 1 list left

            """, log.ToString());

        var none = FileOf("eval.jsonl", (1, "no"), (2, "no"));
        Assert.Equal(
            "eval.jsonl: the tokenizer or its chat template rejects every list (2); expected at least one that it accepts.",
            Assert.Throws<RankedDataException>(() => ListFile.Tokenize(model, none, "eval.jsonl", BadData.Skip, logger)).Message);
        Assert.Equal(
            [("train.jsonl", 2), ("train.jsonl", 5), ("eval.jsonl", 1), ("eval.jsonl", 2)],
            Assert.Throws<RankedDataException>(
                    () => ListFile.Tokenize(model, [(train, "train.jsonl"), (none, "eval.jsonl")], BadData.Error, logger))
                .BadLines.Select(line => (line.Source.File, line.Source.Line)));

        static RankedListFile FileOf(string path, params (int Line, string Content)[] lines) => new(
            [
                .. lines.Select(line => RankedList.OfChat(
                    new RankedChat(
                        new Conversation([new ChatMessage("user", line.Content)]),
                        [[new ChatMessage("assistant", "x")], [new ChatMessage("assistant", "y")]]),
                    [1, 0], new SourceLine(path, line.Line))),
            ],
            [], [], new Dictionary<string, int>());
    }
}
