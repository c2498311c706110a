using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Scoring;
using static TorchSharp.torch;

namespace RewardModel.Tests.Scoring;

public sealed class NotFiniteRewardTests
{
    private static readonly TokenizedList[] lists =
        [TinyModel.List(1, 4, 3, 5), TinyModel.List(2, 4, 3, 5) with { Source = new SourceLine("test.jsonl", 9) }];

    [Fact]
    public void No_reward_that_is_not_finite_is_returned()
    {
        using var model = TinyModel.Create();
        using (no_grad())
            model.CheckpointParameters.Single(pair => pair.Name == "score.weight").Parameter.fill_(float.NaN);
        var error = Assert.Throws<NotFiniteRewardException>(() => new RewardScorer(model).Score(lists[1..]));
        Assert.Equal(
            "The reward of answer 1 of list 1 (test.jsonl:9) is NaN, by the model; expected a finite number. Its weights are damaged or too "
            + "large, or its normaliser is. Use the model of a run that did not diverge, and compute in float32.", error.Message);
    }

    [Fact]
    public void An_overflow_by_weights_or_the_normaliser_is_found_too()
    {
        using var model = TinyModel.Create();
        Assert.Throws<NotFiniteRewardException>(
            () => new RewardScorer(model, normalizer: new RewardNormalizer(1e30, 1e-30)).Score(lists));
        using (no_grad())
            model.CheckpointParameters.Single(pair => pair.Name == "score.weight").Parameter.fill_(float.MaxValue);
        var error = Assert.Throws<NotFiniteRewardException>(() => new RewardScorer(model).Score(lists));
        Assert.StartsWith("The reward of answer 1 of list 1 (in memory) is ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_with_weights_that_are_not_finite_is_refused_by_their_names()
    {
        using var directory = new TemporaryDirectory();
        using (var model = new ScoringModel(TinyModel.Create()))
        {
            model.Save(directory.Path);
            using (no_grad())
            {
                model.Transformer.CheckpointParameters.Single(pair => pair.Name == "model.norm.weight").Parameter[3] = float.NegativeInfinity;
                Assert.Equal(
                    ["the model's weights are not finite: 'model.norm.weight'; expected finite numbers, so nothing is written"],
                    Assert.Throws<CheckpointException>(() => model.Save(directory["other"])).Problems);
            }
            Assert.False(Directory.Exists(directory["other"]));
            CheckpointWriter.Write(
                directory.Path, [.. model.Transformer.CheckpointParameters.Select(pair => (pair.Name, (Tensor)pair.Parameter))]);
        }
        var error = Assert.Throws<CheckpointException>(() => RewardTransformer.Load(directory.Path));
        Assert.Equal(["tensor 'model.norm.weight' has 1 of 24 numbers that are not finite; expected none"], error.Problems);
    }

    [Fact]
    public void Large_finite_weights_are_no_damage()
    {
        using var numbers = full(100, 3e38f);
        Assert.True(RewardModel.Kernels.FiniteNumbers.AreIn(numbers));
        numbers[99] = float.NaN;
        Assert.False(RewardModel.Kernels.FiniteNumbers.AreIn(numbers));
        Assert.Equal(1, RewardModel.Kernels.FiniteNumbers.CountOfOthersIn(numbers));
        using var whole = ones(3, dtype: int64);
        Assert.True(RewardModel.Kernels.FiniteNumbers.AreIn(whole));
    }
}
