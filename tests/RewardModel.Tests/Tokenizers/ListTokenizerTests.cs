using RewardModel.Lists;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Tokenizers;

public class ListTokenizerTests
{
    [Fact]
    public void Special_tokens_stand_before_the_prompt_and_after_each_answer()
    {
        using var folder = TokenizerFolder.ByteLevel("""{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true}""");
        var list = RankedList.BestFirst("hello", " w", " wo") with
        {
            Source = new SourceLine("lists.jsonl", 3),
            Margin = 0.5,
            Weight = 2,
        };
        var (tokenized, cut) = Make(folder, 100).Tokenize(list);
        Assert.Equal([262, 259], tokenized.PromptIds);
        Assert.Equal([[260, 263], [261, 263]], tokenized.AnswerIds);
        Assert.Equal([1.0, 0.0], tokenized.Scores);
        Assert.Equal(new SourceLine("lists.jsonl", 3), tokenized.Source);
        Assert.Equal((true, 0.5, 2), (tokenized.ScoresAreOrder, tokenized.Margin, tokenized.Weight));
        Assert.Equal(new TruncationCount(new CutCount(0, 1, 0, 4), new CutCount(0, 2, 0, 4)), cut);
    }

    [Fact]
    public void An_encoder_reads_prompt_and_answer_as_a_pair()
    {
        using var folder = TokenizerFolder.ByteLevel(
            postProcessor: """{"type": "BertProcessing", "cls": ["<s>", 262], "sep": ["</s>", 263]}""");
        var (tokenized, _) = Make(folder, 5).Tokenize(RankedList.BestFirst("hello w", " w", " wo"));
        Assert.Equal([[262, 260, 263], [262, 260, 263]], [tokenized.PromptOf(0), tokenized.PromptOf(1)]);
        Assert.Equal([[260, 263], [261, 263]], tokenized.AnswerIds);
        Assert.Equal(1, tokenized.AnswerTokenType);
    }

    [Fact]
    public void Special_tokens_in_the_texts_are_plain_text()
    {
        using var folder = TokenizerFolder.ByteLevel("""{"eos_token": "</s>"}""");
        var (tokenized, _) = Make(folder, 100).Tokenize(RankedList.BestFirst("<s>", "</s>", "<tool>"));
        Assert.Equal([60, 115, 62], tokenized.PromptIds);
        Assert.Equal([[60, 47, 115, 62, 263], [264, 263]], tokenized.AnswerIds);
    }

    /// <summary>"abab" is ▁ab ab.</summary>
    [Fact]
    public void A_SentencePiece_tokenizer_starts_the_text_of_prompt_and_answer_once()
    {
        using var folder = TokenizerFolder.SentencePiece("""{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true}""");
        var list = RankedList.BestFirst("ab", "ab", "");
        var (tokenized, _) = Make(folder, 100).Tokenize(list);
        Assert.Equal([1, 264], tokenized.PromptIds);
        Assert.Equal([[263, 2], [2]], tokenized.AnswerIds);

        (tokenized, _) = Make(folder, 100, TextEncoding.Separate).Tokenize(list);
        Assert.Equal([1, 264], tokenized.PromptIds);
        Assert.Equal([[264, 2], [2]], tokenized.AnswerIds);
    }

    /// <summary>Its place is the end of the prompt, of which it has no character.</summary>
    [Fact]
    public void A_sign_that_is_written_before_the_answers_first_word_is_the_answers()
    {
        using var folder = TokenizerFolder.SentencePiece("""{"eos_token": "</s>", "add_bos_token": false}""");
        folder.Replace(
            "\"pre_tokenizer\": null",
            """
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
              {"type": "Whitespace"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": false},
              {"type": "Punctuation", "behavior": "Isolated"}]}
            """);
        folder.Replace(
            "{\"type\": \"Prepend\", \"prepend\": \"▁\"}, {\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"▁\"}", "");
        var (tokenized, _) = Make(folder, 100).Tokenize(RankedList.BestFirst("ab", "!", "! ab"));
        Assert.Equal([264], tokenized.PromptIds);
        Assert.Equal([[259, 3 + '!', 2], [259, 3 + '!', 264, 2]], tokenized.AnswerIds);
    }

    [Fact]
    public void Without_a_prompt_an_answer_starts_the_text()
    {
        using var folder = TokenizerFolder.SentencePiece("""{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true}""");
        var (tokenized, _) = Make(folder, 100).Tokenize(RankedList.BestFirst("", "ab", "b"));
        Assert.Equal([1], tokenized.PromptIds);
        Assert.Equal([[264, 2], [259, 261, 2]], tokenized.AnswerIds);
    }

