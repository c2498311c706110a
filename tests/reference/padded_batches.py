"""Scores exported models in transformers, one text at a time and in padded batches, and compares with `reward-model score`.

  padded_batches.py make FOLDER REWARD_MODEL [TOKENIZER ...]   trains and exports one small model per case; Python alone
  padded_batches.py check FOLDER                               loads and scores them; needs torch and transformers

A case is an architecture and a tokenizer: with eos_token as pad_token, without a pad_token, or with one of its own. Every folder
TOKENIZER adds a case with a real tokenizer, in a Llama.
"""

import json
import pathlib
import shutil
import subprocess
import sys

TOLERANCE = 1e-5
ARCHITECTURES = [
    "gpt2", "gpt_neox", "gpt_neox_sequential", "llama", "llama_rope_llama3", "mistral", "qwen2", "qwen2_window", "qwen3", "opt",
    "opt_350m_style", "gemma2", "gemma3_text", "phi3", "phi3_partial_longrope",
]
LISTS = [
    ("Name a colour.", ["Red", "Blue, like the sea on a clear day in June.", "I would rather talk about trains."]),
    ("", ["An answer to nothing."]),
    ("What is 2 + 2? Explain it to a child who knows how to count to ten.", ["4", "Two apples and two apples are four apples!", "?"]),
    ("Übersetze: good morning", ["Guten Morgen 🌞", "早上好", "  spaces before, and after  "]),
    ("One\ntwo\n\nthree", ["four\n", "\tfive", "x" * 40]),
]


