using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Training.Data;

namespace RewardModel.Tests;

/// <summary>Models and lists that are small enough to compute many times.</summary>
internal static class TinyModel
{
    public const int VocabularySize = 61;

    public static readonly string[] Architectures = ["gpt2", "llama"];

    public static JsonObject Config(string architecture) => architecture switch
    {
        "gpt2" => new JsonObject
        {
            ["model_type"] = "gpt2",
            ["vocab_size"] = VocabularySize,
            ["n_positions"] = 96,
            ["n_embd"] = 24,
            ["n_layer"] = 2,
            ["n_head"] = 3,
            ["initializer_range"] = 0.2,
        },
        "llama" => new JsonObject
        {
            ["model_type"] = "llama",
            ["vocab_size"] = VocabularySize,
            ["max_position_embeddings"] = 96,
            ["hidden_size"] = 24,
            ["intermediate_size"] = 40,
            ["num_hidden_layers"] = 2,
            ["num_attention_heads"] = 4,
            ["num_key_value_heads"] = 2,
            ["initializer_range"] = 0.2,
        },
        _ => throw new ArgumentException($"no tiny model of '{architecture}'", nameof(architecture)),
    };

    public static RewardTransformer Create(string architecture = "llama", double dropout = 0, long seed = 1) =>
        RewardTransformer.FromConfig(HuggingFaceConfig.Parse(Config(architecture).ToJsonString(), "config.json"), dropout, seed);

    /// <summary>A list with random token ids of the given lengths, best answer first.</summary>
    public static TokenizedList List(ulong seed, int promptLength, params int[] answerLengths)
    {
        var random = new SplitMix64(seed);
        int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextBelow(VocabularySize))];
        return new TokenizedList(Ids(promptLength), [.. answerLengths.Select(Ids)], RankedList.ScoresOfOrder(answerLengths.Length));
    }

    /// <summary>
    /// A rule to learn that no bag of tokens shows: an answer of the prompt's first token and another one is better when the
    /// prompt's token comes first.
    /// </summary>
    public static TokenizedList[] OrderTask(int count, ulong seed)
    {
        var random = new SplitMix64(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            var asked = random.NextBelow(10);
            var other = (asked + 1 + random.NextBelow(9)) % 10;
            return new TokenizedList([asked, 20], [[asked, other, 21], [other, asked, 21]], [1, 0]);
        })];
    }
}
