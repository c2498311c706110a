using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;
using RewardModel.Tokenizers;

namespace RewardModel.Bench;

/// <summary>The model of the serving benchmark: Llama's architecture with random weights, and a tokenizer of Hugging Face's.</summary>
internal static class ServingModel
{
    /// <param name="tokenizer">A directory with tokenizer.json.</param>
    /// <param name="width">Of its hidden states: 256 makes 6 layers, 768 makes 12.</param>
    /// <param name="output">Where the model goes.</param>
    public static void Write(string tokenizer, int width, string output)
    {
        var loaded = HuggingFaceTokenizer.Load(tokenizer);
        var config = HuggingFaceConfig.Parse(
            $$"""
            {
              "model_type": "llama", "vocab_size": {{loaded.VocabularySize}}, "hidden_size": {{width}}, "intermediate_size": {{width * 8 / 3 / 64 * 64}},
              "num_hidden_layers": {{(width < 512 ? 6 : 12)}}, "num_attention_heads": {{width / 64}}, "num_key_value_heads": {{width / 64}},
              "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "hidden_act": "silu"
            }
            """,
            "config.json");
        using var model = new ScoringModel(RewardTransformer.FromConfig(config, seed: 1), loaded);
        model.Save(output);
        // The peer adds no token at the end of an answer either.
        var file = Path.Combine(output, "reward_model.json");
        var rule = JsonNode.Parse(File.ReadAllText(file))!;
        rule["rule"]!["special_tokens"]!["after_answer"] = new JsonArray();
        File.WriteAllText(file, rule.ToJsonString());
    }
}
