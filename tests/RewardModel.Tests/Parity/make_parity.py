"""Makes the parity fixtures beside this file, one <name>.json for each entry of MODELS, with the public `transformers` library.

Used: Python 3.14.10, torch 2.14.1, transformers 5.12.1, safetensors 0.8.0, numpy 2.4.6, on the CPU. For example in a Debian sid
with the packages python3-torch, python3-transformers and python3-safetensors:

    python3 make_parity.py            # all of them
    python3 make_parity.py llama      # only those named

README.md beside this file says what the fields mean and how the weights are computed.
"""
import json
import math
import pathlib
import sys
import tempfile

import numpy
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch.nn.functional import logsigmoid
from transformers import AutoConfig, AutoModelForSequenceClassification, get_linear_schedule_with_warmup
from transformers.core_model_loading import revert_weight_conversion

HERE = pathlib.Path(__file__).parent

VOCAB_SIZE = 97
PAD = VOCAB_SIZE - 1  # unless the entry has another
WINDOW = 6

LIKE_LLAMA = dict(
    hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64)
LLAMA = LIKE_LLAMA | dict(model_type="llama", head_dim=12, bos_token_id=1, eos_token_id=2)
QWEN = LIKE_LLAMA | dict(
    max_window_layers=1, bos_token_id=95, eos_token_id=PAD, rope_parameters=dict(rope_type="default", rope_theta=1000000.0))
OPT = dict(
    model_type="opt", hidden_size=32, ffn_dim=56, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=64,
    dropout=0.0, pad_token_id=1, bos_token_id=2, eos_token_id=2)
# Heads of 16 of which 4 are rotated.
GPT_NEOX = dict(
    model_type="gpt_neox", hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=2,
    max_position_embeddings=64, classifier_dropout=0.0, pad_token_id=1, bos_token_id=0, eos_token_id=0)
# Gemma's norms multiply by 1 + w, here by about 2. The large query_pre_attn_scalar takes that out of the attention scores again.
GEMMA = LIKE_LLAMA | dict(
    head_dim=12, layer_types=["sliding_attention", "full_attention"], sliding_window=WINDOW,
    pad_token_id=0, bos_token_id=2, eos_token_id=1)
PHI3 = LIKE_LLAMA | dict(model_type="phi3", original_max_position_embeddings=64, bos_token_id=1, eos_token_id=PAD)
# Four layers, as the older configuration leaves the windows to their default: the first three have one.
OLMO = LIKE_LLAMA | dict(bos_token_id=1, eos_token_id=2, rope_parameters=dict(rope_type="default", rope_theta=500000.0))
SMOLLM3 = LIKE_LLAMA | dict(
    model_type="smollm3", bos_token_id=1, eos_token_id=2, rope_parameters=dict(rope_type="default", rope_theta=5000000.0))
# Heads of 16 of which 4 and 6 are rotated.
STABLELM = LIKE_LLAMA | dict(model_type="stablelm", num_attention_heads=2, num_key_value_heads=1, partial_rotary_factor=0.25)
PHI = LIKE_LLAMA | dict(
    model_type="phi", num_attention_heads=2, num_key_value_heads=1, partial_rotary_factor=0.4, bos_token_id=PAD, eos_token_id=PAD)
GPT_J = dict(
    model_type="gptj", n_embd=32, n_layer=2, n_head=2, n_positions=64, rotary_dim=6, attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0,
    bos_token_id=PAD, eos_token_id=PAD)
# Six heads: no power of two.
BLOOM = dict(model_type="bloom", hidden_size=48, n_layer=2, n_head=6, bos_token_id=1, eos_token_id=2, pad_token_id=3)
FALCON = dict(
    model_type="falcon", hidden_size=32, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=64, pad_token_id=2,
    bos_token_id=2, eos_token_id=2)
