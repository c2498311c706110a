using Microsoft.ML.Tokenizers;
using RewardModel.Lists;

namespace RewardModel.Tokenizers;

/// <summary>
/// Turns ranked lists into token ids. Prompt and answers are encoded apart, so that a prompt has the same ids before each of its
/// answers; what a tokenizer does at the start of a text (SentencePiece's <c>▁</c>, a prefix space) it therefore does at the start of an
/// answer too.
/// </summary>
internal sealed class ListTokenizer
{
    private readonly Tokenizer tokenizer;
    private readonly SpecialTokenRule rule;
    private readonly ListTruncation truncation;

    /// <param name="tokenizer">
    /// What encodes texts; <see cref="HuggingFaceTokenizer.PlainTextTokenizer"/>, unless special tokens in the texts are to be found.
    /// </param>
    /// <param name="rule">The special tokens around prompts and answers.</param>
    /// <param name="maxLength">The most tokens that a prompt and one of its answers may have together, special tokens included.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxLength"/> leaves no token for an answer's text.</exception>
    public ListTokenizer(Tokenizer tokenizer, SpecialTokenRule rule, int maxLength)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        this.tokenizer = tokenizer;
        this.rule = rule;
        truncation = new ListTruncation(rule, maxLength);
    }

    /// <summary>The list as token ids that fit the maximum length, and what had to be cut.</summary>
    /// <exception cref="TokenizerException">Answers have no tokens, and no special token is appended to them.</exception>
    public (TokenizedList List, TruncationCount Cut) Tokenize(RankedList list)
    {
        int[] promptIds = [.. rule.BeforePrompt, .. tokenizer.EncodeToIds(list.Prompt), .. rule.AfterPrompt];
        int[][] answerIds = [.. list.Answers.Select(answer => (int[])[.. tokenizer.EncodeToIds(answer), .. rule.AfterAnswer])];
        CheckAnswers(list, answerIds);
        return truncation.Truncate(
            new TokenizedList(promptIds, answerIds, list.Scores, list.Source) { AnswerTokenType = rule.AnswerTokenType });
    }

    /// <exception cref="TokenizerException">Answers have no tokens: nothing to read a reward at. All are listed.</exception>
    internal static void CheckAnswers(RankedList list, int[][] answerIds)
    {
        string[] problems =
        [
            .. from i in Enumerable.Range(0, answerIds.Length)
               where answerIds[i].Length == 0
               select $"answer {i + 1} of {answerIds.Length} has no tokens, expected at least one; give it text or remove it",
        ];
        if (problems.Length > 0)
            throw new TokenizerException(list.Source.ToString(), problems);
    }
}
