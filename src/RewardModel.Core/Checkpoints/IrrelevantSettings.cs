using System.Globalization;
using System.Text.Json;
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
        // Where the file comes from, and who edited it.
        "_name_or_path", "architectures", "model_type", "transformers_version", "tokenizer_class", "finetuning_task", "unsloth_version",
        "unsloth_fixed", "_commit_hash", "is_llama_config", "transformers.js_config", "sentence_transformers", "model_name",

        // Code for the architecture from before transformers had it, or for other tasks; none is run here.
        "auto_map", "custom_pipelines",

        // How the weights were stored: the files themselves say it, and the caller chooses the type to compute in.
        "torch_dtype", "dtype", "use_bfloat16",

        // Which kernels to use, how the work is divided, and what else to return beside the result.
        "attn_implementation", "_attn_implementation", "_attn_implementation_autoset", "_attn_implementation_internal",
        "_flash_attn_2_enabled", "use_flash_attn", "pretraining_tp", "return_dict", "use_return_dict", "output_attentions",
        "output_hidden_states", "output_past", "chunk_size_feed_forward", "keys_to_ignore_at_inference",

        // Only training from nothing uses these.
        "initializer_range", "initializer_factor", "init_std", "gradient_checkpointing",

        // Rates of dropout: the caller chooses one for all.
        "dropout", "attention_dropout", "hidden_dropout", "activation_dropout", "classifier_dropout", "attn_pdrop", "embd_pdrop",
        "resid_pdrop", "hidden_dropout_prob", "attention_probs_dropout_prob",

        // The head's outputs, of which RewardOutputs reads count, names and weights.
        .. RewardOutputs.Settings, "id2label", "label2id", "problem_type", "tf_legacy_loss", "task_specific_params", "_num_labels",

        // The vocabulary head is not part of a reward model.
        "tie_word_embeddings", "tie_encoder_decoder",

        // The tokenizer's files decide which special tokens are added, and rewards are read by position.
        "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "cls_token_id", "mask_token_id", "unk_token_id",
        "decoder_start_token_id", "bos_token", "eos_token", "pad_token", "unk_token", "eos_token_ids",

        // Lengths that a trainer or tokenizer was set to; the model's own limit has another name in every architecture.
        "max_sequence_length", "model_max_length", "tokenizer_model_max_length",

        // Of another trainer's head, which ForeignHead reads.
        .. ForeignHead.Settings,

        // Text generation: a reward model generates nothing.
        "use_cache", "cache_implementation", "max_length", "min_length", "max_new_tokens", "do_sample", "early_stopping", "num_beams",
        "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty",
        "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences", "output_scores",
        "return_dict_in_generate", "forced_bos_token_id", "forced_eos_token_id", "remove_invalid_values",
        "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens", "prefix",
    ];

    // Features that don't change a reward as long as they are switched off: the setting, its value for "off", and what it does otherwise.
    private static readonly Dictionary<string, (JsonNode Off, string Effect)> WhenOff = new()
    {
        ["is_decoder"] = (false, "an encoder that reads in one direction only is not supported"),
        ["is_encoder_decoder"] = (false, "models of an encoder and a decoder are not supported"),
        ["is_composition"] = (false, "models that are made of others are not supported"),
        ["add_cross_attention"] = (false, "attention to another model's states is not supported"),
        ["torchscript"] = (false, "it changes which weights are shared"),
        ["pruned_heads"] = (new JsonObject(), "heads that are left out are not supported"),
        ["rope_interleaved"] = (false, "rotary positions would turn neighbouring channels instead of the two halves of a head"),
        ["rope_traditional"] = (false, "rotary positions would turn neighbouring channels instead of the two halves of a head"),
        ["use_mrope"] = (false, "rotary positions in pictures are not supported"),
        ["use_sliding_window"] = (false, "this architecture has no windows that this setting would switch on"),
        ["attention_bias"] = (false, "this architecture has no biases in attention"),
        ["mlp_bias"] = (false, "this architecture has no biases in the MLP"),
        ["qk_layernorm"] = (false, "this architecture has no norms of queries and keys"),
        ["use_qk_norm"] = (false, "this architecture has no norms of queries and keys"),
        ["use_bidirectional_attention"] = (false, "a decoder that reads in both directions is not supported"),
        ["num_nextn_predict_layers"] = (0, "layers that predict further tokens are not supported"),
        ["num_experts"] = (0, "layers of experts are not supported"),
        ["num_local_experts"] = (0, "layers of experts are not supported"),
        ["residual_multiplier"] = (1, "this architecture adds the outputs of its layers as they are"),
        ["embedding_multiplier"] = (1, "this architecture does not scale its embeddings"),
        ["pooling"] = ("last", "a reward is read at the last token of a causal model"),
    };

    private const string SeveralLayers = "a head of several layers, as GRM has it, is not read";
    private const string Gate = "objectives that a gate weighs by what the prompt says, as ArmoRM and QRM have them, are not one fixed sum";

    // Settings that have no value for "off" but null.
    private static readonly Dictionary<string, string> Effects = new()
    {
        ["sliding_window"] = "this architecture sees all tokens; null means no window",
        ["layer_types"] = "every layer of this architecture sees all tokens, \"full_attention\"",
        ["peft_config"] =
            "an adapter changes every reward; merge it first (merge_and_unload of peft) and write the model with save_pretrained",
        ["attention_multiplier"] = "this architecture scales the scores of attention by the size of a head",
        ["clip_qkv"] = "this architecture does not clip queries, keys and values",
        // Of published reward models.
        ["vhead_layer_type"] = SeveralLayers,
        ["vhead_num_layers"] = SeveralLayers,
        ["vhead_num_neurons"] = SeveralLayers,
        ["num_objectives"] = Gate,
        ["num_quantiles"] = Gate,
        ["gating_temperature"] = Gate,
        ["gating_hidden_dim"] = Gate,
        ["gating_n_hidden"] = Gate,
        ["score_dim"] = "Safe RLHF's head, whose scores may be divided by running statistics, is not read",
        ["reward_token_id"] =
            "the model's own code puts this token behind every answer; let the chat template end with it, and take the setting out",
        ["text_config"] = "the language model within a model of several kinds of input has to be saved apart",
        ["vision_config"] = "models that read pictures are not supported",
    };

    /// <summary>What a setting that can change a reward is expected to be, and why; null for a setting that is not known.</summary>
    public static string? Expected(string key) =>
        WhenOff.TryGetValue(key, out var feature) ? $"{feature.Off.ToJsonString()}: {feature.Effect}"
        : Effects.TryGetValue(key, out var effect) ? $"no such setting: {effect}"
        : null;

    public static bool Contains(string key, JsonNode value) =>
        WhateverTheValue.Contains(key) || (WhenOff.TryGetValue(key, out var feature) && IsOff(value, feature.Off))
        || (key == "layer_types" && SeesAll(value));

    // Numbers by their value: 1.0 is 1, and an exponent may be too large to compare digits.
    private static bool IsOff(JsonNode value, JsonNode off) => value.GetValueKind() == JsonValueKind.Number
        ? off.GetValueKind() == JsonValueKind.Number && double.TryParse(value.ToJsonString(), CultureInfo.InvariantCulture, out var number)
            && number == double.Parse(off.ToJsonString(), CultureInfo.InvariantCulture)
        : JsonNode.DeepEquals(value, off);

    private static bool SeesAll(JsonNode layerTypes) => layerTypes is JsonArray types
        && types.All(type => type?.GetValueKind() == JsonValueKind.String && type.GetValue<string>() == "full_attention");
}
