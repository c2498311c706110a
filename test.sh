#!/usr/bin/env bash
# Builds everything, checks its formatting and runs every test, those of the kernels at each width of vectors. Arguments go to dotnet test,
# and it runs what they say once, without the formatting: ./test.sh --filter Checkpoints
# ./test.sh --filter Torture fails every operation on files once and kills 200 processes, where the whole suite takes samples.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
solution=$root/RewardModel.sln

dotnet build "$solution" --configuration Release --nologo --verbosity quiet

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
status=0
run_tests() {
  dotnet test "$solution" --configuration Release --no-build --nologo --results-directory "$results" --logger trx "$@" || status=$?
}

if [ $# = 0 ]; then
  # The third part, the analyzers', has run in the build.
  for part in whitespace style; do
    dotnet format "$part" "$solution" --verify-no-changes --no-restore || status=$?
  done
fi
case "$*" in *Torture*) export REWARD_MODEL_TORTURE=all ;; esac
run_tests "$@"
if [ $# = 0 ]; then
  # As a processor without vectors of 512 bits, and one without those of 256, runs them.
  for narrower in DOTNET_EnableAVX512=0 DOTNET_EnableAVX2=0; do
    run_tests --filter "FullyQualifiedName~.Tests.Kernels." --environment "$narrower"
  done
fi

# Every run leaves a file for each test project with: <Counters total="9" executed="8" passed="7" ... />
summary=$(find "$results" -name '*.trx' -exec grep --no-filename --only-matching '<Counters [^>]*' {} + | awk '
  function counter(name) { return match($0, " " name "=\"[0-9]+") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) : 0 }
  { total += counter("total"); executed += counter("executed"); passed += counter("passed") }
  END { printf "%d passed, %d failed, %d skipped\n", passed, executed - passed, total - executed }') || true

case $summary in
  "0 passed, 0 failed,"*) status=1 ;;
  *" 0 failed,"*) ;;
  *) status=1 ;;
esac
echo "$summary"
exit "$status"
