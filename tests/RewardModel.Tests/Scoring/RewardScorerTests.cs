using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;

namespace RewardModel.Tests.Scoring;

/// <summary>Alone, because how many threads compute an operator is torch's setting for the whole process.</summary>
[Collection(nameof(RunsAlone))]
public class RewardScorerTests
{
    private const int threadCount = 4;

    // From short to long, so that a rotary model's tables of positions grow again and again while others read them.
    private static readonly TokenizedList[] lists =
        [.. Enumerable.Range(1, 16).Select(i => TinyModel.List((ulong)i, 5 * i, 1 + i % 5, 3, 1 + i % 7))];

    public static TheoryData<string> Models => [.. ParityModel.NamesOfRepository];

    [Theory, MemberData(nameof(Models))]
    public void Threads_that_score_at_the_same_time_get_the_bits_of_one(string name)
    {
        foreach (var precision in new[] { Precision.Float32, Precision.Bfloat16 })
        {
            float[][]? expected = null;
            for (var round = 0; round < 2; round++)
            {
                // A new one: it has no tables yet.
                using var model = ParityModel.Random(name);
                model.Precision = precision;
                model.eval();
                var found = InThreads(() => Scores(model, lists));
                expected ??= Scores(model, lists);
                Assert.All(found, rewards => Assert.Equal(expected, rewards));
            }
        }
    }

    /// <summary>Also where a budget puts them into different batches, and where they are equal only because they were cut.</summary>
    [Theory, MemberData(nameof(Models))]
    public void Equal_answers_have_the_same_reward_to_the_bit(string name)
    {
        using var model = ParityModel.Random(name);
        var list = TinyModel.List(1, 9, 5, 1, 12, 3, 5, 7);
        list = list with
        {
            AnswerIds = [.. list.AnswerIds, list.AnswerIds[0][..], list.AnswerIds[2], list.AnswerIds[0]],
            OwnPromptIds = [null, null, [1, 2], null, null, null, null, [1, 2], null],
            Scores = RankedList.ScoresOfOrder(9),
        };
        foreach (var budget in new[] { 8192, 40, 1 })
        {
            var scorer = new RewardScorer(model, budget);
            var rewards = scorer.Score([lists[0], list])[1];
            Assert.Equal([rewards[0], rewards[2], rewards[0]], rewards[6..]);
            Assert.Equal(6, rewards.Distinct().Count());
            Assert.Equal(scorer.Score([lists[0], list.WithAnswers([0, 1, 2, 3, 4, 5])])[1], rewards[..6]);
        }
    }

    [Fact]
    public void Threads_that_score_a_loaded_model_leave_its_mode_alone()
    {
        using var directory = new TemporaryDirectory();
        using (var model = new ScoringModel(TinyModel.Create()))
            model.Save(directory.Path);
        using var loaded = ScoringModel.Load(directory.Path);
        Assert.False(loaded.Transformer.training);
        InThreads(() => Scores(loaded.Transformer, lists));
        Assert.False(loaded.Transformer.training);
    }

    [Fact]
    public void A_model_is_scored_in_evaluation_mode_and_put_back_into_its_own()
    {
        using var model = TinyModel.Create("gpt2", dropout: 0.5);
        Assert.True(model.training);
        var first = Scores(model, lists);
        Assert.True(model.training);
        Assert.Equal(first, Scores(model, lists));
        model.eval();
        Assert.Equal(first, Scores(model, lists));
        Assert.False(model.training);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Another_order_of_answers_changes_no_bit_of_a_reward(string name)
    {
        using var model = ParityModel.Random(name);
        // Of different lengths, so that the answers of other lists lie elsewhere too.
        TokenizedList[] ranked = [TinyModel.List(1, 9, 3, 14, 1, 6, 6), TinyModel.List(2, 4, 2, 11), TinyModel.List(3, 17, 8, 5, 13)];
        TokenizedList[] turned = [.. ranked.Select(list => list.WithAnswers([.. Enumerable.Range(0, list.AnswerIds.Count).Reverse()]))];
        var scorer = new RewardScorer(model);
        var rewards = scorer.Score(ranked);
        Assert.Equal(rewards, scorer.Score(turned).Select(list => list.Reverse().ToArray()));
        Assert.True(rewards.All(list => list.Distinct().Count() > 1));
    }

    /// <summary>One list after the other: each is a forward pass of its own length.</summary>
    private static float[][] Scores(RewardTransformer model, TokenizedList[] lists) =>
        [.. lists.Select(list => new RewardScorer(model).Score([list])[0])];

    private static T[] InThreads<T>(Func<T> compute)
    {
        using var start = new Barrier(threadCount);
        var results = new T[threadCount];
        var failures = new Exception?[threadCount];
        Thread[] threads =
        [
            .. Enumerable.Range(0, threadCount).Select(i => new Thread(() =>
            {
                start.SignalAndWait();
                try
                {
                    results[i] = compute();
                }
                catch (Exception failure)
                {
                    failures[i] = failure;
                }
            })),
        ];
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        Assert.All(failures, Assert.Null);
        return results;
    }
}
