using RewardModel.Chat;
using RewardModel.Lists;
using RewardModel.Tokenizers;

namespace RewardModel.Scoring;

/// <summary>An answer with rewards within it.</summary>
/// <param name="Reward">The answer's reward.</param>
/// <param name="Tokens">Its tokens; null where steps were asked for.</param>
/// <param name="Steps">Its steps; null where tokens were asked for.</param>
internal sealed record ProcessReward(float Reward, IReadOnlyList<TokenReward>? Tokens, IReadOnlyList<StepReward>? Steps);

/// <summary>Rewards within answers: at their tokens, or at the ends of their steps. Of several models the means.</summary>
/// <param name="members">The models, of which the first one reads the texts.</param>
/// <param name="separator">What steps end with; null where the rewards of tokens are asked for.</param>
internal sealed class ProcessScoring(IReadOnlyList<ScoringModel> members, string? separator)
{
    private readonly ScoringModel reader = members[0];

    /// <summary>Whether texts are divided into steps, so that there have to be texts.</summary>
    public bool DividesText => separator is not null;

    /// <exception cref="ArgumentException">A model is an encoder.</exception>
    public void Check()
    {
        foreach (var member in members)
            RewardScorer.CheckCausal(member.Transformer);
    }

    /// <summary>What is encoded of lists: for tokens themselves, for steps each answer as a list of its steps.</summary>
    /// <param name="list">A list as it is scored.</param>
    /// <exception cref="TokenizerException">It has no steps that could be found.</exception>
    public IReadOnlyList<RankedList> PartsOf(RankedList list)
    {
        if (list.Steps is not null)
            throw new TokenizerException(list.Source.ToString(), ["steps with rewards of their own, as they are scored by themselves; expected whole answers"]);
        if (separator is null)
            return [list];
        if (list.IsWholeText)
            throw new TokenizerException(list.Source.ToString(), ["one text as a whole, in which no answer is told apart; expected a prompt and answers"]);
        return
        [
            .. Enumerable.Range(0, list.Answers.Count)
                .Select(k => list.StepsOf(k, TextOf(list, k) ?? throw ListTokenizer.NoTextOf(list), separator)),
        ];
    }

    /// <summary>The rewards of lists as they are scored, and what was cut of them.</summary>
    /// <exception cref="TokenizerException">A list can't be encoded, or has no steps that could be found.</exception>
    public (ProcessReward[][] Rewards, TruncationCount Cut) Score(
        IReadOnlyList<RankedList> lists, int? maxTokensPerBatch, IProgress<ListProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        var parts = lists.Select(PartsOf).ToArray();
        var results = reader.TryTokenize([.. parts.SelectMany(list => list)], progress: null, cancellationToken);
        var encoded = new Queue<(TokenizedList List, bool IsCut)>(results.Select(result => result.Rejection is null
            ? (result.List!, result.Cut.Answers.Cut > 0)
            : throw result.Rejection));
        return (
            Score(
                [
                    .. lists.Zip(parts, (list, ofList) =>
                        ((RankedList?)list, (IReadOnlyList<(TokenizedList, bool)>)[.. ofList.Select(_ => encoded.Dequeue())])),
                ],
                maxTokensPerBatch, progress, cancellationToken),
            results.Aggregate(default(TruncationCount), (sum, result) => sum + result.Cut));
    }

