using System.Text.Json.Nodes;

namespace RewardModel.Checkpoints;

/// <summary>
/// The settings of a <c>config.json</c> that cannot change a reward in any architecture. An architecture that uses one of them
/// reads it like any other; being listed here only means that it need not.
/// </summary>
internal static class IrrelevantSettings
{
    private static readonly HashSet<string> WhateverTheValue =
    [
        // Where the file comes from.
        "_name_or_path", "architectures", "model_type", "transformers_version", "tokenizer_class", "finetuning_task", "unsloth_version",

        // How the weights were stored: the files themselves say it, and the caller chooses the type to compute in.
        "torch_dtype", "dtype", "use_bfloat16",

        // Which kernels to use, and what else to return beside the result.
        "attn_implementation", "_attn_implementation", "_attn_implementation_autoset", "return_dict", "output_attentions",
        "output_hidden_states", "chunk_size_feed_forward",

        // Only training from nothing uses these.
        "initializer_range", "gradient_checkpointing",

        // The labels' names and kind; there is one, and it has no name.
        "id2label", "label2id", "problem_type", "tf_legacy_loss", "task_specific_params",

        // The vocabulary head is not part of a reward model.
        "tie_word_embeddings", "tie_encoder_decoder",

        // The tokenizer's files decide which special tokens are added, and rewards are read by position.
        "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "cls_token_id", "mask_token_id", "unk_token_id",
        "decoder_start_token_id",

        // Of another trainer's head, which ForeignHead reads.
        .. ForeignHead.Settings,

        // Text generation: a reward model generates nothing.
        "use_cache", "max_length", "min_length", "max_new_tokens", "do_sample", "early_stopping", "num_beams", "num_beam_groups",
        "diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty",
        "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences", "output_scores",
        "return_dict_in_generate", "forced_bos_token_id", "forced_eos_token_id", "remove_invalid_values",
        "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens", "prefix",
    ];

    // Features that don't change a reward as long as they are switched off: the setting and its value for "off".
    private static readonly Dictionary<string, JsonNode> WhenOff = new()
    {
        ["is_decoder"] = false,
        ["is_encoder_decoder"] = false,
        ["add_cross_attention"] = false,
        ["torchscript"] = false,
        ["num_labels"] = 1,
        ["pruned_heads"] = new JsonObject(),
    };

    /// <summary>The one value with which the setting doesn't change a reward; null for a setting that is not known.</summary>
    public static JsonNode? OffValue(string key) => WhenOff.GetValueOrDefault(key);

    public static bool Contains(string key, JsonNode value) =>
        WhateverTheValue.Contains(key) || (WhenOff.TryGetValue(key, out var off) && JsonNode.DeepEquals(value, off));
}
