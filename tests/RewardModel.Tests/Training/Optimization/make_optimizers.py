#!/usr/bin/env python3
"""Makes optimizers.json: steps of the reference implementations' optimisers, and the dynamic map of 8-bit optimisers.

    python3 make_optimizers.py        (torch 2.14, transformers 5.12; writes beside itself)

AdamW is torch.optim.AdamW with parameter groups, Adafactor that of transformers; both compute in float64, of the
same float32 weights and gradients. The map is written down here as bitsandbytes' create_dynamic_map defines it (Dettmers et al., arXiv 2110.02861).
"""
import json
import math
import os

import torch
from transformers.optimization import Adafactor

STEPS = 5
RATES = [0.0, 0.01, 0.02, 0.015, 0.005]
DECAY = 0.1
# Rates relative to the step's, as groups of layers and head have them; matrices decay, the rest does not.
PARAMETERS = {"wide": ([3, 19], 1.0), "tall": ([21, 2], 0.75), "row": ([1, 9], 2.5), "stack": ([2, 5, 4], 1.0), "bias": ([17], 0.5)}


def draw(seed):
    generator = torch.Generator().manual_seed(seed)
    # Sizes that differ by powers of ten, as gradients' do.
    return {
        name: torch.randn(shape, generator=generator) * 10 ** torch.randn(shape, generator=generator).clamp(-2, 2)
        for name, (shape, _) in PARAMETERS.items()
    }


def run(create):
    parameters = {name: torch.nn.Parameter(value.double()) for name, value in draw(0).items()}
    groups = [
        {"params": [value], "weight_decay": DECAY if value.dim() >= 2 else 0.0, "lr": 1.0} for name, value in parameters.items()
    ]
    optimizer = create(groups)
    for step in range(STEPS):
        gradients = draw(step + 1)
        for group, name in zip(optimizer.param_groups, parameters):
            parameters[name].grad = gradients[name].double()
            group["lr"] = RATES[step] * PARAMETERS[name][1]
        optimizer.step()
    state = {
        f"{key}.{name}": value.flatten().tolist()
        for name, parameter in parameters.items()
        for key, value in optimizer.state[parameter].items()
        if key.startswith("exp_avg")
    }
    return {"after": {name: value.flatten().tolist() for name, value in parameters.items()}, "state": state}


def adafactor(groups):
    return Adafactor(groups, scale_parameter=False, relative_step=False, warmup_init=False)


def adamw(groups):
    return torch.optim.AdamW(groups, betas=(0.8, 0.95), eps=1e-6)


def dynamic_map(signed, max_exponent_bits=7, total_bits=8):
    data = []
    non_sign_bits = total_bits - 1
    for i in range(max_exponent_bits):
        exponent = i + non_sign_bits - max_exponent_bits
        items = 2**exponent + 1 if signed else 2 ** (exponent + 1) + 1
        boundaries = torch.linspace(0.1, 1, items, dtype=torch.float64)
        means = (boundaries[:-1] + boundaries[1:]) / 2
        data += (10.0 ** (-(max_exponent_bits - 1) + i) * means).tolist()
        if signed:
            data += (-(10.0 ** (-(max_exponent_bits - 1) + i)) * means).tolist()
    data += [0.0, 1.0]
    assert len(data) == 2**total_bits
    return [float(f"{value:.9g}") for value in sorted(data)]


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.9g}") if isinstance(value, float) and math.isfinite(value) else value


result = {
    "rates": RATES,
    "weight_decay": DECAY,
    "parameters": {name: {"shape": shape, "rate": rate} for name, (shape, rate) in PARAMETERS.items()},
    "start": {name: value.flatten().tolist() for name, value in draw(0).items()},
    "gradients": [{name: value.flatten().tolist() for name, value in draw(step + 1).items()} for step in range(STEPS)],
    "adamw": run(adamw),
    "adafactor": run(adafactor),
    "signed_map": dynamic_map(True),
    "unsigned_map": dynamic_map(False),
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "optimizers.json"), "w") as file:
    json.dump(rounded(result), file, separators=(",", ":"))
    file.write("\n")