    /// <summary>"xhello" is x hello, "xhey" is x he y.</summary>
    [Fact]
    public void A_token_of_prompt_and_answer_is_the_answers_and_the_prompt_is_what_all_answers_start_with()
    {
        using var folder = TokenizerFolder.ByteLevel("""{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true}""");
        var list = RankedList.BestFirst("xhe", "llo", "y");
        var (tokenized, cut) = Make(folder, 5).Tokenize(list);
        Assert.Equal([262, 'x'], tokenized.PromptIds);
        Assert.Equal([[259, 263], [256, 'y', 263]], tokenized.AnswerIds);
        Assert.Null(tokenized.OwnPromptIds);
        Assert.Equal(new TruncationCount(new CutCount(0, 1, 0, 5), new CutCount(0, 2, 0, 4)), cut);

        (tokenized, _) = Make(folder, 100, TextEncoding.Separate).Tokenize(list);
        Assert.Equal([262, 'x', 256], tokenized.PromptIds);
        Assert.Equal([[257, 'o', 263], ['y', 263]], tokenized.AnswerIds);
    }

    [Fact]
    public void Where_prompt_and_answer_are_told_apart_does_not_depend_on_the_other_answers()
    {
        using var folder = TokenizerFolder.ByteLevel("""{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true}""");
        string[] answers = ["llo", "yyyyyyy", "llollo", "y", "hehellollll"];
        for (var maxLength = 3; maxLength < 16; maxLength++)
            foreach (var encoding in Enum.GetValues<TextEncoding>())
            {
                var tokenizer = Make(folder, maxLength, encoding);
                var together = tokenizer.Tokenize(RankedList.BestFirst("abhe", answers)).List;
                var alone = answers.Select(answer => tokenizer.Tokenize(RankedList.BestFirst("abhe", answer)).List);
                Assert.Equal(
                    alone.Select(list => (int[])[.. list.PromptOf(0), .. list.AnswerIds[0]]),
                    together.AnswerIds.Select((ids, k) => (int[])[.. together.PromptOf(k), .. ids]));
            }
        // he before y is the prompt's: it goes first, and the answer keeps as much as fits.
        var cut = Make(folder, 4).Tokenize(RankedList.BestFirst("abhe", answers)).List;
        Assert.Equal([[262, 'b'], [262], [262], [262, 256], [262]], Enumerable.Range(0, 5).Select(cut.PromptOf));
        Assert.Equal(
            [[259, 263], ['y', 'y', 263], [259, 257, 263], ['y', 263], [256, 259, 263]], cut.AnswerIds);
    }

    [Fact]
    public void Halves_of_a_character_at_the_end_and_the_start_do_not_join()
    {
        using var folder = TokenizerFolder.ByteLevel("""{"eos_token": "</s>"}""");
        var (tokenized, _) = Make(folder, 100).Tokenize(RankedList.BestFirst("\ud83d", "\ude00"));
        Assert.Equal([0xEF, 0xBF, 0xBD], tokenized.PromptIds);
        Assert.Equal([[0xEF, 0xBF, 0xBD, 263]], tokenized.AnswerIds);
    }

    [Fact]
    public void Too_long_a_list_is_cut_and_counted()
    {
        using var folder = TokenizerFolder.ByteLevel("""{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true}""");
        var (tokenized, cut) = Make(folder, 4).Tokenize(RankedList.BestFirst("abcd", "x", "vwxyz"));
        Assert.Equal([262, 'a', 'b', 'c', 'd'], tokenized.PromptIds);
        Assert.Equal([[262, 'd'], [262]], [tokenized.PromptOf(0), tokenized.PromptOf(1)]);
        Assert.Equal([['x', 263], ['v', 'w', 263]], tokenized.AnswerIds);
        Assert.Equal(new TruncationCount(new CutCount(1, 1, 7, 10), new CutCount(1, 2, 3, 8)), cut);
    }

    [Fact]
    public void Answers_without_any_token_are_an_error()
    {
        using var folder = TokenizerFolder.ByteLevel();
        var list = RankedList.BestFirst("hello", "", "a", "") with { Source = new SourceLine("lists.jsonl", 3) };
        var error = Assert.Throws<TokenizerException>(() => Make(folder, 100).Tokenize(list));
        Assert.Equal(
            """
            lists.jsonl:3: 2 problems
            - answer 1 of 3 has no tokens, expected at least one; give it text or remove it
            - answer 3 of 3 has no tokens, expected at least one; give it text or remove it
            """,
            error.Message);
    }

    [Fact]
    public void Steps_are_encoded_as_one_text_and_end_with_their_separators()
    {
        using var folder = TokenizerFolder.ByteLevel("""{"eos_token": "</s>"}""");
        // What follows the last label is not read.
        var (tokenized, cut) = Make(folder, 100).Tokenize(RankedList.OfSteps("a", ["he", "x", " w", "y"], [1, null, 0.5, null]));
        Assert.Equal([97], tokenized.PromptIds);
        Assert.Equal([[256, 10], [256, 10, 120, 10, 260, 10]], tokenized.AnswerIds);
        Assert.Equal([1, 0.5], tokenized.Scores);
        Assert.False(cut.IsCut);
    }

