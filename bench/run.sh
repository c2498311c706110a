#!/usr/bin/env bash
# Compares this library with plain TorchSharp, and with Python's PyTorch where there is one. About twelve minutes; --quick: under two.
#   ./bench/run.sh [--quick] [--threads N] [--only NAME] [--baseline DIRECTORY]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python3}
if "$python" -c 'import torch' 2>/dev/null; then
  set -- --python "$python" "$@"
else
  echo "run.sh: $python has no torch: the sides of Python's PyTorch are left out"
fi
dotnet build "$root/bench/RewardModel.Bench" --configuration Release --nologo --verbosity quiet
# What the library sets for itself: threads that wait spin for microseconds, so that a side whose turn it isn't takes no time from the others.
export GOMP_SPINCOUNT=${GOMP_SPINCOUNT:-10000}
exec "$root/bench/RewardModel.Bench/bin/Release/net10.0/RewardModel.Bench" run "$@"
