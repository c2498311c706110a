using System.Text.Json.Nodes;
using RewardModel.Checkpoints;
using RewardModel.Scoring;

namespace RewardModel.Tests.Checkpoints;

public sealed class IrrelevantSettingsTests
{
    private const string Sizes =
        "\"vocab_size\": 64, \"hidden_size\": 32, \"intermediate_size\": 48, \"num_hidden_layers\": 2, \"num_attention_heads\": 4,"
        + "\"max_position_embeddings\": 128, ";

    private const string FromTransformers4 =
        "\"torch_dtype\": \"bfloat16\", \"transformers_version\": \"4.48.0\", \"_name_or_path\": \"group/model\", \"use_cache\": true, ";

    private const string FromTransformers5 = "\"dtype\": \"bfloat16\", \"transformers_version\": \"5.2.0\", \"use_cache\": false, ";

    [Theory]
    [InlineData("use_cache", "true")]
    [InlineData("dtype", "\"float32\"")]
    [InlineData("pad_token_id", "0")]
    [InlineData("is_decoder", "false")]
    [InlineData("mean", "1.5")]
    [InlineData("pruned_heads", "{}")]
    [InlineData("rope_interleaved", "false")]
    [InlineData("is_llama_config", "true")]
    [InlineData("transformers.js_config", """{"kv_cache_dtype": {"fp16": "float16"}}""")]
    [InlineData("unsloth_fixed", "true")]
    [InlineData("_commit_hash", "\"0123abcd\"")]
    [InlineData("use_mrope", "false")]
    [InlineData("auto_map", """{"AutoConfig": "configuration_model.ModelConfig"}""")]
    [InlineData("layer_types", """["full_attention", "full_attention"]""")]
    [InlineData("residual_multiplier", "1.0")]
    [InlineData("num_experts", "0")]
    public void These_do_not_change_a_reward(string key, string value) =>
        Assert.True(IrrelevantSettings.Contains(key, JsonNode.Parse(value)!));

    [Theory]
    [InlineData("is_decoder", "true")]
    [InlineData("add_cross_attention", "true")]
    [InlineData("pruned_heads", """{"0":[1]}""")]
    [InlineData("hidden_size", "48")]
    [InlineData("rope_scaling", "{}")]
    [InlineData("quantization_config", "{}")]
    public void These_do(string key, string value) =>
        Assert.False(IrrelevantSettings.Contains(key, JsonNode.Parse(value)!));

