using System.Text.Json.Nodes;
using RewardModel.Lists;
using RewardModel.Training.Data;

namespace RewardModel.GpuKit;

/// <summary>A model's shape and the ranked lists of one step: a prompt and K answers, whose lengths spread evenly over A +- 50 %.</summary>
/// <param name="Name">The model's and the answers'.</param>
/// <param name="Config">As config.json has it; dropout is 0.</param>
/// <param name="Layers">Count.</param>
/// <param name="Width">Of all query heads together.</param>
/// <param name="Weights">Of a layer's matrices.</param>
/// <param name="KeyWeights">Those of them that make keys and values.</param>
/// <param name="PromptTokens">Of each prompt.</param>
/// <param name="AnswerTokens">A.</param>
/// <param name="AnswerCount">K.</param>
/// <param name="ListCount">Lists of a step.</param>
/// <param name="TokensPerBatch">That go through our model at once.</param>
/// <param name="PeerRows">Padded rows that go through the peer's at once.</param>
internal sealed record Workload(
    string Name, JsonObject Config, int Layers, int Width, long Weights, long KeyWeights, int PromptTokens, int AnswerTokens,
    int AnswerCount, int ListCount, int TokensPerBatch, int PeerRows)
{
    public static readonly string[] Models = ["gpt2", "llama"];

    public static readonly int[] AnswerCounts = [4, 9];

    /// <summary>gpt2-4 and so on. On the CPU a small model of the same kind.</summary>
    public static Workload Named(string name, string device)
    {
        var parts = name.Split('-');
        var answers = int.Parse(parts[1]);
        return (parts[0], device) switch
        {
            ("gpt2", "cpu") => Small(Gpt2("GPT-2, tiny", 512, 2, 64, 4, answers)),
            ("gpt2", _) => Gpt2("GPT-2, 124M", 50257, 12, 768, 12, answers),
            ("llama", "cpu") => Small(Llama("Llama, tiny", 512, 2, 64, 4, 2, 128, answers)),
            ("llama", _) => Llama("Llama, 1B", 128256, 16, 2048, 32, 8, 8192, answers),
            _ => throw new ArgumentException($"no such workload: {name}"),
        };

        static Workload Small(Workload workload) => workload with { PromptTokens = 32, AnswerTokens = 16, ListCount = 2 };
    }

    private static Workload Gpt2(string name, int vocabulary, int layers, int width, int heads, int answers) => new(
        $"{name}, K={answers}",
        new JsonObject
        {
            ["model_type"] = "gpt2",
            ["vocab_size"] = vocabulary,
            ["n_positions"] = 1024,
            ["n_embd"] = width,
            ["n_layer"] = layers,
            ["n_head"] = heads,
            ["attn_pdrop"] = 0.0,
            ["embd_pdrop"] = 0.0,
            ["resid_pdrop"] = 0.0,
        },
        layers, width, 12L * width * width, 2L * width * width, PromptTokens: 512, AnswerTokens: 256, answers, ListCount: 8,
        TokensPerBatch: 24_000, PeerRows: 32);

    private static Workload Llama(
        string name, int vocabulary, int layers, int width, int heads, int keyHeads, int inner, int answers)
    {
        var keys = 2L * width * (width / heads * keyHeads);
        return new Workload(
            $"{name}, K={answers}",
            new JsonObject
            {
                ["model_type"] = "llama",
                ["vocab_size"] = vocabulary,
                ["max_position_embeddings"] = 2048,
                ["hidden_size"] = width,
                ["intermediate_size"] = inner,
                ["num_hidden_layers"] = layers,
                ["num_attention_heads"] = heads,
                ["num_key_value_heads"] = keyHeads,
            },
            layers, width, 2L * width * width + keys + 3L * width * inner, keys, PromptTokens: 512, AnswerTokens: 256, answers,
            ListCount: 4, TokensPerBatch: 8192, PeerRows: 16);
    }

    public int[] AnswerLengths => [.. Enumerable.Range(0, AnswerCount).Select(
        k => AnswerTokens / 2 + (int)Math.Round(AnswerTokens * k / (AnswerCount - 1.0)))];

    /// <summary>Tokens of a step, each prompt counted once.</summary>
    public int TokenCount => ListCount * (PromptTokens + AnswerLengths.Sum());

    public TokenizedList[] Lists
    {
        get
        {
            var random = new SplitMix64(1);
            // 0 is the peer's padding.
            int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => 1 + random.NextBelow((int)Config["vocab_size"]! - 1))];
            return [.. Enumerable.Range(0, ListCount).Select(_ => new TokenizedList(
                Ids(PromptTokens), [.. AnswerLengths.Select(Ids)], RankedList.ScoresOfOrder(AnswerCount)))];
        }
    }

    /// <summary>
    /// Arithmetic of our step, forward and backward: 6 per weight and token, and 12 times the width per attended pair of query and key. In
    /// the last layer all tokens have keys and values, and only the scored ones the rest.
    /// </summary>
    public double SharedFlops
    {
        get
        {
            double all = PromptTokens + AnswerLengths.Sum();
            double attended = Triangle(PromptTokens) + AnswerLengths.Sum(length => (double)length * PromptTokens + Triangle(length));
            double attendedByScored = AnswerLengths.Sum(length => PromptTokens + length);
            return ListCount * ((Layers - 1) * (6 * Weights * all + 12 * Width * attended)
                + 6 * (KeyWeights * all + (Weights - KeyWeights) * AnswerCount) + 12 * Width * attendedByScored);
        }
    }

    /// <summary>The same where every answer brings its prompt, without padding, so often.</summary>
    public double SeparateFlops(int times) => times * ListCount * Layers * AnswerLengths.Sum(
        length => 6.0 * Weights * (PromptTokens + length) + 12.0 * Width * Triangle(PromptTokens + length));

    private static double Triangle(double length) => length * (length + 1) / 2;
}
