"""Heads as classifiers of scikit-learn."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

import kshot
from kshot import estimators
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

HEADS = [getattr(estimators, name) for name in estimators.__all__]

#: Checks of scikit-learn that a head does not pass, each with the reason.
EXPECTED = {}


@parametrize_with_checks([head() for head in HEADS], expected_failed_checks=lambda head: EXPECTED.get(type(head).__name__, {}))
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_the_classes_are_those_of_the_registry():
    generate = Path(__file__).resolve().parents[1] / "generate.py"
    if not generate.exists():
        pytest.skip("no sources")
    done = subprocess.run([sys.executable, generate, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert set(estimators.__all__) <= set(kshot.__all__)


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.__name__)
def test_a_head_answers_as_in_an_evaluation(items, head):
    X, y = items
    if head.__name__ == "NearestCentroid":
        head = lambda: estimators.NearestCentroid(feature_transform="l2n")
    labels = np.array(y)
    rules = {"way": 5, "shot": 3, "query": 6, "episodes": 30}
    r = kshot.evaluate(X, y, learners=[head()], progress=False, **rules)
    correct = []
    for support, query in kshot.draws(y, **rules):
        _, codes = np.unique(labels[support], return_index=True)
        # In the order of the episode's labels, which decides ties.
        order = {labels[support][code]: place for place, code in enumerate(sorted(codes))}
        fitted = head().fit(X[support], [order[label] for label in labels[support]])
        correct.append(int((fitted.predict(X[query]) == [order[label] for label in labels[query]]).sum()))
    if head.__name__ in ("MLP", "Stacked"):
        # They start from random values, which are others in every episode of an evaluation.
        assert abs(np.mean(correct) - r.episodes["correct"].mean()) < 1
        return
    assert correct == r.episodes["correct"].tolist()


def test_parameters_are_those_of_the_learner(items):
    X, y = items
    probe = kshot.LinearProbe(C=10)
    assert probe.get_params() == {"C": 10, "feature_transform": "l2n"}
    assert probe._kshot_spec() == "linear-probe:c=10"
    with pytest.raises(kshot.RequestError, match="parameter `c` of `linear-probe` must be a number"):
        kshot.LinearProbe(C=-1).fit(X, y)
    search = GridSearchCV(kshot.LinearProbe(), {"C": [0.01, 10]}, cv=3).fit(X[::4], y[::4])
    assert search.best_params_["C"] in (0.01, 10)


def test_a_head_is_pickled_and_cloned(items):
    X, y = items
    fitted = kshot.Ridge().fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict(X), fitted.predict(X))
    assert clone(fitted).get_params() == fitted.get_params()


def test_probabilities_sum_to_one_where_there_are_some(items):
    X, y = items
    shares = kshot.LinearProbe(C=10).fit(X, y).predict_proba(X[:7])
    assert shares.shape == (7, 8) and np.allclose(shares.sum(axis=1), 1)
    assert not hasattr(kshot.SVM(), "predict_proba") or kshot.SVM._probabilities
