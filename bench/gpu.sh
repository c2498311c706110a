#!/usr/bin/env bash
# Builds the GPU kit into artifacts/gpu-kit: one folder that runs on a Linux machine without .NET (it needs OpenSSL's libssl, as .NET does)
# with the libtorch that LIBTORCH names. There:
#   LIBTORCH=$(python3 -c 'import os, torch; print(os.path.join(os.path.dirname(torch.__file__), "lib"))') \
#     gpu-kit/gpu-kit --device cuda --output results.md
# Where this machine has a GPU and a Python with PyTorch and transformers, runs it so, with the arguments given here.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
kit=$root/artifacts/gpu-kit
rm -rf "$kit"
dotnet publish "$root/bench/RewardModel.GpuKit" --configuration Release --runtime linux-x64 --self-contained --output "$kit" \
  --nologo --verbosity quiet -p:PublishSingleFile=true -p:EnableCompressionInSingleFile=true -p:LibTorchPackage=None \
  -p:PublishDocumentationFiles=false -p:ArtifactsPath="$root/artifacts/gpu-kit-build"
cp "$root/LICENSE" "$kit"
du --human-readable --summarize "$kit"
if ! nvidia-smi >/dev/null 2>&1; then
  echo "gpu.sh: there is no GPU here; the kit is in $kit"
  exit 0
fi
python=${PYTHON:-python3}
export LIBTORCH=${LIBTORCH:-$("$python" -c 'import os, torch; print(os.path.join(os.path.dirname(torch.__file__), "lib"))')}
exec "$kit/gpu-kit" --device cuda --python "$python" "$@"
