"""Times a selection of c by kshot beside a loop over scikit-learn's LogisticRegression, in alternating runs, one core each.

    python -m venv .venv && .venv/bin/pip install numpy scikit-learn
    cargo build --release
    .venv/bin/python benches/peers/selection.py STORE [--shot 5] [--way 5] [--episodes 600] [--rounds 3]

STORE is a feature store in a folder with validation classes. Both choose among the same ten values of c on the same
validation episodes, with items divided by their norms. The loop is that of LogisticRegressionCV: for each episode the
values of c rise, each fit starting from the last one. kshot's time is that of the whole program, reading the store included.
"""

import argparse
import os

for threads in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]:
    os.environ[threads] = "1"

import statistics
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression

from episodes import PROTOCOL, orders, rows, unit_rows

ROOT = Path(__file__).resolve().parents[2]
GRID = ["0.01", "0.03", "0.1", "0.3", "1", "3", "10", "30", "100", "300"]

def loop(episodes, tolerance):
    """The c with the highest mean accuracy, and all means."""
    accuracy = np.zeros((len(episodes), len(GRID)))
    for row, (support, labels, query, truth) in zip(accuracy, episodes):
        model = LogisticRegression(warm_start=True, max_iter=10000, tol=tolerance)
        for place, c in enumerate(GRID):
            model.set_params(C=float(c)).fit(support, labels)
            row[place] = (model.predict(query) == truth).mean()
    means = accuracy.mean(0)
    return GRID[int(means.argmax())], means


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("store", type=Path)
    parser.add_argument("--way", type=int, default=5)
    parser.add_argument("--shot", type=int, default=5)
    parser.add_argument("--episodes", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tolerance", type=float, default=1e-6, help="of scikit-learn; its own default is 1e-4")
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/kshot")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    print(f"scikit-learn {sklearn.__version__}, {args.way}-way {args.shot}-shot, {args.episodes} validation episodes")

    features = unit_rows(np.load(args.store / "features.npy"))
    ratios, inside = [], []
    with tempfile.TemporaryDirectory() as folder:
        protocol, out = Path(folder, "peer.toml"), Path(folder, "out")
        protocol.write_text(PROTOCOL.format(**vars(args)))
        learner = f"linear-probe:transform=l2n,c={'|'.join(GRID)}"
        command = [args.binary, "select", protocol, "--features", args.store, "--learner", learner, "--budget", "10"]
        command += ["--workers", "1", "--out", out, "--overwrite"]
        for number in range(args.rounds):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            ours = time.perf_counter() - start
            trials = rows(out / "trials.csv")
            trying = sum(float(row["seconds"]) for row in trials)
            values = {dict(p.split("=") for p in row["parameters"].split(","))["c"]: row for row in trials}
            chosen = next(c for c, row in values.items() if row["chosen"] == "yes")
            order = orders(out / "draw.csv", args.store)
            episodes = [(features[s], sl, features[q], ql) for s, sl, q, ql in order]
            start = time.perf_counter()
            expected, means = loop(episodes, args.tolerance)
            theirs = time.perf_counter() - start
            ratios.append(theirs / ours)
            inside.append(theirs / trying)
            gap = max(abs(float(values[c]["score"]) - mean) for c, mean in zip(GRID, means))
            print(
                f"round {number + 1}: scikit-learn {theirs:.2f} s chose c = {expected}, kshot {ours:.3f} s "
                f"(trials alone {trying:.3f} s) chose c = {chosen}, ratio {ratios[-1]:.0f} (trials alone {inside[-1]:.0f}), "
                f"largest difference of a mean accuracy {gap:.6f}"
            )
    print(f"median ratio {statistics.median(ratios):.0f}, trials alone {statistics.median(inside):.0f}")


if __name__ == "__main__":
    main()
