using RewardModel.Lists;
using RewardModel.Tokenizers;

namespace RewardModel.Tests.Tokenizers;

public class ListTokenizerTests
{
    [Fact]
    public void Special_tokens_stand_before_the_prompt_and_after_each_answer()
    {
        using var folder = TokenizerFolder.ByteLevel("""{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true}""");
        var list = RankedList.BestFirst("hello", " w", " wo") with { Source = new SourceLine("lists.jsonl", 3) };
        var (tokenized, cut) = Make(folder, 100).Tokenize(list);
        Assert.Equal([262, 259], tokenized.PromptIds);
        Assert.Equal([[260, 263], [261, 263]], tokenized.AnswerIds);
        Assert.Equal([1.0, 0.0], tokenized.Scores);
        Assert.Equal(new SourceLine("lists.jsonl", 3), tokenized.Source);
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

    [Fact]
    public void A_SentencePiece_tokenizer_starts_answers_as_it_starts_prompts()
    {
        using var folder = TokenizerFolder.SentencePiece("""{"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true}""");
        var (tokenized, _) = Make(folder, 100).Tokenize(RankedList.BestFirst("ab", "ab", ""));
        Assert.Equal([1, 264], tokenized.PromptIds);
        Assert.Equal([[264, 2], [2]], tokenized.AnswerIds);
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

    private static ListTokenizer Make(TokenizerFolder folder, int maxLength)
    {
        var tokenizer = HuggingFaceTokenizer.Load(folder.Directory);
        return new ListTokenizer(tokenizer.PlainTextTokenizer, tokenizer.SpecialTokenRule, maxLength);
    }
}