# The tiny epsilon is GLM's own.
GLM = LIKE_LLAMA | dict(head_dim=12, bos_token_id=95, eos_token_id=PAD)
BERT = dict(
    hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4,
    hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
ELECTRA = BERT | dict(
    model_type="electra", max_position_embeddings=64, classifier_dropout=0.0, summary_last_dropout=0.0, pad_token_id=0,
    bos_token_id=None, eos_token_id=None)
# Eight buckets for each direction: distances up to 4 have their own, those up to max_position_embeddings share the rest.
DEBERTA = BERT | dict(
    model_type="deberta-v2", max_position_embeddings=64, relative_attention=True, position_buckets=8, max_relative_positions=-1,
    norm_rel_ebd="layer_norm", pos_att_type=["p2c", "c2p"], position_biased_input=False, type_vocab_size=0, pad_token_id=0,
    bos_token_id=1, eos_token_id=2)
MODERNBERT = dict(
    model_type="modernbert", hidden_size=32, intermediate_size=56, num_attention_heads=4, max_position_embeddings=64,
    local_attention=WINDOW, bos_token_id=93, cls_token_id=93, eos_token_id=94, sep_token_id=94,
    rope_parameters=dict(
        full_attention=dict(rope_type="default", rope_theta=160000.0),
        sliding_attention=dict(rope_type="default", rope_theta=10000.0)))

MODELS = {
    "gpt2": dict(
        model_type="gpt2", n_embd=32, n_layer=2, n_head=4, n_positions=64, bos_token_id=PAD, eos_token_id=PAD,
        attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0, summary_first_dropout=0.0),
    "llama": LLAMA,
    "llama_rope_theta": LLAMA | dict(rope_parameters=dict(rope_type="default", rope_theta=500000.0)),
    # Wavelengths of head_dim 12 at theta 500000: 6, 56, 498, ... With these bounds (16 and 64) the first is kept,
    # the second interpolated and the rest divided by the factor.
    "llama_rope_llama3": LLAMA | dict(max_position_embeddings=512, rope_parameters=dict(
        rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=64)),
    "llama_rope_linear": LLAMA | dict(rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=4.0)),
    # No sequence reaches max_position_embeddings: beyond it, transformers lets the longest row of a batch set the frequencies
    # of all its rows, so that a reward would depend on the batch.
    "llama_rope_dynamic": LLAMA | dict(rope_parameters=dict(rope_type="dynamic", rope_theta=10000.0, factor=4.0)),
    # The ramp between these bounds keeps the first frequency, mixes the second and divides the rest by the factor.
    "llama_rope_yarn": LLAMA | dict(max_position_embeddings=256, rope_parameters=dict(
        rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=64)),
    "mistral": LIKE_LLAMA | dict(model_type="mistral", sliding_window=WINDOW, bos_token_id=1, eos_token_id=2),
    "qwen2": QWEN | dict(model_type="qwen2"),
    "qwen2_window": QWEN | dict(
        model_type="qwen2", num_hidden_layers=3, use_sliding_window=True, sliding_window=WINDOW, max_window_layers=1,
        rope_parameters=dict(rope_type="default", rope_theta=10000.0)),
    "qwen3": QWEN | dict(model_type="qwen3", head_dim=12),
    "qwen3_moe": QWEN | dict(
        model_type="qwen3_moe", head_dim=12, num_hidden_layers=3, num_experts=5, num_experts_per_tok=3, moe_intermediate_size=20,
        norm_topk_prob=True, mlp_only_layers=[1]),
    # A window in layer 0 alone: in every second layer below max_window_layers.
    "qwen2_moe": QWEN | dict(
        model_type="qwen2_moe", num_hidden_layers=3, use_sliding_window=True, sliding_window=WINDOW, max_window_layers=2,
        num_experts=5, num_experts_per_tok=2, moe_intermediate_size=20, shared_expert_intermediate_size=28, norm_topk_prob=False,
        mlp_only_layers=[1]),
    "mixtral": LIKE_LLAMA | dict(
        model_type="mixtral", intermediate_size=32, num_local_experts=5, num_experts_per_tok=2, bos_token_id=1, eos_token_id=2),
    "gpt_oss": LIKE_LLAMA | dict(
        model_type="gpt_oss", intermediate_size=20, head_dim=12, sliding_window=WINDOW, num_local_experts=5, num_experts_per_tok=3,
        max_position_embeddings=256, bos_token_id=1, eos_token_id=2, rope_parameters=dict(
            rope_type="yarn", rope_theta=1000.0, factor=4.0, original_max_position_embeddings=64, beta_fast=4.0, beta_slow=1.0,
            truncate=False)),
    "opt": OPT,
    "opt_350m_style": OPT | dict(do_layer_norm_before=False, word_embed_proj_dim=24),
    "opt_bare": OPT | dict(enable_bias=False, layer_norm_elementwise_affine=False, word_embed_proj_dim=24),
    "gpt_neox": GPT_NEOX,
    "gpt_neox_sequential": GPT_NEOX | dict(use_parallel_residual=False),
    "gemma2": GEMMA | dict(model_type="gemma2", query_pre_attn_scalar=192, attn_logit_softcapping=2.0),
    "gemma3_text": GEMMA | dict(
        model_type="gemma3_text", query_pre_attn_scalar=768, rope_parameters=dict(
            sliding_attention=dict(rope_type="default", rope_theta=10000.0),
            full_attention=dict(rope_type="default", rope_theta=1000000.0))),
    "phi3": PHI3 | dict(sliding_window=WINDOW),
    # Heads of 16 of which 12 are rotated. No sequence is longer than original_max_position_embeddings: the short factors count.
    "phi3_partial_longrope": PHI3 | dict(
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=256, original_max_position_embeddings=64,
        rope_parameters=dict(
            rope_type="longrope", rope_theta=10000.0, partial_rotary_factor=0.75,
            short_factor=[1.0, 1.05, 1.2, 1.5, 2.25, 3.0], long_factor=[1.0, 1.5, 2.5, 4.0, 7.5, 12.0])),
    "olmo2": OLMO | dict(model_type="olmo2"),
    "olmo3": OLMO | dict(model_type="olmo3", num_hidden_layers=4, sliding_window=WINDOW),
    "smollm3": SMOLLM3 | dict(no_rope_layer_interval=2),
    "smollm3_window": SMOLLM3 | dict(no_rope_layers=[0, 1], use_sliding_window=True, sliding_window=WINDOW),
    "starcoder2": LIKE_LLAMA | dict(
        model_type="starcoder2", sliding_window=WINDOW, pad_token_id=0, bos_token_id=0, eos_token_id=0,
        rope_parameters=dict(rope_type="default", rope_theta=100000.0)),
    "stablelm": STABLELM | dict(use_qkv_bias=True),
    "stablelm_12b_style": STABLELM | dict(
        num_attention_heads=4, num_key_value_heads=2, partial_rotary_factor=0.5, use_parallel_residual=True, qk_layernorm=True),
    "phi": PHI,
    "phi_norms": PHI | dict(qk_layernorm=True),
    "nemotron": LIKE_LLAMA | dict(model_type="nemotron", head_dim=12, partial_rotary_factor=0.5),
    "gptj": GPT_J,
    "bloom": BLOOM,
    "bloom_post_norm_residual": BLOOM | dict(apply_residual_connection_post_layernorm=True),
    "falcon": FALCON,
    "falcon_40b_style": FALCON | dict(new_decoder_architecture=True, num_kv_heads=2, ffn_hidden_size=56),
    "falcon_11b_style": FALCON | dict(new_decoder_architecture=True, num_kv_heads=2, num_ln_in_parallel_attn=1),
    "falcon_alibi": FALCON | dict(alibi=True, bias=True, multi_query=False, parallel_attn=False),
    "glm": GLM | dict(model_type="glm"),
    "glm4": GLM | dict(model_type="glm4"),
    "bert": BERT | dict(
        model_type="bert", max_position_embeddings=64, classifier_dropout=0.0, pad_token_id=0, bos_token_id=None, eos_token_id=None),
    "roberta": BERT | dict(
        model_type="roberta", max_position_embeddings=66, layer_norm_eps=1e-5, classifier_dropout=0.0, type_vocab_size=1,
        pad_token_id=1, bos_token_id=0, eos_token_id=2),
    "xlm_roberta": BERT | dict(
        model_type="xlm-roberta", max_position_embeddings=66, layer_norm_eps=1e-5, classifier_dropout=0.0, type_vocab_size=1,
        pad_token_id=1, bos_token_id=0, eos_token_id=2),
    "ernie": BERT | dict(
        model_type="ernie", max_position_embeddings=64, layer_norm_eps=1e-5, classifier_dropout=0.0, type_vocab_size=4,
        use_task_id=True, task_type_vocab_size=3, pad_token_id=0, bos_token_id=None, eos_token_id=None),
    "electra": ELECTRA | dict(embedding_size=24),
    "electra_wide": ELECTRA | dict(embedding_size=32, hidden_act="gelu_new"),
    "deberta_v2": DEBERTA | dict(share_att_key=True),
    "deberta_v2_v2style": DEBERTA | dict(
        hidden_size=24, embedding_size=16, share_att_key=False, conv_kernel_size=3, conv_act="gelu"),
    "deberta_v2_unbucketed": DEBERTA | dict(
        share_att_key=True, pos_att_type=["p2c"], position_buckets=-1, max_relative_positions=5, norm_rel_ebd="none",
        position_biased_input=True, conv_kernel_size=5),
    "deberta_v2_absolute": DEBERTA | dict(
        relative_attention=False, norm_rel_ebd="none", position_biased_input=True, type_vocab_size=2, pooler_hidden_act="tanh"),
    "modernbert": MODERNBERT | dict(
        classifier_pooling="mean", num_hidden_layers=3, layer_types=["full_attention", "sliding_attention", "full_attention"]),
    "modernbert_cls": MODERNBERT | dict(
        classifier_pooling="cls", num_hidden_layers=4,
        layer_types=["full_attention", "sliding_attention", "sliding_attention", "full_attention"]),
}

