"""Every learner on intents, K sentences per class, beside published numbers: makes the tables of docs/intents.md.

    kshot embed clinc150  --data data --backbone bert --weights all-MiniLM-L6-v2 --dtype f32 --out features/clinc150
    kshot embed banking77 --data data --backbone bert --weights all-MiniLM-L6-v2 --dtype f32 --out features/banking77
    python benches/intents.py features/banking77 features/clinc150 --out results/intents

No dataset has validation classes to spare under these rules, so `kshot select` chooses on the classes of the *other* dataset:
a copy of its store that calls all of them validation classes, under the same protocol, three supports. `kshot evaluate` then
takes the choice with --selected-elsewhere. What a run has left behind is not computed again.
Needs numpy, pandas and scipy, and `kshot` on the path or in KSHOT.
"""

import argparse
import os
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.stats

KSHOT = os.environ.get("KSHOT", "kshot")
ROOT = Path(__file__).resolve().parents[1]
# Five trials each. The features have norm one and no base classes, which leaves the learners of class means nothing to choose.
SPACES = {
    "fine-tune": "epochs=100,transform=l2n,lr=0.1|1|10|30|100",
    "k-nn": "distance=euclidean,k=1|3|5|7|10",
    "linear-probe": "transform=l2n,c=1|3|10|30|100",
    "matching": "temperature=1|3|10|30|100",
    "ridge": "transform=l2n,alpha=0.03|0.1|0.3|1|3",
    "svm": "transform=l2n,c=0.1|0.3|1|3|10",
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


def kshot(*words):
    subprocess.run([KSHOT, *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def evaluate(features, shot, out, more=()):
    """Accuracy of each draw in percent, by learner."""
    if not (out / "run.json").exists():
        kshot("evaluate", f"any-intents-{shot}shot", "--features", features, "--out", out, *more)
    episodes = pd.read_csv(out / "episodes.csv")
    episodes["accuracy"] = 100 * episodes.correct / episodes.total
    return {learner: group.accuracy.to_numpy() for learner, group in episodes.groupby("learner")}


def all_validation(features, copy):
    """The same store with all its classes for validation."""
    copy.mkdir(parents=True, exist_ok=True)
    for name in ("features.npy", "items.csv", "class_vectors.npy"):
        if not (copy / name).exists():
            (copy / name).symlink_to((features / name).resolve())
    splits = pd.read_csv(features / "splits.csv")
    splits.loc[splits.split != "outside", "split"] = "validation"
    splits[["class", "split"]].to_csv(copy / "splits.csv", index=False)
    return copy


def select(features, shot, out):
    """What `kshot select` chooses on all classes of a store, and the file."""
    file = out / "selected.toml"
    if not file.exists():
        name = f"intents-{shot}shot-elsewhere"
        rules = (ROOT / "protocols" / f"any-intents-{shot}shot.toml").read_text()
        rules = rules.replace(f"any-intents-{shot}shot", name).replace('split        = "all"', 'split        = "novel"')
        assert 'split        = "novel"' in rules
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{name}.toml").write_text(rules)
        learners = [word for learner, space in SPACES.items() for word in ("--learner", f"{learner}:{space}")]
        kshot("select", out / f"{name}.toml", "--features", features, *learners, "--episodes", 3, "--out", out)
    chosen = tomllib.loads(file.read_text())["learner"]
    axis = {learner: space.rsplit(",", 1)[-1].split("=")[0] for learner, space in SPACES.items()}
    return file, {one["name"]: f"{axis[one['name']]} = {one['parameters'][axis[one['name']]]}" for one in chosen}


def half_width(draws, with_another_draw):
    """Half of the 95 % interval of the mean, or of the difference between the mean and one more draw."""
    count = len(draws)
    factor = np.sqrt(with_another_draw + 1 / count)
    return scipy.stats.t.ppf(0.975, count - 1) * np.std(draws, ddof=1) * factor


def table(head, rows):
    print(f"\n| {head} | " + " | ".join(f"{data} {shot}-shot" for data, shot in COLUMNS) + " |\n|:---" + "|---:" * 4 + "|")
    for label, cells in rows:
        print(f"| {label} | {' | '.join(cells)} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("banking77", type=Path)
    parser.add_argument("clinc150", type=Path)
    parser.add_argument("--out", type=Path, default=Path("results/intents"))
    args = parser.parse_args()
    stores = {"BANKING77": args.banking77, "CLINC150": args.clinc150}

    rows, chosen = {}, {}
    for data, shot in COLUMNS:
        other = "CLINC150" if data == "BANKING77" else "BANKING77"
        name = f"{data.lower()}-{shot}"
        copy = all_validation(stores[other], args.out / f"{other.lower()}-as-validation")
        file, values = select(copy, shot, args.out / f"{name}-selection")
        for learner, draws in evaluate(stores[data], shot, args.out / f"{name}-defaults").items():
            rows.setdefault((learner, "default"), {})[data, shot] = draws
        # Its default map is fitted on seen classes, of which these rules have none.
        named = ("--learner", "semantic-prototypical:map=identity")
        for learner, draws in evaluate(stores[data], shot, args.out / f"{name}-identity", named).items():
            rows.setdefault((learner, "map = identity"), {})[data, shot] = draws
        selected = ("--selected", file, "--selected-elsewhere")
        for learner, draws in evaluate(stores[data], shot, args.out / f"{name}-selected", selected).items():
            rows.setdefault((learner, "selected"), {})[data, shot] = draws
            chosen.setdefault(learner, {})[data, shot] = values[learner]

    def cells(draws):
        return [f"{draws[c].mean():.2f} ± {half_width(draws[c], 0):.2f}" for c in COLUMNS]

    published = [(f"*{label}*", [f"*{number:.2f}*" for number in numbers]) for label, numbers in PUBLISHED.items()]
    ours = [(f"`{learner}`, {how}", cells(draws)) for (learner, how), draws in sorted(rows.items())]
    table("", ours + published)
    table("selected on the other dataset", [(f"`{l}`", [values[c] for c in COLUMNS]) for l, values in sorted(chosen.items())])
    for key in (("linear-probe", "default"), ("linear-probe", "selected"), ("svm", "selected")):
        against = []
        for label, numbers in PUBLISHED.items():
            texts = []
            for column, number in zip(COLUMNS, numbers):
                draws = rows[key][column]
                difference, half = draws.mean() - number, half_width(draws, 1)
                word = "above" if difference > half else "below" if difference < -half else "not told apart"
                texts.append(f"{difference:+.2f} ± {half:.2f}, {word}".replace("-", "−"))
            against.append((label, texts))
        table(f"`{key[0]}`, {key[1]}, minus", against)


if __name__ == "__main__":
    main()
