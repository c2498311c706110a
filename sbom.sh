#!/usr/bin/env bash
# Writes the bill of materials of the command and of all libraries, with versions, digests and licences: artifacts/sbom.json (CycloneDX).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$root"

dotnet tool restore
dotnet restore src/RewardModel.Cli
version=$(dotnet msbuild src/RewardModel.Cli -getProperty:Version)
dotnet CycloneDX src/RewardModel.Cli/RewardModel.Cli.csproj --disable-package-restore --set-name reward-model --set-version "$version" \
  --output artifacts --filename sbom.json --output-format Json
