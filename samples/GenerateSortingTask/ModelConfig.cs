using System.Text.Json.Nodes;

namespace GenerateSortingTask;

/// <summary>The config.json of a small Llama, to be trained from scratch.</summary>
internal static class ModelConfig
{
    public static JsonObject Build(TaskTokenizer tokenizer) => new()
    {
        ["architectures"] = new JsonArray("LlamaForSequenceClassification"),
        ["model_type"] = "llama",
        ["vocab_size"] = tokenizer.VocabularySize,
        ["hidden_size"] = Sizes.HiddenSize,
        ["intermediate_size"] = 2 * Sizes.HiddenSize,
        ["num_hidden_layers"] = Sizes.Layers,
        ["num_attention_heads"] = Sizes.AttentionHeads,
        ["num_key_value_heads"] = Sizes.AttentionHeads,
        ["head_dim"] = Sizes.HiddenSize / Sizes.AttentionHeads,
        ["hidden_act"] = "silu",
        ["max_position_embeddings"] = Sizes.MaxPositions,
        ["rms_norm_eps"] = 1e-6,
        ["rope_theta"] = 10000.0,
        ["attention_bias"] = false,
        ["mlp_bias"] = false,
        ["initializer_range"] = 0.02,
        ["tie_word_embeddings"] = false,
        ["eos_token_id"] = tokenizer.EndOfTextId,
        ["pad_token_id"] = tokenizer.PaddingId,
        ["id2label"] = new JsonObject { ["0"] = "reward" },
        ["label2id"] = new JsonObject { ["reward"] = 0 },
    };
}
