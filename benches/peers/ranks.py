"""Checks `kshot compare --scores` on a large table of other tools by an independent computation with pandas and SciPy.

    kshot compare --scores SCORES --all-pairs --out RANKS
    python benches/peers/ranks.py SCORES RANKS

SCORES is a table with the columns task, subset, dataset_revision, mteb_version, model, model_revision, draw, accuracy. Prints the
shares of survival.csv beside its own; ends with 1 where one differs.
"""
import collections
import itertools
import sys

import numpy as np
import pandas as pd
from scipy import stats

scores, ranks = sys.argv[1:3]
table = pd.read_csv(scores)
table["set"] = table.task + " " + table.subset
several = table.groupby("model").model_revision.nunique()
revised = table.model.map(several) > 1
table["method"] = np.where(revised, table.model + "@" + table.model_revision.str[:8], table.model)
table["key"] = table.draw.astype(str) + "@" + table.dataset_revision + "@" + table.mteb_version.astype(str).str.split(".").str[0]


def holm(p):
    p = np.asarray(p)
    order, adjusted = np.argsort(p), np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p)))))
    return adjusted


counts = collections.Counter()
for name, part in table.groupby("set"):
    methods = {method: dict(zip(rows.key, rows.accuracy)) for method, rows in part.groupby("method")}
    if len(methods) < 2:
        continue
    order = sorted(methods, key=lambda method: (-np.mean(list(methods[method].values())), method))
    values = [np.array(list(methods[method].values())) for method in order]
    for rule in ["unpaired", "paired"]:
        found = []
        for a, b in itertools.combinations(range(len(order)), 2):
            shared = [key for key in methods[order[a]] if key in methods[order[b]]] if rule == "paired" else []
            if len(shared) >= 2:
                d = np.array([methods[order[a]][key] - methods[order[b]][key] for key in shared])
                value, error, degrees = d.mean(), d.std(ddof=1) / len(d) ** 0.5, len(d) - 1
            else:
                x, y = values[a], values[b]
                vx, vy = x.var(ddof=1) / len(x), y.var(ddof=1) / len(y)
                value, error = x.mean() - y.mean(), (vx + vy) ** 0.5
                degrees = (vx + vy) ** 2 / (vx**2 / (len(x) - 1) + vy**2 / (len(y) - 1)) if error > 0 else 1
            if error > 1e-12:
                found.append((a, b, value, value / error, degrees))
        p = 2 * stats.t.sf([abs(row[3]) for row in found], [row[4] for row in found])
        kinds = {
            "adjacent": [i for i, row in enumerate(found) if row[1] == row[0] + 1],
            "small_gaps": [i for i, row in enumerate(found) if abs(row[2]) <= 0.02 * (1 + 1e-9)],
            "top_ten": [i for i, row in enumerate(found) if row[0] < 10 and row[1] == 10],
        }
        for kind, places in kinds.items():
            raw = p[places]
            counts[rule, False, kind] += int((raw <= 0.05).sum())
            counts[rule, True, kind] += int((holm(raw) <= 0.05).sum()) if len(raw) else 0
            counts[rule, "of", kind] += len(places)

survival = pd.read_csv(f"{ranks}/survival.csv").query("dataset == 'all'")
wrong = 0
for _, row in survival.iterrows():
    for kind in ["adjacent", "small_gaps", "top_ten"]:
        ours = (counts[row.rule, row.holm, kind], counts[row.rule, "of", kind])
        theirs = (row[f"{kind}_significant"], row[kind])
        # Means that are equal but for their last digits may change places.
        close = abs(ours[0] - theirs[0]) <= max(2, 0.001 * ours[1]) and abs(ours[1] - theirs[1]) <= max(2, 0.001 * ours[1])
        wrong += not close
        print(f"{row.rule:9} holm={row.holm!s:5} {kind:11} kshot {theirs[0]:6} of {theirs[1]:6}   here {ours[0]:6} of {ours[1]:6}", "" if close else "DIFFERS")
sys.exit(wrong > 0)