# K = 4, 2 and 9 answers; the number is the answer's length in tokens.
RANKED_LISTS = [(5, [1, 14, 6, 3]), (1, [2, 9]), (11, [8, 3, 1, 17, 5, 2, 12, 4, 7])]
BATCH_LENGTHS = [13, 1, 6, 24]

STEPS = 5
LEARNING_RATE = 1e-3
RUNS = {"constant": dict(clip_grad_norm=None), "clip_warmup": dict(clip_grad_norm=1.0)}

# transformers' fused kernel leaves out Gemma 2's soft cap and gpt-oss's sinks, and the others have none.
WITHOUT_FUSED_ATTENTION = ["gemma2", "deberta-v2", "gptj", "bloom", "gpt_oss"]

# The least by which a router's last chosen logit is above the next: far more than rounding moves it.
LEAST_MARGIN = 2e-5

MASK_64 = 2**64 - 1


# --- weights and token ids from an integer hash

def hash_bits(name, count):
    """`count` numbers of 64 bits: SplitMix64, seeded with the 64-bit FNV-1a hash of the name."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 & MASK_64
    steps = numpy.arange(1, count + 1, dtype=numpy.uint64)
    state = numpy.uint64(seed) + steps * numpy.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return state ^ (state >> numpy.uint64(31))


def hash_weights(name, shape):
    center, scale = center_and_scale(name, shape)
    top_20_bits = (hash_bits(name, math.prod(shape)) >> numpy.uint64(44)).astype(numpy.int64)
    uniform = (2 * top_20_bits + 1 - 2**20) / 2**20
    return (center + scale * uniform).astype(numpy.float32).reshape(shape)


def center_and_scale(name, shape):
    match name.rsplit(".", 1)[-1], len(shape):
        case "bias", 1:
            return 0, 1 / 8
        case "weight", 1:
            return 1, 1 / 8
        case "weight", 2 | 3:
            return 0, 1 / 4
        case "sinks", 1:
            return 0, 1
        case "gate_up_proj", 3:
            return 0, 1  # some of what it gives is clamped
        case "down_proj", 3:
            return 0, 1 / 8
        case "gate_up_proj_bias" | "down_proj_bias", 2:
            return 0, 1 / 8
    raise ValueError(f"no rule for tensor {name!r} of shape {list(shape)}: "
                     "add a line for it to HashWeights.cs, make_parity.py and README.md")


def hash_ids(name, count, pad):
    """Token ids that avoid the pad id: transformers reads a decoder's reward at the last id that is not the pad id."""
    return [token + (token >= pad) for token in (int(bits % (VOCAB_SIZE - 1)) for bits in hash_bits(name, count))]


