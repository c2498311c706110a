using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Server;
using RewardModel.Training.Data;

namespace RewardModel.Tests.Server;

public sealed class ScoringQueueTests : IAsyncDisposable
{
    private static readonly QueueOptions defaults = new(
        MaxTokensPerBatch: 64, BatchWindow: TimeSpan.Zero, MaxQueuedTokens: 1_000_000, MaxQueuedRequests: 1000, IdleRelease: TimeSpan.Zero);

    private readonly FakeModel model = new();
    private readonly ServerTelemetry telemetry = new();
    private readonly List<ScoringQueue> queues = [];

    public async ValueTask DisposeAsync()
    {
        model.Open();
        foreach (var queue in queues)
            await queue.DisposeAsync();
        Assert.Equal(0, model.UserCount);
        telemetry.Dispose();
        model.Dispose();
    }

    [Fact]
    public async Task Requests_that_come_within_the_window_are_one_batch()
    {
        var queue = Queue(defaults with { BatchWindow = TimeSpan.FromSeconds(1) });
        var lists = Enumerable.Range(1, 5).Select(i => List([i], [[i, 2], [3]])).ToArray();
        var rewards = await Task.WhenAll(lists.Select(list => ScoreAsync(queue, list)));
        Assert.Equal(FakeModel.RewardsOf(lists), rewards.Select(list => list[0]));
        Assert.Equal(5, Assert.Single(model.Batches).Count);
    }

    [Fact]
    public async Task A_full_batch_and_what_came_while_the_model_was_busy_wait_for_nobody()
    {
        var queue = Queue(defaults with { BatchWindow = TimeSpan.FromMinutes(10) });
        model.Close();
        var full = ScoreAsync(queue, List([1], [[.. Enumerable.Repeat(2, 63)]]));
        await model.BegunAsync();
        Task<float[][]>[] others = [ScoreAsync(queue, List([3], [[4]])), ScoreAsync(queue, List([5], [[6]]))];
        model.Open();
        await Task.WhenAll([full, .. others]).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal([1, 2], model.Batches.Select(batch => batch.Count));
    }

    [Fact]
    public async Task A_batch_has_no_more_tokens_than_it_may()
    {
        var queue = Queue(defaults);
        await HeldUpAsync(queue);
        var lists = Enumerable.Range(1, 20).Select(i => List([i, i, i], [[1, 2, 3, 4, 5, 6, 7]])).ToArray();
        var tasks = lists.Select(list => ScoreAsync(queue, list)).ToArray();
        model.Open();
        Assert.Equal(FakeModel.RewardsOf(lists), (await Task.WhenAll(tasks)).Select(list => list[0]));
        // 64 tokens are six lists of ten.
        Assert.Equal([6, 6, 6, 2], model.Batches.Skip(1).Select(batch => batch.Count));
    }

    [Fact]
    public async Task A_prompt_that_requests_share_is_computed_once()
    {
        var queue = Queue(defaults);
        await HeldUpAsync(queue);
        int[] prompt = [.. Enumerable.Range(1, 40)];
        TokenizedList[] lists =
        [
            // Arrays of their own, as of different requests.
            List([.. prompt], [[50, 51]]), List([.. prompt], [[52], [53, 54]]), List([.. prompt], [[50, 51]]), List([.. prompt[..39], 41], [[55]]),
            List([.. prompt], [[56], [57]]) with { OwnPromptIds = [null, [2]] },
        ];
        var tasks = lists.Select(list => ScoreAsync(queue, list)).ToArray();
        model.Open();
        Assert.Equal(FakeModel.RewardsOf(lists), (await Task.WhenAll(tasks)).Select(list => list[0]));
        var batches = model.Batches.Skip(1).ToArray();
        // The first three are 47 tokens; of the others each has a prompt of its own and no room beside them.
        Assert.Equal([3, 1, 1], batches.Select(batch => batch.Count));
        Assert.Equal([1, 1, 2], batches.Select(batch => batch[0].AnswerIds.Count));
        Assert.Equal(47, new SharedPrompts(batches[0]).Lists.Sum(list => PackedSequences.CountTokens(list)));
    }

    [Fact]
    public async Task A_request_of_thousands_of_lists_does_not_hold_up_a_small_one()
    {
        var queue = Queue(defaults);
        await HeldUpAsync(queue);
        var large = ScoreAsync(queue, [.. Enumerable.Range(0, 2000).Select(i => List([], [[.. Enumerable.Repeat(i % 50, 60)]]))]);
        var small = ScoreAsync(queue, List([1], [[2]]));
        var middle = ScoreAsync(queue, List([], [[.. Enumerable.Repeat(3, 60)]]), List([], [[.. Enumerable.Repeat(4, 60)]]));
        model.Open();
        await Task.WhenAll(small, middle);
        Assert.Equal(2000, (await large).Length);
        // In turns: the small one beside the first list of the large one, then the middle one's first, the large one's second, and so on.
        int[][] order = [.. model.Batches.Skip(1).Take(5).Select(batch => batch.Select(list => list.AnswerIds[0][0]).ToArray())];
        Assert.Equal([[0, 2], [3], [1], [4], [2]], order);
    }

