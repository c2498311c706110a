using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using RewardModel.Layouts;
using RewardModel.Lists;

namespace RewardModel.Tests.Layouts;

public class OwnLayoutTests
{
    private static readonly SourceLine source = new("x.jsonl", 7);

    [Fact]
    public void Answers_without_scores_are_best_first()
    {
        var line = Parse("""{"prompt": "p", "answers": ["a", "b", "c"]}""");
        Assert.Null(line.Problem);
        Assert.Null(line.TokenizedList);
        Assert.Equal("p", line.List!.Prompt);
        Assert.Equal(["a", "b", "c"], line.List.Answers);
        Assert.Equal([2.0, 1, 0], line.List.Scores);
        Assert.Equal(source, line.List.Source);
    }

    [Fact]
    public void Scores_are_taken_as_they_are() =>
        Assert.Equal(
            [-1.5, 3, 3, 1e10],
            Parse("""{"prompt": "p", "answers": ["a", "b", "c", "d"], "scores": [-1.5, 3, 3.0, 1e10]}""").List!.Scores);

    [Fact]
    public void Ranks_are_read_as_negative_scores() =>
        Assert.Equal([-2.0, -1, -2], Parse("""{"prompt": "p", "answers": ["a", "b", "c"], "ranks": [2, 1, 2.0]}""").List!.Scores);

    [Fact]
    public void A_pair_is_a_list_of_two()
    {
        var list = Parse("""{"prompt": "p", "chosen": "good", "rejected": "bad"}""").List!;
        Assert.Equal("p", list.Prompt);
        Assert.Equal(["good", "bad"], list.Answers);
        Assert.Equal([1.0, 0], list.Scores);
        Assert.Equal(source, list.Source);
    }

    [Fact]
    public void Answers_to_messages_are_texts_of_the_assistant_or_messages()
    {
        var list = Parse("""
            {"messages": [{"role": "user", "content": "p"}], "tools": [{"name": "t"}], "ranks": [2, 1],
             "answers": ["a", [{"role": "assistant", "content": "", "tool_calls": []}, {"role": "tool", "content": "b"}]]}
            """).List!;
        Assert.Equal(["user"], list.Chat!.Prompt.Messages.Select(message => message.Role));
        Assert.Equal("""[{"name": "t"}]""", list.Chat.Prompt.Tools!.Value.GetRawText());
        Assert.Equal([["assistant"], ["assistant", "tool"]], list.Chat.Answers.Select(answer => answer.Select(message => message.Role)));
        Assert.Equal("""[{"role":"assistant","content":"a"}]""", list.Answers[0]);
        Assert.Equal("""[{"role": "user", "content": "p"}]""", list.Prompt);
        Assert.Equal([-2.0, -1], list.Scores);
        Assert.Equal(source, list.Source);
    }

    [Theory]
    [InlineData("""{"prompt": [{"role": "user", "content": "p"}], """)]
    [InlineData("""{"prompt": "p", """)]
    [InlineData("{")]
    public void A_pair_of_message_lists_has_its_prompt_given_or_as_their_common_start(string start)
    {
        var common = start.Contains('[') ? "" : """{"content": "p", "role": "user"}, """;
        var commonInOtherOrder = common.Replace("\"content\": \"p\", \"role\": \"user\"", "\"role\": \"user\", \"content\": \"p\"");
        var list = Parse($$"""
            {{start}}"chosen": [{{common}}{"role": "assistant", "content": "a"}],
             "rejected": [{{commonInOtherOrder}}{"role": "assistant", "content": "b"}]}
            """).List!;
        Assert.Equal("p", Assert.Single(list.Chat!.Prompt.Messages).Json.GetProperty("content").GetString());
        Assert.Equal(["a", "b"], list.Chat.Answers.Select(answer => Assert.Single(answer).Json.GetProperty("content").GetString()));
        Assert.Equal([1.0, 0], list.Scores);
    }