    // What published files of the supported families have, from older and newer versions of transformers and as mirrors edit them.
    [Theory]
    [InlineData("llama", FromTransformers4 + """
        "architectures": ["LlamaForCausalLM"], "hidden_act": "silu", "num_key_value_heads": 4, "rms_norm_eps": 1e-6, "bos_token_id": 0,
        "eos_token_id": 1, "pad_token_id": -1, "max_sequence_length": 128, "initializer_range": 0.02, "pretraining_tp": 1,
        "rope_scaling": null, "tie_word_embeddings": false
        """)]
    [InlineData("llama", FromTransformers4 + """
        "attention_bias": false, "attention_dropout": 0.0, "head_dim": 8, "mlp_bias": false, "num_key_value_heads": 2,
        "rope_theta": 500000.0,
        "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 64,
        "rope_type": "llama3"}, "eos_token_id": [3, 4], "pad_token_id": 5, "unsloth_fixed": true, "unsloth_version": "2025.1.1",
        "_commit_hash": "0a1b2c", "_attn_implementation_autoset": true, "pretraining_tp": 1
        """)]
    [InlineData("llama", FromTransformers5 + """
        "is_llama_config": true, "rope_interleaved": false, "rope_parameters": {"rope_theta": 100000, "rope_type": "default"},
        "num_key_value_heads": 2, "transformers.js_config": {"dtype": "q4", "kv_cache_dtype": {"q4f16": "float16"}}, "pad_token_id": 2,
        "layer_types": ["full_attention", "full_attention"], "sliding_window": null
        """)]
    [InlineData("mistral", FromTransformers4 + """
        "attention_dropout": 0.0, "head_dim": null, "hidden_act": "silu", "num_key_value_heads": 2, "rms_norm_eps": 1e-05,
        "rope_theta": 10000.0, "sliding_window": 16, "pretraining_tp": 1, "attention_bias": false, "unsloth_fixed": true,
        "layer_types": ["sliding_attention", "sliding_attention"]
        """)]
    [InlineData("qwen2", FromTransformers4 + """
        "attention_dropout": 0.0, "max_window_layers": 2, "num_key_value_heads": 2, "rope_theta": 1000000.0, "sliding_window": 128,
        "use_mrope": false, "use_sliding_window": false, "tie_word_embeddings": true, "unsloth_fixed": true
        """)]
    [InlineData("qwen2", FromTransformers5 + """
        "layer_types": ["full_attention", "full_attention"], "max_window_layers": 2, "num_key_value_heads": 2, "sliding_window": null,
        "rope_parameters": {"rope_theta": 1000000.0, "rope_type": "default"}, "use_sliding_window": false
        """)]
    [InlineData("qwen3", FromTransformers4 + """
        "attention_bias": false, "head_dim": 16, "max_window_layers": 2, "num_key_value_heads": 2, "rope_scaling": null,
        "sliding_window": null, "use_sliding_window": false, "use_mrope": false
        """)]
    [InlineData("phi3", FromTransformers4 + """
        "attention_bias": false, "auto_map": {"AutoConfig": "configuration_phi3.Phi3Config", "AutoModelForCausalLM": "modeling_phi3.X"},
        "embd_pdrop": 0.0, "resid_pdrop": 0.0, "num_key_value_heads": 4, "original_max_position_embeddings": 128, "rope_scaling": null,
        "rope_theta": 10000.0, "sliding_window": 2047, "layer_types": ["sliding_attention", "sliding_attention"]
        """)]
    [InlineData("gemma2", FromTransformers4 + """
        "attention_bias": false, "attn_logit_softcapping": 50.0, "cache_implementation": "hybrid", "final_logit_softcapping": 30.0,
        "head_dim": 8, "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh", "num_key_value_heads": 2,
        "query_pre_attn_scalar": 8, "sliding_window": 64, "sliding_window_size": 64, "rope_theta": 10000.0
        """)]
    [InlineData("gemma3_text", FromTransformers5 + """
        "_sliding_window_pattern": 6, "head_dim": 8, "hidden_activation": "gelu_pytorch_tanh", "num_key_value_heads": 1,
        "query_pre_attn_scalar": 8, "sliding_window": 64, "layer_types": ["sliding_attention", "full_attention"],
        "rope_parameters": {"full_attention": {"rope_theta": 1000000, "rope_type": "default"},
        "sliding_attention": {"rope_theta": 10000, "rope_type": "default"}}, "use_bidirectional_attention": false, "unsloth_fixed": true
        """)]
    [InlineData("gpt2", """
        "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1, "n_ctx": 128, "n_embd": 32, "n_head": 4,
        "n_layer": 2, "n_positions": 128, "resid_pdrop": 0.1, "embd_pdrop": 0.1, "output_past": true, "_num_labels": 1,
        "summary_type": "cls_index", "task_specific_params": {"text-generation": {"do_sample": true}}, "vocab_size": 64
        """)]
    [InlineData("opt", FromTransformers4 + """
        "_remove_final_layer_norm": false, "activation_dropout": 0.0, "activation_function": "relu", "do_layer_norm_before": true,
        "dropout": 0.1, "ffn_dim": 48, "init_std": 0.02, "layerdrop": 0.0, "prefix": "</s>", "word_embed_proj_dim": 32, "vocab_size": 64,
        "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 128
        """)]
    [InlineData("gpt_neox", FromTransformers4 + """
        "hidden_act": "gelu", "layer_norm_eps": 1e-05, "rotary_emb_base": 10000, "rotary_pct": 0.25, "use_parallel_residual": true,
        "attention_bias": true, "classifier_dropout": 0.1, "hidden_dropout": 0.0, "rope_scaling": null
        """)]
    [InlineData("olmo2", FromTransformers4 + """
        "attention_bias": false, "attention_dropout": 0.0, "hidden_act": "silu", "num_key_value_heads": 4, "rms_norm_eps": 1e-06,
        "rope_scaling": null, "rope_theta": 500000
        """)]
    [InlineData("olmo3", FromTransformers4 + """
        "attention_bias": false, "attention_dropout": 0.0, "num_key_value_heads": 4, "rms_norm_eps": 1e-06, "sliding_window": 64,
        "layer_types": ["sliding_attention", "full_attention"], "rope_theta": 500000, "rope_scaling": {"rope_type": "yarn", "factor": 8.0,
        "original_max_position_embeddings": 16, "attention_factor": 1.2079441541679836, "beta_fast": 32.0, "beta_slow": 1.0}
        """)]
    [InlineData("smollm3", FromTransformers4 + """
        "attention_bias": false, "layer_types": ["full_attention", "full_attention"], "max_window_layers": 28, "mlp_bias": false,
        "no_rope_layer_interval": 4, "no_rope_layers": [1, 0], "num_key_value_heads": 4, "pretraining_tp": 2, "rope_scaling": null,
        "rope_theta": 5000000.0, "sliding_window": null, "use_sliding_window": false
        """)]
    [InlineData("starcoder2", FromTransformers4 + """
        "attention_dropout": 0.1, "attention_softmax_in_fp32": true, "embedding_dropout": 0.1, "hidden_act": "gelu_pytorch_tanh",
        "layer_norm_epsilon": 1e-05, "mlp_type": "default", "norm_epsilon": 1e-05, "norm_type": "layer_norm", "num_key_value_heads": 2,
        "residual_dropout": 0.1, "rope_theta": 999999.4420358813, "scale_attention_softmax_in_fp32": true, "scale_attn_weights": true,
        "sliding_window": 64, "use_bias": true
        """)]
    [InlineData("stablelm", FromTransformers4 + """
        "attention_dropout": 0.0, "hidden_dropout": 0.0, "layer_norm_eps": 1e-05, "num_key_value_heads": 2, "partial_rotary_factor": 0.25,
        "qk_layernorm": true, "rope_scaling": null, "rope_theta": 10000, "rotary_scaling_factor": 1.0, "use_parallel_residual": true,
        "use_qkv_bias": false
        """)]
    [InlineData("phi", FromTransformers4 + """
        "attention_dropout": 0.0, "embd_pdrop": 0.0, "hidden_act": "gelu_new", "layer_norm_eps": 1e-05, "num_key_value_heads": null,
        "partial_rotary_factor": 0.5, "qk_layernorm": false, "resid_pdrop": 0.1, "rope_scaling": null, "rope_theta": 10000.0
        """)]
    [InlineData("nemotron", FromTransformers4 + """
        "attention_bias": false, "attention_dropout": 0.0, "head_dim": 8, "hidden_act": "relu2", "hidden_dropout": 0.0, "mlp_bias": false,
        "norm_eps": 1e-05, "num_key_value_heads": 2, "partial_rotary_factor": 0.5, "rope_theta": 10000
        """)]
    [InlineData("bert", """
        "attention_probs_dropout_prob": 0.1, "directionality": "bidi", "gradient_checkpointing": false, "hidden_dropout_prob": 0.1,
        "pooler_fc_size": 768, "pooler_type": "first_token_transform", "position_embedding_type": "absolute",
        "type_vocab_size": 2, "output_past": true, "is_decoder": false, "pad_token_id": 0, "classifier_dropout": null
        """)]
    [InlineData("roberta", """
        "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1, "layer_norm_eps": 1e-05, "type_vocab_size": 1, "hidden_act": "gelu",
        "sentence_transformers": {"version": "5.0.0"}, "add_cross_attention": false
        """)]
    [InlineData("xlm-roberta", """
        "architectures": ["XLMRobertaForMaskedLM"], "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1, "layer_norm_eps": 1e-05,
        "type_vocab_size": 1, "hidden_act": "gelu", "output_past": true, "position_embedding_type": "absolute", "classifier_dropout": null
        """)]
    [InlineData("ernie", FromTransformers4 + """
        "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "layer_norm_eps": 1e-05, "pad_token_id": 0,
        "task_type_vocab_size": 3, "type_vocab_size": 4, "use_task_id": true, "initializer_range": 0.02
        """)]
    [InlineData("electra", """
        "architectures": ["ElectraForPreTraining"], "attention_probs_dropout_prob": 0.1, "embedding_size": 16, "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1, "layer_norm_eps": 1e-12, "pad_token_id": 0, "position_embedding_type": "absolute",
        "summary_activation": "gelu", "summary_last_dropout": 0.1, "summary_type": "first", "summary_use_proj": true, "type_vocab_size": 2
        """)]
    [InlineData("deberta-v2", """
        "attention_probs_dropout_prob": 0.1, "max_relative_positions": -1, "norm_rel_ebd": "layer_norm", "pooler_dropout": 0,
        "pooler_hidden_act": "gelu", "pooler_hidden_size": 32, "pos_att_type": "p2c|c2p", "position_biased_input": false,
        "position_buckets": 16, "relative_attention": true, "share_att_key": true, "type_vocab_size": 0, "legacy": true
        """)]
    [InlineData("modernbert", FromTransformers4 + """
        "classifier_pooling": "mean", "deterministic_flash_attn": false, "gradient_checkpointing": false, "global_attn_every_n_layers": 3,
        "global_rope_theta": 160000.0, "local_attention": 16, "local_rope_theta": 10000.0, "norm_eps": 1e-05, "layer_norm_eps": 1e-05,
        "position_embedding_type": "absolute", "reference_compile": false, "sparse_prediction": false, "hidden_activation": "gelu"
        """)]
    public void Published_configurations_are_taken(string modelType, string settings)
    {
        var sizes = modelType is "gpt2" or "opt" ? "" : Sizes;
        using var model = RewardTransformer.WithoutWeights(
            HuggingFaceConfig.Parse($$"""{"model_type": "{{modelType}}", {{sizes}}{{settings}} }""", "config.json"));
        Assert.NotEmpty(model.CheckpointParameters);
    }

