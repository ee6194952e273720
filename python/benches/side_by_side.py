"""kshot beside what is used today, in one process, on the same features.

    python side_by_side.py FOLDER [--draws 1000] [--loop 40]

FOLDER holds `features.npy` and `items.csv` (class), such as CLINC150 embedded by all-MiniLM-L6-v2; the last 30 items of a class are its
test set. The slow side makes fewer draws (`--loop`); all numbers are per draw. Needs torch, easyfsl, scikit-learn and pandas. Both sides have as many cores as they take.
"""

import argparse
import time
import warnings
from pathlib import Path

import kshot
import numpy as np
import pandas as pd
import torch
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate

warnings.simplefilter("ignore")


def clock(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def line(name, theirs, ours, accuracies, asked):
    print(
        f"{name:<42} {1e3 * theirs:10.3f} ms {1e3 * ours:9.4f} ms {theirs / ours:8.0f}x (asked {asked}x)   "
        f"accuracy {100 * accuracies[0]:.2f} and {100 * accuracies[1]:.2f}"
    )


def accuracy(results):
    rows = results.frame("summary", "pandas").query("metric == 'accuracy' and interval == 'sampler'")
    return float(rows["value"].iloc[0])


def uni(train, train_labels, test, test_labels, draws, shot):
    """The few-shot loop of UNI (Chen et al. 2024): centre, normalise, nearest class mean, and its metrics."""
    rng, scores = np.random.default_rng(7), []
    names, labels = np.unique(train_labels, return_inverse=True)
    asked = np.searchsorted(names, test_labels)
    train, test = torch.from_numpy(train), torch.from_numpy(test)
    for _ in range(draws):
        chosen = pd.Series(np.arange(len(labels))).groupby(labels).sample(shot, random_state=int(rng.integers(2**31)))
        support, own = train[chosen.to_numpy()], torch.from_numpy(labels[chosen.to_numpy()])
        mean = support.mean(dim=0)
        support = torch.nn.functional.normalize(support - mean, dim=-1)
        query = torch.nn.functional.normalize(test - mean, dim=-1)
        prototypes = torch.vstack([support[own == label].mean(dim=0) for label in range(len(names))])
        answers = (query[:, None] - prototypes[None]).norm(dim=2, p=2).argmin(dim=1).numpy()
        scores.append(metrics.accuracy_score(asked, answers))
        metrics.balanced_accuracy_score(asked, answers)
        metrics.cohen_kappa_score(asked, answers, weights="quadratic")
        metrics.classification_report(asked, answers, output_dict=True, zero_division=0)
    return float(np.mean(scores))


def easyfsl(X, y, tasks):
    from easyfsl.datasets import FeaturesDataset
    from easyfsl.methods import PrototypicalNetworks
    from easyfsl.samplers import TaskSampler
    from easyfsl.utils import evaluate
    from torch.utils.data import DataLoader

    # easyfsl 1.5 calls what torch has had no use for since 2.5.
    torch.utils.data.Sampler.__init__ = lambda self, data_source=None: None
    names, labels = np.unique(y, return_inverse=True)
    dataset = FeaturesDataset(labels.tolist(), torch.from_numpy(X), list(names))
    sampler = TaskSampler(dataset, n_way=5, n_shot=5, n_query=15, n_tasks=tasks)
    loader = DataLoader(dataset, batch_sampler=sampler, collate_fn=sampler.episodic_collate_fn)
    return evaluate(PrototypicalNetworks(torch.nn.Identity()), loader, device="cpu", use_tqdm=False)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=1_000)
    parser.add_argument("--loop", type=int, default=40)
    args = parser.parse_args()
    items = pd.read_csv(args.folder / "items.csv", dtype=str)
    X, y = np.load(args.folder / "features.npy").astype(np.float32), items["class"].to_numpy()
    test = (items.groupby("class").cumcount(ascending=False) < 30).to_numpy()
    train = ~test
    X_train, y_train, X_test, y_test = X[train], y[train], X[test], y[test]
    print(f"{len(X)} items, {len(set(y))} classes, {X.shape[1]} numbers; torch on {torch.get_num_threads()} threads")

    head = "nearest-centroid:transform=l2n"
    rules = {"way": "all", "shot": 8, "draws": args.draws, "learners": head, "progress": False}
    ours, r = clock(lambda: kshot.evaluate(X_train, y_train, X_test, y_test, **rules))
    theirs, score = clock(lambda: uni(X_train, y_train, X_test, y_test, args.loop, 8))
    line("UNI's loop, SimpleShot, all-way 8-shot", theirs / args.loop, ours / args.draws, (score, accuracy(r)), 100)

    rules = {"way": 5, "shot": 5, "query": 15, "episodes": 10 * args.draws, "progress": False}
    ours, r = clock(lambda: kshot.evaluate(X, y, learners="prototypical", **rules))
    theirs, score = clock(lambda: easyfsl(X, y, 5 * args.loop))
    line("easyfsl, PrototypicalNetworks, 5-way 5-shot", theirs / (5 * args.loop), ours / (10 * args.draws), (score, accuracy(r)), 20)

    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    ours, r = clock(lambda: kshot.evaluate(X, y, learners="linear-probe", **rules))
    draws = kshot.draws(y, way=5, shot=5, query=15, episodes=5 * args.loop)
    theirs, scores = clock(lambda: cross_validate(LogisticRegression(max_iter=1_000), unit, y, cv=draws)["test_score"])
    line("scikit-learn, cross_validate, logistic", theirs / (5 * args.loop), ours / (10 * args.draws), (scores.mean(), accuracy(r)), 50)

    zeros = np.zeros((75, 5), np.float32)
    for workers in (1, None):
        own, _ = clock(lambda: kshot.evaluate(X, y, learners=lambda s, l, q: zeros, workers=workers, **rules))
        native, _ = clock(lambda: kshot.evaluate(X, y, learners="prototypical", workers=workers, **rules))
        episodes = 10 * args.draws
        print(
            f"a function that returns zeros, {workers or 'all'} workers: {1e6 * own / episodes:.1f} µs per episode, the whole run; "
            f"prototypical {1e6 * native / episodes:.1f} µs"
        )


if __name__ == "__main__":
    main()