    [Theory]
    [InlineData("""{"messages": [{"role": "user", "content": "p"}], "answers": [1, []]}""",
        "\"answers\"[0] is a number, expected a string or an array of messages; "
        + "\"answers\"[1] is empty, expected a string or an array of messages")]
    [InlineData("""{"messages": [1, {}, {"role": 1}, {"role": "user"}], "answers": ["a"]}""",
        "\"messages\"[0] is a number, expected a message such as {\"role\": \"user\", \"content\": \"...\"}; "
        + "\"messages\"[1] has no \"role\"; \"messages\"[2]: \"role\" is a number, expected a string; "
        + "\"messages\"[3] has neither \"content\" nor \"tool_calls\"")]
    [InlineData("""{"messages": [], "answers": ["a"]}""", "\"messages\" is empty, expected at least one item")]
    [InlineData("""{"messages": [{"role": "", "content": "p"}], "answers": ["a"]}""",
        "\"messages\"[0]: \"role\" is empty, expected who speaks, such as \"user\"")]
    [InlineData("""{"prompt": "p", "messages": [{"role": "user", "content": "p"}], "answers": ["a"]}""",
        "\"prompt\" and \"messages\" are both given, expected one of them")]
    [InlineData("""{"messages": [{"role": "user", "content": "p"}], "tools": [1], "answers": ["a"]}""",
        "\"tools\"[0] is a number, expected an object")]
    [InlineData("""{"chosen": [{"role": "user", "content": "p"}], "rejected": [{"role": "user", "content": "q"}]}""",
        "\"chosen\" and \"rejected\" start with different messages, expected a \"prompt\" of messages or a common start")]
    [InlineData("""{"chosen": [{"role": "user", "content": "p"}], "rejected": [{"role": "user", "content": "p"}]}""",
        "\"chosen\" or \"rejected\" has nothing after the messages that both start with")]
    [InlineData("""{"chosen": [{"role": "user", "content": "p"}], "rejected": "q"}""",
        "\"rejected\" is a string, expected an array of messages")]
    public void What_is_wrong_with_messages_is_told(string line, string problem) => Assert.Equal(problem, Parse(line).Problem);

    [Fact]
    public void Token_ids_are_read_as_they_are()
    {
        var line = Parse("""{"prompt_ids": [5, 0], "answer_ids": [[1], [2147483647, 3]], "ranks": [2, 1]}""");
        Assert.Null(line.Problem);
        Assert.Null(line.List);
        Assert.Equal([5, 0], line.TokenizedList!.PromptIds);
        Assert.Equal([[1], [2147483647, 3]], line.TokenizedList.AnswerIds);
        Assert.Equal([-2.0, -1], line.TokenizedList.Scores);
        Assert.Equal(source, line.TokenizedList.Source);
    }

    [Fact]
    public void Empty_texts_and_empty_prompt_ids_are_legal()
    {
        var text = Parse("""{"prompt": "", "answers": [""]}""").List!;
        Assert.Equal("", text.Prompt);
        Assert.Equal([""], text.Answers);
        Assert.Equal([], Parse("""{"prompt_ids": [], "answer_ids": [[1]]}""").TokenizedList!.PromptIds);
    }

    [Theory]
    [InlineData("""{"prompt": "p", "answers": ["a", "b"]}""")]
    [InlineData("""{"prompt": "p", "chosen": "a", "rejected": "b"}""")]
    [InlineData("""{"chosen": "Human: p\nAssistant: a", "rejected": "Human: p\nAssistant: b"}""")]
    [InlineData("""{"messages": [{"role": "user", "content": "p"}], "answers": ["a", "b"]}""")]
    [InlineData("""{"prompt": [{"role": "user", "content": "p"}], "chosen": [{"role": "assistant", "content": "a"}], "rejected": [{"role": "assistant", "content": "b"}]}""")]
    [InlineData("""{"prompt_ids": [5], "answer_ids": [[1], [2]]}""")]
    public void Any_form_may_have_a_margin_and_a_weight(string line)
    {
        (double?, double) Read(string members)
        {
            var found = Parse(line[..^1] + members + "}");
            Assert.Null(found.Problem);
            Assert.Empty(found.IgnoredKeys);
            return found.List is { } list ? (list.Margin, list.Weight) : (found.TokenizedList!.Margin, found.TokenizedList.Weight);
        }
        Assert.Equal((0.5, 2), Read(""", "margin": 0.5, "weight": 2"""));
        Assert.Equal((0, 1), Read(""", "margin": 0"""));
        Assert.Equal((null, 1), Read(""", "margin": null, "weight": null"""));
        Assert.Equal((null, 1), Read(""));
    }