def byte_level_tokenizer(folder, padding):
    """Every byte is a token, as GPT-2 spells it; then come a few merges and the special tokens."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    spelling, other = {}, 0
    for byte in range(256):
        spelling[byte] = chr(byte) if byte in printable else chr(256 + other)
        other += byte not in printable
    vocabulary = {spelling[byte]: byte for byte in range(256)}
    merges = [("t", "h"), ("th", "e"), ("Ġ", "a"), ("i", "n"), ("Ġ", "t")]
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    tokens = ["<unk>", "<s>", "</s>"] + (["<pad>"] if padding == "own" else [])
    added = [
        {"id": len(vocabulary) + i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": True}
        for i, token in enumerate(tokens)
    ]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None, "pre_tokenizer": byte_level,
        "post_processor": None, "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocabulary,
                  "merges": [list(merge) for merge in merges]},
    }
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
              "add_bos_token": True, "pad_token": {"eos": "</s>", "none": None, "own": "<pad>"}[padding]}
    if padding == "eos":
        tokenizer["padding"] = {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None,
                                "pad_id": vocabulary.get("</s>", len(vocabulary) + 2), "pad_type_id": 0, "pad_token": "</s>"}
        write(folder / "special_tokens_map.json", {"bos_token": "<s>", "eos_token": "</s>", "pad_token": {"content": "</s>",
              "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}})
    write(folder / "tokenizer.json", tokenizer)
    write(folder / "tokenizer_config.json", config)
    return len(vocabulary) + len(added), {"eos": len(vocabulary) + 2, "none": None, "own": len(vocabulary) + 3}[padding]


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def config_of(architecture, vocabulary_size, padding_id):
    parity = pathlib.Path(__file__).parent.parent / "RewardModel.Tests" / "Parity" / f"{architecture}.json"
    config = json.loads(parity.read_text(encoding="utf-8"))["config"]
    for positions in ("n_positions", "max_position_embeddings", "original_max_position_embeddings"):
        for settings in (config, config.get("rope_parameters") or {}):
            if positions in settings:
                settings[positions] = 256
    config.update(vocab_size=vocabulary_size, pad_token_id=padding_id, eos_token_id=None, bos_token_id=None)
    for deviation in ("initializer_range", "init_std"):
        if deviation in config:
            config[deviation] = 0.1
    return config


def make(folder, command, tokenizers):
    folder = pathlib.Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    data = folder / "lists.jsonl"
    folder.mkdir(parents=True)
    data.write_text("".join(json.dumps({"prompt": prompt, "answers": answers}) + "\n" for prompt, answers in LISTS), encoding="utf-8")
    pairs = folder / "train.jsonl"
    pairs.write_text("".join(json.dumps({"prompt": p, "answers": a}) + "\n" for p, a in LISTS if len(a) > 1), encoding="utf-8")
    cases = [(architecture, padding, None) for architecture in ARCHITECTURES for padding in ("eos", "none", "own")]
    cases += [("llama", f"real-{pathlib.Path(path).name}", pathlib.Path(path)) for path in tokenizers]
    for architecture, padding, source in cases:
        case = folder / f"{architecture}.{padding}"
        if source is None:
            size, padding_id = byte_level_tokenizer(case / "tokenizer", padding)
        else:
            shutil.copytree(source, case / "tokenizer")
            size, padding_id = 1 + max(
                [token["id"] for token in json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))["added_tokens"]]
                + list(json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"].values())), None
        write(case / "config.json", config_of(architecture, size, padding_id))
        run = subprocess.run(
            [command, "train", "--config", case / "config.json", "--tokenizer", case / "tokenizer", "--data", pairs, "--output",
             case / "model", "--steps", "1", "--eval-fraction", "0", "--threads", "1", "--quiet"], capture_output=True, text=True)
        scores = subprocess.run(
            [command, "score", "--model", case / "model", "--data", data, "--threads", "1"], capture_output=True, text=True)
        (case / "rewards.jsonl").write_text(scores.stdout, encoding="utf-8")
        (case / "train.log").write_text(run.stdout + run.stderr + scores.stderr, encoding="utf-8")
        print(case.name, "ok" if run.returncode == scores.returncode == 0 else run.stderr + scores.stderr, flush=True)


def check(folder):
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.set_num_threads(1)
    print("| model | tokenizer | pad_token | texts encoded otherwise | alone | right | left |\n| --- | --- | --- | --- | --- | --- | --- |")
    worst = 0
    for case in sorted(path.parent for path in pathlib.Path(folder).glob("*/rewards.jsonl")):
        expected = [reward for line in (case / "rewards.jsonl").read_text().splitlines() for reward in json.loads(line)["rewards"]]
        tokenizer = AutoTokenizer.from_pretrained(case / "model")
        # Its other implementations of attention leave Gemma 2's soft cap out.
        model = AutoModelForSequenceClassification.from_pretrained(
            case / "model", dtype=torch.float32, attn_implementation="eager").eval()
        rule = json.loads((case / "model" / "reward_model.json").read_text())["rule"]["special_tokens"]
        file = Tokenizer.from_file(str(case / "model" / "tokenizer.json"))
        others = set()

        def encode(text):
            # Some classes of transformers 5 make their tokenizer anew and don't encode as tokenizer.json says.
            ids = file.encode(text, add_special_tokens=False).ids
            if tokenizer(text, add_special_tokens=False)["input_ids"] != ids:
                others.add(text)
            return ids

        ids = [
            rule["before_prompt"] + encode(prompt) + rule["after_prompt"] + encode(answer) + rule["after_answer"]
            for prompt, answers in LISTS for answer in answers
        ]
        assert tokenizer.pad_token_id == model.config.pad_token_id or model.config.pad_token_id is None, "two padding tokens"

        def difference(rewards):
            return max(abs(a - b) for a, b in zip(rewards, expected, strict=True))

        with torch.no_grad():
            alone = difference([model(input_ids=torch.tensor([row])).logits.item() for row in ids])
            columns = [f"{alone:.1e}"]
            worst = max(worst, alone)
            for side in ("right", "left"):
                try:
                    tokenizer.padding_side = side
                    batch = tokenizer.pad({"input_ids": ids}, return_tensors="pt")
                    # GPT-2 alone counts positions from the start of the row if it isn't told them.
                    if side == "left" and model.config.model_type == "gpt2":
                        batch["position_ids"] = (batch["attention_mask"].cumsum(-1) - 1).clamp(min=0)
                    found = difference(model(**batch).logits[:, 0].tolist())
                    worst = max(worst, found)
                    columns.append(f"{found:.1e}")
                except ValueError as error:
                    columns.append(f"refused: {str(error).splitlines()[0][:70]}")
        architecture, padding = case.name.split(".")
        pad = tokenizer.pad_token if model.config.pad_token_id is not None else "none"
        print(f"| {architecture} | {padding} | {'`' + str(pad) + '`'} | {len(others)} | {' | '.join(columns)} |", flush=True)
    print(f"\nlargest difference {worst:.1e}, tolerance {TOLERANCE}")
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(make(*sys.argv[2:4], sys.argv[4:]) if sys.argv[1] == "make" else check(sys.argv[2]))
