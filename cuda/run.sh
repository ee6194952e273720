#!/usr/bin/env bash
# run.sh PROGRAM ARGUMENTS...: a program of this pack on a machine with an NVIDIA driver, or one that says that there is none.
# CUDA's libraries and headers are those of PyTorch's CUDA 13 wheels or of the toolkit whose nvcc is on the path.
#   KSHOT_CUDA_EXTRA    folders with libraries that go before all others
#   KSHOT_CUDA_PRELOAD  a library that goes before the program's own, as trace.so of this pack
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/baked.env"

wheels=$(python3 -c 'import nvidia.cu13 as m; print(list(m.__path__)[0])' 2>/dev/null || true)
nvcc=$(command -v nvcc || true)
toolkit=${nvcc:+$(dirname "$(dirname "$(readlink -f "$nvcc")")")}
libraries=${KSHOT_CUDA_EXTRA:-}
for folder in ${wheels:+"$wheels/lib"} ${toolkit:+"$toolkit/lib64"} ${LD_LIBRARY_PATH:-}; do
  libraries=${libraries:+$libraries:}$folder
done
export LD_LIBRARY_PATH=$libraries

# dfdx compiles a few kernels when it runs, with headers that it looks for in the folders of its build.
for folder in ${toolkit:+"$toolkit/include"} ${wheels:+"$wheels/include"}; do
  [ ! -f "$folder/cuda_fp16.h" ] || { headers=$folder; break; }
done
mkdir -p "$BAKED_OUT" "$(dirname "$BAKED_INC")"
cp "$here"/cuh/*.cuh "$BAKED_OUT/"
if [ -n "${headers:-}" ] && [ ! -e "$BAKED_INC/cuda_fp16.h" ]; then ln -sfn "$headers" "$BAKED_INC"; fi

program=$here/bin/$1
shift
# Where a library is missing a stub takes its place, so that the program can say what is missing.
missing=$(ldd "$program" | grep 'not found' || true)
for name in cuda cublas nvrtc; do
  if [[ $missing == *lib$name.so* ]]; then
    LD_LIBRARY_PATH=$LD_LIBRARY_PATH${LD_LIBRARY_PATH:+:}$here/stubs/$name
  fi
done
if [ -n "${KSHOT_CUDA_PRELOAD:-}" ]; then export LD_PRELOAD=$KSHOT_CUDA_PRELOAD; fi
exec "$program" "$@"
