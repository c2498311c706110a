using System.Text.Json;
using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Lists;
using RewardModel.Scoring;
using RewardModel.Training.Data;
using static TorchSharp.torch;

namespace RewardModel.Bench;

/// <summary>
/// A GPT-2-shaped reward model and one ranked list, which both sides train on: an optimiser step is that list. Answers have lengths
/// spread evenly over A +- 50 %.
/// </summary>
internal sealed record Workload(string Name, int Layers, int Width, int Heads, int PromptTokens, int AnswerTokens, int AnswerCount)
{
    private const int vocabularySize = 8192;

    public static Workload Large(int answers) => new($"L=6 d=768 K={answers}", 6, 768, 12, 256, 128, answers);

    public static Workload Small(int answers) => new($"L=4 d=256 K={answers}", 4, 256, 4, 256, 128, answers);

    public static Workload Tiny(int answers) => new($"L=2 d=64 K={answers}", 2, 64, 4, 256, 128, answers);

    /// <summary>Lengths of the answers, in tokens.</summary>
    public int[] AnswerLengths => AnswerCount == 1 ? [AnswerTokens] : [.. Enumerable.Range(0, AnswerCount).Select(
        k => AnswerTokens / 2 + (int)Math.Round(AnswerTokens * k / (AnswerCount - 1.0)))];

    /// <summary>Tokens of the prompt and of all answers.</summary>
    public int PackedTokens => PromptTokens + AnswerLengths.Sum();

    /// <summary>Tokens of all answers with a prompt each, without padding.</summary>
    public int TokensOnce => AnswerCount * PromptTokens + AnswerLengths.Sum();

    /// <summary>Tokens of all pairs of answers, each with a prompt, without padding.</summary>
    public int TokensOfPairs => TokensOnce * (AnswerCount - 1);

    /// <summary>How often each side takes its turn in a full run: short steps vary more.</summary>
    public int Rounds => Layers switch { 2 => 45, 4 => 9, _ => 5 };

    /// <summary>
    /// Arithmetic of one step where each token is computed once and the prompt is shared: 6 per weight and token, and 12 times the
    /// width per layer and attended pair of query and key, forward and backward.
    /// </summary>
    public double FlopsOfStep
    {
        get
        {
            double tokens = PackedTokens;
            var attended = PromptTokens * (PromptTokens + 1.0) / 2
                + AnswerLengths.Sum(length => length * (double)PromptTokens + length * (length + 1.0) / 2);
            return 72.0 * Layers * Width * Width * tokens + 12.0 * Layers * Width * attended;
        }
    }

    public JsonObject Config => new()
    {
        ["model_type"] = "gpt2",
        ["vocab_size"] = vocabularySize,
        ["n_positions"] = 1024,
        ["n_embd"] = Width,
        ["n_layer"] = Layers,
        ["n_head"] = Heads,
    };

    public TokenizedList List
    {
        get
        {
            var random = new SplitMix64(1);
            int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextBelow(vocabularySize))];
            return new TokenizedList(Ids(PromptTokens), [.. AnswerLengths.Select(Ids)], RankedList.ScoresOfOrder(AnswerCount));
        }
    }

    /// <summary>Writes the checkpoint and the list, from which every side starts.</summary>
    public void Write(string directory)
    {
        using (var model = RewardTransformer.FromConfig(HuggingFaceConfig.Parse(Config.ToJsonString(), "config.json"), seed: 1))
        using (no_grad())
            CheckpointWriter.Write(directory, model.CheckpointParameters.Select(pair => (pair.Name, (Tensor)pair.Parameter)));
        File.WriteAllText(Path.Combine(directory, "config.json"), Config.ToJsonString());
        var list = List;
        File.WriteAllText(
            Path.Combine(directory, "list.json"), JsonSerializer.Serialize(new { prompt = list.PromptIds, answers = list.AnswerIds }));
    }
}