    [Theory]
    [InlineData("rope_interleaved", "true", "false: rotary positions would turn neighbouring channels instead of the two halves of a head")]
    [InlineData("use_mrope", "true", "false: rotary positions in pictures are not supported")]
    [InlineData("use_sliding_window", "true", "false: this architecture has no windows that this setting would switch on")]
    [InlineData("layer_types", """["full_attention","sliding_attention"]""",
        "no such setting: every layer of this architecture sees all tokens, \"full_attention\"")]
    [InlineData("sliding_window", "16", "no such setting: this architecture sees all tokens; null means no window")]
    [InlineData("qk_layernorm", "true", "false: this architecture has no norms of queries and keys")]
    [InlineData("residual_multiplier", "0.22", "1: this architecture adds the outputs of its layers as they are")]
    [InlineData("num_local_experts", "8", "0: layers of experts are not supported")]
    [InlineData("peft_config", "{}", "no such setting: an adapter changes every reward; merge it first (merge_and_unload of peft) and "
        + "write the model with save_pretrained")]
    [InlineData("pooling", "\"mean\"", "\"last\": a reward is read at the last token of a causal model")]
    [InlineData("unheard_of", "false", "no such setting: this library does not know what it does")]
    public void What_would_change_a_reward_is_refused_by_name_with_the_reason(string key, string value, string expected)
    {
        var settings = TinyModel.Config("llama");
        settings[key] = JsonNode.Parse(value);
        Assert.Equal(
            [$"'{key}' is {value}; expected {expected}"],
            Assert.Throws<CheckpointException>(
                () => RewardTransformer.FromConfig(HuggingFaceConfig.Parse(settings.ToJsonString(), "config.json"))).Problems);
    }
}
