using RewardModel.Distributed;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Data;
using RewardModel.Training.Distributed;
using RewardModel.Training.Metrics;
using static TorchSharp.torch;

namespace RewardModel.Tests.Training;

/// <summary>Training on labelled steps: lists whose answers are the beginnings of one solution, by the logistic loss.</summary>
[Collection(nameof(RunsAlone))]
public class ProcessSupervisionTests
{
    private static readonly TrainingOptions options = new()
    {
        Loss = "none",
        Pointwise = PointwiseLoss.Logistic,
        BestBy = BestBy.Loss,
        LearningRate = 3e-3,
        ListsPerStep = 16,
    };

    private static readonly RankingLoss loss = RankingLoss.Of(options.LossOptions);

    /// <summary>-log sigmoid(1) = 0.31326, -log sigmoid(2) = 0.12693, -log sigmoid(0.5) = 0.47408, -log sigmoid(-0.5) = 0.97408.</summary>
    [Fact]
    public void The_loss_is_the_mean_over_steps_and_then_over_solutions()
    {
        var first = (0.31326168751822286 + 0.1269280110429726) / 2;
        var second = 0.25 * 0.4740769841801067 + 0.75 * 0.9740769841801067;
        using var targets = loss.TargetsOf([new RankingList([1, 0]), new RankingList([0.25])]);
        using var rewards = tensor(new[] { 1f, -2f, 0.5f });
        using var sum = loss.Sum(rewards, targets);
        Assert.Equal(2, targets.Divisor);
        Assert.Equal((first + second) / 2, sum.item<float>() / targets.Divisor, 1e-6);
        var metrics = RankingMetrics.Of([[1f, -2f], [0.5f]], [[1, 0], [0.25]], loss);
        Assert.Equal((first + second) / 2, metrics.Loss, 1e-12);
        // The last reward is above 0 though its label is below one half.
        Assert.Equal(2 / 3.0, metrics.LabelAccuracy!.Value, 1e-12);
    }

    [Fact]
    public void Large_rewards_neither_overflow_nor_lose_their_loss()
    {
        using var targets = loss.TargetsOf([new RankingList([1, 0])]);
        using var rewards = tensor(new[] { -200f, 200f });
        using var sum = loss.Sum(rewards, targets);
        Assert.Equal(200f, sum.item<float>());
        Assert.Equal(200.0, RankingMetrics.Of([[-200f, 200f]], [[1, 0]], loss).Loss);
    }

    [Fact]
    public void Labels_of_one_half_and_other_losses_have_no_label_accuracy()
    {
        Assert.Null(RankingMetrics.Of([[1f]], [[0.5]], loss).LabelAccuracy);
        Assert.Equal(0.5, RankingMetrics.Of([[0f]], [[1]], loss).LabelAccuracy);
        Assert.Null(RankingMetrics.Of([[1f, 0f]], [[1, 0]]).LabelAccuracy);
    }

