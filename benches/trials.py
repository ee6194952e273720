"""What the trials of a selection share: processor time of one selection beside that of evaluating each trial by itself.

    cargo build --release
    python benches/trials.py STORE [--way 5] [--shot 5] [--episodes 300] [--budget 32]

Both work on the same validation episodes with one worker, and both times are those of whole programs: reading the store,
drawing, and for an evaluation also writing its tables. Processor time, because a busy machine does not change it much.
"""

import argparse
import csv
import resource
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEARNERS = ["k-nn", "matching", "linear-probe", "ridge", "svm", "fine-tune"]
PROTOCOL = """name = "trials"
version = 1
source = "benches/trials.py"
settings = ["inductive"]
[data]
split = "{split}"
[episode]
way = {way}
shot = {shot}
query = 15
[draw]
count = {episodes}
seed = 7
[report]
metrics = ["accuracy"]
"""


def processor(*words):
    """Processor seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(word) for word in words], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("store", type=Path)
    parser.add_argument("--way", type=int, default=5)
    parser.add_argument("--shot", type=int, default=5)
    parser.add_argument("--episodes", type=int, default=300)
    parser.add_argument("--budget", type=int, default=32)
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/kshot")
    args = parser.parse_args()
    print(f"{'learner':<14} {'trials':>6} {'selection':>10} {'one by one':>11} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as folder:
        novel, validation = Path(folder, "novel.toml"), Path(folder, "validation.toml")
        for path, split in [(novel, "novel"), (validation, "validation")]:
            path.write_text(PROTOCOL.format(split=split, **vars(args)))
        common = ["--features", args.store, "--workers", "1", "--overwrite", "--out"]
        for learner in LEARNERS:
            out = Path(folder, learner)
            select = [args.binary, "select", novel, "--budget", args.budget, "--learner", learner]
            together = processor(*select, *common, out)
            with open(out / "trials.csv", newline="") as file:
                settings = [row["parameters"] for row in csv.DictReader(file)]
            alone = 0.0
            for setting in settings:
                evaluate = [args.binary, "evaluate", validation, "--draw", out / "draw.csv"]
                evaluate += ["--learner", f"{learner}:{setting}"]
                alone += processor(*evaluate, *common, Path(folder, "alone"))
            ratio = together / alone
            print(f"{learner:<14} {len(settings):>6} {together:>8.2f} s {alone:>9.2f} s {ratio:>6.2f}", flush=True)


if __name__ == "__main__":
    main()
