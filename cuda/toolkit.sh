# Sourced: a CUDA compiler from five wheels, and what dfdx and cudarc ask of a machine while they are built.
# Sets the environment of cargo. Needs cargo, cc and python3 with pip; no GPU, no driver, no CUDA.
#   KSHOT_CUDA_PREFIX  an absolute folder outside the repository, the same on both machines: it ends up in the binary
#   KSHOT_PYTHON       a python3 that may install packages into a folder
#   KSHOT_CUDA_SM      the least compute capability that the binary runs on

KSHOT_CUDA_PREFIX=${KSHOT_CUDA_PREFIX:-/tmp/kshot-cuda}
KSHOT_CUDA_SM=${KSHOT_CUDA_SM:-9.0}
prefix=$KSHOT_CUDA_PREFIX
python=${KSHOT_PYTHON:-python3}

mkdir -p "$prefix/shim" "$prefix/stubs"
if [ ! -x "$prefix/tk/nvidia/cu13/bin/nvcc" ]; then
  # One call for all five: a second one would replace the folder that they share.
  # Not 13.1 or later, whose PTX drivers of version 580 refuse.
  "$python" -m pip install -q --disable-pip-version-check --no-deps --only-binary=:all: --no-compile --target "$prefix/tk" \
    nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-nvvm==13.0.88 \
    nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85
fi

# dfdx asks nvidia-smi for the compute capability, always.
printf '#!/bin/sh\nprintf "compute_cap\\n%s\\n"\n' "$KSHOT_CUDA_SM" >"$prefix/shim/nvidia-smi"
chmod +x "$prefix/shim/nvidia-smi"

# Libraries to link against, whose every function says CUDA_ERROR_STUB_LIBRARY (34), as NVIDIA's own stubs do.
# The name inside decides what is loaded later: CUDA 13.
cudarc=$(cargo metadata --format-version 1 --locked --features cuda | "$python" -c '
import json, os, sys
print(next(os.path.dirname(p["manifest_path"]) for p in json.load(sys.stdin)["packages"] if p["name"] == "cudarc"))')
stub() {
  mkdir -p "$prefix/stubs/$1"
  grep -ohE 'pub fn (cu|nvrtc)[A-Za-z0-9_]+' "$cudarc/src/$3" | awk '{print $3}' | sort -u |
    sed 's/.*/int &(void){return 34;}/' |
    cc -w -shared -fPIC -nostdlib -Wl,-soname,"$2" -o "$prefix/stubs/$1/$2" -x c -
  ln -sf "$1/$2" "$prefix/stubs/lib$1.so"
}
stub cuda libcuda.so.1 driver/sys.rs
stub cublas libcublas.so.13 cublas/sys.rs
stub cublasLt libcublasLt.so.13 cublaslt/sys.rs
stub nvrtc libnvrtc.so.13 nvrtc/sys.rs

export CUDA_PATH=$prefix/tk/nvidia/cu13
export LIBRARY_PATH=$prefix/stubs${LIBRARY_PATH:+:$LIBRARY_PATH}
export PATH=$prefix/shim:$CUDA_PATH/bin:$PATH