# --- the model

def make_model(settings, directory):
    """Writes the checkpoint with hash weights and returns it as from_pretrained loads it, with its tensors' names and shapes."""
    config = AutoConfig.for_model(**dict(vocab_size=VOCAB_SIZE, pad_token_id=PAD, num_labels=1) | settings)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(directory)
    file = directory / "model.safetensors"
    parameters = {name: list(tensor.shape) for name, tensor in load_file(file).items()}
    save_file({name: torch.from_numpy(hash_weights(name, shape)) for name, shape in parameters.items()}, file, {"format": "pt"})
    return load(directory), parameters


def load(directory, dtype=torch.float32, attention=None):
    config = AutoConfig.from_pretrained(directory)
    # In this version Falcon's plain attention adds ALiBi twice, in the scores and with the mask; the fused one, its default, once.
    attention = attention or ("sdpa" if getattr(config, "alibi", False) else "eager")
    model, report = AutoModelForSequenceClassification.from_pretrained(
        directory, dtype=dtype, attn_implementation=attention, experts_implementation="eager", output_loading_info=True)
    assert not any(report.values()), report
    return model.eval()


def v4_style(config):
    """The config.json of the same model as models published with transformers 4 have it."""
    old = {key: value for key, value in config.items() if key not in ("dtype", "rope_parameters", "layer_types")}
    old["torch_dtype"] = config["dtype"]
    old["transformers_version"] = "4.46.0"
    if "rope_parameters" in config:
        scaling = dict(config["rope_parameters"])
        if "full_attention" not in scaling:
            old["rope_theta"] = scaling.pop("rope_theta")
            old["rope_scaling"] = v4_rope_scaling(scaling)
    match config["model_type"]:
        case "mistral" | "mixtral":
            del old["head_dim"]
        case "qwen2" | "qwen3" if not config["use_sliding_window"]:
            old["sliding_window"] = WINDOW  # named, but not used
        case "qwen3_moe":
            old["num_experts"] = old.pop("num_local_experts")
            old["sliding_window"] = WINDOW  # named, but not used
        case "smollm3" if not config["use_sliding_window"]:
            del old["no_rope_layers"]
            old["sliding_window"] = WINDOW  # as in qwen2
            old["max_window_layers"] = 28
        case "gpt_neox":
            old["rotary_emb_base"] = old.pop("rope_theta")
            old["rotary_pct"] = config["rope_parameters"]["partial_rotary_factor"]
        case "phi3":
            old["partial_rotary_factor"] = config["rope_parameters"]["partial_rotary_factor"]
        case "gemma2":
            del old["use_bidirectional_attention"]
            old["cache_implementation"] = "hybrid"
            old["hidden_act"] = old["hidden_activation"]
        case "gemma3_text":
            del old["use_bidirectional_attention"], old["_sliding_window_pattern"]
            old["cache_implementation"] = "hybrid"
            old["rope_scaling"] = None
            old["rope_theta"] = config["rope_parameters"]["full_attention"]["rope_theta"]
            old["rope_local_base_freq"] = config["rope_parameters"]["sliding_attention"]["rope_theta"]
            old["sliding_window_pattern"] = config["layer_types"].index("full_attention") + 1
        case "gptj":
            old["rotary"] = True
        case "bloom":
            old["n_embed"] = old.pop("hidden_size")
            old["num_attention_heads"] = old.pop("n_head")
        case "bert" | "roberta" | "xlm-roberta" | "ernie" | "electra":
            old["position_embedding_type"] = "absolute"
        case "deberta-v2":
            old["pos_att_type"] = "|".join(config["pos_att_type"])
        case "modernbert":
            old["global_attn_every_n_layers"] = config["layer_types"].index("full_attention", 1)
            old["global_rope_theta"] = config["rope_parameters"]["full_attention"]["rope_theta"]
            old["local_rope_theta"] = config["rope_parameters"]["sliding_attention"]["rope_theta"]
            old["position_embedding_type"] = "absolute"
    return dict(sorted(old.items()))


