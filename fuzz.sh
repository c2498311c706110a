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

# A copy: what is instrumented counts its branches. Of what is large, links, where there can be any.
rm -rf "$output"
mkdir -p "$output"
cp -al "$built/." "$output" 2>/dev/null || cp -R "$built/." "$output"
for library in "$built"/RewardModel.*.dll; do
  copy=$output/$(basename "$library")
  rm "$copy"
  cp "$library" "$copy"
  dotnet tool run sharpfuzz "$copy"
done

# Files of a few kilobytes are written a million times: in memory, where there is such a folder.
if [ -d /dev/shm ] && [ -w /dev/shm ]; then
  export TMPDIR=/dev/shm
fi
exec "$output/fuzz" run "$root/fuzz" "${@:-5}"
