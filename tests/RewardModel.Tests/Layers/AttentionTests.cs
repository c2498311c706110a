using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Layers;

/// <summary>
/// What packing promises: a reward depends on its prompt and answer only, and sharing prompts changes nothing but rounding.
/// </summary>
public class AttentionTests
{
    private static readonly TokenizedList[] raggedLists =
    [
        TinyModel.List(1, 9, 5, 1, 12, 3),
        TinyModel.List(2, 0, 4, 2),
        TinyModel.List(3, 1, 1),
        TinyModel.List(4, 30, [.. Enumerable.Range(1, 16)]),
        TinyModel.List(5, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1),
        TinyModel.List(6, 45, 50, 1, 17, 18, 30, 49, 33),
        TinyModel.List(7, 20, 40, 2, 3, 39, 20),
        TinyModel.List(8, 33, 60, 2, 3, 25, 20),
        Cut(TinyModel.List(9, 40, 30, 3, 12, 3, 5), 10, 37, 28, 37, 0),
    ];

    public static TheoryData<string> Architectures => [.. ParityModel.NamesOfRepository];

    public static TheoryData<string> CausalArchitectures => [.. ParityModel.NamesOfRepository.Where(name =>
    {
        using var model = ParityModel.Random(name);
        return model.Backbone.IsCausal;
    })];

    [Theory, MemberData(nameof(Architectures))]
    public void Every_answer_alone_gives_the_same_reward(string architecture)
    {
        using var model = ParityModel.Random(architecture);
        var scorer = new RewardScorer(model);
        float[] together = [.. scorer.Score(raggedLists).SelectMany(rewards => rewards)];
        float[] alone =
        [
            .. raggedLists.SelectMany(list => list.AnswerIds.Select((ids, k) => (int[])[.. list.PromptOf(k), .. ids])).Select(answer =>
                scorer.Score([new TokenizedList([], [answer], [0])])[0][0]),
        ];
        Numbers.AssertEqualButForRounding(alone, together, Numbers.UnitsOfModels);
    }

    [Theory, MemberData(nameof(CausalArchitectures))]
    public void Sharing_prompts_changes_neither_rewards_nor_gradients(string architecture)
    {
        using var model = ParityModel.Random(architecture);
        var (sharedRewards, sharedGradients) = RewardsAndGradients(model, raggedLists, sharePrompts: true);
        var (rewards, gradients) = RewardsAndGradients(model, raggedLists, sharePrompts: false);
        Numbers.AssertEqualButForRounding(rewards, sharedRewards, Numbers.UnitsOfModels);
        // A parameter that shifts all rewards alike (the last norm's bias) has no gradient but rounding: hence the second term.
        var totalNorm = Math.Sqrt(gradients.Values.Sum(values => values.Sum(value => (double)value * value)));
        foreach (var (name, expected) in gradients)
        {
            var norm = Math.Sqrt(expected.Sum(value => (double)value * value));
            var difference = Math.Sqrt(expected.Zip(sharedGradients[name]).Sum(pair => Math.Pow(pair.First - (double)pair.Second, 2)));
            Assert.True(difference <= 1e-5 * norm + 1e-7 * totalNorm, $"{name}: the gradients differ by {difference}, of norm {norm}");
        }
    }

    [Theory, MemberData(nameof(CausalArchitectures))]
    public void A_last_layer_that_computes_the_scored_tokens_only_gives_the_same(string architecture)
    {
        using var model = ParityModel.Random(architecture);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var sequences = model.Pack(raggedLists);
        var expected = Values(model.Backbone.call(sequences).index_select(0, sequences.ScoredRows));
        using var pass = new ForwardPass(sequences);
        var found = Values(model.Backbone.SequenceStates(pass));
        Numbers.AssertEqualButForRounding(expected, found, Numbers.UnitsOfModels);
    }

    [Theory, MemberData(nameof(Architectures))]
    public void The_order_of_answers_and_lists_permutes_the_rewards(string architecture)
    {
        using var model = ParityModel.Random(architecture);
        var scorer = new RewardScorer(model);
        float[] rewards = [.. scorer.Score(raggedLists).SelectMany(list => list)];
        var reversed = scorer.Score(
            [.. raggedLists.Reverse().Select(list => list.WithAnswers([.. Enumerable.Range(0, list.AnswerIds.Count).Reverse()]))]);
        Numbers.AssertEqualButForRounding(rewards, [.. reversed.SelectMany(list => list).Reverse()], Numbers.UnitsOfModels);
    }

    [Theory, MemberData(nameof(Architectures))]
    public void The_prompt_counts_and_so_does_the_order_of_its_tokens(string architecture)
    {
        using var model = ParityModel.Random(architecture);
        var scorer = new RewardScorer(model);
        var list = TinyModel.List(7, 6, 4, 5);
        var rewards = scorer.Score([list])[0];
        Assert.True(Change(list with { PromptIds = [] }) > 1e-3);
        Assert.True(Change(list with { PromptIds = [.. list.PromptIds.Reverse()] }) > 1e-3);

        float Change(TokenizedList changed) => rewards.Zip(scorer.Score([changed])[0], (before, after) => Math.Abs(before - after)).Max();
    }

    [Fact]
    public void Dropout_of_attention_acts_in_training_only()
    {
        using var model = TinyModel.Create("llama", dropout: 0.5);
        var scorer = new RewardScorer(model);
        Assert.Equal(scorer.Score(raggedLists)[0], scorer.Score(raggedLists)[0]);
        var (first, _) = RewardsAndGradients(model, raggedLists, sharePrompts: true);
        var (second, _) = RewardsAndGradients(model, raggedLists, sharePrompts: true);
        Assert.NotEqual(first, second);
    }

    /// <summary>The list with a prompt for each answer: so many of the prompt's last tokens.</summary>
    private static TokenizedList Cut(TokenizedList list, params int[] lengths) => list with
    {
        OwnPromptIds = [.. lengths.Select(length => length == list.PromptIds.Length ? null : list.PromptIds[^length..])],
    };

    private static (float[] Rewards, Dictionary<string, float[]> Gradients) RewardsAndGradients(
        RewardTransformer model, IReadOnlyList<TokenizedList> lists, bool sharePrompts)
    {
        using var scope = NewDisposeScope();
        model.train();
        model.zero_grad();
        using var sequences = PackedSequences.Pack(lists, sharePrompts);
        var loss = RankingLoss.ByName("log-sigmoid");
        using var targets = loss.TargetsOf([.. lists.Select(RankingList.Of)]);
        var rewards = model.call(sequences);
        loss.Sum(rewards, targets).backward();
        return (Values(rewards.detach()), model.CheckpointParameters.ToDictionary(pair => pair.Name, pair => Values(pair.Parameter.grad!)));
    }

    private static float[] Values(Tensor tensor)
    {
        using var accessor = tensor.contiguous().data<float>();
        return accessor.ToArray();
    }
}
