using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Scoring;

[Collection(nameof(RunsAlone))]
public class FoldedHeadTests
{
    private static readonly RewardNormalizer normalizer = new(-1.625, 0.37);

    public static TheoryData<string> Encoders => Having(bias: true);

    public static TheoryData<string> Decoders => Having(bias: false);

    [Theory]
    [MemberData(nameof(Encoders))]
    public void A_folded_head_gives_the_normalised_rewards_as_raw_ones(string name)
    {
        using var parity = ParityModel.OfRepository(name);
        using var directory = new TemporaryDirectory();
        using var model = ScoringModel.Load(parity.Directory);
        var lists = parity.RankedLists();
        model.SetNormalizer(normalizer);
        var before = model.Scorer().Score(lists);
        model.Save(directory["folded"], foldNormalizer: true);
        Assert.Equal(before, model.Scorer().Score(lists));

        using var folded = ScoringModel.Load(directory["folded"]);
        Assert.Equal(RewardNormalizer.None, folded.Rule.Normalizer);
        var after = new RewardScorer(folded.Transformer).Score(lists);
        var scale = before.Max(list => list.Max(Math.Abs));
        Assert.All(before.Zip(after), pair => Assert.All(
            pair.First.Zip(pair.Second), reward => Assert.Equal(reward.First, reward.Second, 1e-6 * scale)));
        // Neither the mean nor the deviation alone would do.
        var raw = new RewardScorer(model.Transformer).Score(lists);
        Assert.True(Math.Abs(raw[0][0] / normalizer.Std - after[0][0]) > 1 && Math.Abs(raw[0][0] - normalizer.Mean - after[0][0]) > 0.1);
    }

    [Theory]
    [MemberData(nameof(Decoders))]
    public void A_mean_needs_a_bias_and_a_standard_deviation_does_not(string name)
    {
        using var parity = ParityModel.OfRepository(name);
        using var directory = new TemporaryDirectory();
        using var model = ScoringModel.Load(parity.Directory);
        model.SetNormalizer(normalizer);
        Assert.Equal(
            $"The head of {model.Transformer.Backbone.SequenceClassificationClass}, 'score.weight', has no bias, so that the mean of the rewards "
            + "can't be folded into it. Save the model without folding, and normalise where its rewards are used: (raw - -1.625) / 0.37.",
            Assert.Throws<ArgumentException>(() => model.Save(directory["folded"], foldNormalizer: true)).Message);
        Assert.False(Directory.Exists(directory["folded"]));

        model.SetNormalizer(new RewardNormalizer(0, 0.37));
        model.Save(directory["folded"], foldNormalizer: true);
        using var folded = ScoringModel.Load(directory["folded"]);
        var (before, after) = (model.Scorer().Score(parity.RankedLists()), folded.Scorer().Score(parity.RankedLists()));
        var scale = before.Max(list => list.Max(Math.Abs));
        Assert.All(before.Zip(after), pair => Assert.All(
            pair.First.Zip(pair.Second), reward => Assert.Equal(reward.First, reward.Second, 1e-6 * scale)));
    }

    [Fact]
    public void Nothing_to_fold_is_told()
    {
        using var directory = new TemporaryDirectory();
        using var model = new ScoringModel(TinyModel.Create());
        Assert.Equal(
            "The model's normaliser leaves rewards unchanged (mean 0, std 1), so that there is nothing to fold into its head. Set one first "
            + "(reward-model normalize).",
            Assert.Throws<ArgumentException>(() => model.Save(directory.Path, foldNormalizer: true)).Message);
        model.SetNormalizer(new RewardNormalizer(0, 1e-8));
        Assert.StartsWith(
            "Float16 holds numbers up to 65504, and these tensors have larger ones: score.weight. ",
            Assert.Throws<ArgumentException>(() => model.Save(directory.Path, ScalarType.Float16, foldNormalizer: true)).Message);
    }

    private static TheoryData<string> Having(bool bias)
    {
        var data = new TheoryData<string>();
        foreach (var name in ParityModel.NamesOfRepository)
        {
            using var model = ParityModel.Random(name);
            if (model.CheckpointParameters.Any(pair => pair.Name == model.Head.OutputWeight.Replace(".weight", ".bias", StringComparison.Ordinal)) == bias)
                data.Add(name);
        }
        return data;
    }
}