    [Fact]
    public async Task The_answers_of_a_long_list_are_divided_and_equal_ones_computed_once()
    {
        var queue = Queue(defaults);
        var list = List([1, 2, 3], [.. Enumerable.Range(0, 200).Select(i => (int[])[(i * 37) % 90, 5])]);
        var (means, deviations) = await queue.ScoreAsync(model, [list], CancellationToken.None);
        Assert.Equal(FakeModel.RewardsOf([list]), means);
        Assert.All(deviations[0], deviation => Assert.Equal(0.5f, deviation));
        Assert.Equal(90, model.Batches.Sum(batch => batch.Sum(part => part.AnswerIds.Count)));
        Assert.Equal(3, model.Batches.Count);
        Assert.All(model.Batches, batch => Assert.InRange(batch.Sum(part => PackedSequences.CountTokens(part)), 1, 64));
    }

    [Fact]
    public async Task What_a_client_does_not_wait_for_is_not_computed()
    {
        var queue = Queue(defaults);
        await HeldUpAsync(queue);
        using var gone = new CancellationTokenSource();
        var cancelled = queue.ScoreAsync(model, [List([], [[1, 1, 1]]), List([], [[2, 2]])], gone.Token);
        var other = ScoreAsync(queue, List([], [[3]]));
        Assert.Equal((3, 6L), queue.Waiting());
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.Equal((1, 1L), queue.Waiting());
        model.Open();
        Assert.Equal([[9 / 3f]], await other);
        Assert.Equal([3], Assert.Single(Assert.Single(model.Batches.Skip(1))).AnswerIds[0]);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => queue.ScoreAsync(model, [List([], [[1]])], new CancellationToken(canceled: true)));
        Assert.Equal((0, 0L), queue.Waiting());
    }

    [Fact]
    public async Task More_tokens_than_may_wait_are_refused_unless_they_come_alone()
    {
        var queue = Queue(defaults with { MaxQueuedTokens = 10 });
        await HeldUpAsync(queue);
        var alone = ScoreAsync(queue, List([], [[.. Enumerable.Repeat(1, 30)]]));
        var refused = await Assert.ThrowsAsync<RequestException>(() => ScoreAsync(queue, List([], [[1]])));
        Assert.Equal((429, "queue_full"), (refused.Status, refused.Code));
        Assert.Equal(
            "0 requests and 30 tokens wait for model 'fake'; at most 1000 requests and 10 tokens may. Try again in 1 s.",
            Assert.Throws<RequestException>(() => Enter(queue)).Message);
        model.Open();
        await alone;
        Assert.Equal([[2f]], await ScoreAsync(queue, List([], [[2]])));
    }

    [Fact]
    public void More_requests_than_may_come_are_refused()
    {
        var queue = Queue(defaults with { MaxQueuedRequests = 2 });
        var first = queue.Enter();
        using var second = queue.Enter();
        Assert.Equal(
            "2 requests and 0 tokens wait for model 'fake'; at most 2 requests and 1000000 tokens may. Try again in 1 s.",
            Assert.Throws<RequestException>(() => Enter(queue)).Message);
        first.Dispose();
        first.Dispose();
        using var third = queue.Enter();
        Assert.Equal(429, Assert.Throws<RequestException>(() => Enter(queue)).Status);
    }

    [Fact]
    public async Task A_refused_request_is_told_when_the_queue_will_have_gone()
    {
        var queue = Queue(defaults with { MaxQueuedTokens = 100, MaxTokensPerBatch = 20 });
        // 20 tokens in a fifth of a second, 100 a second.
        model.Duration = TimeSpan.FromSeconds(0.2);
        await ScoreAsync(queue, List([], [[.. Enumerable.Repeat(1, 20)]]));
        model.Duration = TimeSpan.Zero;
        await model.BegunAsync();
        await HeldUpAsync(queue);
        var waiting = ScoreAsync(queue, List([], [[.. Enumerable.Repeat(1, 450)]]));
        var refused = await Assert.ThrowsAsync<RequestException>(() => ScoreAsync(queue, List([], [[1]])));
        Assert.InRange(refused.RetryAfterSeconds!.Value, 5, 60);
        model.Open();
        await waiting;
    }

    [Theory]
    [InlineData(FakeModel.Poison, "scoring_failed", "Model 'fake' failed while it computed the rewards.")]
    [InlineData(FakeModel.NotANumber, "not_finite", "Model 'fake' gives rewards that are not finite numbers; it can't be used for these texts.")]
    public async Task A_request_that_the_model_fails_at_does_not_fail_others(int id, string code, string message)
    {
        var queue = Queue(defaults);
        await HeldUpAsync(queue);
        TokenizedList[] good = [List([1], [[2]]), List([9], [[8], [7]])];
        var first = ScoreAsync(queue, good[0]);
        var bad = ScoreAsync(queue, List([1], [[3], [id]]), List([4], [[5]]));
        var second = ScoreAsync(queue, good[1]);
        model.Open();
        var failure = await Assert.ThrowsAsync<RequestException>(() => bad);
        Assert.Equal((500, code, message), (failure.Status, failure.Code, failure.Message));
        Assert.Equal(FakeModel.RewardsOf(good), (float[][])[(await first)[0], (await second)[0]]);
        Assert.Equal(FakeModel.RewardsOf(good[..1]), await ScoreAsync(queue, good[0]));
        Assert.Equal((0, 0L), queue.Waiting());
    }

    [Fact]
    public async Task At_the_end_what_waits_is_refused_and_what_is_computed_is_answered()
    {
        var queue = Queue(defaults);
        var computed = await HeldUpAsync(queue);
        var waiting = ScoreAsync(queue, List([], [[1]]));
        var end = queue.DisposeAsync().AsTask();
        Assert.Equal((503, "shutting_down"), await Assert.ThrowsAsync<RequestException>(() => waiting) is var refused ? (refused.Status, refused.Code) : default);
        Assert.False(end.IsCompleted);
        Assert.Equal(503, Assert.Throws<RequestException>(() => Enter(queue)).Status);
        model.Open();
        await computed;
        await end;
    }

    [Fact]
    public async Task Versions_of_a_model_are_not_mixed_in_a_batch()
    {
        using var next = new FakeModel();
        var queue = Queue(defaults);
        await HeldUpAsync(queue);
        var tasks = Enumerable.Range(0, 6).Select(i => queue.ScoreAsync(i % 2 == 0 ? model : next, [List([], [[i], [i, i]])], CancellationToken.None)).ToArray();
        model.Open();
        await Task.WhenAll(tasks);
        Assert.Equal([0, 2, 4], model.Batches.Skip(1).Single().Select(list => list.AnswerIds[0][0]));
        Assert.Equal([1, 3, 5], next.Batches.Single().Select(list => list.AnswerIds[0][0]));
        Assert.Equal(0, next.UserCount);
    }

    [Fact]
    public async Task Every_one_of_many_requests_gets_its_own_rewards()
    {
        var queue = Queue(defaults with { BatchWindow = TimeSpan.FromMilliseconds(1) });
        var random = new SplitMix64(7);
        var requests = Enumerable.Range(0, 300).Select(i => Enumerable.Range(0, 1 + random.NextBelow(5)).Select(_ => List(
            [.. Enumerable.Range(0, random.NextBelow(4)).Select(_ => random.NextBelow(3))],
            [.. Enumerable.Range(0, 1 + random.NextBelow(12)).Select(_ => (int[])[.. Enumerable.Range(0, 1 + random.NextBelow(20)).Select(_ => random.NextBelow(90))])]))
            .ToArray()).ToArray();
        using var gone = new CancellationTokenSource();
        var start = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(0, 300, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (i, _) =>
        {
            if (i == 150)
                await gone.CancelAsync();
            try
            {
                var token = i % 10 == 3 ? gone.Token : CancellationToken.None;
                Assert.Equal(FakeModel.RewardsOf(requests[i]), (await queue.ScoreAsync(model, requests[i], token)).Means);
            }
            catch (OperationCanceledException)
            {
                Assert.Equal(3, i % 10);
            }
        });
        Assert.Equal((0, 0L), queue.Waiting());
        Assert.All(model.Batches, batch => Assert.InRange(
            new SharedPrompts(batch).Lists.Sum(list => PackedSequences.CountTokens(list)), 1, 64));
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 30);
    }

    private static TokenizedList List(int[] prompt, int[][] answers) => new(prompt, answers, new double[answers.Length]);

    private static void Enter(ScoringQueue queue) => queue.Enter().Dispose();

    private ScoringQueue Queue(QueueOptions options)
    {
        var queue = new ScoringQueue("fake", options, telemetry, NullLogger.Instance);
        queues.Add(queue);
        return queue;
    }

    private async Task<float[][]> ScoreAsync(ScoringQueue queue, params TokenizedList[] lists) =>
        (await queue.ScoreAsync(model, lists, CancellationToken.None)).Means;

    /// <summary>Keeps the model busy until it is opened.</summary>
    /// <returns>The request that it is busy with.</returns>
    private async Task<Task> HeldUpAsync(ScoringQueue queue)
    {
        model.Close();
        var busy = ScoreAsync(queue, List([], [[77]]));
        await model.BegunAsync();
        return busy;
    }
}
