#!/usr/bin/env bash
# Decides where TorchSharp and Microsoft.ML.Tokenizers come from and installs what the choice needs. Quick when there is nothing to do.
#   DependencySource=nuget|compat   decides by hand, for this call only
#   LIBTORCH=<directory>            under compat: use this libtorch (with include/ and lib/) instead of the distribution's
#   CXX=<compiler>                  under compat: use this C++ compiler instead of g++
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
record=$root/DependencySource.props
probe=$root/obj/dependency-probe

fail() {
  printf 'setup.sh: %s\n' "$1" >&2
  exit 1
}

version_of() {
  sed -n "s/.*Include=\"$1\" Version=\"\([^\"]*\)\".*/\1/p" "$root/Directory.Packages.props"
}

# restore SECONDS PACKAGE...: whether the feed serves the packages, in the pinned versions or newer ones, within that time.
restore() {
  local limit=$1 package
  shift
  mkdir -p "$probe"
  {
    printf '<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup><ItemGroup>\n'
    for package in "$@"; do
      printf '<PackageReference Include="%s" Version="%s" GeneratePathProperty="true" />\n' "$package" "$(version_of "$package")"
    done
    printf '</ItemGroup></Project>\n'
  } >"$probe/probe.csproj"
  timeout "$limit" dotnet restore "$probe/probe.csproj" -nodeReuse:false -p:ImportDirectoryBuildProps=false \
    -p:ImportDirectoryBuildTargets=false -p:ImportDirectoryPackagesProps=false >/dev/null 2>&1 </dev/null
}

# What the restored TorchSharp's native library needs and this system's libraries lack: versions of their symbols. That libtorch itself
# is not found at this place is no matter.
missing_versions() {
  local torchsharp library
  torchsharp=$(sed -n 's:.*<PkgTorchSharp[^>]*>\(.*\)</PkgTorchSharp>.*:\1:p' "$probe/obj/probe.csproj.nuget.g.props")
  for library in "$torchsharp"/runtimes/linux-x64/native/*.so; do
    LC_ALL=C ldd "$library" 2>&1 || true
  done | sed -n "s/.*version \`\(.*\)' not found.*/\1/p" | sort -u | paste -sd ' ' -
}

# Why the packages can't be used on this machine; nothing when they can.
obstacle_to_nuget() {
  local missing
  if [ "$(uname -s)" = Linux ] && [ "$(uname -m)" != x86_64 ]; then
    echo "TorchSharp's package for Linux needs x86_64, this machine is $(uname -m)"
  elif ! restore 60 TorchSharp Microsoft.ML.Tokenizers; then
    echo "the package feed does not serve TorchSharp and Microsoft.ML.Tokenizers, or not within a minute"
  elif missing=$(missing_versions) && [ -n "$missing" ]; then
    echo "TorchSharp's native library needs $missing, which this system's libraries do not have"
  elif ! restore 600 TorchSharp TorchSharp-cpu; then
    echo "the package feed does not serve TorchSharp-cpu, or not within ten minutes"
  fi
  rm -rf "$probe"
  rmdir "$root/obj" 2>/dev/null || true
}

dependency_source() {
  if [ -n "${DependencySource:-}" ]; then
    echo "$DependencySource"
    return
  fi
  local recorded=
  [ ! -f "$record" ] || recorded=$(sed -n 's:.*<DependencySource>\(.*\)</DependencySource>.*:\1:p' "$record")
  if [ -n "$recorded" ]; then
    echo "$recorded"
    return
  fi
  echo "Looking whether TorchSharp and Microsoft.ML.Tokenizers can be had from the package feed and work here ..." >&2
  local obstacle found=nuget
  obstacle=$(obstacle_to_nuget)
  [ -z "$obstacle" ] || found=compat
  printf '<Project><PropertyGroup><DependencySource>%s</DependencySource></PropertyGroup></Project>\n' "$found" >"$record"
  echo "They come from: $found${obstacle:+ ($obstacle)}. Recorded in DependencySource.props; delete that file to look again." >&2
  echo "$found"
}

is_installed() {
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Installing an OpenBLAS may make it the machine's automatic choice of BLAS, which every user of BLAS can work with. A choice made by
# hand stays, and none is made here: the library loads the OpenMP flavour for its own process only.
install_packages() {
  local wanted=() missing=() package
  [ -n "${CXX:-}" ] || wanted+=(g++)
  if [ -z "${LIBTORCH:-}" ]; then
    wanted+=(libtorch-dev libopenblas0-openmp)
  elif [ ! -d "$LIBTORCH/include" ] || [ ! -d "$LIBTORCH/lib" ]; then
    fail "LIBTORCH is '$LIBTORCH', which has no include/ and lib/: set it to the directory of an unpacked libtorch, or unset it."
  fi

  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    if [ -n "${LIBTORCH:-}" ] && command -v "${CXX:-g++}" >/dev/null; then
      return
    fi
    fail "this is no Debian-like system: install g++ (or set CXX), unpack a libtorch (1.13 or newer) and set LIBTORCH to its directory."
  fi

  for package in "${wanted[@]}"; do
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo -n)
    sudo -n true 2>/dev/null || fail "these packages are missing, and neither root nor sudo is at hand: apt-get install ${missing[*]}"
  fi
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300)
  local install=("${apt[@]}" install --no-install-recommends "${missing[@]}")
  local log
  echo "Installing ${missing[*]} ..." >&2
  # The package lists may be absent or out of date: fetch them only then.
  log=$("${install[@]}" 2>&1 </dev/null) || log=$("${apt[@]}" update 2>&1 </dev/null && "${install[@]}" 2>&1 </dev/null) || {
    printf '%s\n' "$log" >&2
    fail "apt-get could not install: ${missing[*]}. Without libtorch-dev, set LIBTORCH to an unpacked libtorch (1.13 or newer)."
  }
}

command -v dotnet >/dev/null || fail "the .NET 10 SDK is missing: install it so that 'dotnet' is on the PATH."

case $(dependency_source) in
  nuget) ;;
  compat) install_packages ;;
  *) fail "DependencySource is neither nuget nor compat: correct the environment variable, or delete DependencySource.props." ;;
esac
