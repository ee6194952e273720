"""What a user writes, checked by mypy --strict in a test."""

import kshot
import numpy as np
from numpy.typing import NDArray


def nearest_mean(
    support: NDArray[np.float32], labels: NDArray[np.int64], query: NDArray[np.float32]
) -> NDArray[np.float32]:
    means = np.stack([support[labels == label].mean(axis=0) for label in range(int(labels.max()) + 1)])
    return np.asarray(-np.square(query[:, None] - means).sum(axis=2), np.float32)


def main(X: NDArray[np.float32], y: list[str]) -> float:
    results: kshot.Results = kshot.evaluate(
        X, y, way=5, shot=[1, 5], episodes=1_000, learners=["prototypical", kshot.LinearProbe(C=10), nearest_mean]
    )
    comparison: kshot.Comparison = results.compare(baseline="prototypical", margin=0.5)
    print(comparison.text, results.report("out.html"), results.save("results/mine").folder)
    total = 0
    for support, query in kshot.draws(y, way=5, shot=5, episodes=10):
        head = kshot.Prototypical().fit(X[support], np.asarray(y)[support])
        total += int((head.predict(X[query]) == np.asarray(y)[query]).sum())
    try:
        kshot.read("nowhere")
    except kshot.KshotError as error:
        print(error)
    return total / 10
