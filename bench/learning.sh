#!/usr/bin/env bash
# Trains small models in many ways on real and synthetic lists and prints tables of their accuracy; every training is a process of one thread.
#   ./bench/learning.sh DATA RESULTS.jsonl [--jobs N] [--only TEXT] [--seeds FIRST-LAST] [--minutes N]
# DATA holds ranked/e2e-quality.jsonl.gz and ranked/zh-sentiment-lists.jsonl.gz, lists of text, and tokenizers/gpt2 and tokenizers/qwen3. What
# RESULTS.jsonl has already is not trained again.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
data=$1
dotnet build "$root/bench/RewardModel.Learning" --configuration Release --nologo --verbosity quiet
[ -d "$data/sorting" ] || dotnet run --project "$root/samples/GenerateSortingTask" --configuration Release -- "$data/sorting"
learning=$root/bench/RewardModel.Learning/bin/Release/net10.0/learning
"$learning" run "$@"
"$learning" report "$2"
