"""Whether two results have the same correct counts in nearly every episode.

    benches/agree.py RESULTS OTHER [--least 0.99]

Prints the share of episodes per table, and fails where one is below the least. Needs nothing but Python.
"""

import argparse
import csv
import sys
from pathlib import Path

KEY = ("protocol", "learner", "parameters", "shot")


def counts(folder):
    with open(Path(folder, "episodes.csv"), newline="") as file:
        return {(tuple(row[k] for k in KEY), row["episode"]): row["correct"] for row in csv.DictReader(file)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("results")
    parser.add_argument("other")
    parser.add_argument("--least", type=float, default=0.99)
    args = parser.parse_args()
    one, other = counts(args.results), counts(args.other)
    if one.keys() != other.keys() or not one:
        sys.exit("the results do not hold the same tables and episodes")
    tables = {}
    for (table, episode), correct in one.items():
        tables.setdefault(table, []).append(correct == other[table, episode])
    worst = 1.0
    for table, same in sorted(tables.items()):
        share = sum(same) / len(same)
        worst = min(worst, share)
        print(f"{100 * share:6.2f} % of {len(same)} episodes: {' '.join(word for word in table if word)}")
    sys.exit(0 if worst >= args.least else f"below {100 * args.least:g} %")


if __name__ == "__main__":
    main()
