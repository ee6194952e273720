#!/usr/bin/env bash
# Installs a wheel into a fresh environment and runs what it promises:
#     python/check.sh WHEEL [PYTHON]
# The tables are compared with those of the program in KSHOT_PROGRAM, and properties are tried for KSHOT_SECONDS (60).
set -euo pipefail
wheel=$(realpath "$1")
python=${2:-python3}
tests=$(cd "$(dirname "$0")/tests" && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"

size=$(stat -c %s "$wheel")
echo "wheel: $((size / 1000)) kB"
[ "$size" -le 12000000 ] || { echo "the wheel has more than 12 MB" >&2; exit 1; }

# NumPy alone, and no compiler on the way.
"$python" -m venv env
env/bin/python -m pip install -q --disable-pip-version-check "$wheel"
env -i PATH=/nowhere HOME="$place" "$place/env/bin/python" "$tests/readme.py"
env/bin/python "$tests/import_time.py" 60

env/bin/python -m pip install -q --disable-pip-version-check "$wheel[test]"
env/bin/python -m pytest -q -p no:cacheprovider -rs "$tests" -W ignore::kshot.KshotWarning
