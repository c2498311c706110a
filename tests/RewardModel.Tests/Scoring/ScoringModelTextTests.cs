using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Scoring;

namespace RewardModel.Tests.Scoring;

/// <summary>Loading and scoring as a service does it: on devices, with progress, cancelled, not waited for.</summary>
[Collection(nameof(RunsAlone))]
public sealed class ScoringModelTextTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly ScoringModel model;

    public ScoringModelTextTests()
    {
        model = new ScoringModel(TinyModel.Create("gpt2"), ScoringModelTests.Tokenizer(directory), maxLength: 12);
        model.Transformer.eval();
        model.Save(directory["model"]);
    }

    public void Dispose()
    {
        model.Dispose();
        directory.Dispose();
    }

    [Fact]
    public void Lists_get_the_rewards_of_their_token_ids_to_the_bit()
    {
        var lists = Lists(30);
        model.MaxTokensPerBatch = 40;
        var expected = model.Scorer(40).Score(model.Tokenize(lists).Lists);
        Assert.Equal(expected, model.Score(lists));
        Assert.Equal(expected, model.Scorer().Score(model.Tokenize(lists).Lists));
        Assert.Equal(expected[3], model.Score([lists[3]])[0], (x, y) => Math.Abs(x - y) < 1e-5);
    }

    [Fact]
    public async Task What_is_awaited_is_the_same()
    {
        var lists = Lists(30);
        var conversation = new Conversation([new ChatMessage("user", "ab")]);
        Assert.Equal(model.Score(lists), await model.ScoreAsync(lists));
        Assert.Equal(model.Score("abc", "x", "yz"), await model.ScoreAsync("abc", ["x", "yz"]));
        File.WriteAllText(directory["model/chat_template.jinja"], "{% for m in messages %}{{ m.content }}{% endfor %}");
        File.Delete(directory["model/reward_model.json"]);
        using var chat = await ScoringModel.LoadAsync(directory["model"]);
        Assert.Equal(chat.Score(conversation, "x", "yz"), await chat.ScoreAsync(conversation, ["x", "yz"]));
    }

    [Fact]
    public async Task A_sequence_is_scored_in_order_in_groups()
    {
        var lists = Lists(2 * ScoringModel.GroupSize + 7);
        float[][] expected = [.. lists.Chunk(ScoringModel.GroupSize).SelectMany(group => model.Score(group))];
        Assert.Equal(expected, model.Score(lists.Where(_ => true)));
        Assert.Equal(expected, await model.ScoreAsync(OneByOne(lists)).ToArrayAsync());
        Assert.Empty(model.Score(Enumerable.Empty<RankedList>()));
        Assert.Empty(await model.ScoreAsync(OneByOne([])).ToArrayAsync());
    }

    [Fact]
    public async Task A_sequence_is_read_as_far_as_it_is_needed()
    {
        var readCount = 0;
        IEnumerable<RankedList> Endless()
        {
            while (true)
            {
                readCount++;
                yield return RankedList.BestFirst("a", "b");
            }
        }
        var lazily = model.Score(Endless());
        Assert.Equal(0, readCount);
        Assert.Equal(3, lazily.Take(3).Count());
        Assert.Equal(ScoringModel.GroupSize, readCount);

        readCount = 0;
        var isDisposed = false;
        async IAsyncEnumerable<RankedList> EndlessAsync()
        {
            try
            {
                foreach (var list in Endless())
                {
                    await Task.Yield();
                    yield return list;
                }
            }
            finally
            {
                isDisposed = true;
            }
        }
        Assert.Equal(3, (await model.ScoreAsync(EndlessAsync()).Take(3).ToArrayAsync()).Length);
        Assert.True(isDisposed);
        // Those that are scored, those that are read meanwhile, and one that waits for room.
        Assert.InRange(readCount, ScoringModel.GroupSize, 2 * ScoringModel.GroupSize + 1);
    }

    [Fact]
    public async Task Errors_of_a_sequence_reach_the_caller()
    {
        async IAsyncEnumerable<RankedList> Broken()
        {
            yield return RankedList.BestFirst("a", "b");
            await Task.Yield();
            throw new InvalidDataException("broken");
        }
        Assert.Equal(
            "broken",
            (await Assert.ThrowsAsync<InvalidDataException>(async () => await model.ScoreAsync(Broken()).ToArrayAsync())).Message);
        await Assert.ThrowsAsync<ArgumentNullException>(
            "lists", async () => await model.ScoreAsync(OneByOne([null!])).ToArrayAsync());
    }

    [Fact]
    public void Progress_is_told_batch_by_batch()
    {
        var lists = Lists(30);
        var reports = new Reports<ListProgress>();
        // Lists of one prompt are computed as one.
        model.MaxTokensPerBatch = 10;
        model.Score(lists, reports);
        Assert.True(reports.Count > 3);
        Assert.Equal(new ListProgress(30, 30), reports[^1]);
        Assert.Equal(reports.OrderBy(report => report.DoneCount).Distinct(), reports);

        reports.Clear();
        model.Tokenize(Lists(500), reports);
        Assert.Equal(Enumerable.Range(1, 100).Select(i => new ListProgress(5 * i, 500)), reports);
    }

    [Fact]
    public void Loading_is_told_tensor_by_tensor()
    {
        var reports = new Reports<LoadProgress>();
        using var loaded = ScoringModel.Load(directory["model"], progress: reports);
        Assert.Equal(loaded.Transformer.CheckpointParameters.Count(), reports.Count);
        var bytes = 4 * loaded.Transformer.CheckpointParameters.Sum(pair => pair.Parameter.numel());
        Assert.Equal(new LoadProgress(bytes, bytes), reports[^1]);
        Assert.Equal(reports.OrderBy(report => report.ReadBytes), reports);
    }

    [Fact]
    public async Task Cancelled_it_ends_before_the_next_batch()
    {
        var lists = Lists(30);
        model.MaxTokensPerBatch = 40;
        using var source = new CancellationTokenSource();
        var done = 0;
        var cancels = new Reports<ListProgress>(report =>
        {
            done = report.DoneCount;
            source.Cancel();
        });
        Assert.Throws<OperationCanceledException>(() => model.Score(lists, cancels, source.Token));
        Assert.InRange(done, 1, 29);
        Assert.ThrowsAny<OperationCanceledException>(() => model.Tokenize(lists, null, source.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => model.ScoreAsync(lists, null, source.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => model.ScoreAsync("a", ["b"], source.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await model.ScoreAsync(OneByOne(lists), source.Token).ToArrayAsync());
        Assert.ThrowsAny<OperationCanceledException>(() => model.Score(lists.Where(_ => true), source.Token).ToArray());
        // It can be used afterwards.
        Assert.Equal(2, model.Score("a", "b", "c").Length);
    }

    [Fact]
    public async Task Loading_can_be_cancelled()
    {
        using var source = new CancellationTokenSource();
        var count = 0;
        var cancels = new Reports<LoadProgress>(_ =>
        {
            if (++count == 3)
                source.Cancel();
        });
        Assert.Throws<OperationCanceledException>(
            () => ScoringModel.Load(directory["model"], progress: cancels, cancellationToken: source.Token));
        Assert.Equal(3, count);
        Assert.Throws<OperationCanceledException>(
            () => ScoringModel.LoadForTraining(directory["model"], cancellationToken: source.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => ScoringModel.LoadAsync(directory["model"], cancellationToken: source.Token));
    }

    [Fact]
    public void A_device_is_looked_for_before_anything_is_read()
    {
        const string expected = "device is 'gpu'; expected cpu, cuda or cuda:N, where N counts the GPUs from 0.";
        Assert.Equal(expected, Assert.Throws<ArgumentException>(() => ScoringModel.Load("/none", "gpu")).Message);
        Assert.Equal(expected, Assert.Throws<ArgumentException>(() => ScoringModel.LoadForTraining("/none", device: "gpu")).Message);
        using var loaded = ScoringModel.Load(directory["model"], "cpu");
        Assert.Equal("cpu", loaded.Transformer.Device.ToString());
        using var trained = ScoringModel.LoadForTraining(directory["model"], device: "cpu");
        Assert.Equal("cpu", trained.Transformer.Device.ToString());
    }

    [Fact]
    public void A_model_that_was_moved_outlives_the_scope_of_its_loading()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        using var transformer = TinyModel.Create();
        using (TorchSharp.torch.NewDisposeScope())
            transformer.MoveTo(MetaDevice.Device);
        Assert.Equal(TorchSharp.DeviceType.META, transformer.Device.type);
        Assert.All(transformer.parameters(), parameter => Assert.False(parameter.IsInvalid));
    }

    [Fact]
    public void Disposed_of_it_says_so()
    {
        model.Dispose();
        model.Dispose();
        TokenizedList[] ids = [TinyModel.List(1, 2, 1)];
        Action[] uses =
        [
            () => model.Score("a", "b"), () => model.Score(Lists(1)), () => model.Score(Lists(1).Where(_ => true)),
            () => model.Tokenize(Lists(1)), () => model.Truncate(ids), () => model.Scorer(), () => model.Save(directory["other"]),
            () => model.ScoreAsync("a", ["b"]), () => model.ScoreAsync(Lists(1)), () => model.ScoreAsync(OneByOne(Lists(1))),
        ];
        Assert.All(uses, use => Assert.Equal(
            typeof(ScoringModel).FullName, Assert.Throws<ObjectDisposedException>(use).ObjectName));
        Assert.Throws<ObjectDisposedException>(() => model.Transformer.Device);
        Assert.Throws<ObjectDisposedException>(() => model.Transformer.Pack(ids));
        Assert.Equal(
            typeof(RewardTransformer).FullName,
            Assert.Throws<ObjectDisposedException>(() => new RewardScorer(model.Transformer).Score(ids)).ObjectName);
    }

    [Fact]
    public async Task Null_is_told_by_the_name_of_the_parameter()
    {
        Assert.Throws<ArgumentNullException>("prompt", () => model.Score((string)null!, "a"));
        Assert.Throws<ArgumentNullException>("conversation", () => model.Score((Conversation)null!, "a"));
        Assert.Throws<ArgumentNullException>("answers", () => model.Score("a", (string[])null!));
        Assert.Throws<ArgumentNullException>("answers", () => model.Score("a", "b", null!));
        await Assert.ThrowsAsync<ArgumentNullException>("answers", () => model.ScoreAsync(new Conversation([]), [null!]));
        Assert.Throws<ArgumentNullException>("lists", () => model.Score([null!]));
        await Assert.ThrowsAsync<ArgumentNullException>("lists", () => model.ScoreAsync([null!]));
        Assert.Throws<ArgumentNullException>("lists", () => model.Tokenize([null!]));
        Assert.Throws<ArgumentNullException>("lists", () => model.Truncate([null!]));
        Assert.Throws<ArgumentNullException>("lists", () => model.Scorer().Score([null!]));
    }

    [Fact]
    public void There_is_an_answer_and_a_batch_has_a_token()
    {
        Assert.Equal(
            "There are no answers; expected at least one. (Parameter 'answers')",
            Assert.Throws<ArgumentException>(() => model.Score("a")).Message);
        Assert.Throws<ArgumentException>("answers", () => model.Score(new Conversation([])));
        Assert.Throws<ArgumentOutOfRangeException>("value", () => model.MaxTokensPerBatch = 0);
        Assert.Throws<ArgumentOutOfRangeException>("maxTokensPerBatch", () => model.Scorer(0));
        Assert.Equal(8192, model.MaxTokensPerBatch);
    }

    [Fact]
    public void A_place_where_nothing_can_be_written_is_told()
    {
        File.WriteAllText(directory["file"], "mine");
        Assert.Equal(
            $"{directory["file"]}: there is a file of this name; expected a directory, or nothing yet. "
            + "Give another path, or move the file.",
            Assert.Throws<CheckpointException>(() => model.Save(directory["file"])).Message);
        var inside = directory["file/model"];
        var message = Assert.Throws<CheckpointException>(() => model.Save(inside)).Message;
        Assert.StartsWith($"{inside}: the directory can't be made: ", message);
        Assert.EndsWith(". Give a path where you may write.", message);
        Assert.Equal("mine", File.ReadAllText(directory["file"]));
    }

    [Fact]
    public void Best_of_n_is_the_first_of_those_that_are_ranked()
    {
        string[] answers = ["x", "yz", "a", "x"];
        var rewards = model.Score("abc", answers);
        var ranked = model.Rank("abc", answers);
        Assert.Equal(rewards.OrderDescending(), ranked.Select(answer => answer.Reward));
        Assert.All(ranked, answer => Assert.Equal((answers[answer.Index], rewards[answer.Index]), (answer.Text, answer.Reward)));
        // The same answer twice.
        Assert.True(ranked.Index().First(pair => pair.Item.Index == 0).Index < ranked.Index().First(pair => pair.Item.Index == 3).Index);
    }

    internal static RankedList[] Lists(int count) =>
        [.. Enumerable.Range(0, count).Select(i => RankedList.BestFirst("abcdefgh"[..(i % 8)], "xyz"[..(i % 3)], "pq"[..(i % 2)], "z"))];

    private static async IAsyncEnumerable<RankedList> OneByOne(IEnumerable<RankedList> lists)
    {
        foreach (var list in lists)
        {
            await Task.Yield();
            yield return list;
        }
    }

    /// <summary>Keeps what it is told, at once and on the thread that tells it.</summary>
    private sealed class Reports<T>(Action<T>? then = null) : List<T>, IProgress<T>
    {
        public void Report(T value)
        {
            Add(value);
            then?.Invoke(value);
        }
    }
}
