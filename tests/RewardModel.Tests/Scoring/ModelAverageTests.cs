using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tests.Cli;
using RewardModel.Tests.Parity;
using static TorchSharp.torch;

namespace RewardModel.Tests.Scoring;

[Collection(nameof(RunsAlone))]
public sealed class ModelAverageTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public static TheoryData<string> Architectures => [.. ParityModel.NamesOfRepository];

    public void Dispose() => directory.Dispose();

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Every_weight_is_the_mean_of_the_models_weights(string name)
    {
        using var parity = ParityModel.OfRepository(name);
        foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        {
            string[] models = [.. Enumerable.Range(0, 3).Select(i => directory[$"{type}-{i}"])];
            for (var i = 0; i < models.Length; i++)
                SaveChanged(parity.Directory, models[i], seed: i, type);
            var output = directory[$"{type}-average"];
            Assert.Equal(
                (0, $"Model: {output}\n", ""),
                CommandLineTests.Run(["average", .. models, "--output", output, "--weights", "0.5,0.25,0.25"]));
            using var average = ScoringModel.LoadAverage(models);
            using var saved = CheckpointReader.Open(output);
            var readers = models.Select(model => CheckpointReader.Open(model)).ToArray();
            try
            {
                Assert.Equal(readers[0].Names, saved.Names);
                foreach (var (tensor, parameter) in average.Transformer.CheckpointParameters)
                {
                    double[][] values = [.. readers.Select(reader => Values(reader.Read(tensor, ScalarType.Float64)))];
                    AssertRounded(
                        [.. values[0].Select((_, i) => (values[0][i] + values[1][i] + values[2][i]) / 3)],
                        Values(parameter.to(ScalarType.Float64)), bits: 24);
                    Assert.Equal(type, TensorBytes.ToScalarType(saved.Entry(tensor).Type));
                    AssertRounded(
                        [.. values[0].Select((_, i) => 0.5 * values[0][i] + 0.25 * values[1][i] + 0.25 * values[2][i])],
                        Values(saved.Read(tensor, ScalarType.Float64)), bits: type == ScalarType.Float32 ? 24 : 8);
                }
            }
            finally
            {
                foreach (var reader in readers)
                    reader.Dispose();
            }
            // It is a model like another one.
            using var loaded = ScoringModel.Load(output);
            Assert.Equal(RewardNormalizer.None, loaded.Rule.Normalizer);
            Assert.All(loaded.Scorer().Score(parity.RankedLists()), rewards => Assert.All(rewards, reward => Assert.True(float.IsFinite(reward))));
        }
    }

    [Fact]
    public void A_model_averaged_with_itself_stays_as_it_is_to_the_bit()
    {
        using (var model = new ScoringModel(TinyModel.Create(), ScoringModelTests.Tokenizer(directory), maxLength: 12))
            model.Save(directory["model"]);
        using var average = ScoringModel.LoadAverage([directory["model"], directory["model"], directory["model"]], [0.1, 0.7, 3]);
        average.Save(directory["average"]);
        foreach (var file in Directory.GetFiles(directory["model"]))
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(directory["average"], Path.GetFileName(file))));
    }

    [Fact]
    public void A_head_of_another_trainer_is_averaged_too_and_normalisers_are_dropped_with_a_warning()
    {
        foreach (var (name, seed) in new[] { ("a", 1), ("b", 2) })
        {
            using var model = new ScoringModel(TinyModel.Create(seed: seed));
            if (name == "a")
                model.SetNormalizer(new RewardNormalizer(3, 2));
            model.Save(directory[name]);
        }
        File.Delete(directory["b/reward_model.json"]);
        var tensors = new List<(string, Tensor)>();
        using (var reader = CheckpointReader.Open(directory["b"]))
            tensors.AddRange(reader.Names.Select(name => (name == "score.weight" ? "v_head.weight" : name, reader.Read(name))));
        tensors.Add(("v_head.bias", tensor(new[] { 5f })));
        CheckpointWriter.Write(directory["b"], tensors);
        var (status, _, errors) = CommandLineTests.Run("average", directory["a"], directory["b"], "--output", directory["c"]);
        Assert.Equal(
            (0, $"warning: the normaliser of '{directory["a"]}', '{directory["b"]}' is not that of the average, whose rewards are raw; "
                + "reward-model normalize gives them a scale\n"),
            (status, errors));
        using var average = ScoringModel.Load(directory["c"]);
        Assert.Equal(RewardNormalizer.None, average.Rule.Normalizer);
        using var first = CheckpointReader.Open(directory["a"]);
        var head = Values(average.Transformer.CheckpointParameters.Single(pair => pair.Name == "score.weight").Parameter.to(ScalarType.Float64));
        var (ofA, ofB) = (Values(first.Read("score.weight", ScalarType.Float64)), Values(tensors.Single(pair => pair.Item1 == "v_head.weight").Item2.to(ScalarType.Float64)));
        AssertRounded([.. ofA.Zip(ofB, (a, b) => (a + b) / 2)], head, bits: 24);
    }

    [Fact]
    public void All_differences_of_models_are_told_at_once()
    {
        var tokenizer = ScoringModelTests.Tokenizer(directory);
        using (var model = new ScoringModel(TinyModel.Create(), tokenizer, maxLength: 12))
            model.Save(directory["a"]);
        using (var model = new ScoringModel(TinyModel.Create("gpt2")))
            model.Save(directory["b"]);
        var config = TinyModel.Config("llama");
        (config["num_hidden_layers"], config["rope_theta"]) = (3, 5000);
        using (var model = new ScoringModel(RewardTransformer.FromConfig(HuggingFaceConfig.Parse(config.ToJsonString(), "x")), tokenizer, maxLength: 13))
            model.Save(directory["c"]);
        var (a, b, c) = (directory["a"], directory["b"], directory["c"]);
        Assert.Equal(
            $"""
            {a}, {b}, {c}: 8 problems
              - '{b}': the architecture is gpt2; expected llama, as in '{a}'
              - '{b}': the special tokens around prompt and answer are others, as in '{a}'
              - '{b}': the maximum length is 96; expected 12, as in '{a}'
              - '{b}': the tokenizer has no tokenizer.json; expected it, as in '{a}'
              - '{b}': the tokenizer has no tokenizer_config.json; expected it, as in '{a}'
              - '{c}': 'num_hidden_layers' is 3; expected 2, as in '{a}'
              - '{c}': 'rope_theta' is 5000; expected not set, as in '{a}'
              - '{c}': the maximum length is 13; expected 12, as in '{a}'
            Average models that were trained from one checkpoint, or score with all of them instead.
            """.ReplaceLineEndings("\n"),
            Assert.Throws<CheckpointException>(() => ScoringModel.LoadAverage([a, b, c])).Message);
        Assert.Equal((1, ""), CommandLineTests.Run("average", a, b, "--output", directory["d"]) is var (status, output, _) ? (status, output) : default);
        Assert.False(Directory.Exists(directory["d"]));
    }

    [Fact]
    public void What_can_not_be_averaged_is_told()
    {
        using (var model = new ScoringModel(TinyModel.Create()))
            model.Save(directory["a"]);
        string[] two = [directory["a"], directory["a"]];
        Assert.Equal(
            "1 models are given to be averaged; expected at least 2. (Parameter 'directories')",
            Assert.Throws<ArgumentException>(() => ScoringModel.LoadAverage([directory["a"]])).Message);
        Assert.Equal(
            "The weights of the models are 1; expected 2 numbers above 0, one for each model. (Parameter 'weights')",
            Assert.Throws<ArgumentException>(() => ScoringModel.LoadAverage(two, [1])).Message);
        Assert.Equal(
            "The weights of the models are 1, -0.5; expected 2 numbers above 0, one for each model. (Parameter 'weights')",
            Assert.Throws<ArgumentException>(() => ScoringModel.LoadAverage(two, [1, -0.5])).Message);
        Assert.Equal(
            (2, "", "error: --weights is '1;2'; expected numbers with commas between them, such as 0.7,0.3.\n"),
            CommandLineTests.Run(["average", .. two, "--output", directory["b"], "--weights", "1;2"]));
        Assert.Equal(2, CommandLineTests.Run("average", directory["a"], "--output", directory["b"]).Status);
        Assert.Equal(
            (2, "", $"error: '{directory["a"]}' is not empty. Give a new --output, so that no file is overwritten.\n"),
            CommandLineTests.Run(["average", .. two, "--output", directory["a"]]));

        var config = JsonNode.Parse(File.ReadAllText(directory["a/config.json"]))!;
        Directory.CreateDirectory(directory["backbone"]);
        File.WriteAllText(directory["backbone/config.json"], config.ToJsonString());
        using (var reader = CheckpointReader.Open(directory["a"]))
            CheckpointWriter.Write(
                directory["backbone"], [.. reader.Names.Where(name => name != "score.weight").Select(name => (name, reader.Read(name)))]);
        Assert.Equal(
            $"{directory["backbone"]}: tensor 'score.weight' is missing; expected the head of a trained reward model. Train it first.",
            Assert.Throws<CheckpointException>(() => ScoringModel.LoadAverage([directory["a"], directory["backbone"]])).Message);
    }

    [Fact]
    public void No_tensors_are_left_behind()
    {
        foreach (var name in "ab")
            using (var model = new ScoringModel(TinyModel.Create(seed: name)))
                model.Save(directory[$"{name}"]);
        // TorchSharp's count keeps some of every model that is made: here three, two of shapes and their average.
        var loaded = CountedBy(() =>
        {
            foreach (var name in "aba")
                ScoringModel.Load(directory[$"{name}"]).Dispose();
        });
        Assert.Equal(loaded, CountedBy(() => ScoringModel.LoadAverage([directory["a"], directory["b"]]).Dispose()));

        static long CountedBy(Action action)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            var before = Tensor.TotalCount;
            action();
            return Tensor.TotalCount - before;
        }
    }

    /// <summary>A model whose weights differ a little from those of a parity model.</summary>
    private static void SaveChanged(string source, string target, int seed, ScalarType type)
    {
        using var model = ScoringModel.Load(source);
        using (no_grad())
        using (NewDisposeScope())
        {
            manual_seed(seed);
            foreach (var (_, parameter) in model.Transformer.CheckpointParameters)
                parameter.add_(randn_like(parameter), 0.01);
        }
        model.Save(target, type);
    }

    private static double[] Values(Tensor tensor)
    {
        using (tensor)
            return tensor.detach().contiguous().view(-1).data<double>().ToArray();
    }

    /// <summary>Nearest numbers of so many bits, up to a tie's other side, and to what float64 leaves of weights that cancel out.</summary>
    private static void AssertRounded(double[] expected, double[] found, int bits) =>
        Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second, Math.Abs(pair.First) * Math.Pow(2, -bits) * 1.01 + 1e-15));
}
