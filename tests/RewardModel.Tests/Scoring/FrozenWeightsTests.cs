using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Kernels;
using RewardModel.Layers;
using RewardModel.Lists;
using RewardModel.Ranking;
using RewardModel.Scoring;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Scoring;

/// <summary>Models whose frozen weights are stored in fewer bits, against models in float32 that have these rounded weights.</summary>
[Collection(nameof(RunsAlone))]
public class FrozenWeightsTests
{
    public static TheoryData<string, WeightStorage> Models
    {
        get
        {
            var data = new TheoryData<string, WeightStorage>();
            foreach (var name in ParityModel.NamesOfRepository)
                foreach (var storage in new[] { WeightStorage.Bfloat16, WeightStorage.Int8, WeightStorage.Nf4 })
                    data.Add(name, storage);
            return data;
        }
    }

    public static TheoryData<WeightStorage> Storages => [WeightStorage.Bfloat16, WeightStorage.Int8, WeightStorage.Nf4];

    [Theory, MemberData(nameof(Models))]
    public void Rewards_and_gradients_are_those_of_a_model_with_the_rounded_weights(string name, WeightStorage storage)
    {
        using var scope = NewDisposeScope();
        using var files = ParityModel.OfRepository(name);
        using var stored = RewardTransformer.Load(files.Directory, frozenWeights: new FrozenWeights(storage, 1));
        using var rounded = WithRoundedWeights(files.Directory, stored);
        // A norm or a bias at the bottom, where there is one, so that the gradient goes through every layer.
        foreach (var model in new[] { stored, rounded })
            if (model.Backbone.Layers[0].parameters().FirstOrDefault(parameter => parameter.dim() == 1) is { } lowest)
                lowest.requires_grad = true;
        var (expected, expectedGradients) = Pass(rounded, files.RankedLists(), checkpointing: false);
        var (found, gradients) = Pass(stored, files.RankedLists(), checkpointing: false);
        Numbers.AssertEqualButForRounding(expected, found, Numbers.UnitsOfModels);
        Assert.Equal(expectedGradients.Count, gradients.Count);
        foreach (var (parameter, gradient) in expectedGradients)
            Numbers.AssertEqualButForRounding(gradient, gradients[parameter], 4 * Numbers.UnitsOfModels);
        var (again, checkpointed) = Pass(stored, files.RankedLists(), checkpointing: true);
        Assert.Equal(found, again);
        foreach (var (parameter, gradient) in gradients)
            Assert.Equal(gradient, checkpointed[parameter]);
    }

    // The table of docs/frozen-weights.md.
    [Theory]
    [InlineData("bert", WeightStorage.Bfloat16, 0.0005, 0.0033)]
    [InlineData("bert", WeightStorage.Int8, 0.0033, 0.0056)]
    [InlineData("bert", WeightStorage.Nf4, 0.019, 0.14)]
    [InlineData("gpt2", WeightStorage.Bfloat16, 0.0024, 0.0056)]
    [InlineData("gpt2", WeightStorage.Int8, 0.0044, 0.010)]
    [InlineData("gpt2", WeightStorage.Nf4, 0.15, 0.21)]
    [InlineData("llama", WeightStorage.Bfloat16, 0.0031, 0.0045)]
    [InlineData("llama", WeightStorage.Int8, 0.0057, 0.011)]
    [InlineData("llama", WeightStorage.Nf4, 0.15, 0.26)]
    public void Rewards_and_gradients_move_as_far_as_the_documentation_says(
        string name, WeightStorage storage, double ofRewards, double ofGradients)
    {
        using var files = ParityModel.OfRepository(name);
        using var whole = RewardTransformer.Load(files.Directory);
        whole.Freeze(1);
        using var stored = RewardTransformer.Load(files.Directory, frozenWeights: new FrozenWeights(storage, 1));
        var (rewards, gradients) = Pass(whole, files.RankedLists(), checkpointing: false);
        var (movedRewards, movedGradients) = Pass(stored, files.RankedLists(), checkpointing: false);
        Assert.InRange(Change(rewards, movedRewards), 0.9 * ofRewards, 1.1 * ofRewards);
        Assert.InRange(
            Change([.. gradients.Values.SelectMany(values => values)], [.. movedGradients.Values.SelectMany(values => values)]),
            0.9 * ofGradients, 1.1 * ofGradients);
    }

    // The other table there.
    [SharedFact("data/models/stories260K")]
    public void Trained_weights_lose_as_much_as_the_documentation_says()
    {
        using var scope = NewDisposeScope();
        using var reader = CheckpointReader.Open(Shared.PathOf("data/models/stories260K"));
        foreach (var (storage, expected) in new[]
        {
            (WeightStorage.Bfloat16, 0.0017), (WeightStorage.Int8, 0.0059), (WeightStorage.Nf4, 0.094),
        })
        {
            double lost = 0, all = 0;
            foreach (var name in reader.Names.Where(name => reader.Entry(name).Shape.Length == 2))
            {
                var values = reader.Read(name, ScalarType.Float32);
                using var matrix = StoredMatrix.Of(values, storage);
                lost += Math.Pow(matrix.Values().sub(values).norm().item<float>(), 2);
                all += Math.Pow(values.norm().item<float>(), 2);
            }
            Assert.InRange(Math.Sqrt(lost / all), 0.95 * expected, 1.05 * expected);
        }
    }

