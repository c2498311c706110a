using System.Text.Json;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Training;
using RewardModel.Training.Data;
using RewardModel.Training.Planning;
using static TorchSharp.torch;

namespace RewardModel.Bench;

/// <summary>A Llama-shaped model and ranked lists of one size, which ranks train.</summary>
/// <param name="Name">What it is measured for.</param>
/// <param name="Layers">Its layers.</param>
/// <param name="Width">Numbers of a token between layers; a multiple of 64.</param>
/// <param name="Vocabulary">Token ids that the embedding has.</param>
/// <param name="PromptTokens">Tokens of a prompt.</param>
/// <param name="AnswerTokens">Tokens of each of its four answers.</param>
internal sealed record RankModel(string Name, int Layers, int Width, int Vocabulary, int PromptTokens, int AnswerTokens)
{
    public const int AnswerCount = 4;

    /// <summary>Lists that a rank has in a step, each a micro-batch of its own: the second adds to the gradients of the first.</summary>
    public const int ListsPerRank = 2;

    private const int listCount = 256;

    /// <summary>
    /// The first one for nothing but what a process takes that trains next to no model. Of the second one's lists a layer's input takes a
    /// mebibyte, as much as goes past libtorch's heap.
    /// </summary>
    public static IReadOnlyList<RankModel> All { get; } =
    [
        new("baseline", 2, 64, 256, 64, 32), new("memory", 4, 1024, 2048, 64, 48), new("scaling", 8, 320, 2048, 64, 32),
    ];

    /// <summary>Tokens of a list, its prompt once.</summary>
    public int TokensPerList => PromptTokens + AnswerCount * AnswerTokens;

    /// <summary>The model's config.json: a gated MLP of 8/3 of the width, no output matrix, as a reward model has none.</summary>
    public HuggingFaceConfig Config => HuggingFaceConfig.Parse(
        $$"""
        {
          "model_type": "llama", "vocab_size": {{Vocabulary}}, "hidden_size": {{Width}}, "intermediate_size": {{Width * 8 / 3 / 64 * 64}},
          "num_hidden_layers": {{Layers}}, "num_attention_heads": {{Width / 64}}, "num_key_value_heads": {{Width / 64}},
          "max_position_embeddings": 1024, "rms_norm_eps": 1e-5, "hidden_act": "silu"
        }
        """,
        "config.json");

    public static RankModel Named(string name) => All.First(model => model.Name == name);

    /// <summary>Writes the checkpoint, with its config.json, and the lists.</summary>
    public void Write(string directory)
    {
        Directory.CreateDirectory(directory);
        using (var model = RewardTransformer.FromConfig(Config, seed: 1))
        using (no_grad())
            CheckpointWriter.Write(directory, model.CheckpointParameters.Select(pair => (pair.Name, (Tensor)pair.Parameter)));
        File.WriteAllText(Path.Combine(directory, "config.json"), Config.Json.ToJsonString());
        var random = new SplitMix64(1);
        int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextBelow(Vocabulary))];
        File.WriteAllLines(
            ListsIn(directory),
            Enumerable.Range(0, listCount).Select(_ => JsonSerializer.Serialize(new
            {
                prompt_ids = Ids(PromptTokens),
                answer_ids = Enumerable.Range(0, AnswerCount).Select(_ => Ids(AnswerTokens)),
            })));
    }

    /// <summary>Options of a run on what <see cref="Write"/> has written: one thread for each rank, and no state but the last.</summary>
    public TrainingRunOptions Options(
        string directory, string output, Sharding sharding, int rankCount, int steps, int? loraRank) => new()
        {
            Data = ListsIn(directory),
            EvaluationFraction = 0,
            Backbone = directory,
            Output = output,
            Shard = sharding,
            Steps = steps,
            ListsPerStep = ListsPerRank * rankCount,
            MaxTokensPerBatch = TokensPerList,
            LoraRank = loraRank,
            LoraTargets = loraRank is null ? null : "all-linear",
            SaveInterval = steps,
            Threads = 1,
        };

    /// <summary>What <c>plan</c> takes for these lists.</summary>
    public WorkloadShape WorkloadOf(int rankCount) => new(listCount, AnswerCount, PromptTokens, AnswerTokens, ListsPerRank * rankCount);

    private static string ListsIn(string directory) => Path.Combine(directory, "lists.jsonl");
}
