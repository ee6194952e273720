"""Episodes as places of items."""

import kshot
import numpy as np
import pytest


def test_draws_are_the_episodes_of_an_evaluation(items):
    X, y = items
    seen = []

    def watching(support, labels, query):
        seen.append((support.copy(), labels.copy(), query.copy()))
        return np.zeros((len(query), labels.max() + 1), np.float32)

    rules = {"way": 5, "shot": 2, "query": 4, "episodes": 20, "seed": 11}
    kshot.evaluate(X, y, learners=watching, workers=1, progress=False, **rules)
    draws = kshot.draws(y, **rules)
    assert len(draws) == len(seen) == 20
    for (support, labels, query), (places, asked) in zip(seen, draws):
        assert np.array_equal(support, X[places]) and labels.tolist() == np.repeat(np.arange(5), 2).tolist()
        # A learner meets the queries in an order that tells nothing.
        assert sorted(map(bytes, query)) == sorted(map(bytes, X[asked]))


def test_support_and_query_never_meet(items):
    _, y = items
    labels = np.array(y)
    for support, query in kshot.draws(y, way=3, shot=4, query=5, episodes=50):
        assert not set(support) & set(query)
        assert len(set(labels[support])) == 3 and set(labels[support]) == set(labels[query])


def test_items_of_a_group_stay_on_one_side(items):
    _, y = items
    groups = np.arange(len(y)) // 4
    for support, query in kshot.draws(y, way=3, shot=2, query=5, episodes=50, groups=groups):
        assert not set(groups[support]) & set(groups[query])


def test_a_draw_is_a_sequence(items):
    _, y = items
    draws = kshot.draws(y, way=3, shot=1, query=2, episodes=6)
    assert np.array_equal(draws[-1][0], draws[5][0]) and len(draws[2:4]) == 2
    assert np.array_equal(draws[2:4][1][1], draws[3][1])
    assert repr(draws) == "<6 episodes of 320 items>"
    with pytest.raises(IndexError):
        draws[6]
    assert len(kshot.draws(y, protocol="any-5way-1shot", episodes=7)) == 7
    assert len(draws[4:4]) == 0


def test_all_ways_have_all_queries(items):
    _, y = items
    (support, query), *_ = kshot.draws(y, way="all", shot=3, draws=2)
    assert len(support) == 24 and len(query) == 296


def test_a_draw_is_a_splitter_of_scikit_learn(items):
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_validate

    X, y = items
    draws = kshot.draws(y, way=5, shot=5, query=15, episodes=12)
    scores = cross_validate(LogisticRegression(), X, y, cv=draws)["test_score"]
    assert scores.shape == (12,) and scores.mean() > 0.5
    assert draws.get_n_splits() == 12
    with pytest.raises(kshot.DataError, match="the draw is of 320 items, got 3"):
        draws.split(X[:3])
