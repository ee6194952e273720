"""Recomputes every cell of summary.csv from outcomes.csv and bins.csv: python recompute.py RESULTS"""
import sys, numpy as np, pandas as pd, scipy.stats
key, weighed = ["protocol", "learner", "parameters", "shot"], ["nll", "brier"]
def read(name):
    empty = {column: [""] for column in weighed + ["low", "high", "level"]}
    return pd.read_csv(f"{sys.argv[1]}/{name}.csv", dtype=dict.fromkeys(key + ["class"], str), keep_default_na=False, na_values=empty)
outcomes, bins, summary = read("outcomes"), read("bins"), read("summary")
outcomes[weighed] = outcomes[weighed].mul(outcomes.total, axis=0)
episodes = outcomes.groupby(key + ["episode"])[["correct", "total", *weighed]].sum(min_count=1)
values = episodes[["correct", *weighed]].div(episodes.total, axis=0).rename(columns={"correct": "accuracy"}).stack().dropna()
classes = outcomes.groupby(key + ["class"])[["correct", "total"]].sum().query("total > 0")
ece = bins.assign(gap=(bins.correct - bins["count"] * bins.confidence).abs()).groupby(key)[["gap", "count"]].sum().eval("gap / count")
found = pd.concat([values.groupby(level=[0, 1, 2, 3, 5]).agg(["mean", "sem", "size"]).rename_axis(key + ["metric"]).reset_index()]
    + [v.reset_index(name="mean").assign(metric=m) for m, v in {"class-accuracy": (classes.correct / classes.total).groupby(key).mean(), "ece": ece}.items()])
counts = outcomes.groupby(key)[["episode", "class"]].nunique().reset_index()
rows = found.merge(summary, "outer", key + ["metric"]).merge(counts, "left", key)
half = scipy.stats.t.ppf(0.5 + rows.level / 2, rows["size"] - 1) * rows["sem"]
pairs = [(rows["mean"], rows.value), (rows["mean"] - half, rows.low), (rows["mean"] + half, rows.high), (rows.episode, rows.episodes), (rows["class"], rows.classes)]
same = all(np.isclose(a.astype(float), b.astype(float), 0, 1e-9, equal_nan=True).all() for a, b in pairs)
sys.exit(0 if same and rows.value.notna().all() else "summary.csv differs")