    /// <summary>The rewards of lists.</summary>
    /// <param name="lists">
    /// For each what was encoded of it and whether answers were cut, and the list itself, null where it came as token ids.
    /// </param>
    /// <param name="maxTokensPerBatch">Most tokens that are computed at once; null: what the models have.</param>
    /// <param name="progress">Receives a report after every batch.</param>
    /// <param name="cancellationToken">Stops before the next batch.</param>
    public ProcessReward[][] Score(
        IReadOnlyList<(RankedList? List, IReadOnlyList<(TokenizedList List, bool IsCut)> Encoded)> lists, int? maxTokensPerBatch,
        IProgress<ListProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        TokenizedList[] all = [.. lists.SelectMany(list => list.Encoded.Select(encoded => encoded.List))];
        if (separator is null)
        {
            float[][][][] ofMembers = [.. members.Select(member => member.Scorer(maxTokensPerBatch).ScoreTokens(all, progress, cancellationToken))];
            return [.. lists.Select((list, l) => OfTokens(list.List, all[l], Array.ConvertAll(ofMembers, rewards => rewards[l])))];
        }
        float[][][] rewardsOfMembers = [.. members.Select(member => member.Scorer(maxTokensPerBatch).Score(all, progress, cancellationToken))];
        var next = 0;
        return
        [
            .. lists.Select(list => list.Encoded.Select((encoded, k) =>
            {
                var rewards = new float[encoded.List.AnswerIds.Count];
                for (var i = 0; i < rewards.Length; i++)
                    rewards[i] = MeanOf(rewardsOfMembers, member => member[next][i]);
                next++;
                return OfSteps(TextOf(list.List!, k)!, rewards, encoded.IsCut);
            }).ToArray()),
        ];
    }

    private static float MeanOf<T>(T[] members, Func<T, float> rewardOf) => (float)members.Average(member => (double)rewardOf(member));

    private ProcessReward[] OfTokens(RankedList? list, TokenizedList encoded, float[][][] members)
    {
        var pairs = list is null ? null : reader.PairsOf(list);
        return
        [
            .. encoded.AnswerIds.Select((ids, k) =>
            {
                var places = pairs is not null ? PlacesOf(list!, k, ids, pairs[k])
                    : reader.Tokenizer is { } tokenizer ? [.. TokenTexts.Of(tokenizer, ids).Select(text => new TokenPlace(text, null, null))]
                    : Array.ConvertAll(ids, _ => new TokenPlace("", null, null));
                TokenReward[] tokens =
                [
                    .. places.Select((place, t) => new TokenReward(place.Text, place.Start, place.End, MeanOf(members, rewards => rewards[k][t]))),
                ];
                return new ProcessReward(tokens[^1].Reward, tokens, null);
            }),
        ];
    }

    private TokenPlace[] PlacesOf(RankedList list, int k, int[] ids, EncodedPair pair)
    {
        var text = TextOf(list, k);
        return TokenPlaces.Of(reader.Tokenizer!, ids, pair, whole =>
        {
            if (text is not { Length: > 0 })
                return null;
            var (rendering, place) = pair.Rendering is { } rendered
                ? (rendered.Text, ContentPlace.In(rendered.Text, pair.RenderedStart, text))
                : (text, new ContentPlace(0, 0, text.Length));
            // Behind it are special tokens of the rule, unless it has them itself.
            var added = reader.Tokenizer!.Decode(reader.Rule.SpecialTokens.AfterAnswer, skipSpecialTokens: false);
            foreach (var end in new[] { added, "" })
                if (place is { } found && whole.EndsWith(end, StringComparison.Ordinal)
                    && whole.Length - end.Length - rendering.Length + found.Start is >= 0 and var start
                    && whole.AsSpan(start).StartsWith(text.AsSpan(found.First, found.Length)))
                    return (start, found.First, found.Length);
            return null;
        });
    }

    /// <summary>What follows the last separator is a step as well, unless it is white space.</summary>
    private ProcessReward OfSteps(string text, float[] rewards, bool isCut)
    {
        var ends = StepEnds.In(text, separator!);
        var steps = new List<StepReward>();
        var start = 0;
        for (var s = 0; s < ends.Count; start = ends[s++])
            steps.Add(new StepReward(text[start..ends[s]], ends[s], s < rewards.Length - 1 ? rewards[s] : null));
        if (!string.IsNullOrWhiteSpace(text[start..]))
            steps.Add(new StepReward(text[start..], text.Length, isCut ? null : rewards[^1]));
        return new ProcessReward(rewards[^1], null, steps);
    }

    /// <summary>An answer's text; null where it is not one message whose content is text.</summary>
    private static string? TextOf(RankedList list, int k) => list.Chat is null ? list.Answers[k] : RankedChat.TextOf(list.Chat.Answers[k]);
}
