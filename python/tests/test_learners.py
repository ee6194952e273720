"""Learners that are written in Python, on the episodes of kshot."""

import threading
import time

import kshot
import numpy as np
import pytest

SMALL = {"episodes": 60, "progress": False}


def nearest_mean(support, labels, query):
    means = np.stack([support[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
    return -((query[:, None] - means) ** 2).sum(axis=2)


def correct(results, learner):
    episodes = results.episodes
    return episodes[episodes["learner"] == learner].sort_values(["shot", "episode"])["correct"].tolist()


def test_a_function_gets_the_same_episodes_and_gives_the_same_answers(items):
    X, y = items
    r = kshot.evaluate(X, y, way=5, shot=[1, 5], learners=["prototypical", nearest_mean], **SMALL)
    assert correct(r, "nearest-mean") == correct(r, "prototypical")


def test_a_function_of_a_batch_is_called_once_for_many_episodes(items):
    X, y = items
    calls = []

    @kshot.learner(batch=True, scores="logits")
    def in_batches(support, labels, query):
        calls.append(len(support))
        assert support.shape[0] == labels.shape[0] == query.shape[0]
        return np.stack([nearest_mean(*one) for one in zip(support, labels, query)])

    r = kshot.evaluate(X, y, way=5, shot=5, learners=["prototypical", in_batches], **SMALL)
    assert correct(r, "in-batches") == correct(r, "prototypical")
    assert sum(calls) == 60 and len(calls) < 60
    nll = r.episodes.set_index(["learner", "episode"])["nll"]
    assert np.allclose(nll["in-batches"], nll["prototypical"], rtol=1e-4)


def test_supports_of_different_sizes_come_without_padding(items):
    X, y = items
    seen = []

    def watching(support, labels, query):
        assert len(support) == len(labels) and (np.abs(support).sum(axis=1) > 0).all()
        seen.append(len(support))
        return nearest_mean(support, labels, query)

    batched = kshot.learner(lambda s, l, q: np.stack([nearest_mean(*one) for one in zip(s, l, q)]), name="b", batch=True)
    r = kshot.evaluate(X, y, protocol="any-unbalanced", learners=["prototypical", watching, batched], **SMALL)
    assert len(set(seen)) > 1
    assert correct(r, "watching") == correct(r, "prototypical") == correct(r, "b")


def test_a_transform_is_that_of_kshot(items):
    X, y = items
    ours = kshot.learner(nearest_mean, name="ours", takes="l2n")
    r = kshot.evaluate(X, y, shot=5, learners=["nearest-centroid:transform=l2n", ours], **SMALL)
    assert correct(r, "ours") == correct(r, "nearest-centroid")


def test_classifiers_of_scikit_learn(items):
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LogisticRegression, RidgeClassifier
    from sklearn.neighbors import NearestCentroid

    X, y = items
    learners = {"logistic": LogisticRegression(), "ridge-of-sklearn": RidgeClassifier(), "centroid": NearestCentroid()}
    r = kshot.evaluate(X, y, shot=5, learners={**learners, "p": "prototypical", "own": kshot.LinearProbe(C=3)}, **SMALL)
    accuracy = r.summary.query("metric == 'accuracy' and interval == 'sampler'").set_index("method")["value"]
    assert accuracy.min() > 0.5 and len(accuracy) == 5
    assert r.episodes.set_index("learner")["nll"]["logistic"].notna().all()
    assert r.episodes.set_index("learner")["nll"]["ridge-of-sklearn"].isna().all()


def test_modules_of_torch(items):
    torch = pytest.importorskip("torch")

    class Means(torch.nn.Module):
        def forward(self, support, labels, query):
            means = torch.stack([support[labels == label].mean(0) for label in range(int(labels.max()) + 1)])
            return -torch.cdist(query, means) ** 2

    class Easy(torch.nn.Module):
        def process_support_set(self, support, labels):
            self.means = torch.stack([support[labels == label].mean(0) for label in range(int(labels.max()) + 1)])

        def forward(self, query):
            return -torch.cdist(query, self.means) ** 2

    X, y = items
    r = kshot.evaluate(X, y, shot=5, learners=["prototypical", Means(), Easy()], workers=1, **SMALL)
    assert correct(r, "means") == correct(r, "prototypical") == correct(r, "easy")


def test_what_a_function_raises_is_the_cause(items):
    X, y = items

    def broken(support, labels, query):
        raise KeyError("nothing there")

    with pytest.raises(kshot.ComputationError, match="broken.*nothing there") as caught:
        kshot.evaluate(X, y, learners=broken, **SMALL)
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        (lambda query: np.zeros((len(query), 3)), r"shape \[75, 3\], expected \(75, 5\)"),
        (lambda query: np.zeros(len(query)), r"expected \(75, 5\)"),
        (lambda query: np.full((len(query), 5), np.nan), "finite"),
        (lambda query: None, "scores are numbers"),
        (lambda query: "x", "scores are numbers"),
    ],
)
def test_scores_that_are_none_are_refused(items, scores, sentence):
    X, y = items
    with pytest.raises(kshot.ComputationError, match=sentence):
        kshot.evaluate(X, y, way=5, learners={"own": lambda support, labels, query: scores(query)}, **SMALL)


def test_probabilities_must_be_some(items):
    X, y = items
    wrong = kshot.learner(lambda s, l, q: np.ones((len(q), 5)), name="wrong", scores="probabilities")
    with pytest.raises(kshot.ComputationError, match="do not sum to one"):
        kshot.evaluate(X, y, way=5, learners=wrong, **SMALL)


def test_the_setting_is_admitted_or_not(items):
    X, y = items
    both = kshot.learner(nearest_mean, name="both", transductive=True)
    with pytest.raises(kshot.RequestError, match="is transductive"):
        kshot.evaluate(X, y, protocol="any-5way-1shot", learners=both, **SMALL)
    r = kshot.evaluate(X, y, learners=[both], settings=["transductive"], **SMALL)
    assert set(r.episodes["setting"]) == {"transductive"}


def test_names_are_told_apart(items):
    X, y = items
    with pytest.raises(kshot.RequestError, match="two learners are called"):
        kshot.evaluate(X, y, learners=[nearest_mean, nearest_mean], **SMALL)
    with pytest.raises(kshot.RequestError, match="a learner is"):
        kshot.evaluate(X, y, learners=3, **SMALL)


def test_ctrl_c_ends_a_run(items):
    """A signal while a slow function is at work."""
    import signal

    X, y = items
    # A shell that starts a job in the background has it ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def slow(support, labels, query):
        time.sleep(0.02)
        return nearest_mean(support, labels, query)

    threading.Timer(0.5, lambda: signal.raise_signal(signal.SIGINT)).start()
    started = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        kshot.evaluate(X, y, learners=slow, episodes=5_000, progress=False)
    signal.signal(signal.SIGINT, before)
    assert time.perf_counter() - started < 20
    # And nothing is left behind that stands in the way.
    assert len(kshot.evaluate(X, y, learners=nearest_mean, **SMALL).summary) > 0


def test_other_threads_of_python_go_on(items):
    X, y = items
    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.wait(0.005):
            ticks.append(time.perf_counter())

    thread = threading.Thread(target=tick)
    thread.start()
    kshot.evaluate(X, y, way=8, shot=5, episodes=20_000, learners=["linear-probe"], progress=False)
    stop.set()
    thread.join()
    assert len(ticks) > 10


def test_progress_is_told(items):
    from kshot import _progress

    X, y = items
    told = []
    original = _progress.shown
    try:
        _progress.shown = lambda progress: lambda *state: told.append(state)
        kshot.evaluate(X, y, episodes=20_000, learners=["linear-probe"], progress=True)
    finally:
        _progress.shown = original
    assert told[-1][4] is False
    assert any(name == "custom" and 0 < done <= steps for _, name, steps, done, _ in told)
