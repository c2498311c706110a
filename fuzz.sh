#!/usr/bin/env bash
# Reads what strangers may have written, changed at random and kept where it takes new branches: ./fuzz.sh [minutes [seed [target...]]].
# What no reader should do is left in fuzz/findings: an input, and beside it what it shows, which `show` repeats:
# artifacts/fuzz/fuzz show TARGET FILE. Exits with 1 when something was found.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
output=$root/artifacts/fuzz
cd "$root"

dotnet tool restore --verbosity quiet
dotnet build "$root/fuzz/RewardModel.Fuzz" --configuration Release --nologo --verbosity quiet
built=$root/fuzz/RewardModel.Fuzz/bin/Release/net10.0

# A copy: what is instrumented counts its branches. libtorch, which is large, is linked to.
rm -rf "$output"
mkdir -p "$output"
find "$built" -mindepth 1 -maxdepth 1 ! -name runtimes -exec cp -R {} "$output" \;
ln -s "$built/runtimes" "$output/runtimes"
for library in "$output"/RewardModel.*.dll; do
  dotnet tool run sharpfuzz "$library"
done

# Files of a few kilobytes are written a million times: in memory, where there is such a folder.
if [ -d /dev/shm ] && [ -w /dev/shm ]; then
  export TMPDIR=/dev/shm
fi
exec "$output/fuzz" run "$root/fuzz" "${@:-5}"
