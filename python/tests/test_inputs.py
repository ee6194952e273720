"""Features and labels as people hold them."""

import contextlib
import warnings

import kshot
import numpy as np
import pytest
from kshot import _arrays, _items, _labels


@contextlib.contextmanager
def silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_rows_of_floats_are_borrowed_where_they_lie():
    for dtype in (np.float16, np.float32):
        X = np.arange(40, dtype=dtype).reshape(10, 4)
        with silent():
            features = _items.Items(list("ababababab")).features("f", X)
        assert features.address == X.ctypes.data
    part = np.arange(80, dtype=np.float32).reshape(20, 4)[3:13]
    with silent():
        assert _items.Items(list("ababababab")).features("f", part).address == part.ctypes.data
    part.flags.writeable = False
    with silent():
        assert _items.Items(list("ababababab")).features("f", part).address == part.ctypes.data


def test_borrowed_memory_is_held_as_long_as_it_is_used():
    X = np.arange(40, dtype=np.float32).reshape(10, 4)
    import sys

    before = sys.getrefcount(X)
    features = _items.Items(list("ababababab")).features("f", X)
    del features
    assert sys.getrefcount(X) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda X: X.astype(np.float64), "float64 become float32, rounded"),
        (lambda X: np.asfortranarray(X), "do not follow one another"),
        (lambda X: np.repeat(X, 2, axis=1)[:, ::2], "do not follow one another"),
        (lambda X: X.astype(">f4"), "other order"),
        (lambda X: X.astype(np.int64), "int64 become float32, exactly"),
        (lambda X: X.astype(np.uint8), "uint8 become float32, exactly"),
    ],
)
def test_what_is_copied_is_said(change, said):
    X = np.arange(40, dtype=np.float32).reshape(10, 4)
    with pytest.warns(kshot.CopyWarning, match=said):
        array = _arrays.matrix(change(X))
    assert array.dtype == np.float32 and array.flags.c_contiguous
    assert np.array_equal(array, X)


def test_misaligned_rows_are_copied():
    memory = np.zeros(4 * 40 + 1, np.uint8)
    X = memory[1:].view(np.float32).reshape(10, 4)
    with pytest.warns(kshot.CopyWarning, match="begin where a number may"):
        assert _arrays.matrix(X).flags.aligned


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint64])
def test_whole_numbers_that_no_float_equals_are_refused(dtype):
    X = np.full((3, 2), 2**24, dtype)
    with pytest.warns(kshot.CopyWarning):
        _arrays.matrix(X)
    X[2, 1] = 2**24 + 1
    with pytest.raises(kshot.DataError, match="item 2 of features has 16777217 in column 1"):
        _arrays.matrix(X)


def test_huge_whole_numbers_are_told_exactly():
    X = np.array([[2**62, 2**62 + 1]], np.int64)
    with pytest.raises(kshot.DataError, match=str(2**62 + 1)):
        _arrays.matrix(X)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (np.zeros(5), "two dimensions"),
        (np.zeros((2, 3, 4)), r"reshape"),
        (np.zeros((0, 3)), "one item and one number or more"),
        (np.zeros((3, 0)), "one item and one number or more"),
        (np.zeros((3, 2), complex), "real numbers"),
        (np.array([["a", "b"]]), "real numbers"),
        (np.array([[None, 1]], object), "real numbers"),
        (np.ma.masked_equal(np.eye(3), 1), "masked"),
        ("a.npy", "expected numbers"),
        ([[1, 2], [3]], "no matrix"),
    ],
)
def test_what_is_no_matrix_is_refused(wrong, sentence):
    with pytest.raises((kshot.DataError, kshot.RequestError), match=sentence):
        _arrays.matrix(wrong)


def test_sparse_matrices_are_refused_with_a_hint():
    sparse = pytest.importorskip("scipy.sparse")
    for kind in (sparse.csr_matrix, sparse.coo_array):
        with pytest.raises(kshot.RequestError, match=r"hint: X.toarray\(\)"):
            _arrays.matrix(kind(np.eye(3)))


