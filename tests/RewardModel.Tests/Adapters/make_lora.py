"""Makes the fixtures beside this file, one <name>.json for each entry of CASES, with the public `transformers` and `peft` libraries.

Used: Python 3.14.10, torch 2.14.1, transformers 5.12.1, peft 0.20.1.dev0, safetensors 0.8.0, numpy 2.4.6, on the CPU.

    python3 make_lora.py                      # all of them
    python3 make_lora.py llama_attention      # only those named

The base models are those of ../Parity, with the same weights and ranked lists. The adapter's weights are computed in the same way, from the
names and shapes of the tensors in the adapter_model.safetensors that peft writes: A, B, the head and what else is trained in full. Each
fixture has the adapter_config.json as peft wrote it, the tensors' shapes, the rewards, the gradient of every trained tensor, and what five
steps of AdamW give.
"""
import json
import pathlib
import sys
import tempfile

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "Parity"))
import make_parity as parity  # noqa: E402

CASES = {
    "llama_attention": ("llama", dict(r=4, lora_alpha=8, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"])),
    "llama_all_rslora": ("llama", dict(r=4, lora_alpha=6, use_rslora=True, target_modules="all-linear", modules_to_save=["embed_tokens"])),
    "gpt2_all": ("gpt2", dict(r=3, lora_alpha=6, target_modules=["c_attn", "c_proj", "c_fc"], fan_in_fan_out=True)),
    "bert_attention": ("bert", dict(
        r=4, lora_alpha=4, target_modules=["query", "key", "value", "attention.output.dense"], bias="all", modules_to_save=["bert.pooler"])),
    # The pooler's layer is one of those that end with "dense": an adapter within the head.
    "bert_dense": ("bert", dict(r=4, lora_alpha=4, target_modules=["query", "value", "dense"], bias="all")),
    "phi3_patterns": ("phi3", dict(
        r=4, lora_alpha=8, target_modules=r".*\.layers\.\d\.(self_attn\.qkv_proj|self_attn\.o_proj|mlp\.gate_up_proj|mlp\.down_proj)",
        rank_pattern={"qkv_proj": 2}, alpha_pattern={"layers.1.mlp.down_proj": 3})),
    "gpt_neox_layer": ("gpt_neox", dict(
        r=2, lora_alpha=4, target_modules=["query_key_value", "dense_4h_to_h"], layers_to_transform=[1], layers_pattern="layers",
        bias="lora_only")),
}

STEPS, LEARNING_RATE = 5, 1e-3


def make_adapter(model_name, settings, folder):
    """Writes base model and adapter with weights by hash."""
    parity.make_model(parity.MODELS[model_name], folder / "base")
    model = get_peft_model(parity.load(folder / "base"), LoraConfig(task_type="SEQ_CLS", **settings))
    model.save_pretrained(folder / "adapter")
    file = folder / "adapter" / "adapter_model.safetensors"
    shapes = {name: list(tensor.shape) for name, tensor in load_file(file).items()}
    save_file({name: torch.from_numpy(parity.hash_weights(name, shape)) for name, shape in shapes.items()}, file, {"format": "pt"})
    return shapes


def load(folder, dtype=torch.float32):
    model = PeftModel.from_pretrained(parity.load(folder / "base", dtype=dtype), folder / "adapter", is_trainable=True)
    return model.to(dtype).eval()


def trained(model):
    """Parameters by their names in peft's files; without those that a wrapper keeps beside what it trains."""
    return {name.replace(".modules_to_save.default", "").replace(".default", ""): parameter
            for name, parameter in model.named_parameters() if parameter.requires_grad and ".original_module." not in name}


def loss_of(model, rows, counts):
    return parity.loss_by_list("logsigmoid", parity.score(model, rows), counts).mean()


def record_gradients(model, rows, counts):
    model.zero_grad()
    loss = loss_of(model, rows, counts)
    loss.backward()
    grads = {name: parameter.grad for name, parameter in trained(model).items()}
    return {
        "loss": parity.exact(loss),
        "grads": {name: {"norm": parity.norm([grad]),
                         "entries": parity.entries(grad, [parity.largest(grad), grad.numel() // 3, 2 * grad.numel() // 3])}
                  for name, grad in grads.items()},
    }


def record_run(model, rows, counts):
    parameters = trained(model)
    optimizer = torch.optim.AdamW(parameters.values(), lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    recorded, watched = {"losses": [], "grad_norms": []}, {}
    for _ in range(STEPS):
        model.zero_grad()
        loss = loss_of(model, rows, counts)
        loss.backward()
        recorded["losses"].append(parity.exact(loss))
        recorded["grad_norms"].append(parity.norm(parameter.grad for parameter in parameters.values()))
        for name, parameter in parameters.items():
            watched.setdefault(name, parity.largest(parameter.grad))
        optimizer.step()
    with torch.no_grad():
        rewards = parity.score(model, rows)
    return recorded | {
        "final_rewards_centered": parity.exact(rewards - rewards.mean()),
        "parameters_after": {name: {"norm": parity.norm([parameter]), "entries": parity.entries(parameter, [watched[name]])}
                             for name, parameter in parameters.items()},
    }


def wandering(folder, rows, counts):
    """Parameters whose gradient is rounding alone, so that the optimiser takes them anywhere."""
    after = []
    for dtype in (torch.float32, torch.float64):
        model = load(folder, dtype)
        record_run(model, rows, counts)
        after.append({name: parameter.double() for name, parameter in trained(model).items()})
    return sorted(name for name in after[0] if parity.distance(after[0][name], after[1][name]) > 1e-5)


def make(model_name, settings, folder):
    shapes = make_adapter(model_name, settings, folder)
    config = json.loads((folder / "adapter" / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "../base"
    if isinstance(config["target_modules"], list):
        config["target_modules"].sort()
    pad = json.loads((folder / "base" / "config.json").read_text())["pad_token_id"]
    lists = [(parity.hash_ids(f"prompt {i}", prompt, pad),
              [parity.hash_ids(f"prompt {i} answer {j}", length, pad) for j, length in enumerate(answers)])
             for i, (prompt, answers) in enumerate(parity.RANKED_LISTS)]
    rows = [prompt + answer for prompt, answers in lists for answer in answers]
    counts = [len(answers) for _, answers in lists]
    model = load(folder)
    with torch.no_grad():
        rewards = parity.score(model, rows)
        merged = parity.score(load(folder).merge_and_unload(), rows)
        base = parity.score(parity.load(folder / "base"), rows)
    assert parity.distance(rewards, merged) < 1e-4 and parity.distance(rewards, base) > 0.1
    return {
        "base": model_name,
        "adapter_config": config,
        "tensors": shapes,
        "rewards": parity.exact(rewards),
        "ranking": record_gradients(model, rows, counts),
        "training": record_run(load(folder), rows, counts),
        "parameters_that_wander": wandering(folder, rows, counts),
    }


def main():
    torch.set_num_threads(1)
    for name in sys.argv[1:] or CASES:
        with tempfile.TemporaryDirectory() as folder:
            fixture = make(*CASES[name], pathlib.Path(folder))
        (HERE / f"{name}.json").write_text(parity.as_json(fixture) + "\n")
        print(name)


main()
