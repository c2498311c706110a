using RewardModel.Lists;

namespace RewardModel.Training.Checks;

/// <summary>What the pairs of lists have.</summary>
internal sealed class PairCounts
{
    private readonly SortedDictionary<int, int> listsByAnswerCount = [];
    private readonly Tally tied = new(), listsWithout = new(), longer = new(), shorter = new();
    private readonly Tally identicalTexts = new(), identicalTokens = new(), identical = new();
    private int listCount, textListCount, tokenListCount;
    private long all, textPairs;

    public IReadOnlyDictionary<int, int> ListsByAnswerCount => listsByAnswerCount;

    /// <summary>Those that a ranking loss learns from.</summary>
    public long Count { get; private set; }

    public DataCount Tied => tied.Of(all);

    public DataCount ListsWithout => listsWithout.Of(listCount);

    public DataCount? IdenticalTexts => textListCount > 0 ? identicalTexts.Of(textListCount) : null;

    public DataCount? IdenticalTokens => tokenListCount > 0 ? identicalTokens.Of(tokenListCount) : null;

    public DataCount Identical => identical.Of(listCount);

    public DataCount? LongerIsBetter => textListCount > 0 ? longer.Of(textPairs) : null;

    public DataCount? ShorterIsBetter => textListCount > 0 ? shorter.Of(textPairs) : null;

    /// <summary>Adds a list.</summary>
    /// <param name="answers">Its answers.</param>
    /// <param name="tokens">As a model reads it; null without a tokenizer.</param>
    /// <param name="source">Where it was read from.</param>
    public void Add(ReadOnlySpan<CheckedAnswer> answers, TokenizedList? tokens, SourceLine source)
    {
        var equalTokens = tokens?.EqualAnswers();
        var hasText = answers[0].Characters >= 0;
        var (pairs, ties, longerOnes, shorterOnes, hasEqualTexts, hasEqualTokens) = (0L, 0L, 0L, 0L, false, false);
        for (var i = 0; i < answers.Length; i++)
            for (var j = 0; j < i; j++)
            {
                all++;
                if (answers[i].Score == answers[j].Score)
                {
                    ties++;
                    continue;
                }
                var isEqualText = hasText && answers[i].Hash == answers[j].Hash;
                var isEqualToken = equalTokens is not null && equalTokens[i] == equalTokens[j];
                hasEqualTexts |= isEqualText;
                hasEqualTokens |= isEqualToken;
                if (isEqualText || isEqualToken)
                    continue;
                pairs++;
                var (better, worse) = answers[i].Score > answers[j].Score ? (answers[i], answers[j]) : (answers[j], answers[i]);
                longerOnes += better.Characters > worse.Characters ? 1 : 0;
                shorterOnes += better.Characters < worse.Characters ? 1 : 0;
            }

        listsByAnswerCount[answers.Length] = listsByAnswerCount.GetValueOrDefault(answers.Length) + 1;
        listCount++;
        textListCount += hasText ? 1 : 0;
        tokenListCount += tokens is not null ? 1 : 0;
        Count += pairs;
        textPairs += hasText ? pairs : 0;
        listsWithout.AddIf(pairs == 0, source);
        identicalTexts.AddIf(hasEqualTexts, source);
        identicalTokens.AddIf(hasEqualTokens, source);
        identical.AddIf(hasEqualTexts || hasEqualTokens, source);
        tied.Add(source, ties);
        longer.Add(source, longerOnes);
        shorter.Add(source, shorterOnes);
    }
}
