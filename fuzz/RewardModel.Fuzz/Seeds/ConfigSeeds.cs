namespace RewardModel.Fuzz.Seeds;

/// <summary>config.json of every architecture, and of adapters.</summary>
internal static class ConfigSeeds
{
    /// <summary>One or more of each architecture.</summary>
    public static IReadOnlyList<string> Models { get; } =
    [
        """
        {"model_type": "llama", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 1, "num_key_value_heads": 2,
         "head_dim": 4, "max_position_embeddings": 32, "vocab_size": 30, "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "hidden_act": "silu",
         "attention_bias": true, "mlp_bias": false, "pad_token_id": 0, "rope_scaling": {"rope_type": "llama3", "factor": 8.0,
         "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}, "torch_dtype": "bfloat16"}
        """,
        """
        {"model_type": "llama", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 2, "num_hidden_layers": 1, "max_position_embeddings": 32,
         "vocab_size": 30, "rope_parameters": {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 2.0, "beta_fast": 32, "beta_slow": 1,
         "mscale": 1, "original_max_position_embeddings": 16}, "quantization_config": null, "id2label": {"0": "LABEL_0"}, "tie_word_embeddings": false}
        """,
        """
        {"model_type": "mistral", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 1, "num_key_value_heads": 2,
         "max_position_embeddings": 32, "vocab_size": 30, "sliding_window": 8, "rope_scaling": {"type": "linear", "factor": 2.0}}
        """,
        """
        {"model_type": "qwen2", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 2, "num_key_value_heads": 2,
         "max_position_embeddings": 32, "vocab_size": 30, "use_sliding_window": true, "sliding_window": 8, "max_window_layers": 1}
        """,
        """
        {"model_type": "qwen3", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 1, "num_key_value_heads": 2,
         "head_dim": 4, "max_position_embeddings": 32, "vocab_size": 30, "rope_scaling": {"rope_type": "dynamic", "factor": 2.0},
         "layer_types": ["full_attention"]}
        """,
        """
        {"model_type": "gemma2", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 2, "num_key_value_heads": 2,
         "head_dim": 4, "max_position_embeddings": 32, "vocab_size": 30, "sliding_window": 8, "query_pre_attn_scalar": 8,
         "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0, "hidden_activation": "gelu_pytorch_tanh"}
        """,
        """
        {"model_type": "gemma3_text", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 2,
         "num_key_value_heads": 2, "head_dim": 4, "max_position_embeddings": 32, "vocab_size": 30, "sliding_window": 8, "sliding_window_pattern": 2,
         "query_pre_attn_scalar": 8, "rope_local_base_freq": 10000.0, "rope_theta": 1000000.0, "layer_types": ["sliding_attention", "full_attention"]}
        """,
        """
        {"model_type": "phi3", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 2, "num_hidden_layers": 1, "num_key_value_heads": 1,
         "max_position_embeddings": 32, "original_max_position_embeddings": 16, "vocab_size": 30, "partial_rotary_factor": 0.5, "pad_token_id": 0,
         "rope_scaling": {"type": "longrope", "long_factor": [1.0, 2.0], "short_factor": [1.0, 1.5]}}
        """,
        """
        {"model_type": "olmo2", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 1, "num_key_value_heads": 2,
         "max_position_embeddings": 32, "vocab_size": 30, "rms_norm_eps": 1e-6, "rope_theta": 500000, "attention_bias": true}
        """,
        """
        {"model_type": "olmo3", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 4, "num_key_value_heads": 2,
         "max_position_embeddings": 32, "vocab_size": 30, "sliding_window": 8, "layer_types": ["sliding_attention", "full_attention",
         "sliding_attention", "sliding_attention"], "rope_scaling": {"rope_type": "yarn", "factor": 2.0, "attention_factor": 1.2,
         "original_max_position_embeddings": 16}}
        """,
        """
        {"model_type": "smollm3", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 2, "num_key_value_heads": 2,
         "max_position_embeddings": 32, "vocab_size": 30, "no_rope_layers": [1, 0], "no_rope_layer_interval": 2, "use_sliding_window": true,
         "sliding_window": 8, "layer_types": ["full_attention", "sliding_attention"], "mlp_bias": true}
        """,
        """
        {"model_type": "starcoder2", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 1, "num_key_value_heads": 2,
         "max_position_embeddings": 32, "vocab_size": 30, "norm_epsilon": 1e-5, "use_bias": true, "sliding_window": 8, "mlp_type": "default",
         "norm_type": "layer_norm", "rope_theta": 100000.0}
        """,
        """
        {"model_type": "stablelm", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 1, "num_key_value_heads": 2,
         "max_position_embeddings": 32, "vocab_size": 30, "layer_norm_eps": 1e-5, "partial_rotary_factor": 0.5, "use_qkv_bias": true,
         "qk_layernorm": true, "use_parallel_residual": true, "rope_theta": 10000}
        """,
        """
        {"model_type": "phi", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 1, "num_key_value_heads": null,
         "max_position_embeddings": 32, "vocab_size": 30, "layer_norm_eps": 1e-5, "partial_rotary_factor": 0.5, "qk_layernorm": true,
         "hidden_act": "gelu_new", "embd_pdrop": 0.0, "resid_pdrop": 0.1}
        """,
        """
        {"model_type": "nemotron", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 1, "num_key_value_heads": 2,
         "head_dim": 4, "max_position_embeddings": 32, "vocab_size": 30, "norm_eps": 1e-5, "partial_rotary_factor": 0.5, "hidden_act": "relu2",
         "attention_bias": true, "mlp_bias": true}
        """,
        """
        {"model_type": "gpt2", "n_embd": 16, "n_head": 4, "n_layer": 1, "n_positions": 32, "n_inner": null, "vocab_size": 30,
         "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "scale_attn_by_inverse_layer_idx": false}
        """,
        """
        {"model_type": "gpt_neox", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 1,
         "max_position_embeddings": 32, "vocab_size": 30, "rotary_pct": 0.5, "rotary_emb_base": 10000, "use_parallel_residual": true,
         "hidden_act": "gelu", "attention_bias": true}
        """,
        """
        {"model_type": "opt", "hidden_size": 16, "ffn_dim": 24, "num_attention_heads": 4, "num_hidden_layers": 1, "max_position_embeddings": 32,
         "vocab_size": 30, "word_embed_proj_dim": 8, "do_layer_norm_before": false, "activation_function": "relu", "pad_token_id": 1}
        """,
        """
        {"model_type": "bert", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 1,
         "max_position_embeddings": 32, "vocab_size": 30, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "pad_token_id": 0}
        """,
        """
        {"model_type": "roberta", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 1,
         "max_position_embeddings": 34, "vocab_size": 30, "type_vocab_size": 1, "pad_token_id": 1, "position_embedding_type": "absolute"}
        """,
        """
        {"model_type": "xlm-roberta", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 1,
         "max_position_embeddings": 34, "vocab_size": 30, "type_vocab_size": 1, "pad_token_id": 1, "layer_norm_eps": 1e-5}
        """,
        """
        {"model_type": "ernie", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 1,
         "max_position_embeddings": 32, "vocab_size": 30, "type_vocab_size": 4, "use_task_id": true, "task_type_vocab_size": 3, "pad_token_id": 0}
        """,
        """
        {"model_type": "electra", "hidden_size": 16, "embedding_size": 8, "intermediate_size": 24, "num_attention_heads": 4,
         "num_hidden_layers": 1, "max_position_embeddings": 32, "vocab_size": 30, "type_vocab_size": 2, "summary_type": "first",
         "summary_use_proj": true, "summary_activation": "gelu", "summary_last_dropout": 0.1}
        """,
        """
        {"model_type": "deberta-v2", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 1,
         "max_position_embeddings": 32, "vocab_size": 30, "type_vocab_size": 0, "relative_attention": true, "position_buckets": 8,
         "max_relative_positions": -1, "pos_att_type": "p2c|c2p", "norm_rel_ebd": "layer_norm", "share_att_key": true, "conv_kernel_size": 3,
         "conv_act": "gelu", "position_biased_input": false, "pooler_hidden_size": 16, "pooler_hidden_act": "gelu"}
        """,
        """
        {"model_type": "modernbert", "hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 4, "num_hidden_layers": 2,
         "max_position_embeddings": 32, "vocab_size": 30, "local_attention": 6, "global_attn_every_n_layers": 2, "global_rope_theta": 160000.0,
         "local_rope_theta": 10000.0, "classifier_pooling": "mean", "hidden_activation": "gelu", "norm_bias": false, "pad_token_id": 0}
        """,
    ];

