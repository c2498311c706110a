using RewardModel.Lists;

namespace RewardModel.Training.Checks;

/// <summary>What the token ids of lists have; everything is null where no list has them.</summary>
/// <param name="tokensAfterAnswer">Special tokens at the end of every answer.</param>
internal sealed class TokenCounts(int tokensAfterAnswer)
{
    private readonly LengthCounts promptTokens = new(), answerTokens = new();
    private readonly Tally cutLists = new(), oneToken = new();
    private int listCount;
    private long answerCount;
    private TruncationCount truncation;

    public DataLengths? PromptTokens => promptTokens.Percentiles();

    public DataLengths? AnswerTokens => answerTokens.Percentiles();

    public TruncationCount? Truncation => listCount > 0 ? truncation : null;

    public DataCount? CutLists => listCount > 0 ? cutLists.Of(listCount) : null;

    public DataCount? OneTokenAnswers => listCount > 0 ? oneToken.Of(answerCount) : null;

    public void Add(TokenizedList list, TruncationCount cut)
    {
        listCount++;
        answerCount += list.AnswerIds.Count;
        truncation += cut;
        cutLists.AddIf(cut.IsCut, list.Source);
        promptTokens.Add(list.PromptIds.Length);
        foreach (var ids in list.AnswerIds)
        {
            answerTokens.Add(ids.Length);
            oneToken.AddIf(ids.Length == tokensAfterAnswer + 1, list.Source);
        }
    }
}
