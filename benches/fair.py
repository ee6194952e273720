"""What fair budgets change: every learner at its default, as selected on validation classes, and at its oracle.

    cargo build --release
    python benches/fair.py STORE [STORE ...] [--budget 32] [--validation 600] [--novel 1000] [--out fair.md]

20-way episodes are a third as many.

Writes one Markdown table per store. A cell holds an accuracy in percent and, in brackets, the rank among the learners;
`support-cv` stands at 5-way 5-shot alone, beside the difference to validation in points. The commands that it runs are printed.
"""

import argparse
import csv
import json
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SIZES = [(5, 1), (5, 5), (20, 5)]
PROTOCOL = """name = "any-{way}way-{shot}shot"
version = 1
source = "benches/fair.py"
settings = ["inductive"]
[episode]
way = {way}
shot = {shot}
query = 15
[draw]
count = {count}
seed = 7
[report]
metrics = ["accuracy", "nll", "adaptive-ece"]
"""


def run(*words):
    print("$", *words, flush=True)
    start = time.perf_counter()
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def accuracies(folder):
    """By learner, the value in percent."""
    with open(folder / "summary.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["metric"] == "accuracy" and row["interval"] == "sampler"]
    return {row["learner"]: 100 * float(row["value"]) for row in rows}


def ranks(values):
    return {name: 1 + sum(other > value for other in values.values()) for name, value in values.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("stores", type=Path, nargs="+")
    parser.add_argument("--budget", type=int, default=32)
    parser.add_argument("--validation", type=int, default=600)
    parser.add_argument("--novel", type=int, default=1000)
    parser.add_argument("--work", type=Path, default=ROOT / "results/fair")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/kshot")
    args = parser.parse_args()
    text, seconds = "", {}
    for store in args.stores:
        found = {}
        for way, shot in SIZES:
            work = args.work / store.name / f"{way}way-{shot}shot"
            work.mkdir(parents=True, exist_ok=True)
            protocol = work / "protocol.toml"
            # A 20-way episode has four times the queries of a 5-way one.
            share = 3 if way > 5 else 1
            protocol.write_text(PROTOCOL.format(way=way, shot=shot, count=args.novel // share))
            common = [protocol, "--features", store, "--overwrite", "--out"]
            clock = {}
            select = [args.binary, "select", "--budget", args.budget]
            clock["select"] = run(*select, "--episodes", args.validation // share, *common, work / "selection")
            clock["select --oracle"] = run(*select, "--oracle", *common, work / "selection")
            clock["evaluate"] = run(args.binary, "evaluate", *common, work / "default")
            for name, file in [("selected", "selected.toml"), ("oracle", "oracle.toml")]:
                evaluate = [args.binary, "evaluate", "--selected", work / "selection" / file, *common, work / name]
                clock[f"evaluate {name}"] = run(*evaluate)
            found[way, shot] = {name: accuracies(work / name) for name in ["default", "selected", "oracle"]}
            if (way, shot) == (5, 5):
                run(*select, "--by", "support-cv", *common, work / "by-support")
                evaluate = [args.binary, "evaluate", "--selected", work / "by-support/selected.toml", *common]
                clock["evaluate support-cv"] = run(*evaluate, work / "support-cv")
                found[way, shot]["support-cv"] = accuracies(work / "support-cv")
            seconds[f"{store.name} {way}-way {shot}-shot"] = {name: round(value, 2) for name, value in clock.items()}
        heads = [f"{way}-way {shot}-shot" for way, shot in SIZES]
        text += f"`{store.name}`: default → selected (oracle), rank in brackets\n\n"
        text += f"| learner | {' | '.join(heads)} | 5-way 5-shot by support-cv |\n|---|{'---:|' * (len(heads) + 1)}\n"
        for learner in sorted(found[5, 1]["default"]):
            cells = []
            for size in SIZES:
                values, places = found[size], {name: ranks(of) for name, of in found[size].items()}
                one = {name: f"{values[name][learner]:.2f} [{places[name][learner]}]" for name in values}
                cells.append(f"{one['default']} → {one['selected']} ({one['oracle']})")
            by_support = found[5, 5]["support-cv"][learner]
            cells.append(f"{by_support:.2f} ({by_support - found[5, 5]['selected'][learner]:+.2f})")
            text += f"| `{learner}` | {' | '.join(cells)} |\n"
        text += "\n"
    print(json.dumps(seconds, indent=1))
    print(text)
    if args.out:
        args.out.write_text(text)


if __name__ == "__main__":
    main()
