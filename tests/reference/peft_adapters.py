"""Loads adapters that `reward-model train --lora-rank` saved into peft, and compares rewards with `reward-model score`.

  peft_adapters.py make FOLDER REWARD_MODEL    trains one small adapter per case and merges it; Python alone
  peft_adapters.py check FOLDER                loads them with AutoPeftModelForSequenceClassification; needs torch, transformers and peft

A case is an architecture and what of it has an adapter. The check reads the adapter's directory as it is, from another current directory,
scores padded batches, and compares with what `reward-model score` printed for the adapter and for the merged model. It ends with status 1
if a reward differs by more than 1e-5.
"""

import json
import pathlib
import subprocess
import sys

import padded_batches as padded

TOLERANCE = 1e-5
CASES = {
    "gpt2-attention": ("gpt2", []),
    "gpt2-all": ("gpt2", ["--lora-targets", "all-linear", "--lora-bias", "all"]),
    "llama-attention": ("llama", []),
    "llama-all-rslora": ("llama", ["--lora-targets", "all-linear", "--lora-rank-stabilized", "--lora-modules-to-save", "embed_tokens,norm"]),
    "llama-named": ("llama", ["--lora-targets", "q_proj,down_proj", "--lora-bias", "lora_only"]),
    "mistral-attention": ("mistral", []),
    "qwen2-bias": ("qwen2", ["--lora-bias", "lora_only"]),
    "qwen3-all": ("qwen3", ["--lora-targets", "all-linear"]),
    "phi3-all": ("phi3", ["--lora-targets", "all-linear", "--lora-alpha", "3"]),
    "gpt_neox-all": ("gpt_neox", ["--lora-targets", "all-linear", "--lora-bias", "all"]),
    "opt-all": ("opt", ["--lora-targets", "all-linear"]),
    "gemma2-all": ("gemma2", ["--lora-targets", "all-linear"]),
    "gemma3_text-attention": ("gemma3_text", []),
}


def command(*arguments):
    done = subprocess.run(arguments, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        sys.exit(f"{' '.join(map(str, arguments))}:\n{done.stdout}{done.stderr}")
    return done.stdout


def make(folder, program):
    for name, (architecture, options) in CASES.items():
        case = folder / name
        tokenizer = case / "tokenizer"
        size, padding_id = padded.byte_level_tokenizer(tokenizer, "own")
        padded.write(case / "config.json", padded.config_of(architecture, size, padding_id))
        lists = [{"prompt": prompt, "answers": answers} for prompt, answers in padded.LISTS]
        ranked = [one for one in lists if len(one["answers"]) > 1] * 4
        (case / "train.jsonl").write_text("".join(json.dumps(one) + "\n" for one in ranked))
        (case / "score.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lists))
        train = [program, "train", "--data", case / "train.jsonl", "--eval-fraction", "0", "--threads", "2", "-q"]
        command(*train, "--config", case / "config.json", "--tokenizer", tokenizer, "--output", case / "base", "--steps", "3", "--lr", "1e-3")
        command(*train, "--backbone", case / "base", "--output", case / "adapter", "--lora-rank", "4", "--lora-dropout", "0.1",
                "--steps", "20", "--lr", "2e-2", *options)
        command(program, "export", "--merge", "--model", case / "adapter", "--output", case / "merged")
        for model in ("base", "adapter", "merged"):
            lines = command(program, "score", "--model", case / model, "--data", case / "score.jsonl")
            (case / f"{model}.jsonl").write_text(lines, encoding="utf-8")
        print(name)


def rewards(file):
    return [reward for line in file.read_text(encoding="utf-8").splitlines() for reward in json.loads(line)["rewards"]]


def check(folder):
    import peft
    import torch
    import transformers
    from peft import AutoPeftModelForSequenceClassification
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer

    transformers.utils.logging.set_verbosity_error()
    print(f"peft {peft.__version__}, transformers {transformers.__version__}, torch {torch.__version__.split('+')[0]}")
    print("| case | trained tensors in peft | adapter and base differ by | peft differs by | merged differs by |")
    print("|---|---|---|---|---|")
    worst = 0
    for name in CASES:
        case = folder / name
        tokenizer = Tokenizer.from_file(str(case / "adapter" / "tokenizer.json"))
        # Its other implementations of attention leave Gemma 2's soft cap out.
        model = AutoPeftModelForSequenceClassification.from_pretrained(case / "adapter", num_labels=1, attn_implementation="eager").eval()
        pad = AutoTokenizer.from_pretrained(case / "adapter").pad_token_id
        model.config.pad_token_id = pad
        rule = json.loads((case / "adapter" / "reward_model.json").read_text())["rule"]["special_tokens"]
        ids = [rule["before_prompt"] + tokenizer.encode(prompt + answer, add_special_tokens=False).ids + rule["after_answer"]
               for prompt, answers in padded.LISTS for answer in answers]
        rows = padded_rows(ids, pad)
        with torch.no_grad():
            found = model(**{key: torch.tensor(value) for key, value in rows.items()}).logits[:, 0].tolist()
        ours, base, merged = (rewards(case / f"{kind}.jsonl") for kind in ("adapter", "base", "merged"))
        trained = sum(".lora_" in key or ".modules_to_save." in key for key in model.state_dict())
        apart, by_peft, by_merging = (max(abs(a - b) for a, b in zip(ours, others, strict=True)) for others in (base, found, merged))
        print(f"| {name} | {trained} | {apart:.2f} | {by_peft:.1e} | {by_merging:.1e} |")
        worst = max(worst, by_peft, by_merging)
        if apart < 0.01:
            sys.exit(f"{name}: the adapter changes no reward")
    print(f"largest difference {worst:.1e}")
    sys.exit(worst > TOLERANCE)


def padded_rows(ids, pad):
    width = max(map(len, ids))
    return {"input_ids": [row + [pad] * (width - len(row)) for row in ids],
            "attention_mask": [[1] * len(row) + [0] * (width - len(row)) for row in ids]}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", folder, program]:
            make(pathlib.Path(folder), program)
        case ["check", folder]:
            check(pathlib.Path(folder))
        case _:
            sys.exit(__doc__)
