"""Every learner on intents, K sentences per class, beside published numbers: makes the table of docs/intents.md.

    kshot embed clinc150  --backbone bert --weights all-MiniLM-L6-v2 --dtype f32 --out features/clinc150
    kshot embed banking77 --backbone bert --weights all-MiniLM-L6-v2 --dtype f32 --out features/banking77
    python benches/intents.py features/banking77 features/clinc150 --out results/intents

Strengths of penalties are selected on the classes of the other dataset: the value with the best mean accuracy there.
Needs numpy, pandas and scipy, and `kshot` on the path or in KSHOT.
"""

import argparse
import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.stats

KSHOT = os.environ.get("KSHOT", "kshot")
GRIDS = {
    "linear-probe": ("c", ["1", "3", "10", "30", "100"]),
    "svm": ("c", ["0.1", "0.3", "1", "3", "10"]),
    "ridge": ("alpha", ["0.1", "0.3", "1", "3", "10"]),
}
# Accuracy in percent, BANKING77 and CLINC150, 5 and 10 per class; where each stands is told in docs/intents.md.
PUBLISHED = {
    "RoBERTa, fine-tuned": (74.04, 84.27, 87.99, 91.55),
    "USE, frozen": (76.29, 84.23, 87.82, 90.85),
    "ConveRT, frozen (withdrawn)": (75.32, 83.32, 89.22, 92.62),
    "USE + ConveRT (withdrawn)": (77.75, 85.19, 90.49, 93.26),
    "DNNC": (80.40, 86.71, 91.02, 93.76),
    "CPFT": (80.86, 87.20, 92.34, 94.18),
}
COLUMNS = [(data, shot) for data in ("BANKING77", "CLINC150") for shot in (5, 10)]


def evaluate(features, shot, out, learners=()):
    """Accuracy per draw, by learner and parameters."""
    if not (out / "run.json").exists():
        command = [KSHOT, "evaluate", f"any-intents-{shot}shot", "--features", features, "--out", out]
        command += [word for learner in learners for word in ("--learner", learner)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    episodes = pd.read_csv(out / "episodes.csv")
    episodes["accuracy"] = 100 * episodes.correct / episodes.total
    return {key: group.accuracy.to_numpy() for key, group in episodes.groupby(["learner", "parameters"])}


def half_width(draws, with_another_draw):
    """Half of the 95 % interval of the mean, or of the difference between the mean and one more draw."""
    count = len(draws)
    factor = np.sqrt(with_another_draw + 1 / count)
    return scipy.stats.t.ppf(0.975, count - 1) * np.std(draws, ddof=1) * factor


def value(parameters, name):
    return dict(pair.split("=") for pair in parameters.split(","))[name]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("banking77", type=Path)
    parser.add_argument("clinc150", type=Path)
    parser.add_argument("--out", type=Path, default=Path("results/intents"))
    args = parser.parse_args()
    stores = {"BANKING77": args.banking77, "CLINC150": args.clinc150}
    grid = [f"{name}:{key}={v}" for name, (key, values) in GRIDS.items() for v in values]

    rows, found = {}, {}
    for data, shot in COLUMNS:
        name = f"{data.lower()}-{shot}"
        for (learner, _), draws in evaluate(stores[data], shot, args.out / name).items():
            rows.setdefault(f"{learner}, defaults", {})[data, shot] = draws
        found[data, shot] = evaluate(stores[data], shot, args.out / f"{name}-grid", grid)
    for data, shot in COLUMNS:
        other = "CLINC150" if data == "BANKING77" else "BANKING77"
        for learner, (key, _) in GRIDS.items():
            there = {p: draws.mean() for (name, p), draws in found[other, shot].items() if name == learner}
            best = max(there, key=there.get)
            label = f"{learner}, {key} selected on the other dataset"
            rows.setdefault(label, {})[data, shot] = found[data, shot][learner, best]
            print(f"{data} {shot}-shot: {learner} {key} = {value(best, key)}")

    print("\n| | " + " | ".join(f"{data} {shot}-shot" for data, shot in COLUMNS) + " |\n|:---" + "|---:" * 4 + "|")
    for label, cells in rows.items():
        texts = (f"{cells[c].mean():.2f} ± {half_width(cells[c], 0):.2f}" for c in COLUMNS)
        print(f"| {label} | {' | '.join(texts)} |")
    for label, numbers in PUBLISHED.items():
        print(f"| *{label}* | {' | '.join(f'{number:.2f}' for number in numbers)} |")

    ours = "linear-probe, c selected on the other dataset"
    print(f"\nDifference of `{ours}` to each, with the 95 % prediction interval:\n")
    print("| | " + " | ".join(f"{data} {shot}-shot" for data, shot in COLUMNS) + " |\n|:---" + "|---:" * 4 + "|")
    for label, numbers in PUBLISHED.items():
        texts = []
        for column, number in zip(COLUMNS, numbers):
            draws = rows[ours][column]
            difference, half = draws.mean() - number, half_width(draws, 1)
            word = "above" if difference > half else "below" if difference < -half else "not told apart"
            texts.append(f"{difference:+.2f} ± {half:.2f}, {word}")
        print(f"| {label} | {' | '.join(texts)} |")


if __name__ == "__main__":
    main()
