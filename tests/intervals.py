"""Intervals of a mean over episodes, from the formulas in src/stats: an independent reference in numpy and SciPy."""
import numpy as np
from scipy import stats

MOST_SKEWED = 0.38


def above(events, trials, level):
    """Clopper and Pearson's upper bound."""
    return 1.0 if events == trials else stats.beta.ppf(level, events + 1, trials - events)


def others(values):
    """The value that most share, and which are other ones."""
    centre = np.sort(values)[(len(values) - 1) // 2]
    return centre, np.abs(values - centre) > 16 * np.finfo(float).eps * max(abs(centre), 1.0)


def ends(value, error, degrees, skewness, level, floor, span):
    """Low, high and whether the floor moved one of them; floor is (units, deviating, centre, below, above)."""
    s = np.clip(skewness, -MOST_SKEWED, MOST_SKEWED)
    inverse = lambda g: g if abs(s) < 1e-9 else 3 / s * (np.cbrt(1 + s * (g - s / 6)) - 1)
    t = stats.t.ppf(0.5 + level / 2, degrees)
    low, high = value - error * inverse(t), value - error * inverse(-t)
    if floor is None and error == 0:
        return None
    clip = lambda low, high: (low, high) if span is None else (min(max(low, span[0]), value), max(min(high, span[1]), value))
    plain = clip(low, high) if error > 0 else None
    if floor is not None:
        units, deviating, centre, below, over = floor
        share = above(deviating, units, 0.5 + level / 2)
        low, high = min(low, centre - share * below), max(high, centre + share * over)
    found = clip(low, high)
    return *found, found != plain


def sampler(values, level, span):
    """Student's t, with the floor where all but a few episodes agree."""
    centre, other = others(values)
    floor, away = None, (values - centre)[other]
    if other.sum() <= 10 and other.sum() * 20 <= len(values) and (other.any() or span is not None):
        below, over = (max(0, -away.min()), max(0, away.max())) if other.any() else (centre - span[0], span[1] - centre)
        floor = len(values), other.sum(), centre, below, over
    found = ends(values.mean(), values.std(ddof=1) / len(values) ** 0.5, len(values) - 1, 0, level, floor, span)
    return found and (*found[:2], "clopper-pearson" if found[2] else "student-t")


def classes(values, units, level, span):
    """The corrected jackknife over units; units is a 0/1 matrix, episodes × units."""
    m, c = units.shape
    held = units.sum(axis=0)
    if m < 2 or c < 10 or (m - held).min() < 20:
        return None
    mean, variance = values.mean(), values.var(ddof=1)
    x = (c - 1) * (values @ units - held * mean) / (m - held)
    x -= x.mean()
    f = held / m
    raw = (x**2).sum() / (c * (c - 1))
    between = max(raw - (c - 1) / c * (variance * f / (m * (1 - f))).sum(), 0)
    v = between + variance / m
    k3 = ((values - mean) ** 3).mean()
    noise = (f * (1 - 2 * f) / (m * (1 - f)) ** 2 * (c - 1) ** 3).sum()
    third = (x**3).sum() / ((c - 1) * (c - 2) * c) - noise * k3 / c**3 + k3 / m**2
    t = lambda degrees: stats.t.ppf(0.975, degrees) if degrees > 0 else np.inf
    degrees, method = ((c - 1) * min((v / raw) ** 2, 1), "jackknife-hall") if raw > 0 else (c - 1, "jackknife-hall")
    if v > 0 and not t(degrees) * v**0.5 <= t(c - 1) * raw**0.5:
        v, degrees, method = raw, c - 1, "jackknife-uncorrected"
    found = ends(mean, v**0.5, degrees, third / v**1.5 if v > 0 else 0, level, class_floor(values, units, span), span)
    return found and (*found[:2], "clopper-pearson" if found[2] else method)


def class_floor(values, units, span):
    """The floor where one or two classes, or none, are in every episode that differs from the rest."""
    centre, other = others(values)
    if other.sum() * 2 > len(values):
        return None
    in_all = lambda episodes: not len(episodes) or episodes.all(axis=0).any()
    odd = units[other] > 0
    if not len(odd):
        deviating = 0
    elif in_all(odd):
        deviating = 1
    elif any(in_all(odd[~odd[:, unit]]) for unit in np.flatnonzero(odd[0])):
        deviating = 2
    else:
        return None
    if not deviating and span is None:
        return None
    away = (values - centre)[other] * units.shape[1] / len(values)
    below, over = (-away[away < 0].sum(), away[away > 0].sum()) if deviating else (centre - span[0], span[1] - centre)
    return units.shape[1], deviating, centre, below, over


def delete_class(value, without, level, span):
    """Leaving out one class at a time; without has a stratum and the remaining value of each."""
    strata = {}
    for stratum, v in without:
        strata.setdefault(stratum, []).append(v)
    if len(without) < 10 or min(map(len, strata.values())) < 5:
        return None
    variance = squares = third = 0.0
    for of in strata.values():
        x, c = np.mean(of) - np.array(of), len(of)
        part = (c - 1) / c * (x**2).sum()
        variance, squares = variance + part, squares + part**2 / (c - 1)
        third += (c - 1) ** 2 / (c * (c - 2)) * (x**3).sum()
    if variance <= (16 * np.finfo(float).eps * max(abs(value), 1)) ** 2:
        floor = span and (len(without), 0, value, value - span[0], span[1] - value)
        found = ends(value, 0, len(without) - 1, 0, level, floor, span)
    else:
        found = ends(value, variance**0.5, variance**2 / squares, third / variance**1.5, level, None, span)
    return found and (*found[:2], "clopper-pearson" if found[2] else "delete-class")
