#!/usr/bin/env bash
# benches/cuda.sh PACK DATA [OUT]: all that is to be measured on a machine with an NVIDIA GPU, in one call.
# PACK is what cuda/build.sh made; DATA a folder with clinc150-minilm (a feature store), draws (5way-1shot.csv,
# 5way-5shot.csv, 20way-5shot.csv) and omniglot (the publisher's archives); what is missing is skipped and told. OUT (default
# cuda-results) gets a log per part, ratios.csv and the results. Needs python3 with torch.
#   KSHOT_BENCH=tiny    a few episodes on the processor: shows that every part runs
#   KSHOT_BENCH_SECONDS the longest that one part may take (default 590)
#   KSHOT_BENCH_PARTS   the parts to run, of those below
set -uo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
pack=$(cd "$1" && pwd)
data=$(cd "$2" && pwd)
mkdir -p "${3:-cuda-results}"
out=$(cd "${3:-cuda-results}" && pwd)
python=${PYTHON:-python3}
device=cuda episodes=100000 rounds=3 dim=640
if [ "${KSHOT_BENCH:-}" = tiny ]; then device=cpu episodes=100 rounds=1 dim=64; fi
run=$pack/run.sh
failed=()

skip() { echo "skipped: $*"; }

# The same operations, learners, networks and gradients on both devices.
parity() {
  if [ $device = cuda ]; then export KSHOT_GPU=needed; fi
  # One device at a time, so that times and memory are its own.
  "$run" parity --test-threads 1
}

# The same draws on both devices: correct counts alike in 99 of 100 episodes, and how long each took.
draws() {
  [ -d "$data/clinc150-minilm" ] || { skip "no clinc150-minilm in $data"; return 0; }
  local code=0 name at
  for name in 5way-1shot 5way-5shot 20way-5shot; do
    [ -f "$data/draws/$name.csv" ] || { skip "no draws/$name.csv in $data"; continue; }
    for at in cpu $device; do
      "$run" kshot evaluate "any-$name" --features "$data/clinc150-minilm" --draw "$data/draws/$name.csv" \
        --learner prototypical --learner nearest-centroid --learner k-nn --learner matching --learner linear-probe \
        --learner ridge --learner svm --learner fine-tune --device "$at" --out "$out/draws/$name-$at" --overwrite || return 1
    done
    "$python" "$here/benches/agree.py" "$out/draws/$name-cpu" "$out/draws/$name-$device" || code=1
  done
  return $code
}

# Heads over many episodes and a step of Conv4, beside torch on the same device, and kshot's own processor rates.
rates() {
  local batches=512,2048,8192
  [ $device = cuda ] || batches=64
  "$python" "$here/benches/peers/device.py" "$run" device --device $device --episodes $episodes --rounds $rounds --dim $dim \
    --batches $batches --out "$out/ratios.csv"
}
processor() { "$run" device cpu $((episodes / 10)) 2 $dim; }

# Where the time goes: calls on the host first, then every kernel by itself.
split() {
  local program mode
  program=$(mktemp -d)
  printf '%s\n' 'name = "split"' 'version = 1' 'source = "benches/cuda.sh"' 'admits = ["inductive"]' '[data]' 'dataset = "glyphs"' \
    '[episode]' 'way = 5' 'shot = 5' 'query = 7' '[draw]' "count = $((episodes / 5))" 'seed = 7' '[report]' 'metrics = ["accuracy"]' \
    >"$program/split.toml"
  for mode in calls kernels; do
    for learner in prototypical linear-probe fine-tune; do
      echo "== $learner, $mode"
      KSHOT_TRACE=$mode KSHOT_CUDA_PRELOAD=$pack/trace.so "$run" kshot evaluate "$program/split.toml" --learner $learner \
        --workers 1 --device $device --out "$program/$learner-$mode" || return 1
    done
    echo "== conv4 in training, $mode"
    sed "s/^steps = .*/steps = $rounds/; s/^every = .*/every = 1000000/" "$here/training/conv4-glyphs.toml" >"$program/steps.toml"
    KSHOT_TRACE=$mode KSHOT_CUDA_PRELOAD=$pack/trace.so "$run" kshot train "$program/steps.toml" --device $device \
      --out "$program/steps-$mode" || return 1
  done
  rm -rf "$program"
}

# Prototypical networks on Omniglot as Snell et al. 2017 train them, and the four protocols of their table.
omniglot() {
  [ -d "$data/omniglot" ] || { skip "no omniglot in $data"; return 0; }
  local shot way
  for shot in 1 5; do
    local recipe=$out/omniglot-${shot}shot.toml
    cp "$here/training/conv4-omniglot-${shot}shot.toml" "$recipe"
    [ $device = cuda ] || sed -i 's/^steps = .*/steps = 2/; s/^way = .*/way = 5/' "$recipe"
    # A part that was cut off goes on where it was.
    "$run" kshot train "$recipe" --data "$data" --device $device --out "$out/omniglot-${shot}shot" --resume || return 1
  done
  [ $device = cuda ] || return 0
  for shot in 1 5; do
    for way in 5 20; do
      "$run" kshot evaluate "$here/protocols/omniglot-${way}way-${shot}shot.toml" --data "$data" --backbone conv4 --device $device \
        --weights "$out/omniglot-${shot}shot/weights.safetensors" --learner prototypical \
        --out "$out/omniglot-${way}way-${shot}shot" --overwrite || return 1
    done
  done
}

for part in ${KSHOT_BENCH_PARTS:-parity draws rates processor split omniglot}; do
  echo "== $part"
  start=$SECONDS
  # A function of this file under a limit of time: in a shell of its own, its group ended when time is up.
  set -m
  ( "$part" ) >"$out/$part.log" 2>&1 &
  job=$!
  set +m
  while kill -0 $job 2>/dev/null && [ $((SECONDS - start)) -lt "${KSHOT_BENCH_SECONDS:-590}" ]; do sleep 1; done
  if kill -0 $job 2>/dev/null; then
    kill -- -$job
    echo "ended after $((SECONDS - start)) s" | tee -a "$out/$part.log"
  fi
  wait $job || failed+=("$part")
  tail -n 40 "$out/$part.log"
  echo "== $part: $((SECONDS - start)) s"
done
if command -v nvidia-smi >/dev/null; then nvidia-smi >"$out/nvidia-smi.log" 2>&1; fi
[ ${#failed[@]} = 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
