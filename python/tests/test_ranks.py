"""Tables of scores of other tools: frames of every kind, and the bytes of the command line."""

import json
import os
import subprocess

import numpy as np
import pytest

import kshot

pandas = pytest.importorskip("pandas")


def scores():
    rng = np.random.default_rng(3)
    return [
        {"dataset": data, "method": method, "draw": draw, "score": float(mean + rng.normal(0, 0.01))}
        for data in ["one", "two"]
        for method, mean in [("a", 0.9), ("b", 0.8), ("c", 0.8)]
        for draw in range(8)
    ]


def test_a_frame_is_ranked_as_the_command_line_ranks_its_file(tmp_path):
    table = pandas.DataFrame(scores())
    table.to_csv(tmp_path / "t.csv", index=False)
    ranks = kshot.compare(table)
    assert "What survives, over 2 data sets" in repr(ranks)
    saved = ranks.save(tmp_path / "frame")
    program = os.environ.get("KSHOT_PROGRAM")
    if program is None:
        pytest.skip("KSHOT_PROGRAM names no program")
    subprocess.run([program, "compare", "--scores", str(tmp_path / "t.csv"), "--out", str(tmp_path / "ranks")], check=True)
    names = sorted(path.name for path in (tmp_path / "ranks").iterdir())
    assert names == sorted(path.name for path in saved.iterdir())
    for name in names:
        assert (saved / name).read_bytes() == (tmp_path / "ranks" / name).read_bytes(), name


def test_frames_of_every_kind_give_one_answer(tmp_path):
    table = pandas.DataFrame(scores())
    table.to_csv(tmp_path / "t.csv", index=False)
    kinds = [table, table.to_dict("list"), tmp_path / "t.csv"]
    for name, make in [("polars", "from_pandas"), ("pyarrow", "table")]:
        try:
            module = __import__(name)
        except ImportError:
            continue
        kinds.append(getattr(module, make)(table.to_dict("list") if name == "pyarrow" else table))
    assert len({kshot.compare(kind, paired=True).text for kind in kinds}) == 1
    ranking = kshot.compare(table, paired=True).ranking
    assert list(ranking[ranking.dataset == "one"].rank_low) == [1, 2, 2]
    assert list(ranking[ranking.dataset == "one"].rank_high) == [1, 3, 3]


def test_results_of_mteb_are_a_frame(tmp_path):
    for model, scores_of in [("org__a", [0.8, 0.82, 0.84]), ("org__b", [0.7, 0.74, 0.72])]:
        folder = tmp_path / model / "rev"
        folder.mkdir(parents=True)
        draws = [{"accuracy": score, "f1": score - 0.1} for score in scores_of]
        result = {"task_name": "T", "scores": {"test": [{"hf_subset": "en", "scores_per_experiment": draws}]}}
        (folder / "T.json").write_text(json.dumps(result))
    frame = kshot.read_mteb(tmp_path)
    assert list(frame.accuracy[:3]) == [0.8, 0.82, 0.84]
    assert list(frame.draw[:3]) == [0, 1, 2]
    assert "org/a" in kshot.compare(frame, score="f1").text


def test_what_is_missing_is_not_filled_in():
    table = pandas.DataFrame(scores())
    table.loc[5, "score"] = None
    with pytest.raises(kshot.DataError, match="the frame:7: column `score` must be a finite number"):
        kshot.compare(table)
    with pytest.raises(kshot.RequestError, match="baseline, margin and metric are of results"):
        kshot.compare(pandas.DataFrame(scores()), baseline="a")
