#!/usr/bin/env bash
# Compares our tokenizers with Hugging Face's Rust ones: the same ids, and the speed on one thread. About seven minutes; --quick: under one.
#   ./bench/tokenizers.sh [--quick] DIRECTORY...     directories with a tokenizer.json each, besides two of the tests' tokenizers
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
node=${NODE:-node}
command -v "$node" >/dev/null || {
  echo "tokenizers.sh: there is no '$node': install Node.js 20 or newer, or set NODE" >&2
  exit 1
}
export NODE_PATH=${NODE_PATH:-$root/bench/peer/node_modules}
"$node" -e 'require("tokenizers")' 2>/dev/null || {
  echo "tokenizers.sh: $node finds no package 'tokenizers': npm install --prefix bench/peer --no-package-lock, or set NODE_PATH" >&2
  exit 1
}
dotnet build "$root/bench/RewardModel.Bench" --configuration Release --nologo --verbosity quiet
# One thread for Rust; ours takes as many as it is told.
export RAYON_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false
exec "$root/bench/RewardModel.Bench/bin/Release/net10.0/RewardModel.Bench" tokenizers "$node" "$@"
