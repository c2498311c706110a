using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Scoring;

/// <summary>Alone, because it sets how many threads there are.</summary>
[Collection(nameof(RunsAlone))]
public class BatchInvarianceTests
{
    public static TheoryData<string> Models => [.. ParityModel.NamesOfRepository];

    /// <summary>Alone, with others, in batches of any size, of prompts that are known in part or wholly, as texts, by any number of threads.</summary>
    [Theory, MemberData(nameof(Models))]
    public void A_reward_is_the_same_to_the_bit_in_all_company(string name)
    {
        using var model = ParityModel.Random(name);
        if (!model.SharesPrompts)
        {
            Assert.Contains("encoder", Assert.Throws<ArgumentException>(() => model.IsBatchInvariant = true).Message);
            return;
        }
        TokenizedList[] lists =
        [
            TinyModel.List(1, 40, 5, 9, 1), TinyModel.List(2, 60, 3, 20), TinyModel.List(3, 17, 30), TinyModel.List(4, 0, 25, 44),
            TinyModel.List(5, 5, 2, 2, 2, 2, 2, 2, 2, 3),
        ];
        var plain = new RewardScorer(model).Score(lists);
        model.IsBatchInvariant = true;
        float[][] expected = [.. lists.Select(list => list.AnswerIds.Select((_, k) => new RewardScorer(model).Score([list.WithAnswers([k])])[0][0]).ToArray())];
        Numbers.AssertEqualButForRounding(
            [.. plain.SelectMany(list => list)], [.. expected.SelectMany(list => list)], Numbers.UnitsOfModels);
        foreach (var budget in new[] { 8192, 100, 1 })
            Assert.Equal(expected, new RewardScorer(model, budget).Score(lists));
        TokenizedList[] texts =
        [
            .. lists.SelectMany(list => list.AnswerIds.Select(answer => new TokenizedList([], [[.. list.PromptIds, .. answer]], [0]))),
        ];
        Assert.Equal(expected.SelectMany(list => list), new RewardScorer(model).Score(texts).Select(list => list[0]));
        using var cache = new PromptCache(1 << 24);
        var cached = new RewardScorer(model, cache: cache);
        cached.Score([lists[0] with { PromptIds = lists[0].PromptIds[..23] }, lists[1] with { PromptIds = [.. lists[1].PromptIds, 1, 2] }]);
        for (var round = 0; round < 2; round++)
            Assert.Equal(expected, cached.Score(lists));
        var threads = get_num_threads();
        try
        {
            set_num_threads(threads == 1 ? 2 : 1);
            Assert.Equal(expected, new RewardScorer(model).Score(lists));
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    [Fact]
    public void Rows_enough_for_other_kernels_change_no_bit_either()
    {
        using var model = ParityModel.Random("gpt2");
        model.IsBatchInvariant = true;
        // 2^18 numbers and more, from where layer norms are a kernel in any case.
        TokenizedList[] many = [.. Enumerable.Range(0, 120).Select(i => TinyModel.List((ulong)i, 60, 9, 20))];
        Assert.True(many.Sum(list => PackedSequences.CountTokens(list)) * model.HiddenSize >= RewardModel.Kernels.KernelSupport.LeastElements);
        var scorer = new RewardScorer(model, 1 << 20);
        var all = scorer.Score(many);
        Assert.Equal(many.Take(5).Select(list => scorer.Score([list])[0]), all.Take(5));
    }

    [Fact]
    public void Gradients_are_those_of_a_model_without_it()
    {
        using var model = ParityModel.Random("llama");
        var list = TinyModel.List(1, 9, 4, 5);
        float[] Gradient()
        {
            model.zero_grad();
            using var sequences = model.Pack([list]);
            using var sum = model.call(sequences).sum();
            sum.backward();
            using var gradient = model.Head.parameters().First().grad;
            return gradient!.data<float>().ToArray();
        }
        var expected = Gradient();
        model.IsBatchInvariant = true;
        Assert.Equal(expected, Gradient());
        Assert.Contains("Float32", Assert.Throws<ArgumentException>(() => model.Precision = Precision.Bfloat16).Message);
        model.IsBatchInvariant = false;
        model.Precision = Precision.Bfloat16;
        Assert.Contains("Bfloat16", Assert.Throws<ArgumentException>(() => model.IsBatchInvariant = true).Message);
    }
}
