"""What the scripts beside this one share: a protocol for any store, and the episodes of a draw as rows and labels."""

import csv

import numpy as np

PROTOCOL = """name = "peer"
version = 1
source = "benches/peers"
settings = ["inductive"]
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


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def unit_rows(features):
    """Rows divided by their norms, in double precision."""
    features = np.asarray(features, dtype=np.float64)
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)


def orders(draw, store):
    """Rows and labels of both sides of each episode (support, its labels, query, its labels), label by label."""
    items = {}
    for row, item in enumerate(rows(store / "items.csv")):
        items.setdefault(item["class"], []).append(row)
    episodes = {}
    for row in rows(draw):
        sides = episodes.setdefault(int(row["episode"]), ([], [], [], []))
        for side, place in [("support", 0), ("query", 2)]:
            chosen = [items[row["class"]][int(item)] for item in row[side].split()]
            sides[place].extend(chosen)
            sides[place + 1].extend([int(row["label"])] * len(chosen))
    return [tuple(np.array(part) for part in sides) for sides in episodes.values()]