    [Theory]
    [InlineData("\"margin\": -0.5", "\"margin\" is -0.5, expected a finite number, 0 or more")]
    [InlineData("\"margin\": \"1\"", "\"margin\" is a string, expected a finite number, 0 or more")]
    [InlineData("\"margin\": 1e999", "\"margin\" is 1e999, expected a finite number, 0 or more")]
    [InlineData("\"weight\": 0", "\"weight\" is 0, expected a finite number above 0")]
    [InlineData("\"weight\": [1, 2]", "\"weight\" is an array, expected a finite number above 0")]
    [InlineData("\"margin\": true, \"weight\": -1",
        "\"margin\" is a boolean, expected a finite number, 0 or more; \"weight\" is -1, expected a finite number above 0")]
    public void A_margin_or_a_weight_that_is_none_is_told(string members, string problem)
    {
        var line = $$"""{"prompt": "p", "answers": ["a", "b"], {{members}}}""";
        Assert.Equal(problem, Parse(line).Problem);
        // They are of training only.
        Assert.Null(new RowParser(new RowSettings { AreToScore = true }).Parse(Encoding.UTF8.GetBytes(line), source).Problem);
    }

    [Theory]
    [InlineData("""{"prompt": "p", "answers": ["a", "b"]}""", true)]
    [InlineData("""{"prompt": "p", "answers": ["a", "b"], "ranks": [1, 2]}""", true)]
    [InlineData("""{"prompt": "p", "answers": ["a", "b"], "scores": [1, 0]}""", false)]
    [InlineData("""{"prompt": "p", "chosen": "a", "rejected": "b"}""", true)]
    [InlineData("""{"prompt": "p", "chosen": "a", "rejected": "b", "score_chosen": 1, "score_rejected": 0}""", false)]
    [InlineData("""{"prompt_ids": [5], "answer_ids": [[1], [2]]}""", true)]
    [InlineData("""{"prompt_ids": [5], "answer_ids": [[1], [2]], "scores": [1, 0]}""", false)]
    public void Scores_that_are_an_order_only_are_known_as_such(string text, bool expected)
    {
        var line = Parse(text);
        Assert.Equal(expected, line.List?.ScoresAreOrder ?? line.TokenizedList!.ScoresAreOrder);
    }

    [Fact]
    public void A_null_value_counts_as_absent()
    {
        var line = Parse("""{"prompt": "p", "answers": ["a", "b"], "scores": null, "ranks": [2, 1], "chosen": null, "id": null}""");
        Assert.Equal([-2.0, -1], line.List!.Scores);
        Assert.Empty(line.IgnoredKeys);
    }

    [Theory]
    [InlineData("""{"prompt": "p", "answers": ["a", "b"], "score": [1, 2], "id": 3}""", "score, id")]
    [InlineData("""{"prompt": "p", "chosen": "a", "rejected": "b", "scores": [1, 2]}""", "scores")]
    [InlineData("""{"prompt_ids": [1], "answer_ids": [[2]], "prompt": "p"}""", "prompt")]
    public void Keys_without_a_meaning_in_the_line_are_named(string json, string keys)
    {
        var line = Parse(json);
        Assert.Null(line.Problem);
        Assert.Equal(keys, string.Join(", ", line.IgnoredKeys));
    }

    [Theory]
    [InlineData("""{"prompt": "p", "answers": ["a"}""", "invalid JSON at byte 32")]
    [InlineData("""{"prompt": "p"} {}""", "invalid JSON at byte 17")]
    [InlineData("""{"prompt": "p", "answers": ["a", "b"], "scores": [NaN, 1]}""", "invalid JSON at byte 51")]
    [InlineData("""["p", "a"]""", """an array, expected an object such as {"prompt": "...", "answers": ["best", "worst"]}""")]
    [InlineData("null", """null, expected an object such as {"prompt": "...", "answers": ["best", "worst"]}""")]
    [InlineData("true", """a boolean, expected an object such as {"prompt": "...", "answers": ["best", "worst"]}""")]
    [InlineData("""{"prompt": "p"}""", """no answers, expected "answers", or "chosen" and "rejected", or "answer_ids"; found "prompt", of which --query can make them""")]
    [InlineData("{}", """no answers, expected "answers", or "chosen" and "rejected", or "answer_ids" """)]
    [InlineData(
        """{"prompt": "p", "answers": ["a"], "answer_ids": [[1]]}""",
        """answers in several forms, expected one of "answers", "chosen" and "rejected", "answer_ids" """)]
    public void A_line_in_no_known_form_is_a_problem(string json, string problem) =>
        Assert.Equal(problem.TrimEnd(), Parse(json).Problem);