    [Theory, MemberData(nameof(Storages))]
    public void What_is_stored_is_every_frozen_matrix_and_nothing_else(WeightStorage storage)
    {
        using var files = ParityModel.OfRepository("llama");
        using var model = RewardTransformer.Load(files.Directory, frozenWeights: new FrozenWeights(storage, 1));
        Assert.Equal(new FrozenWeights(storage, 1), model.FrozenWeights);
        string[] names = [.. model.CheckpointParameters.Where(pair => model.DigestOfStored(pair.Name) is not null).Select(pair => pair.Name)];
        Assert.Equal(
            [
                "model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight", "model.layers.0.self_attn.k_proj.weight",
                "model.layers.0.self_attn.v_proj.weight", "model.layers.0.self_attn.o_proj.weight", "model.layers.0.mlp.gate_proj.weight",
                "model.layers.0.mlp.up_proj.weight", "model.layers.0.mlp.down_proj.weight",
            ],
            names);
        var layers = model.Backbone.modules().OfType<WeightLayer>().Where(layer => layer.Stored is not null).ToArray();
        Assert.Equal(names.Length, layers.Length);
        Assert.All(layers, layer => Assert.Equal(
            layer is Embedding ? WeightStorage.Bfloat16 : storage, layer.Stored!.Storage));
        foreach (var (name, parameter) in model.CheckpointParameters)
        {
            Assert.Equal(names.Contains(name), !parameter.isfinite().all().item<bool>());
            Assert.Equal(!names.Contains(name) && parameter.dim() > 1, parameter.requires_grad && parameter.dim() > 1);
        }
    }

    [Fact]
    public void A_checkpoint_in_16_bits_stored_in_16_loses_nothing()
    {
        using var directory = new TemporaryDirectory();
        using (var model = new ScoringModel(TinyModel.Create()))
            model.Save(directory.Path, ScalarType.BFloat16);
        using var whole = RewardTransformer.Load(directory.Path);
        using var stored = RewardTransformer.Load(directory.Path, frozenWeights: new FrozenWeights(WeightStorage.Bfloat16, 0));
        TokenizedList[] lists = [TinyModel.List(1, 9, 5, 4)];
        Assert.Equal(new RewardScorer(whole).Score(lists), new RewardScorer(stored).Score(lists));
    }

    [Theory, MemberData(nameof(Storages))]
    public void A_model_is_saved_with_the_weights_that_it_was_loaded_with_and_scores_again_with_the_stored_ones(WeightStorage storage)
    {
        using var directory = new TemporaryDirectory();
        Save(directory["original"]);
        using var model = ScoringModel.LoadForTraining(directory["original"], frozenWeights: new FrozenWeights(storage, 1));
        model.Save(directory["saved"]);
        using var original = CheckpointReader.Open(directory["original"]);
        using var saved = CheckpointReader.Open(directory["saved"]);
        Assert.Equal(original.Names, saved.Names);
        foreach (var name in original.Names)
        {
            using Tensor expected = original.Read(name), found = saved.Read(name);
            Assert.Equal(expected.bytes.ToArray(), found.bytes.ToArray());
        }
        Assert.Equal(
            storage.ToString().ToLowerInvariant(),
            (string?)JsonNode.Parse(File.ReadAllText(directory["saved/reward_model.json"]))!["rule"]!["frozen_weights"]!["storage"]);

        using var loaded = ScoringModel.Load(directory["saved"]);
        using var whole = ScoringModel.Load(directory["original"]);
        TokenizedList[] lists = [TinyModel.List(1, 9, 5, 4, 7)];
        Assert.Equal(new FrozenWeights(storage, 1), loaded.Rule.FrozenWeights);
        Assert.Equal(model.Scorer().Score(lists), loaded.Scorer().Score(lists));
        Assert.NotEqual(whole.Scorer().Score(lists), loaded.Scorer().Score(lists));
        // Saved again, from what it was loaded from, and into it.
        loaded.Save(directory["again"]);
        loaded.Save(directory["saved"]);
        Assert.Equal(File.ReadAllBytes(directory["saved/model.safetensors"]), File.ReadAllBytes(directory["again/model.safetensors"]));
        Assert.Equal(File.ReadAllBytes(directory["original/model.safetensors"]), File.ReadAllBytes(directory["again/model.safetensors"]));
    }

