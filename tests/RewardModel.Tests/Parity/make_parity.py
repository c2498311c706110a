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

HERE = pathlib.Path(__file__).parent

VOCAB_SIZE = 97
PAD = VOCAB_SIZE - 1

LLAMA = dict(
    model_type="llama", hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    head_dim=12, max_position_embeddings=64, bos_token_id=1, eos_token_id=2)

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
}

# K = 4, 2 and 9 answers; the number is the answer's length in tokens.
RANKED_LISTS = [(5, [1, 14, 6, 3]), (1, [2, 9]), (11, [8, 3, 1, 17, 5, 2, 12, 4, 7])]
BATCH_LENGTHS = [13, 1, 6, 24]

STEPS = 5
LEARNING_RATE = 1e-3
RUNS = {"constant": dict(clip_grad_norm=None), "clip_warmup": dict(clip_grad_norm=1.0)}

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
        case "weight", 2:
            return 0, 1 / 4
    raise ValueError(f"no rule for tensor {name!r} of shape {list(shape)}: "
                     "add a line for it to HashWeights.cs, make_parity.py and README.md")


def hash_ids(name, count):
    """Token ids that avoid PAD: transformers reads the reward at the last id that is not the pad id."""
    return [int(bits % PAD) for bits in hash_bits(name, count)]


# --- the model

def make_model(settings, directory):
    """Writes the checkpoint with hash weights and returns it as from_pretrained loads it, with its tensors' names and shapes."""
    config = AutoConfig.for_model(**settings, vocab_size=VOCAB_SIZE, pad_token_id=PAD, num_labels=1)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(directory)
    file = directory / "model.safetensors"
    parameters = {name: list(tensor.shape) for name, tensor in load_file(file).items()}
    save_file({name: torch.from_numpy(hash_weights(name, shape)) for name, shape in parameters.items()}, file, {"format": "pt"})
    return load(directory), parameters


def load(directory, dtype=torch.float32, attention="eager"):
    model, report = AutoModelForSequenceClassification.from_pretrained(
        directory, dtype=dtype, attn_implementation=attention, output_loading_info=True)
    assert not any(report.values()), report
    return model.eval()


def v4_style(config):
    """The config.json of the same model in the spelling of transformers 4."""
    old = {key: value for key, value in config.items() if key not in ("dtype", "rope_parameters")}
    old["torch_dtype"] = config["dtype"]
    old["transformers_version"] = "4.46.0"
    if "rope_parameters" in config:
        scaling = dict(config["rope_parameters"])
        old["rope_theta"] = scaling.pop("rope_theta")
        old["rope_scaling"] = None if scaling == {"rope_type": "default"} else scaling
    return dict(sorted(old.items()))


def padded(rows):
    """input_ids and attention_mask [rows, longest], padded on the right."""
    width = max(map(len, rows))
    ids = torch.tensor([row + [PAD] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    return ids, mask


def score(model, rows):
    ids, mask = padded(rows)
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
    grads = {name: parameter.grad for name, parameter in model.named_parameters()}
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
        for name, parameter in model.named_parameters():
            watched.setdefault(name, largest(parameter.grad))
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
                             for name, parameter in model.named_parameters()},
    }


def record_batch(model, rows):
    ids, mask = padded(rows)
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


def record_noise(directory, rows, counts, batch):
    """How far the same numbers move in float64 and with a fused attention kernel."""
    plain, plain_after = noise_run(rows, counts, batch, directory)
    noise, wandering = {}, set()
    for variant, options in {"float64": dict(dtype=torch.float64), "fused_attention": dict(attention="sdpa")}.items():
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
        after |= {(run, name): parameter.double() for name, parameter in model.named_parameters()}
    return numbers, after


def distance(left, right):
    return float((left - right).detach().abs().max())


def make(name, settings, directory):
    model, parameters = make_model(settings, directory)
    config = json.loads((directory / "config.json").read_text())
    lists = [(hash_ids(f"prompt {i}", prompt), [hash_ids(f"prompt {i} answer {j}", length) for j, length in enumerate(answers)])
             for i, (prompt, answers) in enumerate(RANKED_LISTS)]
    rows = [prompt + answer for prompt, answers in lists for answer in answers]
    counts = [len(answers) for _, answers in lists]
    batch = [hash_ids(f"batch {i}", length) for i, length in enumerate(BATCH_LENGTHS)]
    with torch.no_grad():
        rewards = score(model, rows)
    rotary = getattr(model.base_model, "rotary_emb", None)
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
    if rotary is not None:
        fixture["positions"] = {"rotary": {"all_layers": {
            "inv_freq": exact(rotary.inv_freq), "attention_scaling": rotary.attention_scaling}}}

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
