#!/usr/bin/env bash
# Compares this library with plain PyTorch on the same libtorch, BLAS and threads. About twelve minutes; --quick: under two.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-/usr/bin/python3}
"$python" -c 'import torch' 2>/dev/null || {
  echo "run.sh: $python has no torch: apt-get install python3-torch, or set PYTHON" >&2
  exit 1
}
dotnet build "$root/bench/RewardModel.Bench" --configuration Release --nologo --verbosity quiet
# The same for both sides: threads that wait don't spin, freed memory is kept for the next step, and OpenBLAS takes the kernels of this
# machine.
export OMP_WAIT_POLICY=PASSIVE MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000
unset OPENBLAS_CORETYPE
exec "$root/bench/RewardModel.Bench/bin/Release/net10.0/RewardModel.Bench" run --python "$python" "$@"