    [Fact]
    public void Further_training_of_a_saved_model_stores_what_it_is_told_to()
    {
        using var directory = new TemporaryDirectory();
        Save(directory["original"]);
        using (var model = ScoringModel.LoadForTraining(directory["original"], frozenWeights: new FrozenWeights(WeightStorage.Nf4, 1)))
            model.Save(directory["saved"]);
        using var further = ScoringModel.LoadForTraining(directory["saved"]);
        Assert.Null(further.Rule.FrozenWeights);
        Assert.Null(further.Transformer.FrozenWeights);
        further.Save(directory["further"]);
        Assert.DoesNotContain("frozen_weights", File.ReadAllText(directory["further/reward_model.json"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_that_are_not_what_they_were_are_not_saved()
    {
        using var directory = new TemporaryDirectory();
        Save(directory["original"]);
        using var model = ScoringModel.LoadForTraining(directory["original"], frozenWeights: new FrozenWeights(WeightStorage.Int8, 1));
        Save(directory["original"], seed: 2);
        var exception = Assert.Throws<CheckpointException>(() => model.Save(directory["saved"]));
        Assert.Equal(["tensor 'model.embed_tokens.weight' is not what it was when the model was loaded"], exception.Problems);
        Assert.False(File.Exists(directory["saved/config.json"]));
    }

    [Fact]
    public void What_is_stored_cannot_be_trained()
    {
        using var directory = new TemporaryDirectory();
        Save(directory.Path);
        using var model = RewardTransformer.Load(directory.Path, frozenWeights: new FrozenWeights(WeightStorage.Nf4, 1));
        model.Freeze(1);
        model.Freeze(0);
        foreach (var (count, what) in new (int?, string)[] { (2, "2 layers"), (null, "All layers") })
            Assert.Equal(
                $"{what} would be trained, but the weights before the last 1 layer are stored as Nf4 and can't be trained. Load the model with "
                + "other frozen weights, or with none.",
                Assert.Throws<InvalidOperationException>(() => model.Freeze(count)).Message);
        Assert.Equal(
            "3 layers of Nf4 weights would be unfrozen; this Llama has 2 layers.",
            Assert.Throws<ArgumentException>(
                () => RewardTransformer.Load(directory.Path, frozenWeights: new FrozenWeights(WeightStorage.Nf4, 3))).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new FrozenWeights(WeightStorage.Float32, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FrozenWeights(WeightStorage.Nf4, -1));
    }

    [Fact]
    public void A_model_that_moves_scores_as_before()
    {
        using var directory = new TemporaryDirectory();
        Save(directory.Path);
        using var model = RewardTransformer.Load(directory.Path, frozenWeights: new FrozenWeights(WeightStorage.Nf4, 1));
        TokenizedList[] lists = [TinyModel.List(1, 9, 5, 4, 7)];
        var expected = new RewardScorer(model).Score(lists);
        model.MoveTo(CPU);
        Assert.Equal(expected, new RewardScorer(model).Score(lists));
    }

    /// <summary>The norm of the difference, relative to the first.</summary>
    private static double Change(float[] from, float[] to) => Math.Sqrt(
        from.Zip(to).Sum(pair => Math.Pow((double)pair.First - pair.Second, 2)) / from.Sum(value => (double)value * value));

    private static void Save(string directory, long seed = 1)
    {
        using var model = new ScoringModel(TinyModel.Create(seed: seed));
        model.Save(directory);
    }

    private static RewardTransformer WithRoundedWeights(string directory, RewardTransformer stored)
    {
        var rounded = RewardTransformer.Load(directory);
        rounded.Freeze(stored.FrozenWeights!.UnfrozenLayers);
        using var _ = no_grad();
        foreach (var (from, to) in Layers(stored).Zip(Layers(rounded)))
            if (from.Stored is { } matrix)
                to.Weight.copy_(matrix.Values());
        return rounded;

        static IEnumerable<WeightLayer> Layers(RewardTransformer model) => model.Backbone.modules().OfType<WeightLayer>();
    }

    private static (float[] Rewards, Dictionary<string, float[]> Gradients) Pass(
        RewardTransformer model, IReadOnlyList<TokenizedList> lists, bool checkpointing)
    {
        using var scope = NewDisposeScope();
        model.zero_grad();
        var loss = RankingLoss.ByName("log-sigmoid");
        using var targets = loss.TargetsOf([.. lists.Select(RankingList.Of)]);
        using var sequences = model.Pack(lists);
        using var pass = new ForwardPass(sequences, checkpointing: checkpointing);
        var rewards = model.forward(pass);
        pass.Backward(loss.Sum(rewards, targets));
        using var values = rewards.detach().data<float>();
        return (values.ToArray(), model.TrainedParameters.Where(pair => pair.Parameter.grad is not null)
            .ToDictionary(pair => pair.Name, pair => pair.Parameter.grad!.contiguous().data<float>().ToArray()));
    }
}
