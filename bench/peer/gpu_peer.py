"""The peer on a GPU: transformers' own models in PyTorch, trained as pairwise trainers do it. Started by gpu-kit.

    gpu_peer.py FILE DEVICE

FILE has JSON: a model's config, the rows that go through it at once, and jobs: lists of a step, each a prompt and answers, best first.
Prints a marked line of JSON per job and mode, and first what it runs on. Modes:
    once    each answer is scored once with its prompt, rows padded to the longest of the micro-batch
    pairs   every pair is scored on its own: C(K,2) pairs a list, two rows each

On a GPU: weights, gradients and AdamW (fused) in float32, products in bfloat16 by autocast, attention by scaled_dot_product_attention
without a mask, as causal attention of real tokens does not look at padding on the right; not compiled. On the CPU: float32.
"""
import json
import sys
import time

import torch
from torch.nn import functional as F

WARM_UP_STEPS, TIMED_STEPS = 2, 3
PADDING = 0


def emit(**result):
    print("RESULT " + json.dumps(result), flush=True)


class Trainer:
    def __init__(self, config, rows, device):
        import transformers
        self.device, self.rows = device, rows
        settings = transformers.AutoConfig.for_model(**config, num_labels=1, pad_token_id=PADDING)
        with torch.device(device):
            self.model = transformers.AutoModelForSequenceClassification.from_config(settings, attn_implementation="sdpa")
        self.model = self.model.float().train()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-5, weight_decay=0.01, fused=True)

    def rewards(self, rows):
        longest = max(map(len, rows))
        ids = torch.tensor([row + [PADDING] * (longest - len(row)) for row in rows]).to(self.device)
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=self.device == "cuda"):
            logits = self.model(input_ids=ids, use_cache=False).logits
        return logits.float()[:, 0]

    def backward(self, lists, mode):
        """Gradients of the mean over lists of the mean loss over a list's pairs."""
        texts = [[ranked["prompt"] + answer for answer in ranked["answers"]] for ranked in lists]
        pairs = [[(i, j) for i in range(len(rows)) for j in range(i + 1, len(rows))] for rows in texts]
        shares = [1 / (len(of_list) * len(lists)) for of_list in pairs]
        if mode == "once":
            at_once = max(1, self.rows // len(texts[0]))
            for first in range(0, len(lists), at_once):
                part = range(first, min(first + at_once, len(lists)))
                rewards = self.rewards([row for l in part for row in texts[l]]).split([len(texts[l]) for l in part])
                losses = []
                for l, of_list in zip(part, rewards):
                    better, worse = zip(*pairs[l])
                    losses.append(-F.logsigmoid(of_list[list(better)] - of_list[list(worse)]).sum() * shares[l])
                sum(losses).backward()
            return
        flat = [(texts[l][i], texts[l][j], shares[l]) for l in range(len(lists)) for i, j in pairs[l]]
        for first in range(0, len(flat), self.rows // 2):
            better, worse, share = zip(*flat[first:first + self.rows // 2])
            chosen, rejected = self.rewards([*better, *worse]).split(len(better))
            (-F.logsigmoid(chosen - rejected) * torch.tensor(share, device=self.device)).sum().backward()

    def step(self, lists, mode):
        self.optimizer.zero_grad()
        self.backward(lists, mode)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()

    def measure(self, lists, mode):
        if self.device == "cuda":
            self.optimizer.zero_grad()
            torch.cuda.empty_cache()
        seconds = []
        for _ in range(WARM_UP_STEPS + TIMED_STEPS):
            start = time.perf_counter()
            self.step(lists, mode)
            if self.device == "cuda":
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - start)
        return sorted(seconds[WARM_UP_STEPS:])[TIMED_STEPS // 2]

    def memory(self):
        if self.device == "cuda":
            free, total = torch.cuda.mem_get_info()
            return (total - free) / 2**20
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def main(file, device):
    import transformers
    emit(versions=f"PyTorch {torch.__version__}, transformers {transformers.__version__}")
    with open(file) as source:
        work = json.load(source)
    trainer = Trainer(work["config"], work["rows"], device)
    for mode in ("once", "pairs"):
        for job in work["jobs"]:
            emit(workload=job["name"], mode=mode, seconds=trainer.measure(job["lists"], mode), memory=trainer.memory())


if __name__ == "__main__":
    main(*sys.argv[1:])
