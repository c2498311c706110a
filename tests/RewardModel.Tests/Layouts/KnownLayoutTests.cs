using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using RewardModel.Layouts;
using RewardModel.Lists;
using RewardModel.Reading;

namespace RewardModel.Tests.Layouts;

public class KnownLayoutTests
{
    private static readonly SourceLine source = new("x.jsonl", 7);

    public static TheoryData<int> Samples => [.. Enumerable.Range(0, LayoutSamples.All.Count)];

    [Fact]
    public void There_is_a_sample_of_every_layout_that_has_lists() => Assert.Equal(
        DataLayout.Known.Select(layout => layout.Name).Except(["openassistant-messages"]).Order(),
        LayoutSamples.All.Select(sample => sample.Layout).Distinct().Order());

    [Theory]
    [MemberData(nameof(Samples))]
    public void A_row_is_recognised_and_read(int index)
    {
        var sample = LayoutSamples.All[index];
        var row = Parse(sample.Json, SettingsOf(sample));
        Assert.Null(row.Problem);
        Assert.Equal(sample.Layout, row.Layout!.Name);
        Assert.Equal(sample.Lists, row.Lists.Select(LayoutSamples.Shown));
        Assert.All(row.Lists, list => Assert.Equal((source, sample.Group), (list.Source, list.Group)));
        Assert.Equal(
            (string.Join(", ", sample.IgnoredKeys), sample.IsAnswer, sample.HadRepeatedPrompt, sample.LeftOutAnswerCount),
            (string.Join(", ", row.IgnoredKeys), row.IsPart, row.HadRepeatedPrompt, row.LeftOutAnswerCount));
    }