    [Fact]
    public void Bytes_that_are_not_UTF8_are_a_problem()
    {
        var latin1 = Encoding.Latin1.GetBytes("""{"prompt": "é", "answers": ["a", "b"]}""");
        Assert.Equal("not UTF-8", new RowParser(new RowSettings()).Parse(latin1, source).Problem);
    }

    [Fact]
    public void All_problems_of_a_line_are_named() =>
        Assert.Equal(
            "\"prompt\" is missing; \"answers\"[1] is a number, expected a string; 1 score for 2 answers",
            Parse("""{"answers": ["a", 5], "scores": [1]}""").Problem);

    [Fact]
    public void After_five_problems_the_rest_is_counted() =>
        Assert.Equal(
            string.Join("; ", Enumerable.Range(0, 5).Select(i => $"\"answers\"[{i}] is a number, expected a string")) + "; and 3 more",
            Parse("""{"prompt": "p", "answers": [1, 2, 3, 4, 5, 6, 7, 8]}""").Problem);

    [Fact]
    public void Deep_nesting_is_a_problem_and_not_a_crash() =>
        Assert.Equal("invalid JSON at byte 70", Parse($$"""{"a": {{new string('[', 100_000)}}""").Problem);

    [Fact]
    public void A_damaged_line_is_a_problem_or_still_a_whole_list()
    {
        var good = Encoding.UTF8.GetBytes(
            """{"prompt_ids": [5, 0], "answer_ids": [[1], [2, 3]], "ranks": [2, 1], "id": "\ud83d\ude00é"}""");
        Prop.ForAll(Gen.Choose(0, good.Length - 1).ToArbitrary(), ArbMap.Default.ArbFor<byte>(), (position, value) =>
        {
            byte[] damaged = [.. good];
            damaged[position] = value;
            var line = new RowParser(new RowSettings()).Parse(damaged, source);
            return line.Problem is not null
                ? line.List is null && line.TokenizedList is null
                : line.TokenizedList!.Scores.Count == line.TokenizedList.AnswerIds.Count;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    [Theory]
    [InlineData(
        "\n\nHuman: a\n\nAssistant: b", "\n\nHuman: a\n\nAssistant: c", "\n\nHuman: a\n\nAssistant:", " b", " c", nameof(PromptEnd.Turn))]
    [InlineData("I say yes", "I say no", "I say", " yes", " no", nameof(PromptEnd.Word))]
    public void A_pair_of_dialogues_without_a_prompt_has_it_in_common(
        string chosen, string rejected, string prompt, string good, string bad, string end)
    {
        var line = Parse(JsonSerializer.Serialize(new { chosen, rejected, prompt = (string?)null }));
        Assert.Null(line.Problem);
        Assert.Equal((prompt, end), (line.List!.Prompt, line.PromptEnd.ToString()));
        Assert.Equal([good, bad], line.List.Answers);
        Assert.Equal([1.0, 0], line.List.Scores);
        Assert.Equal(source, line.List.Source);

        var given = Parse(JsonSerializer.Serialize(new { chosen, rejected, prompt = "" }));
        Assert.Equal(("", PromptEnd.Given), (given.List!.Prompt, given.PromptEnd));
        Assert.Equal([chosen, rejected], given.List.Answers);
    }

    [Theory]
    [InlineData("same", "same", "\"chosen\" and \"rejected\" are the same text, expected two answers to one prompt")]
    [InlineData(
        "yes", "no",
        "\"prompt\" is missing, and \"chosen\" and \"rejected\" do not start with the same words; expected a \"prompt\", which may be "
        + "\"\", or a common start")]
    [InlineData(
        "Q: a\nA: b", "Q: a\nA: ",
        "\"chosen\" or \"rejected\" has nothing after the text that both start with, expected an answer")]
    [InlineData("Q: a\nA:", "Q: a\nA: b", "\"chosen\" or \"rejected\" has nothing after the text that both start with, expected an answer")]
    public void What_is_wrong_with_a_pair_of_dialogues_is_told(string chosen, string rejected, string problem) =>
        Assert.Equal(problem, Parse(JsonSerializer.Serialize(new { chosen, rejected })).Problem);

    [Theory]
    [InlineData("""{"messages": [{"role": "user", "content": "p"}], "answers": ["a", "b"], "system": "be brief"}""", "system user")]
    [InlineData(
        """
        {"prompt": [{"role": "user", "content": "p"}], "chosen": [{"role": "assistant", "content": "a"}],
         "rejected": [{"role": "assistant", "content": "b"}], "system": "be brief"}
        """, "system user")]
    [InlineData(
        """
        {"chosen": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "a"}],
         "rejected": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "b"}], "system": "be brief"}
        """, "system user")]
    [InlineData("""{"messages": [{"role": "user", "content": "p"}], "answers": ["a", "b"], "system": ""}""", "user")]
    [InlineData("""{"messages": [{"role": "user", "content": "p"}], "answers": ["a", "b"], "system": null}""", "user")]
    public void A_system_text_is_the_first_message(string json, string roles)
    {
        var line = Parse(json);
        Assert.Null(line.Problem);
        Assert.Empty(line.IgnoredKeys);
        var prompt = line.List!.Chat!.Prompt.Messages;
        Assert.Equal(roles, string.Join(' ', prompt.Select(message => message.Role)));
        if (prompt.Count > 1)
            Assert.Equal("be brief", prompt[0].Json.GetProperty("content").GetString());
    }

    [Theory]
    [InlineData("""{"messages": [{"role": "user", "content": "p"}], "answers": ["a"], "system": 5}""",
        "\"system\" is a number, expected a string")]
    [InlineData(
        """{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "p"}], "answers": ["a"], "system": "t"}""",
        "\"system\" is given beside a system message, expected one of them")]
    [InlineData("""{"prompt": "p", "answers": ["a", "b"], "system": "t"}""", besideText)]
    [InlineData("""{"prompt": "p", "chosen": "a", "rejected": "b", "system": "t"}""", besideText)]
    [InlineData("""{"chosen": "a b", "rejected": "a c", "system": "t"}""", besideText)]
    [InlineData("""{"prompt": "p", "answers": ["a", "b"], "system": ""}""", null)]
    public void A_system_text_that_is_not_read_is_a_problem(string json, string? problem) => Assert.Equal(problem, Parse(json).Problem);

    private const string besideText =
        "\"system\" is given beside a text: it changes what the model reads, but only a chat template says how; expected messages, such as "
        + "{\"messages\": [{\"role\": \"system\", \"content\": \"...\"}, {\"role\": \"user\", \"content\": \"...\"}], \"answers\": [...]}";

    [Theory]
    [InlineData("""{"prompt": "p", "chosen": "a", "rejected": "b", "score_chosen": 8.5, "score_rejected": -2}""", 8.5, -2)]
    [InlineData("""{"prompt": "p", "chosen": "a", "rejected": "b", "score_chosen": 3, "score_rejected": 3.0}""", 3, 3)]
    [InlineData(
        """
        {"chosen": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "a"}],
         "rejected": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "b"}], "score_chosen": 7, "score_rejected": 6}
        """, 7, 6)]
    [InlineData("""{"prompt": "p", "chosen": "a", "rejected": "b", "score_chosen": null, "score_rejected": null}""", 1, 0)]
    public void A_pair_may_give_its_scores(string json, double chosen, double rejected)
    {
        var line = Parse(json);
        Assert.Null(line.Problem);
        Assert.Empty(line.IgnoredKeys);
        Assert.Equal([chosen, rejected], line.List!.Scores);
    }

    [Theory]
    [InlineData("2, \"score_rejected\": 2.5",
        "\"score_chosen\" is 2 and \"score_rejected\" is 2.5, expected the chosen answer to have the higher score, or the same")]
    [InlineData("2", "\"score_rejected\" is missing")]
    [InlineData("\"2\", \"score_rejected\": 5", "\"score_chosen\" is a string, expected a finite number")]
    public void Scores_of_a_pair_that_contradict_it_are_a_problem(string scores, string problem) =>
        Assert.Equal(problem, Parse($$"""{"prompt": "p", "chosen": "a", "rejected": "b", "score_chosen": {{scores}}}""").Problem);

    [Theory]
    [InlineData("""{"prompt": "p", "response": "a"}""", "p", "a")]
    [InlineData("""{"prompt": "p", "answer": "a", "id": 1}""", "p", "a")]
    [InlineData("""{"prompt": "p", "completion": "a"}""", "p", "a")]
    [InlineData("""{"text": "p a"}""", "", "p a")]
    [InlineData("""{"messages": [{"role":"user","content":"p"}, {"role":"assistant","content":"a"}]}""",
        """[{"role":"user","content":"p"}]""", """[{"role":"assistant","content":"a"}]""")]
    [InlineData("""{"messages": [{"role":"user","content":"p"}], "response": "a"}""",
        """[{"role":"user","content":"p"}]""", """[{"role":"assistant","content":"a"}]""")]
    [InlineData("""{"prompt": [{"role":"user","content":"p"}], "completion": [{"role":"assistant","content":"a"}], "system": "s"}""",
        """[{"role":"system","content":"s"}, {"role":"user","content":"p"}]""", """[{"role":"assistant","content":"a"}]""")]
    public void One_answer_can_be_scored_but_not_ranked(string json, string prompt, string answer)
    {
        var line = new RowParser(new RowSettings { AreToScore = true }).Parse(Encoding.UTF8.GetBytes(json), source);
        Assert.Null(line.Problem);
        Assert.True(line.IsSingle);
        Assert.Equal((prompt, answer), (line.List!.Prompt, Assert.Single(line.List.Answers)));
        Assert.Equal(json.Contains("text\"", StringComparison.Ordinal), line.List.IsWholeText);
        Assert.Equal(json, line.Row!.Value.GetRawText());
        Assert.StartsWith("no answers, expected ", Parse(json).Problem);
    }

    [Theory]
    [InlineData("""{"id": 1}""",
        "no answers, expected \"answers\", or \"chosen\" and \"rejected\", or \"answer_ids\", or one answer: \"response\", \"answer\" or "
        + "\"completion\", or \"messages\" that end with it, or \"text\"")]
    [InlineData("""{"prompt": "p", "response": "a", "completion": "b"}""",
        "\"response\" and \"completion\" are given, expected one of them")]
    [InlineData("""{"text": "t", "messages": [{"role":"user","content":"p"}, {"role":"assistant","content":"a"}]}""",
        "\"text\" and \"messages\" are given, expected one of them")]
    [InlineData("""{"response": "a"}""", "\"prompt\" is missing")]
    [InlineData("""{"prompt": "p", "response": ["a"]}""", "\"response\" is an array, expected a string")]
    [InlineData("""{"messages": "p", "response": "a"}""", "\"messages\" is a string, expected an array of messages")]
    [InlineData("""{"prompt": "p", "response": "a", "system": "t"}""", besideText)]
    [InlineData("""{"text": "p", "system": "t"}""", besideText)]
    [InlineData("""{"messages": []}""", "\"messages\" is empty, expected at least one item")]
    [InlineData("""{"messages": [{"role":"user","content":"p"}]}""",
        "\"messages\" end with a message of 'user', expected messages that end with the assistant's answer to those before, or \"answers\" "
        + "beside them")]
    [InlineData("""{"messages": [{"role":"assistant","content":"a"}]}""",
        "\"messages\" end with a message of 'assistant', expected messages that end with the assistant's answer to those before, or "
        + "\"answers\" beside them")]
    public void What_is_wrong_with_one_answer_is_told(string json, string problem)
    {
        var line = new RowParser(new RowSettings { AreToScore = true }).Parse(Encoding.UTF8.GetBytes(json), source);
        Assert.Equal(problem, line.Problem);
        Assert.Equal(json, line.Row!.Value.GetRawText());
    }

    [Fact]
    public void Lists_are_scored_as_lists_also_beside_a_text()
    {
        var line = new RowParser(new RowSettings { AreToScore = true }).Parse("""{"prompt": "p", "answers": ["a"], "text": "t"}"""u8.ToArray(), source);
        Assert.False(line.IsSingle);
        Assert.Equal(("a", false), (line.List!.Answers[0], line.List.IsWholeText));
    }

    [Fact]
    public void Invalid_JSON_over_several_lines_is_told_with_its_line() => Assert.Equal(
        $"invalid JSON at byte 6 of line {source.Line + 2}", Parse("{\n \"a\": 1,\n \"b\" 2}").Problem);

    private static ParsedRow Parse(string json) => new RowParser(new RowSettings()).Parse(Encoding.UTF8.GetBytes(json), source);
}
