using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Training.Data;

namespace RewardModel.Training.Distributed;

/// <summary>Scoring of lists that ranks divide among them: each computes some, and all get the rewards.</summary>
internal static class SharedScoring
{
    /// <summary>Lists that are sent to other ranks at once.</summary>
    private const int mostLists = 1 << 14;

    /// <inheritdoc cref="RewardScorer.Score"/>
    /// <param name="scorer">Of the model that the weights belong to.</param>
    /// <param name="trained">The model's weights.</param>
    /// <param name="lists">The same on all ranks.</param>
    /// <param name="progress">Receives reports of this rank's lists.</param>
    /// <param name="cancellation">
    /// Stops before the next batch; several ranks before these lists, all of them if one is to stop.
    /// </param>
    public static ScoredAnswers Score(
        RewardScorer scorer, TrainedWeights trained, IReadOnlyList<TokenizedList> lists, IProgress<ListProgress>? progress,
        CancellationToken cancellation)
    {
        var ranks = trained.Ranks;
        if (ranks.Size == 1)
            return scorer.ScoreUnchecked(lists, progress, cancellation);
        if (ranks.IsAny(cancellation.IsCancellationRequested, "whether the evaluation is cancelled"))
            throw new OperationCanceledException(cancellation);
        // Prompts are scored once for all lists that have them, where these come to one rank.
        int[] tokens = [.. Enumerable.Range(0, lists.Count).Select(index => lists.InfoOf(index).SharedTokenCount)];
        var shares = ListShares.Of(tokens, ranks.Size);
        var own = shares[ranks.Rank];
        var ofOwn = scorer.ScoreUnchecked(new ListSubset(lists, own), progress, CancellationToken.None);
        trained.JoinPasses(withBackward: false);
        // Of each answer its reward, and behind it what the outputs give that it is of.
        var width = scorer.OutputCount == 1 ? 1 : scorer.OutputCount + 1;
        float[] sent =
        [
            .. ofOwn.Rewards.SelectMany((list, l) => list.SelectMany((reward, k) => ofOwn.Outputs is null ? [reward] : ofOwn.Outputs[l][k].Prepend(reward))),
        ];
        var all = ranks.Gather(MemoryMarshal.AsBytes(sent.AsSpan()), "rewards of held-out lists");
        var rewards = new float[lists.Count][];
        var outputs = width > 1 ? new float[lists.Count][][] : null;
        for (var rank = 0; rank < ranks.Size; rank++)
        {
            var values = MemoryMarshal.Cast<byte, float>(all[rank]);
            foreach (var index in shares[rank])
            {
                float[][] answers = [.. values[..(lists.InfoOf(index).AnswerCount * width)].ToArray().Chunk(width)];
                values = values[(answers.Length * width)..];
                rewards[index] = Array.ConvertAll(answers, answer => answer[0]);
                if (outputs is not null)
                    outputs[index] = Array.ConvertAll(answers, answer => answer[1..]);
            }
        }
        return new ScoredAnswers(rewards, outputs);
    }

    /// <summary>
    /// Lets a first rank alone evaluate a model: what it asks to be scored all ranks score, as they are in this call until it is done.
    /// </summary>
    /// <param name="trained">The model's weights.</param>
    /// <param name="score">Scores lists together: see <see cref="Score"/>.</param>
    /// <param name="evaluate">Runs on the first rank alone; is given what scores lists.</param>
    public static void Evaluate(
        TrainedWeights trained, Func<IReadOnlyList<TokenizedList>, IProgress<ListProgress>?, ScoredAnswers> score,
        Action<Func<IReadOnlyList<TokenizedList>, IProgress<ListProgress>?, ScoredAnswers>> evaluate)
    {
        const string purpose = "lists that the first rank evaluates";
        var ranks = trained.Ranks;
        if (ranks.Size == 1)
            evaluate(score);
        else if (ranks.Rank > 0)
            while (ranks.Gather([], purpose)[0] is { Length: > 0 } request)
                score(Decoded(request), null);
        else
        {
            // A request that others get as bytes has so many lists at most.
            evaluate((lists, progress) =>
            {
                ScoredAnswers[] parts =
                [
                    .. Enumerable.Range(0, lists.Count).Chunk(mostLists).Select(indices =>
                    {
                        var part = new ListSubset(lists, indices);
                        ranks.Gather(Encoded(part), purpose);
                        return score(part, progress);
                    }),
                ];
                return new ScoredAnswers(
                    [.. parts.SelectMany(part => part.Rewards)],
                    Array.TrueForAll(parts, part => part.Outputs is not null) ? [.. parts.SelectMany(part => part.Outputs!)] : null);
            });
            ranks.Gather([], purpose);
        }
    }

    private static byte[] Encoded(ListSubset lists)
    {
        using var stream = new MemoryStream();
        var writer = new ByteWriter();
        for (var i = 0; i < lists.Count; i++)
        {
            var info = lists.InfoOf(i);
            writer.Clear();
            ListEncoding.Write(writer, lists[i]);
            stream.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<ListInfo>(in info)));
            stream.Write(BitConverter.GetBytes(writer.Written.Length));
            stream.Write(writer.Written);
        }
        return stream.ToArray();
    }

    private static List<TokenizedList> Decoded(ReadOnlySpan<byte> bytes)
    {
        var lists = new List<TokenizedList>();
        while (!bytes.IsEmpty)
        {
            var info = MemoryMarshal.Read<ListInfo>(bytes);
            bytes = bytes[Unsafe.SizeOf<ListInfo>()..];
            var length = BitConverter.ToInt32(bytes);
            lists.Add(ListEncoding.Read(bytes[sizeof(int)..], info, default));
            bytes = bytes[(sizeof(int) + length)..];
        }
        return lists;
    }
}