def test_frames_are_read_by_columns():
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    X = np.arange(12, dtype=np.float32).reshape(6, 2)
    columns = {"a": X[:, 0].copy(), "b": X[:, 1].copy()}
    for table in (pandas.DataFrame(columns), polars.DataFrame(columns), pyarrow.table(columns)):
        with pytest.warns(kshot.CopyWarning, match="a table holds columns"):
            assert np.array_equal(_arrays.matrix(table), X)
    mixed = pandas.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})
    with pytest.warns(kshot.CopyWarning, match="columns of float64, int64"):
        assert _arrays.matrix(mixed).tolist() == [[1, 0.5], [2, 1.5]]
    with pytest.raises(kshot.DataError, match="column `b` of features holds text"):
        _arrays.matrix(pandas.DataFrame({"a": [1.0], "b": ["x"]}))
    with pytest.raises(kshot.DataError, match="cannot hold"):
        _arrays.matrix(pandas.DataFrame({"a": [2**24 + 1], "b": [0.5]}))
    lists = [[1.0, 2.0], [3.0, 4.0]]
    for table in (
        pandas.DataFrame({"e": lists}),
        polars.DataFrame({"e": lists}),
        pyarrow.table({"e": lists}),
        polars.Series("e", lists),
        pyarrow.array(lists),
    ):
        with pytest.warns(kshot.CopyWarning):
            assert _arrays.matrix(table).tolist() == lists


def test_tensors_of_torch_are_borrowed_or_told():
    torch = pytest.importorskip("torch")
    X = torch.arange(12, dtype=torch.float32).reshape(6, 2)
    with silent():
        array = _arrays.matrix(X.requires_grad_())
    assert array.ctypes.data == X.data_ptr()
    with silent():
        assert _arrays.matrix(X.half()).dtype == np.float16
    with pytest.warns(kshot.CopyWarning, match="bfloat16 become float32"):
        assert np.array_equal(_arrays.matrix(X.bfloat16()), X.detach().numpy())
    with pytest.raises(kshot.RequestError, match="to_dense"):
        _arrays.matrix(X.to_sparse())


def test_anything_with_dlpack_is_borrowed():
    class Other:
        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **given):
            return self.array.__dlpack__(**given)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    X = np.arange(12, dtype=np.float32).reshape(6, 2)
    with silent():
        assert _arrays.matrix(Other(X)).ctypes.data == X.ctypes.data


@pytest.mark.parametrize(
    "labels",
    [
        ["a", "b", "a"],
        np.array(["a", "b", "a"]),
        np.array(["a", "b", "a"], object),
        ("a", "b", "a"),
    ],
)
def test_labels_are_names(labels):
    assert _labels.names(labels) == ["a", "b", "a"]


def test_labels_of_every_kind():
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    texts = ["a", "b", "a"]
    for labels in (
        pandas.Series(texts),
        pandas.Series(texts, dtype="category"),
        pandas.Categorical(texts),
        polars.Series(texts),
        polars.Series(texts, dtype=polars.Categorical),
        pyarrow.array(texts),
        pyarrow.array(texts).dictionary_encode(),
        pyarrow.chunked_array([texts]),
    ):
        assert _labels.names(labels) == texts
    for whole in ([3, 1], np.array([3, 1], np.uint8), pandas.Series([3, 1]), pyarrow.array([3, 1])):
        assert _labels.names(whole) == ["3", "1"]
    assert _labels.names(np.array([True, False])) == ["True", "False"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (["a", None], "item 1 has no value"),
        ([1.0, 2.0], r"hint: y.astype\(int\)"),
        ([0.5, float("nan")], "item 0 has 0.5"),
        ([float("nan")], "item 0 has no value"),
        (np.zeros((2, 2), int), "shape"),
        ("abc", "expected one for every item"),
        (3, "expected one for every item"),
        ([("a",)], "texts or whole numbers"),
    ],
)
def test_labels_that_are_none_are_refused(wrong, sentence):
    with pytest.raises((kshot.DataError, kshot.RequestError), match=sentence):
        _labels.names(wrong)


def test_counts_must_agree():
    X = np.zeros((4, 2), np.float32)
    with pytest.raises(kshot.DataError, match="features are of 4 items, and there are 3 labels"):
        kshot.evaluate(X, [0, 1, 2])
    with pytest.raises(kshot.RequestError, match="labels are missing"):
        kshot.evaluate(X)
    with pytest.raises(kshot.RequestError, match="one of them is missing"):
        kshot.evaluate(X, [0, 1, 0, 1], X)
    with pytest.raises(kshot.RequestError, match="all named by paths"):
        kshot.evaluate({"a": X, "b": "c.npz"}, [0, 1, 0, 1])


def test_a_warning_stands_at_the_line_of_the_caller(items):
    X, y = items
    with pytest.warns(kshot.CopyWarning) as said:
        kshot.evaluate(X.astype(np.float64), y, episodes=200, learners="prototypical", progress=False)
        kshot.draws(y, X=X.astype(np.float64), episodes=2)
    assert [one.filename for one in said] == [__file__] * 2
