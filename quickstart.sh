#!/usr/bin/env bash
# From nothing to a trained reward model: builds, writes a small ranking task, trains on it, evaluates on
# lists it has not seen, and scores three answers to a new prompt. Everything it makes is in quickstart/ and is made anew each time.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$root/quickstart

rm -rf "$work"

echo "== 4000 ranked lists of 9 answers, and 400 with other prompts to evaluate on"
dotnet run --project "$root/samples/GenerateSortingTask" --configuration Release -- "$work/data"
head -n 1 "$work/data/train.jsonl"

echo "== Training from scratch"
"$root/reward-model" train --data "$work/data/train.jsonl" --config "$work/data/config.json" --tokenizer "$work/data/tokenizer" \
  --output "$work/model" --epochs 2 --learning-rate 2e-3 --warmup-steps 20 --eval-fraction 0.05

echo "== Evaluation on the lists it has not seen"
"$root/reward-model" evaluate --model "$work/model" --data "$work/data/test.jsonl"

echo "== Three answers to a new prompt, the best one first"
"$root/reward-model" score --model "$work/model" --prompt "Sort 9 3 14 1 20 6 11 17 descending:" \
  --answer "20 17 14 11 9 6 3 1" --answer "20 14 17 9 11 3 6 1" --answer "1 3 6 9 11 14 17 20"

echo "Model:  $work/model"
echo "Report: $work/model/report.html"
