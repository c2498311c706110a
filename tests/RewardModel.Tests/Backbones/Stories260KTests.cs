using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Lists;
using RewardModel.Packing;
using RewardModel.Scoring;
using RewardModel.Tokenizers;
using static TorchSharp.torch;

namespace RewardModel.Tests.Backbones;

/// <summary>A pretrained Llama, against numbers of another implementation than transformers.</summary>
public class Stories260KTests
{
    private const string Model = "data/models/stories260K";

    [SharedFact(Model)]
    public void Hidden_states_equal_those_of_the_original_program()
    {
        using var scope = NewDisposeScope();
        using var model = RewardTransformer.Load(Shared.PathOf(Model));
        Assert.True(model.HasNewHead);
        model.eval();
        using var _ = no_grad();
        var cases = JsonNode.Parse(File.ReadAllText(Shared.PathOf($"{Model}/golden.json")))!["cases"]!.AsArray();
        Assert.Equal(7, cases.Count);
        foreach (var golden in cases)
        {
            using var sequences = PackedSequences.Pack([new TokenizedList([], [golden!["ids"].Deserialize<int[]>()!], [0])]);
            using var last = model.Backbone.call(sequences).index_select(0, sequences.ScoredRows).data<float>();
            var expected = golden["last_hidden_after_final_norm"].Deserialize<float[]>()!;
            var found = last.ToArray();
            Assert.Equal(expected.Length, found.Length);
            // The file has seven digits, and hidden states go up to about 10.
            for (var i = 0; i < expected.Length; i++)
                Assert.Equal(expected[i], found[i], 1e-4);
        }
    }

    [SharedFact(Model)]
    public void Saved_as_a_reward_model_every_weight_is_read_back_bit_for_bit()
    {
        using var directory = new TemporaryDirectory();
        var tokenizer = HuggingFaceTokenizer.Load(Shared.PathOf(Model));
        using var model = new ScoringModel(RewardTransformer.Load(Shared.PathOf(Model), seed: 3), tokenizer);
        model.Save(directory.Path);
        using var loaded = ScoringModel.Load(directory.Path);
        Assert.False(loaded.Transformer.HasNewHead);
        foreach (var (saved, read) in model.Transformer.CheckpointParameters.Zip(loaded.Transformer.CheckpointParameters))
        {
            Assert.Equal(saved.Name, read.Name);
            Assert.Equal(saved.Parameter.bytes.ToArray(), read.Parameter.bytes.ToArray());
        }
        Assert.Equal(model.Score("Once upon a time", "there was a dog", "the"), loaded.Score("Once upon a time", "there was a dog", "the"));
        // The padding token, which this tokenizer lacks, is written into these two.
        foreach (var file in tokenizer.Files.Where(
            file => Path.GetFileName(file) is not ("tokenizer_config.json" or "special_tokens_map.json")))
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(directory[Path.GetFileName(file)]));
    }
}
