"""Recomputes every cell of summary.csv from outcomes, clusters, bins, temperature_scaled, open_set, seen and seen_unseen_curve.csv: python recompute.py RESULTS"""
import os, sys, numpy as np, pandas as pd
import intervals
key, weighed, empty = ["protocol", "learner", "parameters", "shot", "features", "dataset", "seed_train"], ["nll", "brier"], {c: [""] for c in ["nll", "brier", "low", "high", "confidence_level"]}
read = lambda name: pd.read_csv(f"{sys.argv[1]}/{name}.csv", dtype=dict.fromkeys(key + ["class", "cluster"], str), keep_default_na=False, na_values=empty)
outcomes, bins, summary = read("outcomes"), read("bins"), read("summary")
units = read("clusters").set_index(["protocol", "dataset", "class"]).cluster.to_dict() if os.path.exists(f"{sys.argv[1]}/clusters.csv") else {}
outcomes["unit"] = [units.get(name, name[2]) for name in zip(outcomes.protocol, outcomes.dataset, outcomes["class"])]
outcomes[weighed] = outcomes[weighed].mul(outcomes.total, axis=0)
episodes = outcomes.groupby(key + ["episode"])[["correct", "total", *weighed]].sum(min_count=1)
values = episodes[["correct", *weighed]].div(episodes.total, axis=0).rename(columns={"correct": "accuracy"}).rename_axis("metric", axis=1).stack().dropna().rename("v")
scaled = read("temperature_scaled") if os.path.exists(f"{sys.argv[1]}/temperature_scaled.csv") else pd.DataFrame(columns=key + ["temperature", "episode", "nll-ts"])
values = pd.concat([values] + [t.assign(metric="nll-ts").set_index(key + ["episode", "metric"])["nll-ts"].rename("v") for t in [scaled] if len(t)])
if os.path.exists(f"{sys.argv[1]}/open_set.csv"):
    values = pd.concat([values, read("open_set").set_index(key + ["episode"]).drop(columns=["in_scope", "oos", "threshold"]).replace("", np.nan).astype(float).rename_axis("metric", axis=1).stack().dropna().rename("v")])
means = values.groupby(key + ["metric"]).agg(["mean", "var", "size"]).reset_index()
by_class = outcomes.groupby(key + ["class"])[["correct", "total"]].sum().query("total > 0").eval("correct / total").rename("v")
classes, sides = by_class.groupby(key).mean(), {}
if os.path.exists(f"{sys.argv[1]}/seen.csv"):
    side = by_class.reset_index().merge(read("seen")).groupby(key + ["side"]).v.mean().unstack()
    area = lambda curve: (curve.unseen.diff() * (curve.seen + curve.seen.shift()) / 2).sum()
    sides = {"seen": side.seen, "unseen": side.unseen, "harmonic": (2 * side.seen * side.unseen / (side.seen + side.unseen)).fillna(0), "ausuc": read("seen_unseen_curve").groupby(key)[["seen", "unseen"]].apply(area)}
gaps = bins.assign(gap=(bins.correct - bins["count"] * bins.confidence).abs()).groupby(key + ["binning", "temperature"])[["gap", "count"]].sum().eval("gap / count").reset_index(name="mean")
ece, wide = [gaps[gaps.binning == binning].drop(columns="binning") for binning in ["mass", "width"]]
selected = scaled.groupby(key).temperature.first().reset_index()
parts = {"adaptive-ece": ece[ece.temperature == 1], "ece": wide[wide.temperature == 1], "adaptive-ece-ts": ece.merge(selected), "temperature": selected.rename(columns={"temperature": "mean"})}
parts |= {m: v.reset_index(name="mean") for m, v in {"class-accuracy": classes, **sides}.items()}
found = pd.concat([means] + [v.assign(metric=m) for m, v in parts.items() if len(v)])
rows = found.merge(summary, "right", key + ["metric"]).merge(outcomes.groupby(key)[["episode", "class"]].nunique().reset_index(), "left", key).assign(new=lambda r: r.interval == "classes")
units_of = outcomes.groupby(key + ["episode", "unit"]).size().clip(upper=1).rename("held").reset_index()
held = {k: t.pivot(index="episode", columns="unit", values="held").fillna(0) for k, t in units_of.groupby(key)}
series = {k: v.droplevel(key + ["metric"]).sort_index() for k, v in values.groupby(key + ["metric"])}
no_rates = {"nll", "brier", "nll-ts", "cohen-kappa", "matthews"}
counts = outcomes.groupby(key + ["class", "unit"])[["correct", "total"]].sum().query("total > 0").reset_index("unit")
seen_classes = read("seen").set_index(key + ["class"]).side if os.path.exists(f"{sys.argv[1]}/seen.csv") else None
def measure(metric, part):
    if metric == "accuracy":
        return part.correct.sum() / part.total.sum()
    rates = part.correct / part.total
    side = {name: rates[part.side == name].mean() for name in ["seen", "unseen"]}
    side["harmonic"] = 2 * side["seen"] * side["unseen"] / max(side["seen"] + side["unseen"], 1e-300)
    return rates.mean() if metric == "class-accuracy" else side[metric]
def over_classes(row, span):
    part = counts.loc[tuple(row[key])].copy()
    part["side"] = seen_classes.loc[tuple(row[key])].reindex(part.index) if seen_classes is not None else "unseen"
    units = part.drop_duplicates("unit")[["unit", "side"]]
    without = [(side == "seen", measure(row.metric, part[part.unit != unit])) for unit, side in units.itertuples(index=False)]
    return intervals.delete_class(measure(row.metric, part), without, row.confidence_level, span)
def interval(row):
    # The curve without a class would need the scores of its queries.
    if row.metric == "ausuc":
        return (row.low, row.high, row.interval_method) if row.confidence_level > 0 else None
    if row.interval == "classes" and (row.interval_method == "delete-class" or row.metric in ["class-accuracy", "seen", "unseen", "harmonic"]):
        return over_classes(row, (0, 1))
    values = series.get((*row[key], row.metric))
    if values is None or not row.confidence_level > 0:
        return None
    span, units = None if row.metric in no_rates else (0, 1), held[tuple(row[key])]
    of = intervals.classes(values.to_numpy(), units.loc[values.index].to_numpy(), row.confidence_level, span) if row.new else intervals.sampler(values.to_numpy(), row.confidence_level, span)
    return of or None
made = pd.DataFrame([interval(row) or (np.nan, np.nan, "") for _, row in rows.iterrows()], columns=["low_", "high_", "how"])
pairs = [(rows["mean"], rows.value), (made.low_, rows.low), (made.high_, rows.high), (rows.episode, rows.episodes), (rows["class"], rows.classes)]
same = (made.how == rows.interval_method.fillna("")).all()
sys.exit(0 if len(rows) and same and rows["mean"].notna().all() and all(np.isclose(a.astype(float), b.astype(float), 0, 1e-9, equal_nan=True).all() for a, b in pairs) else "summary.csv differs")
