"""Scores models with a folded normaliser in transformers, and compares with the normalised rewards of `reward-model score`.

  folded_normalizer.py make FOLDER REWARD_MODEL   trains, normalises, scores and exports one small model per architecture; Python alone
  folded_normalizer.py check FOLDER               loads and scores what was exported; needs torch and transformers
"""

import json
import pathlib
import random
import shutil
import statistics
import subprocess
import sys

TOLERANCE = 1e-5
ARCHITECTURES = ["bert", "roberta", "deberta_v2", "modernbert"]


def run(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True).stdout


def make(folder, command):
    folder = pathlib.Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    draw = random.Random(1)

    def ids(least, most):
        return [draw.randrange(5, 40) for _ in range(draw.randrange(least, most))]

    for name, count in (("train", 40), ("held-out", 12)):
        lists = [{"prompt_ids": ids(2, 6), "answer_ids": [ids(1, 5) for _ in range(3)]} for _ in range(count)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lists))
    for architecture in ARCHITECTURES:
        parity = pathlib.Path(__file__).parent.parent / "RewardModel.Tests" / "Parity" / f"{architecture}.json"
        case = folder / architecture
        case.mkdir()
        config = json.loads(parity.read_text(encoding="utf-8"))["config"]
        config["initializer_range"] = 0.1
        (case / "config.json").write_text(json.dumps(config))
        run(command, "train", "--config", case / "config.json", "--data", folder / "train.jsonl", "--eval-data", folder / "held-out.jsonl",
            "--output", case / "model", "--steps", "5", "--normalize", "held-out", "--threads", "1", "--quiet")
        (case / "rewards.jsonl").write_text(run(
            command, "score", "--model", case / "model", "--data", folder / "held-out.jsonl", "--threads", "1"))
        run(command, "export", "--model", case / "model", "--fold-normalizer", "--output", case / "folded")
        print(architecture, json.loads((case / "model" / "reward_model.json").read_text())["rule"]["normalizer"], flush=True)


def check(folder):
    import torch
    from transformers import AutoModelForSequenceClassification

    torch.set_num_threads(1)
    worst = 0
    print("| model | mean and standard deviation in transformers | largest difference folded | not folded |\n| --- | --- | --- | --- |")
    for case in (pathlib.Path(folder) / architecture for architecture in ARCHITECTURES):
        rows = [json.loads(line) for line in (case / "rewards.jsonl").read_text().splitlines()]
        texts = [row["prompt_ids"] + answer for row in rows for answer in row["answer_ids"]]
        expected = [reward for row in rows for reward in row["rewards"]]

        def rewards(model):
            model = AutoModelForSequenceClassification.from_pretrained(case / model, dtype=torch.float32, attn_implementation="eager").eval()
            with torch.no_grad():
                return [model(input_ids=torch.tensor([text])).logits.item() for text in texts]

        folded = rewards("folded")
        difference, raw = (max(abs(a - b) for a, b in zip(found, expected, strict=True)) for found in (folded, rewards("model")))
        worst = max(worst, difference)
        print(f"| {case.name} | {statistics.fmean(folded):.6f}, {statistics.pstdev(folded):.6f} | {difference:.1e} | {raw:.1e} |", flush=True)
    print(f"\nlargest difference {worst:.1e}, tolerance {TOLERANCE}")
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(make(*sys.argv[2:4]) if sys.argv[1] == "make" else check(sys.argv[2]))
