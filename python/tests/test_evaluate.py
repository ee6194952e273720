"""From arrays to a verdict."""

import warnings

import kshot
import numpy as np
import pytest

SMALL = {"episodes": 40, "progress": False}


def test_the_three_lines(items, tmp_path):
    X, y = items
    r = kshot.evaluate(X, y, way=5, shot=[1, 5], learners=["prototypical", "linear-probe:C=10"], **SMALL)
    accuracy = r.summary.query("metric == 'accuracy' and interval == 'sampler'")
    assert sorted(accuracy["shot"]) == [1, 1, 5, 5] and set(accuracy["learner"]) == {"prototypical", "linear-probe"}
    assert accuracy.groupby("shot")["value"].mean()[5] > accuracy.groupby("shot")["value"].mean()[1] > 0.3
    verdict = r.compare(baseline="prototypical", margin=0.5)
    assert "linear-probe" in repr(verdict) and len(verdict.table) > 0
    page = r.report(tmp_path / "out.html")
    assert page.read_text().startswith("<!") and "svg" in page.read_text()
    saved = r.save(tmp_path / "mine")
    assert kshot.read(tmp_path / "mine").table == r.table == saved.table
    assert "<img" in r._repr_html_() and "<pre>" in r._repr_html_()


def test_what_stands_in_the_way_is_not_overwritten(items, tmp_path):
    X, y = items
    r = kshot.evaluate(X, y, learners="prototypical", **SMALL)
    r.save(tmp_path / "a")
    with pytest.raises(kshot.RequestError, match="holds results already"):
        r.save(tmp_path / "a")
    r.save(tmp_path / "a", overwrite=True)
    r.report(tmp_path / "p.html")
    with pytest.raises(kshot.RequestError, match="there already"):
        r.report(tmp_path / "p.html")


def test_frames_of_every_kind_hold_the_same(items):
    X, y = items
    r = kshot.evaluate(X, y, shot=[1, 2], learners="prototypical", **SMALL)
    columns = r.frame("episodes", "columns")
    assert set(columns["shot"]) == {1, 2} and columns["episode"][:3] == [0, 1, 2]
    for kind, listed in (("pandas", "tolist"), ("polars", "to_list"), ("pyarrow", "to_pylist")):
        pytest.importorskip(kind)
        frame = r.frame("episodes", kind)
        for name in ("shot", "nll", "correct", "learner", "draw_sha256"):
            assert getattr(frame[name], listed)() == columns[name], (kind, name)
        summary = r.frame("summary", kind)
        assert getattr(summary["value"], listed)() == r.frame("summary", "columns")["value"]
    with pytest.raises(kshot.RequestError, match="no table `nothing`, expected one of bins"):
        r.frame("nothing")


def test_a_class_called_na_stays_one(items):
    X, y = items
    y = [{"class 0": "NA", "class 1": "null"}.get(label, label) for label in y]
    r = kshot.evaluate(X, y, way="all", shot=1, query=3, episodes=3, learners="prototypical", progress=False)
    for kind in ("pandas", "polars", "pyarrow"):
        if pytest.importorskip(kind):
            assert {"NA", "null"} <= set(np.asarray(r.frame("outcomes", kind)["class"]))


def test_backbones_are_paired(items):
    X, y = items
    rng = np.random.default_rng(1)
    worse = X + rng.normal(size=X.shape, scale=2).astype(np.float32)
    r = kshot.evaluate({"good": X, "bad": worse}, y, learners=["prototypical"], **SMALL)
    assert set(r.summary["method"]) == {"good+prototypical", "bad+prototypical"}
    assert "good+prototypical is better" in r.compare(margin=0.5).text
    paths = [f"{row}.png" for row in range(len(y))]
    by_path = kshot.evaluate({"good": X, "bad": worse}, y, ids=paths, learners=["prototypical"], **SMALL)
    assert by_path.summary["items_sha256"][0] != r.summary["items_sha256"][0]


def test_supports_come_from_the_training_set_and_queries_from_the_test_set(items):
    X, y = items
    order = np.random.default_rng(3).permutation(len(y))
    train, test = order[:200], order[200:]
    labels = np.array(y)
    r = kshot.evaluate(
        X[train], labels[train], X[test], labels[test], way="all", shot=8, draws=5, learners="prototypical", progress=False
    )
    episodes = r.episodes
    assert len(episodes) == 5 and set(episodes["total"]) == {120} and set(episodes["way"]) == {8}


def test_selection_looks_at_validation_classes_alone(items, tmp_path):
    X, y = items
    splits = {f"class {c}": "novel" if c < 3 else "validation" for c in range(8)}
    spoilt = X.copy()
    spoilt[:120] = np.nan
    chosen = kshot.select(
        spoilt, y, splits=splits, way=3, shot=5, learners=["k-nn:k=1|3|5"], budget=4, episodes=30, progress=False
    )
    tried = chosen.trials["parameters"].str.extract(r"\bk=(\d)")[0]
    assert set(tried) == {"1", "3", "5"} and "k-nn" in chosen.toml
    place = chosen.save(tmp_path / "selected")
    rules = {"splits": splits, "way": 3, "shot": 5, "episodes": 40, "progress": False}
    with pytest.raises(kshot.DataError, match="NaN"):
        kshot.evaluate(spoilt, y, **rules)
    with pytest.raises(kshot.RequestError, match="made for other things"):
        kshot.evaluate(X, y, selected=chosen, **rules)
    for selected in (chosen, place / "selected.toml"):
        r = kshot.evaluate(X, y, selected=selected, selected_elsewhere=True, **rules)
        assert set(r.summary["selection"]) == {"validation"} and set(r.summary["learner"]) == {"k-nn"}


def test_errors_are_the_sentences_of_the_command_line(items):
    X, y = items
    cases = [
        (kshot.RequestError, "(?s)unknown learner `prototipical`.*did you mean `prototypical`", {"learners": "prototipical"}),
        (kshot.RequestError, "`way` must be 2 or more, got `1`", {"way": 1}),
        (kshot.RequestError, "must be a whole number, got 2.5", {"shot": 2.5}),
        (kshot.DataError, "classes", {"way": 20}),
        (kshot.RequestError, "no rule of an episode", {"ways": 5}),
        (kshot.RequestError, "neither|unknown|protocol", {"protocol": "no-such"}),
        (kshot.RequestError, "device", {"device": "tpu"}),
    ]
    for kind, sentence, given in cases:
        with pytest.raises(kind, match=sentence):
            kshot.evaluate(X, y, **{**SMALL, **given})
    bad = X.copy()
    bad[3, 2] = np.inf
    with pytest.raises(kshot.DataError, match="item 3"):
        kshot.evaluate(bad, y, **SMALL)
    assert issubclass(kshot.DataError, ValueError) and issubclass(kshot.ComputationError, RuntimeError)


def test_warnings_of_a_run_are_warnings_of_python(items):
    X, y = items
    with pytest.warns(kshot.KshotWarning, match="episodes"):
        r = kshot.evaluate(X, y, episodes=10, learners="prototypical", progress=False)
    assert r.warnings
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kshot.evaluate(X, y, episodes=200, learners="prototypical", progress=False)


def test_results_that_nobody_saved_are_gone_with_their_last_user(items):
    import gc

    X, y = items
    r = kshot.evaluate(X, y, learners="prototypical", **SMALL)
    folder = r.folder
    assert folder.exists()
    del r
    gc.collect()
    assert not folder.exists()
