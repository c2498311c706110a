using RewardModel.Chat;
using RewardModel.Lists;
using RewardModel.Tests.Tokenizers;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Chat;

public class ChatTokenizerTests
{
    private const string Template =
        "{{ bos_token }}{% for m in messages %}{{ m.role[0] ~ m.content }}{{ eos_token }}{% endfor %}{{ 'a' if add_generation_prompt }}";

    private const string Config = """{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true}""";

    [Fact]
    public void Ids_are_those_of_the_whole_text_and_its_special_tokens_are_not_doubled()
    {
        using var folder = TokenizerFolder.ByteLevel(Config);
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        Assert.Equal(new SpecialTokenRule([262], [], [263]), tokenizer.SpecialTokenRule);
        var (list, cut) = Tokenized(tokenizer, Template, 99, "hello", "x", "yz");
        Assert.Equal(new TruncationCount(new CutCount(0, 1, 0, 10), new CutCount(0, 2, 0, 5)), cut);
        Assert.Equal([262, 'u', 259, 263, 'a'], list.PromptIds);
        Assert.Equal([['x', 263], ['y', 'z', 263]], list.AnswerIds);
        Assert.Equal([1.0, 0], list.Scores);
    }

    [Fact]
    public void Special_tokens_that_the_template_does_not_write_are_put_there()
    {
        using var folder = TokenizerFolder.ByteLevel(Config);
        var (list, _) = Tokenized(
            HuggingFaceTokenizer.Load(folder.Directory),
            "{% for m in messages %}{{ m.content }} {% endfor %}", 99, "p", "x", "y");
        Assert.Equal([262, 'p', ' '], list.PromptIds);
        Assert.Equal([['x', ' ', 263], ['y', ' ', 263]], list.AnswerIds);
    }

    [Fact]
    public void White_space_after_the_end_of_sequence_stays_and_is_not_cut()
    {
        using var folder = TokenizerFolder.ByteLevel(Config);
        var (list, cut) = Tokenized(
            HuggingFaceTokenizer.Load(folder.Directory),
            "{% for m in messages %}{{ m.content }}{{ eos_token }}{{ '\\n' }}{% endfor %}", 6, "pq", "xxxxxxx", "y");
        Assert.Equal([[262], [262, 263, '\n']], [list.PromptOf(0), list.PromptOf(1)]);
        Assert.Equal([['x', 'x', 'x', 263, '\n'], ['y', 263, '\n']], list.AnswerIds);
        Assert.Equal(new TruncationCount(new CutCount(1, 1, 6, 10), new CutCount(1, 2, 4, 12)), cut);
    }

    [Fact]
    public void The_prompt_ends_where_all_renderings_still_agree()
    {
        using var folder = TokenizerFolder.ByteLevel(Config);
        // "he" and "hell" are tokens: alone the prompt would be cut in another way than before an answer.
        var (list, _) = Tokenized(
            HuggingFaceTokenizer.Load(folder.Directory),
            "{% for m in messages %}{{ m.content }}{% endfor %}", 99, "xhe", "llo", "y");
        Assert.Equal([262, 'x'], list.PromptIds);
        Assert.Equal([[259, 263], [256, 'y', 263]], list.AnswerIds);
    }

    /// <summary>The template's invitation "xhe" is the start of one answer, a part of it that of another.</summary>
    [Theory]
    [InlineData("null")]
    [InlineData("""{"type": "BertProcessing", "cls": ["<s>", 262], "sep": ["</s>", 263]}""")]
    public void What_an_answer_is_read_with_does_not_depend_on_the_others(string postProcessor)
    {
        using var folder = TokenizerFolder.ByteLevel("""{"eos_token": "</s>"}""", postProcessor);
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        string[] answers = ["xhello", "xyz", "hello", "xhexxxxxxxxxx", "x</s>"];
        for (var maxLength = 4; maxLength < 20; maxLength++)
        {
            var together = Tokenized(answers);
            Assert.Equal(
                answers.Select(answer => Tokenized(answer)).Select(list => (int[])[.. list.PromptOf(0), .. list.AnswerIds[0]]),
                together.AnswerIds.Select((ids, k) => (int[])[.. together.PromptOf(k), .. ids]));

            TokenizedList Tokenized(params string[] some) => ChatTokenizerTests.Tokenized(
                tokenizer, "{% for m in messages %}{{ m.content }}{% endfor %}{{ 'xhe' if add_generation_prompt }}", maxLength, "pq", some)
                .List;
        }
    }

    [Fact]
    public void An_encoders_prompts_differ_where_the_template_makes_them_differ()
    {
        using var folder = TokenizerFolder.ByteLevel(
            postProcessor: """{"type": "BertProcessing", "cls": ["<s>", 262], "sep": ["</s>", 263]}""");
        var (list, cut) = Tokenized(
            HuggingFaceTokenizer.Load(folder.Directory),
            "{% for m in messages %}{{ m.content }}{% endfor %}{{ 'xhe' if add_generation_prompt }}", 99, "p", "xhey", "xyz", "xheo");
        Assert.Equal(
            [[262, 'p', 'x', 256, 263], [262, 'p', 'x', 263], [262, 'p', 'x', 256, 263]],
            Enumerable.Range(0, 3).Select(list.PromptOf));
        Assert.Equal([['y', 263], ['y', 'z', 263], ['o', 263]], list.AnswerIds);
        Assert.False(cut.IsCut);
    }