def v4_rope_scaling(parameters):
    # partial_rotary_factor and, in Phi-3, original_max_position_embeddings stand beside rope_scaling, not in it.
    scaling = {key: value for key, value in parameters.items() if key != "partial_rotary_factor"}
    if scaling == {"rope_type": "default"}:
        return None
    if scaling["rope_type"] != "llama3":
        scaling["type"] = scaling.pop("rope_type")
    if scaling.get("type") == "longrope":
        del scaling["original_max_position_embeddings"]
    return scaling


def padded(rows, pad):
    """input_ids and attention_mask [rows, longest], padded on the right."""
    width = max(map(len, rows))
    ids = torch.tensor([row + [pad] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    return ids, mask


def score(model, rows):
    if model.dtype == torch.float64 and getattr(model.config, "sliding_window", None) is not None and len(rows) > 1:
        # Padding that no token's window reaches becomes NaN in float64 and spreads; rows alone have none.
        return torch.cat([score(model, [row]) for row in rows])
    ids, mask = padded(rows, model.config.pad_token_id)
    return model(input_ids=ids, attention_mask=mask).logits[:, 0]


# --- ranking losses: rewards of one list, best first, to a number

def pair_margins(rewards):
    better, worse = torch.triu_indices(len(rewards), len(rewards), 1)
    return rewards[better] - rewards[worse]


LOSSES = {
    "logsigmoid": lambda rewards: -logsigmoid(pair_margins(rewards)).mean(),
    "sigmoid": lambda rewards: -torch.sigmoid(pair_margins(rewards)).mean(),
}


def loss_by_list(loss, rewards, counts):
    return torch.stack([LOSSES[loss](list_rewards) for list_rewards in rewards.split(counts)])


# --- what is recorded

def exact(tensor):
    """Nested lists of the shortest decimals that give the float32 back; numbers of float64 as they are."""
    if isinstance(tensor, torch.Tensor):
        return exact(tensor.detach().numpy())
    if isinstance(tensor, numpy.ndarray) and tensor.ndim:
        return [exact(part) for part in tensor]
    return float(str(tensor)) if tensor.dtype == numpy.float32 else float(tensor)


def of_file(model, tensors):
    """Tensors by the names of the model's parameters, and of their shapes, under the names and in the shapes of the file."""
    tensors = dict(tensors)
    converted = revert_weight_conversion(model, tensors)
    return {name: converted[name] for name in dict.fromkeys([*tensors, *converted]) if name in converted}


def norm(tensors):
    return math.sqrt(sum(float(tensor.detach().double().square().sum()) for tensor in tensors))


def largest(tensor):
    return int(tensor.abs().argmax())


def entries(tensor, indices):
    return [[index, exact(tensor.flatten()[index])] for index in indices]


def record_gradients(model, loss, rows, counts):
    model.zero_grad()
    by_list = loss_by_list(loss, score(model, rows), counts)
    by_list.mean().backward()
    grads = of_file(model, {name: parameter.grad for name, parameter in model.named_parameters()})
    return {
        "loss": exact(by_list.mean()),
        "loss_by_prompt": exact(by_list),
        "grad_norm": norm(grads.values()),
        "grads": {name: {"norm": norm([grad]),
                         "entries": entries(grad, [largest(grad), grad.numel() // 3, 2 * grad.numel() // 3])}
                  for name, grad in grads.items()},
    }


def record_run(model, run, rows, counts, batch):
    """Trains the model in place for STEPS steps."""
    clip = RUNS[run]["clip_grad_norm"]
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    schedule = get_linear_schedule_with_warmup(optimizer, 2, STEPS) if run == "clip_warmup" else None
    recorded = {"lr": [], "clip_grad_norm": clip, "losses": [], "grad_norms": []}
    watched = {}
    for _ in range(STEPS):
        model.zero_grad()
        loss = loss_by_list("logsigmoid", score(model, rows), counts).mean()
        loss.backward()
        recorded["lr"].append(optimizer.param_groups[0]["lr"])
        recorded["losses"].append(exact(loss))
        recorded["grad_norms"].append(norm(parameter.grad for parameter in model.parameters()))
        for name, grad in of_file(model, {name: parameter.grad for name, parameter in model.named_parameters()}).items():
            watched.setdefault(name, largest(grad))
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        if schedule is not None:
            schedule.step()
    with torch.no_grad():
        rewards, batch_rewards = score(model, rows), score(model, batch)
    return recorded | {
        "final_loss": exact(loss_by_list("logsigmoid", rewards, counts).mean()),
        "final_rewards_centered": [exact(part) for part in (rewards - rewards.mean()).split(counts)],
        "final_batch_rewards_centered": exact(batch_rewards - rewards.mean()),
        "parameters_after": {name: {"norm": norm([parameter]), "entries": entries(parameter, [watched[name]])}
                             for name, parameter in of_file(model, model.named_parameters()).items()},
    }


def routers(model):
    """Names and modules of what chooses experts: their first result are logits, then weights and experts of each token."""
    return [(name, module) for name, module in model.base_model.named_modules() if type(module).__name__.endswith("TopKRouter")]


def record_margins(model):
    """Fills a list, as the model computes, with the smallest margin of each router's choices of each call, over real tokens."""
    margins, real = [], []

    def take_mask(module, args, kwargs):
        real[:] = [kwargs["attention_mask"].flatten().bool()]

    def take_logits(router, args, results):
        best = results[0].detach()[real[0]].topk(router.top_k + 1).values
        margins.append(float((best[:, -2] - best[:, -1]).min()))

    model.register_forward_pre_hook(take_mask, with_kwargs=True)
    model.base_model.register_forward_pre_hook(take_mask, with_kwargs=True)
    for _, router in routers(model):
        router.register_forward_hook(take_logits)
    return margins


def record_routes(model, row):
    """Of the tokens of a row, in each layer with experts: those that are chosen, the heaviest first, and their weights."""
    by_layer = {}

    def take(name):
        def hook(router, args, results):
            by_layer[name.split(".")[1]] = {"experts": results[2].tolist(), "weights": exact(results[1])}
        return hook

    handles = [router.register_forward_hook(take(name)) for name, router in routers(model)]
    with torch.no_grad():
        score(model, [row])
    for handle in handles:
        handle.remove()
    return by_layer


def record_routing(directory, rows, counts, batch):
    model = load(directory)
    routes = record_routes(model, batch[0])
    margins = record_margins(model)
    with torch.no_grad():
        score(model, rows), score(model, batch)
    of_training = []
    for run in RUNS:
        model = load(directory)
        margins_of_run = record_margins(model)
        record_run(model, run, rows, counts, batch)
        of_training += margins_of_run
    assert min(margins + of_training) > LEAST_MARGIN, f"a choice of experts hangs on {min(margins + of_training)}"
    return {"row": 0, "by_layer": routes,
            "smallest_margin": float(f"{min(margins):.2g}"), "smallest_margin_in_training": float(f"{min(of_training):.2g}")}


def record_batch(model, rows):
    ids, mask = padded(rows, model.config.pad_token_id)
    with torch.no_grad():
        hidden = model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
        rewards = score(model, rows)
    real = hidden[mask.bool()].double()
    return {
        "lengths": [len(row) for row in rows],
        "input_ids": ids.tolist(),
        "attention_mask": mask.tolist(),
        "rewards": exact(rewards),
        "final_hidden": {
            "shape": list(hidden.shape),
            "sum": float(real.sum()),
            "sum_abs": float(real.abs().sum()),
            "entries": [[row, position, channel, exact(hidden[row, position, channel])]
                        for row, ids in enumerate(rows) for position in sorted({0, len(ids) - 1})
                        for channel in range(hidden.shape[2])],
        },
    }


def record_rotary(rotary, layer_types):
    if hasattr(rotary, "inv_freq"):
        return {"all_layers": {"inv_freq": exact(rotary.inv_freq), "attention_scaling": rotary.attention_scaling}}
    return {kind: {"inv_freq": exact(getattr(rotary, f"{kind}_inv_freq")),
                   "attention_scaling": getattr(rotary, f"{kind}_attention_scaling")}
            for kind in sorted(set(layer_types))}


def record_noise(directory, rows, counts, batch):
    """How far the same numbers move in float64 and with a fused attention kernel, where that computes the same."""
    plain, plain_after = noise_run(rows, counts, batch, directory)
    noise, wandering = {}, set()
    variants = {"float64": dict(dtype=torch.float64)}
    config = AutoConfig.from_pretrained(directory)
    if config.model_type not in WITHOUT_FUSED_ATTENTION and not getattr(config, "alibi", False):
        variants["fused_attention"] = dict(attention="sdpa")
    for variant, options in variants.items():
        numbers, after = noise_run(rows, counts, batch, directory, **options)
        noise[variant] = {key: float(f"{distance(numbers[key], plain[key]):.2g}") for key in plain}
        wandering |= {name for run, name in after if distance(after[run, name], plain_after[run, name]) > 1e-5}
    return noise | {"parameters_that_wander": sorted(wandering)}


def noise_run(rows, counts, batch, directory, **options):
    """The numbers to compare by name, and the trained parameters by run and name; all float64."""
    model = load(directory, **options)
    rewards = score(model, rows)
    loss_by_list("logsigmoid", rewards, counts).mean().backward()
    numbers = {"rewards": rewards.double(),
               "grad_entries": torch.cat([parameter.grad.double().flatten() for parameter in model.parameters()])}
    after = {}
    for run in RUNS:
        model = load(directory, **options)
        recorded = record_run(model, run, rows, counts, batch)
        numbers[f"{run}_losses"] = torch.tensor(recorded["losses"], dtype=torch.float64)
        numbers[f"{run}_final_rewards_centered"] = torch.tensor(sum(recorded["final_rewards_centered"], []), dtype=torch.float64)
        after |= {(run, name): parameter.double() for name, parameter in of_file(model, model.named_parameters()).items()}
    return numbers, after


def distance(left, right):
    return float((left - right).detach().abs().max())


def make(name, settings, directory):
    model, parameters = make_model(settings, directory)
    config = json.loads((directory / "config.json").read_text())
    pad = config["pad_token_id"]
    lists = [(hash_ids(f"prompt {i}", prompt, pad),
              [hash_ids(f"prompt {i} answer {j}", length, pad) for j, length in enumerate(answers)])
             for i, (prompt, answers) in enumerate(RANKED_LISTS)]
    rows = [prompt + answer for prompt, answers in lists for answer in answers]
    counts = [len(answers) for _, answers in lists]
    batch = [hash_ids(f"batch {i}", length, pad) for i, length in enumerate(BATCH_LENGTHS)]
    with torch.no_grad():
        rewards = score(model, rows)
    fixture = {
        "architecture": type(model).__name__,
        "model_type": config["model_type"],
        "torch": torch.__version__.split("+")[0],
        "transformers": transformers.__version__,
        "config": config,
        "config_v4_style": v4_style(config),
        "parameters": parameters,
        "batch": record_batch(model, batch),
        "ranking": {
            "prompts": [{"prompt_ids": prompt, "answer_ids": answers} for prompt, answers in lists],
            "k": counts,
            "rewards": [exact(part) for part in rewards.split(counts)],
            **{loss: record_gradients(model, loss, rows, counts) for loss in LOSSES},
        },
        "training": {
            "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.01,
            "runs": {run: record_run(load(directory), run, rows, counts, batch) for run in RUNS},
        },
        "noise": record_noise(directory, rows, counts, batch),
    }
    if hasattr(model.base_model, "rotary_emb"):
        fixture["positions"] = {"rotary": record_rotary(model.base_model.rotary_emb, config.get("layer_types", []))}
    if routers(model):
        fixture["routing"] = record_routing(directory, rows, counts, batch)
        for loss in LOSSES:
            grads = fixture["ranking"][loss]["grads"]
            assert all(grad["norm"] > 0 for grad in grads.values()), f"{name}: no token of the lists chooses some expert"

    (directory / "config.json").write_text(json.dumps(fixture["config_v4_style"]))
    with torch.no_grad():
        assert torch.equal(score(load(directory), rows), rewards), f"{name}: the older config.json gives other rewards"
    return fixture


def as_json(value, indent=""):
    """JSON in which an object that fits is one line, so that a change shows as a small difference."""
    line = json.dumps(value)
    if not isinstance(value, dict) or len(line) <= 120:
        return line
    inner = indent + "  "
    body = ",\n".join(f"{inner}{json.dumps(key)}: {as_json(part, inner)}" for key, part in value.items())
    return f"{{\n{body}\n{indent}}}"


def main(names):
    unknown = [name for name in names if name not in MODELS]
    if unknown:
        sys.exit(f"no model named {', '.join(unknown)}; there are: {', '.join(MODELS)}")
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    for name in names or MODELS:
        with tempfile.TemporaryDirectory() as directory:
            fixture = make(name, MODELS[name], pathlib.Path(directory))
        (HERE / f"{name}.json").write_text(as_json(fixture) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
