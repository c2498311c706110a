#!/usr/bin/env bash
# Compiles the sources beside it into the shared library that TorchSharp.dll calls.
#
#   build.sh OUTPUT [SOURCE...]     for example build.sh libtorch_shim.so
#
# SOURCE    other sources to compile instead, for tests.
# LIBTORCH  a folder with include/ and lib/: an unpacked libtorch, or the `torch` folder of a pip installation.
#           Without it the system's libtorch is taken (Debian, Ubuntu: apt-get install libtorch-dev).
# CXX       the compiler; g++ by default.
set -euo pipefail

source_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
compiler=${CXX:-g++}

fail() {
  printf 'torch_shim: %s\n' "$@" >&2
  exit 1
}

[[ -n "${1:-}" ]] || fail "expected an argument, the file to write: build.sh libtorch_shim.so"
output=$1
shift
sources=("$@")
if [[ $# -eq 0 ]]; then sources=("$source_folder"/*.cpp); fi
command -v "$compiler" >/dev/null || fail "no C++ compiler '$compiler': apt-get install g++, or set CXX"

include_flags=()
if [[ -n "${LIBTORCH:-}" ]]; then
  include=$LIBTORCH/include
  include_flags=(-isystem "$include")
  libraries=$LIBTORCH/lib
else
  include=/usr/include  # the compiler looks there by itself
  libraries=/usr/lib/$("$compiler" -dumpmachine)
fi
for needed in "$include/ATen/ATen.h" "$libraries/libtorch_cpu.so" "$libraries/libc10.so"; do
  [[ -e $needed ]] || fail "'$needed' does not exist: apt-get install libtorch-dev g++," \
    "or set LIBTORCH to a folder with libtorch's include/ and lib/ (LIBTORCH is '${LIBTORCH:-}')"
done

# libtorch's headers need the language standard they were written in: C++20 from 2.10 on.
headers=$include/torch/csrc/api/include/torch/version.h
if [[ -e $include/torch/headeronly/version.h ]]; then headers=$include/torch/headeronly/version.h; fi
version_part() { sed -n "s/^#define TORCH_VERSION_$1 \([0-9]*\).*/\1/p" "$headers"; }
major=$(version_part MAJOR)
minor=$(version_part MINOR)
standard=c++17
if ((major > 2 || (major == 2 && minor >= 10))); then standard=c++20; fi

# Old pip packages of torch use libstdc++'s ABI from before C++11; the symbols of c10 tell.
abi=1
if ! grep -q '3c10[A-Za-z0-9_]*__cxx11' "$libraries/libc10.so"; then abi=0; fi

devices=()
for library in torch_cuda torch_hip; do
  if [[ -e $libraries/lib$library.so ]]; then devices+=("-l$library"); fi
done
# Nothing here calls them: they register their operators when they are loaded.
link=(-ltorch_cpu -lc10 -Wl,--no-as-needed -ltorch "${devices[@]}" -Wl,--as-needed)

# ATen's parallel_for is compiled into its callers, for the OpenMP that libtorch itself uses: pip packages bring one of their own.
openmp=(-lgomp)
if [[ -n "${LIBTORCH:-}" ]]; then
  for library in "$libraries"/libgomp*.so* "$libraries"/../../torch.libs/libgomp*.so*; do
    if [[ -e $library ]]; then openmp=("$library"); fi
  done
fi

# Written beside the output first, so that a process that has the old library open keeps it.
temporary=$output.$$
trap 'rm -f "$temporary"' EXIT
"$compiler" -shared -fPIC -O3 -fopenmp -fno-math-errno -fno-trapping-math "-std=$standard" -Wall -Wextra -Werror \
  -fvisibility=hidden "-D_GLIBCXX_USE_CXX11_ABI=$abi" \
  "${include_flags[@]}" -isystem "$include/torch/csrc/api/include" \
  "${sources[@]}" -o "$temporary" \
  "-L$libraries" "${link[@]}" "${openmp[@]}" "-Wl,-rpath,$libraries" "-Wl,-soname,$(basename "$output")" \
  "-Wl,--version-script,$source_folder/torch_shim.map"
mv "$temporary" "$output"
