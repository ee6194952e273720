#!/usr/bin/env bash
# cuda/build.sh [OUT]: kshot for an NVIDIA GPU, made on a machine that has none, and packed for one that has.
# Needs cargo, cc and python3 with pip; see cuda/toolkit.sh for what it takes from the environment.
# OUT (default target/cuda) then holds all that the other machine needs; there run OUT/run.sh kshot ARGUMENTS...
# KSHOT_CUDA_FEATURES adds features of the build, as in `text,images`.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p "${1:-target/cuda}"
out=$(cd "${1:-target/cuda}" && pwd)
. cuda/toolkit.sh
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$KSHOT_CUDA_PREFIX/target}
features=cuda${KSHOT_CUDA_FEATURES:+,$KSHOT_CUDA_FEATURES}

messages=$(mktemp)
trap 'rm -f "$messages"' EXIT
cargo build --release --locked --features "$features" --bin kshot --test parity --bench device \
  --message-format=json-render-diagnostics >"$messages"
# Where the programs are, and the folder in which the kernels' headers lie: dfdx looks for them there when it runs.
python3 - "$messages" >"$out/built.env" <<'PY'
import json, shlex, sys
for line in open(sys.argv[1]):
    message = json.loads(line)
    if message["reason"] == "compiler-artifact" and message["executable"]:
        print(f"BUILT_{message['target']['name']}={shlex.quote(message['executable'])}")
    if message["reason"] == "build-script-executed" and "dfdx" in message["package_id"]:
        print(f"BAKED_OUT={shlex.quote(message['out_dir'])}")
PY
. "$out/built.env"

rm -rf "$out/bin" "$out/cuh" "$out/stubs"
mkdir -p "$out/bin" "$out/cuh" "$out/stubs"
for name in kshot parity device; do
  program=BUILT_$name
  cp "${!program}" "$out/bin/$name"
  strip "$out/bin/$name"
done
cp "$BAKED_OUT"/*.cuh "$out/cuh/"
for library in cuda cublas nvrtc; do cp -r "$prefix/stubs/$library" "$out/stubs/"; done
printf 'BAKED_OUT=%q\nBAKED_INC=%q\n' "$BAKED_OUT" "$CUDA_PATH/include" >"$out/baked.env"
rm "$out/built.env"
cc -w -O1 -shared -fPIC -o "$out/trace.so" cuda/trace.c -ldl
cp cuda/run.sh "$out/run.sh"
chmod +x "$out/run.sh"
du -sh "$out"
