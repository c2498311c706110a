using RewardModel.Lists;
using RewardModel.Tokenizers;
using RewardModel.Training.Evaluation;

namespace RewardModel.Training;

/// <summary>Pairs of answers as text, token by token, as a model reads them.</summary>
/// <param name="tokenizer">Its tokenizer; null: tokens are shown as their ids.</param>
internal sealed class PairTexts(HuggingFaceTokenizer? tokenizer)
{
    /// <summary>Of a longer run of tokens so many are shown at its start and at its end.</summary>
    private const int shownAtEnds = 250;

    /// <summary>A pair of a list.</summary>
    /// <param name="list">The list.</param>
    /// <param name="rewards">The rewards of its answers.</param>
    /// <param name="better">The index of the answer with the higher score.</param>
    /// <param name="worse">That of the other one.</param>
    public ShownPair Of(TokenizedList list, IReadOnlyList<float> rewards, int better, int worse) => new(
        list.Source.ToString(), list.Group,
        TokensOf(list.PromptOf(better), list.PromptIds.Length - list.PromptOf(better).Length),
        new ShownAnswer(TokensOf(list.AnswerIds[better], 0), list.Scores[better], rewards[better]),
        new ShownAnswer(TokensOf(list.AnswerIds[worse], 0), list.Scores[worse], rewards[worse]));

    private ShownTokens TokensOf(int[] ids, int cutCount)
    {
        var leftOut = Math.Max(0, ids.Length - 2 * shownAtEnds);
        var startCount = leftOut == 0 ? ids.Length : shownAtEnds;
        return new ShownTokens(TextsOf(ids[..startCount]), leftOut, TextsOf(ids[(startCount + leftOut)..]), Math.Max(0, cutCount));
    }

    private string[] TextsOf(int[] ids) => tokenizer is null ? Array.ConvertAll(ids, id => $"{id} ") : TokenTexts.Of(tokenizer, ids);
}