    /// <summary>Of adapters.</summary>
    public static IReadOnlyList<string> Adapters { get; } =
    [
        """
        {"peft_type": "LORA", "task_type": "SEQ_CLS", "base_model_name_or_path": "model", "r": 4, "lora_alpha": 8, "lora_dropout": 0.05, "bias": "none",
         "target_modules": ["q_proj", "v_proj"], "modules_to_save": ["score"], "use_rslora": false, "use_dora": false, "init_lora_weights": true,
         "rank_pattern": {"layers.0.self_attn.q_proj": 2}, "alpha_pattern": {"^layers.1": 4}, "layers_to_transform": [0, 1], "layers_pattern": "layers"}
        """,
        """
        {"peft_type": "LORA", "target_modules": ".*(q|v)_proj", "exclude_modules": "layers.0.*", "bias": "lora_only", "r": 8, "fan_in_fan_out": true}
        """,
        """{"peft_type": "LORA", "target_modules": "all-linear", "lora_bias": false, "megatron_config": null, "init_lora_weights": "gaussian"}""",
    ];

    /// <summary>What a model's rewards are computed by: reward_model.json.</summary>
    public static IReadOnlyList<string> Rules { get; } =
    [
        """
        {"library_version": "0.2.0", "rule": {"special_tokens": {"before_prompt": [1], "after_prompt": [], "after_answer": [2], "answer_token_type": 0},
         "max_length": 64, "normalizer": {"mean": 0.5, "standard_deviation": 2.0}, "chat_template": null, "text_is_chat": false,
         "encoding": "separate", "frozen_weights": {"unfrozen_layers": 1, "storage": "nf4"}}}
        """,
        """
        {"library_version": "0.2.0", "rule": {"special_tokens": {"before_prompt": [], "after_prompt": [3], "after_answer": []}, "max_length": 8,
         "encoding": "joint", "chat_template": "{{ messages[0].content }}"}}
        """,
    ];

    /// <summary>Figures that `plan` is given.</summary>
    public static IReadOnlyList<string> Measured { get; } =
    [
        """
        {"seconds_per_token": 1e-5, "optimizer_seconds": 0.1, "fixed_seconds_per_step": 0.01, "link_bandwidth": 1e11, "link_latency": 1e-5,
         "node_bandwidth": 1e10, "node_latency": 2e-5, "step_deviation": 0.05, "step_spread": "normal", "overlaps_communication": true}
        """,
    ];
}
