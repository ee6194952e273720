#!/usr/bin/env bash
# cuda/dry-run.sh: every operation, learner and network through a CUDA driver that computes nothing.
# Finds wrong names of kernels, PTX that does not assemble, kernels that do not compile when they are needed, empty
# launches and copies out of bounds, on a machine without a GPU. Says nothing about numbers.
# Needs cargo, cc and python3 with pip; KSHOT_CUDA_FEATURES as in cuda/build.sh. Arguments choose tests of cargo to be run
# on the same build, such as --test cli.
set -euo pipefail
cd "$(dirname "$0")/.."
. cuda/toolkit.sh
stand_in=$prefix/stand-in
mkdir -p "$stand_in"
cc -w -O1 -shared -fPIC -Wl,-soname,libcuda.so.1 -o "$stand_in/libcuda.so.1" cuda/driver.c -lpthread
# Products of matrices are NVIDIA's own: nothing to check, and so nothing to do.
grep -ohE 'pub fn cublas[A-Za-z0-9_]+' "$cudarc/src/cublas/sys.rs" | awk '{print $3}' | sort -u |
  sed 's/.*/int &(void){return 0;}/' |
  cc -w -shared -fPIC -nostdlib -Wl,-soname,libcublas.so.13 -o "$stand_in/libcublas.so.13" -x c -
if [ ! -d "$prefix/nvrtc" ]; then
  "$python" -m pip install -q --disable-pip-version-check --no-deps --only-binary=:all: --no-compile --target "$prefix/nvrtc" \
    nvidia-cuda-nvrtc==13.0.88
fi

features=cuda${KSHOT_CUDA_FEATURES:+,$KSHOT_CUDA_FEATURES}
# Compiled first, so that the compiler is not run on the stand-ins.
cargo test --locked --features "$features" --test parity --test cli "$@" --no-run
export LD_LIBRARY_PATH=$stand_in:$prefix/nvrtc/nvidia/cu13/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export CUDA_CACHE_DISABLE=1 KSHOT_PTXAS=$CUDA_PATH/bin/ptxas KSHOT_GPU=stand-in
told=$(mktemp)
trap 'rm -f "$told"' EXIT
cargo test --locked --features "$features" --test parity 2>&1 | tee "$told"
grep -q '^\[stand-in\] .* launches' "$told" || { echo "the driver was never asked" >&2; exit 1; }
if grep -q '^\[stand-in\] .*FAILED$' "$told"; then exit 1; fi
# What a driver refuses is one sentence on the command line.
if [ $# -gt 0 ]; then cargo test --locked --features "$features" "$@"; else
  cargo test --locked --features "$features" --test cli device::
fi