    // Packed with shared prompts, steps within their solutions, whatever the micro-batches are; and every step as a sequence by itself.
    [Theory]
    [InlineData("llama", 8192, false)]
    [InlineData("gpt2", 8192, true)]
    [InlineData("llama", 14, false)]
    [InlineData("gpt2", 1, true)]
    public void The_gradient_is_that_of_binary_cross_entropies_of_single_sequences(string architecture, int maxTokensPerBatch, bool checkpointing)
    {
        using var model = TinyModel.Create(architecture);
        model.train();
        TokenizedList[] lists =
        [
            StepsOf(TinyModel.List(1, 4, 9), [2, 5, 9], [1, 0, 0.25]),
            StepsOf(TinyModel.List(2, 3, 4), [1, 4], [0, 1]),
            StepsOf(TinyModel.List(3, 0, 3), [3], [1]),
            // Two solutions of one prompt.
            TinyModel.List(4, 6, 4, 5) with { AnswerIds = Two(TinyModel.List(4, 6, 4, 5).AnswerIds), Scores = [1, 0, 1, 1] },
        ];
        using var scope = NewDisposeScope();
        var losses = new List<Tensor>();
        foreach (var list in lists)
            losses.Add(stack(list.AnswerIds.Select((ids, k) =>
            {
                var reward = model.forward(PackedSequences.Pack([new TokenizedList([], [[.. list.PromptIds, .. ids]], [0])]));
                return nn.functional.binary_cross_entropy_with_logits(reward, tensor(new[] { (float)list.Scores[k] }));
            })).mean());
        stack(losses).mean().backward();
        var expected = TakenGradients.Of(model);

        using var trained = new TrainedWeights(model, SingleProcess.Instance);
        new StepGradients(
            model, trained, loss, options with { MaxTokensPerBatch = maxTokensPerBatch, ActivationCheckpointing = checkpointing })
            .Add(lists, step: 0, () => 0);
        TakenGradients.AssertEqual(expected, TakenGradients.Of(model));

        static int[][] Two(IReadOnlyList<int[]> solutions) => [solutions[0][..1], solutions[0], solutions[1][..3], solutions[1]];
    }

    [Fact]
    public void Wrong_steps_get_low_rewards()
    {
        using var model = TinyModel.Create();
        var run = options with { Steps = 150, ListsPerStep = 32 };
        var result = new Trainer(model, run, Task(600, seed: 1), Task(100, seed: 2)).Train();
        var metrics = result.BestEvaluation!.Metrics;
        Assert.InRange(metrics.LabelAccuracy!.Value, 0.95, 1);
        Assert.InRange(metrics.Loss, 0, 0.3);
        // At every step, as they are scored.
        model.eval();
        var steps = Task(50, seed: 3);
        var rewards = new RewardScorer(model).Score(steps);
        double MeanOf(double label) => steps.Zip(rewards).SelectMany(pair => pair.First.Scores.Zip(pair.Second))
            .Where(step => step.First == label).Average(step => step.Second);
        Assert.InRange(MeanOf(1), 1, 100);
        Assert.InRange(MeanOf(0), -100, -1);
    }

    [Fact]
    public void Labels_outside_of_0_to_1_are_refused()
    {
        using var model = TinyModel.Create();
        var bad = StepsOf(TinyModel.List(1, 4, 9), [2, 9], [1, 2]) with { Source = new SourceLine("a.jsonl", 3) };
        Assert.Equal(
            "Pointwise (--pointwise) is logistic, and a score at a.jsonl:3 is 2; expected labels from 0 (wrong) to 1 (right). Scale the scores "
            + "(--score-from, --query), or use regression.",
            Assert.Throws<ArgumentException>(() => new Trainer(model, options with { Steps = 1 }, [bad], [])).Message);
    }

    private static TokenizedList StepsOf(TokenizedList solution, int[] ends, double[] labels) => solution with
    {
        AnswerIds = [.. ends.Select(end => solution.AnswerIds[0][..end])],
        Scores = labels,
    };

    /// <summary>A step is a digit, a mark that says whether it is right, and its end: what other steps have tells nothing of it.</summary>
    private static TokenizedList[] Task(int count, ulong seed)
    {
        var random = new SplitMix64(seed);
        return
        [
            .. Enumerable.Range(0, count).Select(_ =>
            {
                var (ids, ends, labels) = (new List<int>(), new List<int>(), new List<double>());
                for (var s = 1 + random.NextBelow(4); s > 0; s--)
                {
                    var isRight = random.NextBelow(2) == 1;
                    ids.AddRange([random.NextBelow(10), isRight ? 21 : 22, 20]);
                    ends.Add(ids.Count);
                    labels.Add(isRight ? 1 : 0);
                }
                return new TokenizedList([30 + random.NextBelow(20)], [.. ends.Select(end => ids[..end].ToArray())], labels);
            }),
        ];
    }
}