    /// <summary>"helll" is hell l: the first separator is within a token.</summary>
    [Fact]
    public void A_step_ends_with_the_token_that_has_the_last_character_of_its_separator()
    {
        using var folder = TokenizerFolder.ByteLevel();
        var (tokenized, _) = Make(folder, 100).Tokenize(RankedList.OfSteps("a", ["he", "l"], [1, 0], "l"));
        Assert.Equal([[258], [258, 108]], tokenized.AnswerIds);
    }

    [Fact]
    public void A_special_token_ends_steps_and_is_text_elsewhere()
    {
        using var folder = TokenizerFolder.ByteLevel();
        var (tokenized, _) = Make(folder, 100).Tokenize(RankedList.OfSteps("<s>", ["he<s>x", "w</s>"], [1, 0], "<s>"));
        Assert.Equal([60, 115, 62], tokenized.PromptIds);
        int[] first = [256, 60, 115, 62, 120, 262];
        Assert.Equal([first, [.. first, 119, 60, 47, 115, 62, 262]], tokenized.AnswerIds);
    }

    [Fact]
    public void A_special_token_ends_steps_without_a_label_as_well()
    {
        using var folder = TokenizerFolder.ByteLevel();
        var (all, _) = Make(folder, 100).Tokenize(RankedList.OfSteps("a", ["x", "x", "x"], [1, 1, 0], "<s>"));
        var (some, _) = Make(folder, 100).Tokenize(RankedList.OfSteps("a", ["x", "x", "x"], [1, null, 0], "<s>"));
        Assert.Equal([all.AnswerIds[0], all.AnswerIds[2]], some.AnswerIds);
        Assert.Equal(3, some.AnswerIds[1].Count(id => id == 262));
    }

    /// <summary>"ababab a " is ▁ab ab ab ▁a ▁, of which the first one is the prompt's; a step's space is the next word's sign.</summary>
    [Theory]
    [InlineData(TextEncoding.Joint)]
    [InlineData(TextEncoding.Separate)]
    public void The_ends_of_steps_are_found_where_the_normalizer_moves_them(TextEncoding encoding)
    {
        using var folder = TokenizerFolder.SentencePiece("""{"bos_token": "<s>", "add_bos_token": true}""");
        var (tokenized, _) = Make(folder, 100, encoding).Tokenize(RankedList.OfSteps("ab", ["abab", "a"], [1, 0], " "));
        Assert.Equal([1, 264], tokenized.PromptIds);
        int[] first = encoding == TextEncoding.Joint ? [263, 263, 262] : [264, 263, 262];
        Assert.Equal([first, [.. first, 259]], tokenized.AnswerIds);
    }

    [Fact]
    public void Steps_of_which_the_end_is_cut_off_are_left_out()
    {
        using var folder = TokenizerFolder.ByteLevel("""{"eos_token": "</s>"}""");
        var list = RankedList.OfSteps("a", ["he", "he", "he"], [1, 0, 1]) with { Source = new SourceLine("x.jsonl", 2) };
        var (tokenized, cut) = Make(folder, 5).Tokenize(list);
        Assert.Equal([[256, 10], [256, 10, 256, 10]], tokenized.AnswerIds);
        Assert.Equal([1, 0], tokenized.Scores);
        Assert.Empty(tokenized.PromptOf(0));
        Assert.Equal((1, 1), (cut.Answers.Cut, cut.Answers.All));
        Assert.Equal(
            "x.jsonl:2: all steps with a label end behind the tokens that are left of the text, expected one at least; give a larger maximum length",
            Assert.Throws<TokenizerException>(() => Make(folder, 2).Tokenize(list)).Message.Trim('(', ')').Replace("(x.jsonl:2)", "x.jsonl:2"));
    }

    [Fact]
    public void An_encoder_has_no_steps()
    {
        using var folder = TokenizerFolder.ByteLevel(
            postProcessor: """{"type": "BertProcessing", "cls": ["<s>", 262], "sep": ["</s>", 263]}""");
        var error = Assert.Throws<TokenizerException>(() => Make(folder, 9).Tokenize(RankedList.OfSteps("a", ["b"], [1])));
        Assert.Contains("steps of a solution, for which an encoder has no rewards", error.Message, StringComparison.Ordinal);
    }

    private static ListTokenizer Make(TokenizerFolder folder, int maxLength, TextEncoding encoding = TextEncoding.Joint)
    {
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        return new ListTokenizer(tokenizer, tokenizer.SpecialTokenRule, maxLength, encoding);
    }
}
