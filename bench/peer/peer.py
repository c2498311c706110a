"""The peer in Python's PyTorch: a GPT-2-shaped reward model, trained as pairwise trainers do it. Started by ./bench/run.sh.

    peer.py DIRECTORY MODE THREADS

DIRECTORY has config.json, model.safetensors and list.json. Reads a command a line, answers with a line of JSON. MODE:
    pairs   every pair is scored on its own: C(K,2) pairs, two padded rows each, in micro-batches
    once    each answer is scored once, all in one padded batch
    best    the same with the fastest attention that this PyTorch has

For PyTorch 1.13 and newer. Used: Python 3.11, PyTorch 1.13.1 of Debian 12.
"""
import json
import math
import struct
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

PAIRS_PER_MICRO_BATCH = 9


def read_safetensors(path):
    with open(path, "rb") as file:
        length, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            tensors[name] = torch.frombuffer(data, dtype=torch.float32, count=(end - begin) // 4, offset=begin).reshape(entry["shape"])
    return tensors


def plain_attention(q, k, v, mask):
    scores = torch.baddbmm(mask, q, k.transpose(1, 2), alpha=1 / math.sqrt(q.shape[-1]))
    return torch.bmm(scores.softmax(-1), v)


def fused_attention(q, k, v, mask):
    if hasattr(F, "scaled_dot_product_attention"):
        # Its fast kernel takes four dimensions; heads may as well be those of one row.
        return F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
    return torch._C._nn._scaled_dot_product_attention(q, k, v, mask)[0]


class Block(nn.Module):
    def __init__(self, weights, prefix, heads):
        super().__init__()
        self.heads = heads
        for part in ("ln_1", "ln_2", "attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"):
            weight = weights[f"{prefix}.{part}.weight"]
            # A linear layer's own layout is [outputs, inputs]; the file has [inputs, outputs].
            weight = weight if weight.dim() == 1 else weight.t().contiguous()
            self.register_parameter(part.replace(".", "_") + "_weight", nn.Parameter(weight.clone()))
            self.register_parameter(part.replace(".", "_") + "_bias", nn.Parameter(weights[f"{prefix}.{part}.bias"].clone()))

    def forward(self, x, mask, attention):
        batch, length, width = x.shape
        normed = F.layer_norm(x, (width,), self.ln_1_weight, self.ln_1_bias)
        qkv = F.linear(normed, self.attn_c_attn_weight, self.attn_c_attn_bias)
        qkv = qkv.view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.reshape(3, batch * self.heads, length, width // self.heads)
        out = attention(q, k, v, mask).view(batch, self.heads, length, -1).transpose(1, 2).reshape(batch, length, width)
        x = x + F.linear(out, self.attn_c_proj_weight, self.attn_c_proj_bias)
        normed = F.layer_norm(x, (width,), self.ln_2_weight, self.ln_2_bias)
        inner = F.gelu(F.linear(normed, self.mlp_c_fc_weight, self.mlp_c_fc_bias), approximate="tanh")
        return x + F.linear(inner, self.mlp_c_proj_weight, self.mlp_c_proj_bias)


class RewardModel(nn.Module):
    def __init__(self, directory, attention):
        super().__init__()
        with open(f"{directory}/config.json") as file:
            config = json.load(file)
        weights = read_safetensors(f"{directory}/model.safetensors")
        self.attention = attention
        self.wte = nn.Parameter(weights["transformer.wte.weight"].clone())
        self.wpe = nn.Parameter(weights["transformer.wpe.weight"].clone())
        self.h = nn.ModuleList(Block(weights, f"transformer.h.{i}", config["n_head"]) for i in range(config["n_layer"]))
        self.ln_f_weight = nn.Parameter(weights["transformer.ln_f.weight"].clone())
        self.ln_f_bias = nn.Parameter(weights["transformer.ln_f.bias"].clone())
        self.score = nn.Parameter(weights["score.weight"].clone())

    def forward(self, rows):
        """Rewards of token id lists, padded to the longest."""
        lengths = torch.tensor([len(row) for row in rows])
        longest = int(lengths.max())
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        # Padding stands on the right, where causal attention of real tokens does not look.
        mask = torch.full((longest, longest), -math.inf).triu(1)
        x = F.embedding(ids, self.wte) + self.wpe[:longest]
        for block in self.h:
            x = block(x, mask, self.attention)
        last = x[torch.arange(len(rows)), lengths - 1]
        return F.linear(F.layer_norm(last, last.shape[-1:], self.ln_f_weight, self.ln_f_bias), self.score)[:, 0]


class Trainer:
    def __init__(self, directory, mode):
        self.mode = mode
        self.model = RewardModel(directory, fused_attention if mode == "best" else plain_attention)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-5, weight_decay=0.01, foreach=True)
        with open(f"{directory}/list.json") as file:
            ranked = json.load(file)
        self.rows = [ranked["prompt"] + answer for answer in ranked["answers"]]
        count = len(self.rows)
        self.pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]

    def backward(self):
        """Gradients of the mean loss over all pairs; returns the loss."""
        self.optimizer.zero_grad()
        if self.mode != "pairs":
            rewards = self.model(self.rows)
            better, worse = zip(*self.pairs)
            loss = -F.logsigmoid(rewards[list(better)] - rewards[list(worse)]).mean()
            loss.backward()
            return float(loss)
        total = 0.0
        for first in range(0, len(self.pairs), PAIRS_PER_MICRO_BATCH):
            pairs = self.pairs[first:first + PAIRS_PER_MICRO_BATCH]
            rewards = self.model([self.rows[i] for i, _ in pairs] + [self.rows[j] for _, j in pairs])
            better, worse = rewards.split(len(pairs))
            loss = -F.logsigmoid(better - worse).sum() / len(self.pairs)
            loss.backward()
            total += float(loss)
        return total

    def step(self):
        self.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()

    def agree(self):
        loss = self.backward()
        norms = {}
        for name, parameter in self.model.named_parameters():
            # transformer.h.0.attn.c_attn.weight, as the checkpoint has it
            name = name if name == "score" else f"transformer.{name}"
            for part in ("attn_c_attn", "attn_c_proj", "mlp_c_fc", "mlp_c_proj"):
                name = name.replace(part, part.replace("_", ".", 1))
            name = name.replace("_weight", ".weight").replace("_bias", ".bias")
            name += "" if name.endswith((".weight", ".bias")) else ".weight"
            norms[name] = float(parameter.grad.double().norm())
        self.optimizer.zero_grad()
        return {"loss": loss, "norms": norms}

    def score(self):
        with torch.no_grad():
            return [float(reward) for reward in self.model(self.rows)]


def peak_memory():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def main(directory, mode, threads):
    torch.set_num_threads(int(threads))
    trainer = Trainer(directory, mode)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        match line.strip():
            case "step":
                trainer.step()
                answer = {"seconds": time.perf_counter() - start}
            case "score":
                rewards = trainer.score()
                answer = {"seconds": time.perf_counter() - start, "rewards": rewards}
            case "agree":
                answer = trainer.agree()
            case "memory":
                answer = {"mib": peak_memory()}
            case command:
                raise ValueError(f"unknown command {command!r}")
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
