"""Scores models whose heads have several outputs in transformers, and compares with the outputs and rewards of `reward-model score`.

  several_outputs.py make FOLDER REWARD_MODEL   trains and scores one small model per architecture; Python alone
  several_outputs.py check FOLDER               loads and scores what was saved; needs torch and transformers
"""

import json
import pathlib
import random
import shutil
import subprocess
import sys

TOLERANCE = 1e-5
ARCHITECTURES = ["llama", "gpt2", "bert", "roberta", "xlm_roberta", "ernie", "electra", "deberta_v2", "modernbert"]
NAMES = ["helpfulness", "correctness", "verbosity"]
WEIGHTS = [0.65, 0.8, -0.4]


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
        config |= {"initializer_range": 0.1, "num_labels": 3, "id2label": {str(i): name for i, name in enumerate(NAMES)}}
        (case / "config.json").write_text(json.dumps(config))
        run(command, "train", "--config", case / "config.json", "--output-weights", ",".join(map(str, WEIGHTS)), "--data", folder / "train.jsonl",
            "--eval-data", folder / "held-out.jsonl", "--output", case / "model", "--steps", "5", "--threads", "1", "--quiet")
        (case / "rewards.jsonl").write_text(run(
            command, "score", "--model", case / "model", "--data", folder / "held-out.jsonl", "--threads", "1"))
        print(architecture, flush=True)


def check(folder):
    import torch
    from transformers import AutoModelForSequenceClassification

    torch.set_num_threads(1)
    worst = 0
    print("| model | class | largest difference of outputs | of rewards |\n| --- | --- | --- | --- |")
    for case in (pathlib.Path(folder) / architecture for architecture in ARCHITECTURES):
        rows = [json.loads(line) for line in (case / "rewards.jsonl").read_text().splitlines()]
        texts = [row["prompt_ids"] + answer for row in rows for answer in row["answer_ids"]]
        outputs = torch.tensor([list(output.values()) for row in rows for output in row["outputs"]])
        rewards = torch.tensor([reward for row in rows for reward in row["rewards"]])
        model, report = AutoModelForSequenceClassification.from_pretrained(
            case / "model", dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
        assert not any(report.values()), report
        assert list(model.config.id2label.values()) == NAMES and model.num_labels == 3
        with torch.no_grad():
            logits = torch.cat([model.eval()(input_ids=torch.tensor([text])).logits for text in texts])
        differences = [
            (logits - outputs).abs().max().item(),
            ((logits * torch.tensor(model.config.reward_output_weights)).sum(-1) - rewards).abs().max().item(),
        ]
        worst = max(worst, *differences)
        print(f"| {case.name} | {type(model).__name__} | {differences[0]:.1e} | {differences[1]:.1e} |", flush=True)
    print(f"\nlargest difference {worst:.1e}, tolerance {TOLERANCE}")
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(make(*sys.argv[2:4]) if sys.argv[1] == "make" else check(sys.argv[2]))
