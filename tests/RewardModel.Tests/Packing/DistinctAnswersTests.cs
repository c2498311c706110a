using RewardModel.Lists;
using RewardModel.Packing;
using static TorchSharp.torch;

namespace RewardModel.Tests.Packing;

public class DistinctAnswersTests
{
    private static readonly TokenizedList[] lists =
    [
        new([1], [[2], [3]], [1, 0]),
        new([1], [[4], [5], [4], [6], [5]], [4, 3, 2, 1, 0]),
        new([1], [[7], [8]], [1, 0]),
    ];

    [Fact]
    public void Each_answer_stands_once_and_its_reward_is_that_of_all_equal_ones()
    {
        var distinct = new DistinctAnswers(lists);
        Assert.Same(lists[0], distinct.Lists[0]);
        Assert.Equal([[4], [5], [6]], distinct.Lists[1].AnswerIds);
        Assert.Same(lists[2], distinct.Lists[2]);
        float[][] rewards = [[0.5f, 1], [2, 3, 4], [5, 6]];
        Assert.Equal([[0.5f, 1], [2, 3, 2, 4, 3], [5, 6]], distinct.RewardsOfAll(rewards));

        using var scope = NewDisposeScope();
        var rewards_N = tensor([.. rewards.SelectMany(list => list)], requires_grad: true);
        var all = distinct.RewardsOfAll(rewards_N);
        Assert.Equal([0.5f, 1, 2, 3, 2, 4, 3, 5, 6], Values(all));
        all.mul(tensor([1f, 2, 3, 4, 5, 6, 7, 8, 9])).sum().backward();
        Assert.Equal([1f, 2, 3 + 5, 4 + 7, 6, 8, 9], Values(rewards_N.grad!));
    }

    [Fact]
    public void Tokens_of_equal_answers_are_found_in_the_same_place()
    {
        TokenizedList[] some = [new([1], [[2, 3], [4], [2, 3]], [2, 1, 0]), new([1], [[5, 6, 7], [8]], [1, 0])];
        Assert.Equal(
            [(0, [2, 3]), (2, [4]), (0, [2, 3]), (3, [5, 6, 7]), (6, [8])],
            new DistinctAnswers(some).Tokens().Select(answer => (answer.FirstToken, answer.Ids)));
    }

    [Fact]
    public void Without_equal_answers_nothing_is_computed()
    {
        var distinct = new DistinctAnswers([lists[0], lists[2]]);
        using var rewards = tensor([1f, 2, 3, 4]);
        Assert.Same(rewards, distinct.RewardsOfAll(rewards));
    }

    private static float[] Values(Tensor tensor)
    {
        using var accessor = tensor.data<float>();
        return accessor.ToArray();
    }
}