    [Fact]
    public void A_template_that_writes_the_prompt_in_another_way_once_there_is_an_answer_is_split_where_they_differ()
    {
        using var folder = TokenizerFolder.ByteLevel(Config);
        var (list, _) = Tokenized(
            HuggingFaceTokenizer.Load(folder.Directory),
            "S{% for m in messages %}{{ '!' if loop.last else '.' }}{{ m.content }}{% endfor %}", 99, "p", "x", "y");
        Assert.Equal([262, 'S'], list.PromptIds);
        Assert.Equal([['.', 'p', '!', 'x', 263], ['.', 'p', '!', 'y', 263]], list.AnswerIds);
    }

    [Fact]
    public void Special_tokens_in_users_text_stay_text()
    {
        using var folder = TokenizerFolder.ByteLevel(Config);
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        var (list, _) = Tokenized(tokenizer, Template, 99, "p</s>", "<tool>", "</s");
        Assert.Equal([262, 'u', 'p', '<', '/', 's', '>', 263, 'a'], list.PromptIds);
        Assert.Equal([[264, 263], ['<', '/', 's', 263]], list.AnswerIds);
    }

    [Fact]
    public void Special_tokens_of_normalised_text_in_users_text_stay_text_too()
    {
        using var folder = TokenizerFolder.ByteLevel(Config);
        folder.Replace(
            "\"content\": \"</s>\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\": false",
            "\"content\": \"</s>\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\": true");
        folder.Replace("\"normalizer\": null", "\"normalizer\": {\"type\": \"Lowercase\"}");
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        IReadOnlyList<int> Ids(string content) => tokenizer.Encode(new ChatTemplate("</s>{{ messages[0].content }}</s>").Render(
            new Conversation([new ChatMessage("user", content)]), addGenerationPrompt: false, tokenizer.SpecialTokens));
        Assert.Equal([263, 'a', '<', '/', 's', '>', 263], Ids("A</s>"));
        Assert.Equal([263, '<', '/', 's', '>', 263], Ids("</S>"));
    }

    [Fact]
    public void Where_a_normalizer_treats_parts_unlike_the_whole_a_token_that_the_data_has_is_text_everywhere()
    {
        using var folder = TokenizerFolder.ByteLevel(Config);
        folder.Replace(
            "\"content\": \"</s>\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\": false",
            "\"content\": \"</s>\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\": true");
        folder.Replace("\"normalizer\": null", "\"normalizer\": {\"type\": \"Strip\", \"strip_left\": true, \"strip_right\": true}");
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        IReadOnlyList<int> Ids(string content) => tokenizer.Encode(new ChatTemplate("a {{ messages[0].content }}</s>").Render(
            new Conversation([new ChatMessage("user", content)]), addGenerationPrompt: false, tokenizer.SpecialTokens));
        Assert.Equal(['a', ' ', 'b', 263], Ids("b"));
        Assert.Equal(['a', ' ', '<', '/', 's', '>', '<', '/', 's', '>'], Ids("</s>"));
    }

    [Fact]
    public void Text_whose_origin_is_lost_has_special_tokens_only_if_the_data_has_none()
    {
        using var folder = TokenizerFolder.ByteLevel(Config);
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        var template = new ChatTemplate("{{ [bos_token, messages[0].content] | tojson }}");
        IReadOnlyList<int> Ids(string content) => tokenizer.Encode(template.Render(
            new Conversation([new ChatMessage("user", content)]), addGenerationPrompt: false, tokenizer.SpecialTokens));
        Assert.Contains(262, Ids("x"));
        Assert.DoesNotContain(262, Ids("<s>"));
    }

    [Fact]
    public void What_the_template_rejects_is_told_with_the_line()
    {
        using var folder = TokenizerFolder.ByteLevel(Config);
        var exception = Assert.Throws<TokenizerException>(() => Tokenized(
            HuggingFaceTokenizer.Load(folder.Directory), "{{ raise_exception('never') }}", 99, "p", "x"));
        Assert.Equal(
            "(in memory): chat template, line 1, column 19: the template rejects the conversation: never", exception.Message);
    }

    [Fact]
    public void The_template_is_that_of_its_own_file_or_of_the_configuration()
    {
        using var folder = TokenizerFolder.ByteLevel("""{"chat_template": "one"}""");
        Assert.Equal("one", HuggingFaceTokenizer.Load(folder.Directory).ChatTemplate);
        folder.Write(
            "tokenizer_config.json",
            """{"chat_template": [{"name": "rag", "template": "x"}, {"name": "default", "template": "two"}]}""");
        Assert.Equal("two", HuggingFaceTokenizer.Load(folder.Directory).ChatTemplate);
        folder.Write("tokenizer_config.json", """{"chat_template": [{"name": "rag", "template": "x"}]}""");
        Assert.Equal(
            $"{folder.Directory}: tokenizer_config.json: none of the templates in 'chat_template' has the name 'default'; name one so",
            Assert.Throws<TokenizerException>(() => HuggingFaceTokenizer.Load(folder.Directory)).Message);
        folder.Write("tokenizer_config.json", "{}");
        Assert.Null(HuggingFaceTokenizer.Load(folder.Directory).ChatTemplate);
        folder.Write("chat_template.jinja", "three");
        Assert.Equal("three", HuggingFaceTokenizer.Load(folder.Directory).ChatTemplate);
    }

    private static (TokenizedList List, TruncationCount Cut) Tokenized(
        HuggingFaceTokenizer tokenizer, string template, int maxLength, string prompt, params string[] answers)
    {
        var chat = new RankedChat(
            new Conversation([new ChatMessage("user", prompt)]),
            [.. answers.Select(answer => (IReadOnlyList<ChatMessage>)[new ChatMessage("assistant", answer)])]);
        return new ChatTokenizer(tokenizer, new ChatTemplate(template), tokenizer.SpecialTokenRule, maxLength)
            .Tokenize(RankedList.OfChat(chat, RankedList.ScoresOfOrder(answers.Length)));
    }
}