    [Theory]
    [InlineData("""{"prompt": "p", "steps": ["a", "b"]}""", true)]
    [InlineData("""{"prompt": "p", "completions": ["a", "b"], "labels": [true, false]}""", true)]
    [InlineData("""{"prompt": "p", "completions": ["a", "b"]}""", false)]
    public void To_score_completions_are_steps_where_they_have_labels_only(string json, bool isRead)
    {
        var row = Parse(json, new RowSettings { AreToScore = true });
        Assert.Equal(isRead, row.Problem is null);
        Assert.Equal(isRead ? "stepwise" : null, row.Layout?.Name);
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void A_row_matches_its_own_layout_only(int index)
    {
        var sample = LayoutSamples.All[index];
        using var document = JsonDocument.Parse(sample.Json);
        var fields = new RowFields(document.RootElement, source, SettingsOf(sample).ScoreFrom);
        Assert.Equal(
            new[] { sample.Layout, "lists" }.Distinct(),
            DataLayout.Known.Where(layout => layout.Matches(document.RootElement, fields)).Select(layout => layout.Name));
    }

    [Theory]
    [InlineData("hh-rlhf", """{"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant: b"}""",
        "\"chosen\" and \"rejected\" are the same text, expected two answers to one prompt")]
    [InlineData("ultrafeedback-binarized",
        """
        {"prompt": "p", "prompt_id": "1", "messages": [], "chosen": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "a"}],
         "rejected": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "b"}], "score_chosen": 1, "score_rejected": 2}
        """,
        "\"score_chosen\" is 1 and \"score_rejected\" is 2, expected the chosen answer to have the higher score, or the same")]
    [InlineData("stepwise", """{"prompt": "p", "steps": ["a", "b"], "labels": [true]}""", "\"labels\" has 1 label for 2 steps, expected one for each")]
    [InlineData("stepwise", """{"prompt": "p", "completions": ["a", ""], "labels": [2, null]}""",
        "\"completions\"[1] is empty, expected a text; \"labels\"[0] is 2, expected true, false, a number from 0 to 1, or null; "
        + "\"labels\" has no label that is not null, expected one at least")]
    [InlineData("math-shepherd", """{"input": "Q Step 1: a ки", "label": "Q Step 1: a *"}""",
        "\"label\" has no + or - where step 1 of \"input\" ends, expected the same text with them")]
    [InlineData("math-shepherd", """{"input": "Q a ки", "label": "Q a +"}""",
        "\"input\" has no 'Step 1:', expected a question and the steps of its solution")]
    [InlineData("prm800k",
        """{"question": {"problem": "p"}, "label": {"steps": [{"completions": [{"text": "a", "rating": 5}], "chosen_completion": 0}]}}""",
        "a \"rating\" is not -1, 0 or 1, expected one of these")]
    [InlineData("skywork", """{"chosen": [{"role": "user", "content": "p"}], "rejected": [{"role": "user", "content": "q"}], "source": "s"}""",
        "\"chosen\" and \"rejected\" start with different messages, expected a \"prompt\" of messages or a common start")]
    [InlineData("stackllama", """{"question": 1, "response_j": " ", "response_k": "b"}""",
        "\"question\" is a number, expected a string; \"response_j\" is empty, expected an answer")]
    [InlineData("stackllama", """{"question": "p", "response_j": "a", "response_k": null}""", "\"response_k\" is missing")]
    [InlineData("stackllama", """{"question": "p", "response_j": "a", "response_k": "b", "system": "", "tools": [{"name": "clock"}]}""",
        "\"tools\" are given beside a text: they change what the model reads, but only a chat template says how; expected \"messages\"")]
    [InlineData("lists", """{"prompt": "p", "answers": ["a", "b"], "tools": "[1]"}""",
        "\"tools\" are given beside a text: they change what the model reads, but only a chat template says how; expected \"messages\"")]
    [InlineData("helpsteer",
        """{"prompt": "p", "response": "a", "helpfulness": null, "correctness": 4, "coherence": 4, "complexity": 1, "verbosity": 0}""",
        "\"helpfulness\" is missing")]
    [InlineData("webgpt-comparisons",
        """{"question": {"full_text": null}, "answer_0": "a", "answer_1": "", "score_0": "high", "score_1": true}""",
        "\"question\".\"full_text\" is missing; \"answer_1\" is empty, expected an answer; \"score_0\" is 'high', expected a finite number; "
        + "\"score_1\" is a boolean, expected a finite number")]
    [InlineData("pku-saferlhf", """{"prompt": "p", "response_0": "a", "response_1": "b", "better_response_id": -1}""",
        "\"better_response_id\" is -1, expected 0 or 1")]
    [InlineData("shp", """{"history": "p", "human_ref_A": "a", "human_ref_B": "b", "labels": 1, "score_A": 2, "score_B": 5}""",
        "\"labels\" is 1, the first answer, which has the lower score, expected the better answer to have the higher score")]
    [InlineData("helpsteer2-preference", """{"prompt": "p", "response_1": "a", "response_2": "b", "preference_strength": 1.5}""",
        "\"preference_strength\" is 1.5, expected an integer from -3 to 3")]
    [InlineData("helpsteer3", """{"context": "p", "response1": "a", "response2": "b", "overall_preference": -4}""",
        "\"context\" is a string, expected an array of messages; \"overall_preference\" is -4, expected an integer from -3 to 3")]
    [InlineData("openai-summarize", """{"info": {"post": "p", "title": "t"}, "summaries": [{"text": "a"}], "choice": 2}""",
        "\"info\".\"subreddit\" is missing; \"summaries\" has 1 items, expected 2; \"choice\" is 2, expected 0 or 1")]
    [InlineData("openai-summarize-axis", """{"info": {"article": "p"}, "summary": {"text": "a", "axes": {"overall": null}}}""",
        "\"summary\".\"axes\".\"overall\" is missing")]
    [InlineData("ultrafeedback",
        """{"instruction": "p", "completions": [{"response": "a", "overall_score": 1}, {"response": "b", "overall_score": "N/A"}]}""",
        "1 of 2 answers have a score, expected at least 2")]
    [InlineData("ultrafeedback", """{"instruction": "p", "completions": [{"response": null}, 3]}""",
        "\"completions\"[1] is a number, expected an object; \"completions\"[0].\"response\" is missing; "
        + "\"completions\"[1].\"response\" is missing")]
    [InlineData("nectar", """{"prompt": "p", "answers": [{"answer": "a", "rank": 0}, {"answer": "b", "rank": "last"}]}""",
        "\"answers\"[0].\"rank\" is 0, expected an integer from 1 (the best); "
        + "\"answers\"[1].\"rank\" is 'last', expected an integer from 1 (the best)")]
    [InlineData("stack-exchange-preferences", """{"question": "p", "answers": [{"text": "a", "pm_score": null}]}""",
        "\"answers\"[0].\"pm_score\" is missing")]
    [InlineData("nemo", """{"context": [], "completions": [{"rank": -1, "completion": []}]}""",
        "\"context\" is empty, expected at least one item; \"completions\"[0].\"completion\" is empty, expected a string or an array of "
        + "messages; \"completions\"[0].\"rank\" is -1, expected an integer from 0 (the best)")]
    [InlineData("distilabel", """{"instruction": "p", "generations": ["a", "b"], "ratings": [1, 2, 3]}""", "3 ratings for 2 generations")]
    [InlineData("distilabel", """{"instruction": "p", "generations": ["a", null], "ratings": [1, 2]}""",
        "\"generations\"[1] is null, expected a string")]
    [InlineData("openassistant", """{"prompt": {"text": "p", "role": "prompter", "deleted": true, "replies": []}}""",
        "\"prompt\" is marked as deleted or did not pass its review, expected a message that is used")]
    [InlineData("openassistant",
        """
        {"prompt": {"text": "p", "role": "prompter", "replies": [
         {"text": "", "role": "assistant", "rank": 0}, {"text": "b", "role": "narrator", "rank": 1}]}}
        """,
        "\"prompt\".\"replies\"[0].\"text\" is empty, expected an answer; "
        + "\"prompt\".\"replies\"[1].\"role\" is 'narrator', expected prompter or assistant")]
    [InlineData("openassistant-messages", """{"message_id": "1", "message_tree_id": "1", "text": "p", "role": "prompter", "parent_id": null}""",
        "is one message of a tree, and its answers are in other rows; expected trees, which OpenAssistant publishes beside the messages, "
        + "in files that end in .trees.jsonl.gz")]
    [InlineData("chatbot-arena",
        """
        {"winner": "both", "conversation_a": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "a"}],
         "conversation_b": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "b"}]}
        """,
        "\"winner\" is 'both', expected one of model_a, model_b, tie, tie (bothbad), both_bad")]
    [InlineData("arena-human-preference",
        """
        {"prompt": "[\"p\"]", "response_a": "[\"a\", \"b\"]", "response_b": "[\"b\"]", "winner_model_a": 1, "winner_model_b": 0,
         "winner_tie": 0}
        """,
        "\"response_a\" has 2 turns and \"prompt\" has 1, expected an answer to each")]
    [InlineData("arena-human-preference",
        """
        {"prompt": "p", "response_a": "[null]", "response_b": "{}", "winner_model_a": 1, "winner_model_b": 0, "winner_tie": 2}
        """,
        "\"prompt\" is a string that is no JSON, expected an array, or the JSON of one; \"response_a\"[0] is null, expected a string; "
        + "\"response_b\" is an object, expected an array of strings; \"winner_tie\" is 2, expected 0 or 1")]
    [InlineData("arena-human-preference",
        """{"prompt": ["p"], "response_a": ["a"], "response_b": ["b"], "winner_model_a": 1, "winner_model_b": 0, "winner_tie": 1}""",
        "2 of \"winner_model_a\", \"winner_model_b\" and \"winner_tie\" are 1, expected one of them")]
    [InlineData("reward-bench", """{"prompt": "p", "chosen": "a", "rejected": "", "chosen_model": "x", "rejected_model": "y"}""",
        "\"rejected\" is empty, expected an answer")]
    [InlineData("reward-bench-2", """{"prompt": "p", "chosen": ["a", 1], "rejected": ["b"]}""",
        "\"chosen\"[1] is a number, expected a string")]
    [InlineData("rm-bench", """{"prompt": "p", "chosen": ["a", "b", "c"], "rejected": ["d"], "domain": "chat"}""",
        "\"rejected\" has 1 item, expected 3: the answer in short, in detail, and in detail with Markdown")]
    [InlineData("judge-bench", """{"question": "p", "response_A": "a", "response_B": "b", "label": "A"}""",
        "\"label\" is 'A', expected one of A>B, B>A, A=B")]
    [InlineData("sharegpt",
        """
        {"conversations": [{"from": "human", "value": 1}], "chosen": {"from": "function_call", "value": "{}"},
         "rejected": {"value": "b"}, "tools": "clock"}
        """,
        "\"conversations\"[0].\"value\" is a number, expected a string; "
        + "\"tools\" is a string that is no JSON, expected an array, or the JSON of one; "
        + "\"chosen\".\"from\" is 'function_call', expected one of human, gpt, system, observation, user, assistant, tool; "
        + "\"rejected\".\"from\" is missing")]
    [InlineData("alpaca", """{"instruction": "p", "chosen": "a", "rejected": "b", "output": ["c"], "history": [["q"], "x"]}""",
        "\"output\" is given beside \"chosen\" and \"rejected\", expected one of them; "
        + "\"history\"[0] has 1 item, expected what the user said and the answer; "
        + "\"history\"[1] is a string, expected an array of two strings")]
    [InlineData("axolotl", """{"question": "p", "input": "q", "chosen": "a", "rejected": " "}""",
        "\"question\" and \"input\" are given, expected one of them; \"rejected\" is empty, expected an answer")]
    [InlineData("axolotl-chat", """{"messages": [{"role": "user"}], "chosen": {"role": "assistant"}, "rejected": {"role": 1}}""",
        "\"messages\"[0] has neither \"content\" nor \"tool_calls\"; \"chosen\" has neither \"content\" nor \"tool_calls\"; "
        + "\"rejected\": \"role\" is a number, expected a string")]
    [InlineData("best-first", """{"column0": "a", "column1": "", "column2": "c"}""",
        "cell 2 is empty and there are answers after it, expected none or an answer")]
    [InlineData("best-first", """{"column0": "", "column1": " "}""", "all cells are empty, expected answers, best first")]
    [InlineData("helpsteer",
        """{"prompt": "p", "response": "", "helpfulness": "x", "correctness": 4, "coherence": 4, "complexity": 1, "verbosity": 0}""",
        "\"response\" is empty, expected an answer; \"helpfulness\" is 'x', expected a finite number")]
    [InlineData("ranked-table", """{"prompt": "p", "response": "a", "answer": "b", "rank": 1, "score": 2, "system": "s"}""",
        "\"response\" and \"answer\" are given, expected one of them; \"rank\" and \"score\" are given, expected one of them; "
        + "\"system\" is given beside a text: it changes what the model reads, but only a chat template says how; expected messages, such as "
        + "{\"messages\": [{\"role\": \"system\", \"content\": \"...\"}, {\"role\": \"user\", \"content\": \"...\"}], \"answers\": [...]}")]
    [InlineData("ranked-table", """{"prompt": "p", "response": "a", "label": "good"}""", "\"label\" is 'good', expected a finite number")]
    public void What_is_wrong_with_a_row_is_told(string layout, string json, string problem)
    {
        var row = Parse(json, new RowSettings());
        Assert.Equal(problem, row.Problem);
        using var document = JsonDocument.Parse(json);
        var fields = new RowFields(document.RootElement, source);
        Assert.Equal(layout, DataLayout.Known.First(known => known.Matches(document.RootElement, fields)).Name);
    }

    [Fact]
    public void The_column_that_says_the_group_is_read_before_that_of_a_benchmark() => Assert.Equal(
        "9",
        Parse(
            """{"prompt": "p", "chosen": "a", "chosen_model": "x", "rejected": "b", "rejected_model": "y", "subset": "math-prm", "id": 9}""",
            new RowSettings { GroupBy = "id" }).List!.Group);

    [Fact]
    public void A_name_that_an_expression_needs_is_looked_for_in_the_annotations_too() => Assert.Equal(
        "\"completions\"[0].\"annotations\".\"honesty\".\"Rating\" is 'N/A', expected a finite number; "
        + "\"completions\"[1].\"honesty\" is missing, which 'honesty' needs",
        Parse(
            """
            {"instruction": "p", "completions": [{"response": "a", "annotations": {"honesty": {"Rating": "N/A"}}}, {"response": "b"}]}
            """,
            new RowSettings { ScoreFrom = new ScoreExpression("honesty") }).Problem);

    [Fact]
    public void Damaged_rows_are_problems_and_no_exceptions()
    {
        var damages = Gen.Elements("null", "1", "-1.5", "\"\"", "\"x\"", "[]", "[[]]", "[1]", "{}", "[{}]", "true", "1e999", "\"[1]\"");
        var cases =
            from sample in Gen.Elements(LayoutSamples.All.ToArray())
            from layout in Gen.Elements(DataLayout.Known.ToArray())
            from place in Gen.Choose(0, 40)
            from damage in damages
            select (sample, layout, place, damage);
        Prop.ForAll(cases.ToArbitrary(), damaged =>
        {
            var json = Damaged(damaged.sample.Json, damaged.place, damaged.damage);
            foreach (var layout in new[] { null, damaged.layout })
            {
                var row = Parse(json, SettingsOf(damaged.sample) with { Layout = layout });
                Assert.True(row.Problem is not (null or "") || row.Layout is not null);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1500));
    }

    [Fact]
    public void A_layout_is_found_by_its_name() => Assert.All(DataLayout.Known, layout => Assert.Same(layout, DataLayout.Named(layout.Name, [])));

    [Fact]
    public void A_name_that_is_none_is_told_with_those_that_are()
    {
        var message = Assert.Throws<ArgumentException>(() => DataLayout.Named("hh", [])).Message;
        Assert.StartsWith("The layout 'hh' is not known; expected one of: hh-rlhf, ultrafeedback-binarized, skywork, ", message);
        Assert.Contains(", ranked-table, lists.", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("human_ref_A,sales\n", true)]
    [InlineData("post_id,sales\n", true)]
    [InlineData("rating,sales\n", true)]
    [InlineData("spring,sales\n", true)]
    [InlineData("spring\tsales\n", false)]
    [InlineData("rating\tsales\n", true)]
    [InlineData("Spring, she said,sales\n", false)]
    public void A_header_is_known_by_the_keys_of_the_layouts(string text, bool hasHeader) =>
        Assert.Equal(hasHeader, TableFiles.Of(Encoding.UTF8.GetBytes(text), "x.csv")!.HasHeader);

    [Fact]
    public void Every_layout_is_documented()
    {
        var documentation = File.ReadAllText(Path.Combine(Shared.RepositoryRoot, "docs", "layouts.md"));
        Assert.All(DataLayout.Known, layout => Assert.Contains($"| `{layout.Name}` |", documentation, StringComparison.Ordinal));
    }

    [SharedTheory("cases/data-layouts")]
    [InlineData("array_indent.json", "lists", "order: p0 | 2: a b c | 1: b | 0: c")]
    [InlineData("helpsteer.jsonl", "helpsteer", "scores: P0 | 0: R0 | 1: R1")]
    [InlineData("hh.jsonl", "hh-rlhf",
        @"order: \n\nHuman: What is 0?\n\nAssistant: It is a number.\n\nHuman: ok?\n\nAssistant: | 1:  Yes, 0 is fine. | 0:  Yes, no idea.")]
    [InlineData("margin.jsonl", "lists", "order: p0 | 1: a | 0: b")]
    [InlineData("nectar.jsonl", "nectar", @"order: \n\nHuman: hi 0\n\nAssistant:  | -1: a1 | -2: a2 | -3: a3")]
    [InlineData("oai_summ.jsonl", "openai-summarize",
        @"order: SUBREDDIT: r/r\n\nTITLE: t\n\nPOST: a long post 0\n\nTL;DR: | 0:  short | 1:  longer one")]
    [InlineData("stackllama.jsonl", "stackllama", @"order: Question: Why 0?\n\nAnswer:  | 1: because | 0: dunno")]
    [InlineData("ufraw.jsonl", "ultrafeedback", "scores: Q0 | 8.5: good | 3: bad")]
    [InlineData("ultrafeedback_bin.jsonl", "ultrafeedback-binarized", "scores: user: Q0 | 8: assistant: good 0 | 5: assistant: bad")]
    public void Files_are_read_without_being_told_what_they_are(string name, string layout, string first)
    {
        var path = Shared.PathOf($"cases/data-layouts/{name}");
        var file = RankedListReader.Read(path);
        Assert.Equal(first, LayoutSamples.Shown(file.Lists[0]));
        Assert.Equal(layout, Assert.Single(file.RowsOfLayouts).Key.Name);
        Assert.Empty(file.IgnoredKeys);
    }

    private static ParsedRow Parse(string json, RowSettings settings) =>
        new RowParser(settings).Parse(Encoding.UTF8.GetBytes(json), source);

    private static RowSettings SettingsOf(LayoutSample sample) =>
        new() { ScoreFrom = sample.ScoreFrom is null ? null : new ScoreExpression(sample.ScoreFrom) };

    /// <summary>A row with another value at one of its places.</summary>
    private static string Damaged(string json, int place, string damage)
    {
        var root = JsonNode.Parse(json)!;
        var nodes = new List<JsonNode>();
        Collect(root);
        var node = nodes[place % nodes.Count];
        node.ReplaceWith(JsonNode.Parse(damage));
        return root.ToJsonString();

        void Collect(JsonNode parent)
        {
            var children = parent switch
            {
                JsonObject fields => fields.Select(field => field.Value),
                JsonArray items => items,
                _ => [],
            };
            foreach (var child in children.OfType<JsonNode>())
            {
                nodes.Add(child);
                Collect(child);
            }
        }
    }
}
