using System.Diagnostics;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Scoring;

namespace RewardModel.Server;

/// <summary>A part of a request that is computed at once: a list, or some of the answers of one that is too long for a batch.</summary>
/// <param name="Request">The request.</param>
/// <param name="List">The list's index in it.</param>
/// <param name="FirstAnswer">Index of the part's first answer in the list.</param>
/// <param name="Ids">The part's token ids.</param>
/// <param name="TokenCount">Its tokens, a shared prompt counted once.</param>
internal sealed record QueuedPart(QueuedRequest Request, int List, int FirstAnswer, TokenizedList Ids, int TokenCount);

/// <summary>The lists of a request, which wait for their rewards. Only the queue that it is in changes it.</summary>
internal sealed class QueuedRequest
{
    private readonly TaskCompletionSource<(float[][] Means, float[][] Deviations)> completion =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Lists of one prompt, and texts that begin alike, are one list, so that they come into one batch; equal answers of a list are computed once,
    // also where its parts are computed apart.
    private readonly SharedPrompts? shared;
    private readonly DistinctAnswers distinct;
    private readonly float[][] means, deviations;
    private int missingCount;

    /// <param name="model">What computes it.</param>
    /// <param name="lists">At least one list.</param>
    /// <param name="maxTokensPerBatch">Most tokens of a part, where it has more than one answer.</param>
    public QueuedRequest(IBatchModel model, IReadOnlyList<TokenizedList> lists, int maxTokensPerBatch)
    {
        Model = model;
        shared = model.SharesPrompts ? new SharedPrompts(lists) : null;
        distinct = new DistinctAnswers(shared?.Lists ?? lists, areSorted: true);
        means = [.. distinct.Lists.Select(list => new float[list.AnswerIds.Count])];
        deviations = [.. means.Select(list => new float[list.Length])];
        for (var l = 0; l < distinct.Lists.Count; l++)
        {
            var list = distinct.Lists[l];
            var first = 0;
            foreach (var part in PackedSequences.CountTokens(list, model.SharesPrompts) <= maxTokensPerBatch
                ? [list] : TokenBudget.SplitAnswers(list, maxTokensPerBatch, model.SharesPrompts))
            {
                var tokenCount = PackedSequences.CountTokens(part, model.SharesPrompts);
                Parts.Enqueue(new QueuedPart(this, l, first, part, tokenCount));
                WaitingTokenCount += tokenCount;
                first += part.AnswerIds.Count;
            }
        }
        missingCount = Parts.Count;
    }

    public IBatchModel Model { get; }

    /// <summary>The parts that no batch has taken yet.</summary>
    public Queue<QueuedPart> Parts { get; } = [];

    /// <summary>Their tokens.</summary>
    public long WaitingTokenCount { get; private set; }

    /// <summary>When it came, a <see cref="Stopwatch"/>'s timestamp.</summary>
    public long Arrival { get; } = Stopwatch.GetTimestamp();

    /// <summary>Its place in the queue; null where nothing of it waits.</summary>
    public LinkedListNode<QueuedRequest>? Place { get; set; }

    /// <summary>Whether it has its rewards or an error.</summary>
    public bool IsDone => completion.Task.IsCompleted;

    /// <summary>
    /// Per list, one mean and one standard deviation of the members' rewards for each answer.
    /// </summary>
    public Task<(float[][] Means, float[][] Deviations)> Rewards => completion.Task;

    /// <summary>Takes the next part.</summary>
    public QueuedPart Take()
    {
        var part = Parts.Dequeue();
        WaitingTokenCount -= part.TokenCount;
        return part;
    }

    /// <summary>A part has its rewards; with the last one the request is done.</summary>
    public void Set(QueuedPart part, ReadOnlySpan<EnsembleReward> rewards)
    {
        for (var k = 0; k < rewards.Length; k++)
            (means[part.List][part.FirstAnswer + k], deviations[part.List][part.FirstAnswer + k]) =
                (rewards[k].Mean, rewards[k].StandardDeviation);
        if (--missingCount == 0)
            completion.TrySetResult((OfAll(means), OfAll(deviations)));
    }

    private float[][] OfAll(float[][] rewards)
    {
        var ofLists = distinct.RewardsOfAll(rewards);
        return shared?.RewardsOfAll(ofLists) ?? ofLists;
    }

    /// <summary>It gets no rewards.</summary>
    public void Fail(Exception exception) => completion.TrySetException(exception);

    /// <summary>Nobody waits for it any more.</summary>
    public void Cancel(CancellationToken cancellationToken) => completion.TrySetCanceled(cancellationToken);
}
