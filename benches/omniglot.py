"""What metric learning buys on Omniglot: makes the table of docs/omniglot.md.

    kshot train conv4-omniglot-1shot --data data --out trained/conv4-omniglot-1shot
    kshot train conv4-omniglot-1shot --data data --out trained/conv4-omniglot-1shot-seed2 --seed 2
    python benches/omniglot.py --data data --trained trained --out results/omniglot

A row is evaluated with every training NAME or NAME-SOMETHING of its recipes that the folder holds; of several it has mean
and standard deviation. A row without a training is left out, and said to be. Results that are there are not made again.
Needs pandas, and `kshot` on the path or in KSHOT.
"""

import argparse
import os
import subprocess
from pathlib import Path

import pandas as pd

KSHOT = os.environ.get("KSHOT", "kshot")
FROZEN = ["omniglot-5way-1shot", "omniglot-5way-5shot", "omniglot-20way-1shot", "omniglot-20way-5shot"]
CHARACTERS, RUNS = "omniglot-characters-20way-1shot", "omniglot-one-shot-runs"
# The learner, and the recipes of its network for one shot and for five.
ROWS = {
    "pixels + nearest centroid": ("nearest-centroid", None, None),
    "pixels + 1-NN": ("k-nn", None, None),
    "cross-entropy + nearest centroid": ("nearest-centroid", *["conv4-omniglot-cross-entropy"] * 2),
    "triplet + 1-NN": ("k-nn", *["conv4-omniglot-triplet"] * 2),
    "prototypical": ("prototypical", "conv4-omniglot-1shot", "conv4-omniglot-5shot"),
}
PUBLISHED = {"*Snell et al. 2017*": (98.8, 99.7, 96.0, 98.9), "*an independent replication*": (98.6, 99.6, 95.3, 98.7)}
# The alphabets of the first eight runs are base classes of Vinyals et al., but for four characters.
UNSEEN_RUNS = range(8, 20)


def trainings(trained, recipe):
    found = sorted(folder for folder in trained.glob(f"{recipe}*") if (folder / "weights.safetensors").exists())
    return [folder for folder in found if folder.name == recipe or folder.name.startswith(recipe + "-seed")]


def evaluate(protocol, learner, weights, data, out):
    """Outcomes of a learner on the features of a network, or on pixels."""
    if not (out / "run.json").exists():
        command = [KSHOT, "evaluate", protocol, "--learner", learner, "--data", data, "--out", out]
        if weights:
            saw = "some" if protocol == RUNS else "none"
            command += ["--backbone", "conv4", "--weights", weights / "weights.safetensors", "--saw-classes", saw]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return pd.read_csv(out / "episodes.csv")


def percent(episodes):
    return 100 * episodes.correct.sum() / episodes.total.sum()


def cell(values):
    series = pd.Series(values)
    return f"{series.mean():.2f}" + (f" ± {series.std():.2f}" if len(values) > 1 else "")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--trained", type=Path, default=Path("trained"))
    parser.add_argument("--out", type=Path, default=Path("results/omniglot"))
    args = parser.parse_args()

    table = []
    for label, (learner, one, five) in ROWS.items():
        networks = {shot: trainings(args.trained, recipe) if recipe else [None] for shot, recipe in ((1, one), (5, five))}
        cells = []
        for protocol in [*FROZEN, CHARACTERS, RUNS]:
            shot = 5 if protocol.endswith("5shot") else 1
            found = []
            for weights in networks[shot]:
                name = f"{protocol}-{learner}-{weights.name if weights else 'pixels'}"
                found.append(evaluate(protocol, learner, weights, args.data, args.out / name))
            if not found:
                cells += ["–"] * (2 if protocol == RUNS else 1)
            elif protocol == RUNS:
                unseen = [episodes[episodes.episode.isin(UNSEEN_RUNS)] for episodes in found]
                cells.append(cell([100 - percent(episodes) for episodes in found]))
                cells.append(cell([100 - percent(episodes) for episodes in unseen]))
            else:
                cells.append(cell([percent(episodes) for episodes in found]))
        if set(cells) == {"–"}:
            print(f"left out: {label}, no {one} in {args.trained}")
            continue
        seeds = max(len(folders) for folders in networks.values())
        table.append(f"| {label}{f', {seeds} trainings' if seeds > 1 else ''} | {' | '.join(cells)} |")

    heads = ["5-way 1-shot", "5-way 5-shot", "20-way 1-shot", "20-way 5-shot", "characters, 20-way 1-shot"]
    heads += ["error on the 20 runs", "error on runs 9 to 20"]
    print("\n| | " + " | ".join(heads) + " |\n|:---" + "|---:" * len(heads) + "|")
    print("\n".join(table))
    for label, numbers in PUBLISHED.items():
        print(f"| {label} | {' | '.join(f'{number:.1f}' for number in numbers)} | | | |")
    print("| *people (Lake et al. 2015)* | | | | | | 4.5 | |")


if __name__ == "__main__":
    main()
