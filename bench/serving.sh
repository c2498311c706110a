#!/usr/bin/env bash
# Measures reward-model serve under load, beside transformers behind FastAPI where Python has these. About eight minutes.
#   ./bench/serving.sh TOKENIZER [--width N] [--seconds S] [--rounds N]
# TOKENIZER is a directory with tokenizer.json of Hugging Face's; PYTHON names another Python than python3.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tokenizer=$1
shift
width=256
if [ "${1:-}" = --width ]; then
  width=$2
  shift 2
fi
python=${PYTHON:-python3}
dotnet build "$root/bench/RewardModel.Bench" --configuration Release --nologo --verbosity quiet
dotnet build "$root/src/RewardModel.Cli" --configuration Release --nologo --verbosity quiet
bench=$root/bench/RewardModel.Bench/bin/Release/net10.0/RewardModel.Bench
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
"$bench" serving-model "$tokenizer" "$width" "$work/model"

# What the library sets for itself: threads that wait spin for microseconds, so that a side whose turn it isn't takes no time from the other.
export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-10000}
dotnet "$root/src/RewardModel.Cli/bin/Release/net10.0/reward-model.dll" serve --model "$work/model" --port 5801 --threads 2 --quiet &
peer=()
if "$python" -c 'import torch, transformers, fastapi, uvicorn' 2>/dev/null; then
  "$python" "$root/bench/peer/serving_peer.py" "$work/model" 5802 2 &
  peer=(http://127.0.0.1:5802)
else
  echo "serving.sh: $python has no torch, transformers, fastapi and uvicorn: the peer is left out"
fi
until curl --silent --fail --output /dev/null http://127.0.0.1:5801/health/ready; do sleep 0.5; done
if [ ${#peer[@]} != 0 ]; then
  until curl --silent --output /dev/null "${peer[0]}/docs"; do sleep 0.5; done
fi
"$bench" serving http://127.0.0.1:5801 "${peer[@]}" "$@"
