"""Whatever is given: an answer or an exception of kshot, never a crash and never a silent cast.

KSHOT_SECONDS sets how long it goes on (60).
"""

import os
import time
import warnings

import kshot
import numpy as np
import pytest
from kshot import _arrays, _labels

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

SECONDS = float(os.environ.get("KSHOT_SECONDS", "60"))
START = time.monotonic()

TYPES = st.one_of(
    arrays.floating_dtypes(endianness="?"),
    arrays.integer_dtypes(endianness="?"),
    arrays.unsigned_integer_dtypes(endianness="?"),
    arrays.boolean_dtypes(),
    arrays.complex_number_dtypes(),
    arrays.unicode_string_dtypes(),
    arrays.datetime64_dtypes(),
)


@st.composite
def layouts(draw, array):
    """The same numbers in another layout of memory."""
    how = draw(st.sampled_from(["same", "fortran", "reversed", "every second", "read-only", "misaligned"]))
    if array.ndim < 2:
        return array
    if how == "fortran":
        return np.asfortranarray(array)
    if how == "reversed":
        return array[::-1, ::-1][::-1, ::-1]
    if how == "every second":
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if how == "read-only":
        array = array.copy()
        array.flags.writeable = False
    if how == "misaligned" and array.dtype.itemsize > 1:
        memory = np.zeros(array.nbytes + 1, np.uint8)
        array_there = np.ndarray(array.shape, array.dtype, memory.data, 1)
        array_there[...] = array
        return array_there
    return array


@st.composite
def matrices(draw):
    shape = draw(st.one_of(st.tuples(st.integers(0, 12), st.integers(0, 5)), arrays.array_shapes(min_dims=0, max_dims=3, min_side=0)))
    array = draw(arrays.arrays(draw(TYPES), shape))
    return draw(layouts(array))


@st.composite
def problems(draw):
    """Features and labels that mostly belong together."""
    if draw(st.integers(0, 3)) == 0:
        return draw(matrices()), draw(st.lists(st.one_of(st.sampled_from("abcd"), st.integers(0, 3)), max_size=12))
    rows, columns = draw(st.integers(2, 24)), draw(st.integers(1, 5))
    dtype = draw(st.sampled_from(["<f2", "<f4", ">f4", "<f8", "<i2", "<i8", "?"]))
    # Numbers of all sizes, and from time to time none.
    elements = None if draw(st.booleans()) or dtype[1:2] != "f" else st.floats(-8, 8, width=16)
    array = draw(arrays.arrays(dtype, (rows, columns), elements=elements))
    classes = draw(st.sampled_from(["ab", "abc", [3, 1, 2, 0]]))
    return draw(layouts(array)), [classes[row % len(classes)] for row in range(rows)]


#: As many examples as there is time for.
ENDLESS = settings(max_examples=100_000_000, deadline=None, suppress_health_check=list(HealthCheck), database=None)


def timed(share):
    """Runs a property for a share of the seconds."""

    def decorate(test):
        def run():
            end = time.monotonic() + share * SECONDS

            class Over(Exception):
                pass

            def guarded(**drawn):
                if time.monotonic() > end:
                    raise Over
                test(**drawn)

            try:
                ENDLESS(given(**test.strategies)(guarded))()
            except Over:
                pass
            except hypothesis.errors.FlakyFailure as error:
                # The end came while it looked for a smaller example: what it had found counts, not the end.
                others = [one for one in error.exceptions if not isinstance(one, Over)]
                if others:
                    raise

        run.__name__, run.__doc__ = test.__name__, test.__doc__
        return run

    return decorate


def strategies(**named):
    def decorate(test):
        test.strategies = named
        return test

    return decorate


@timed(0.4)
@strategies(X=matrices())
def test_numbers_are_kept_or_refused(X):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            array = _arrays.matrix(X)
        except kshot.KshotError:
            return
    assert array.dtype in (np.float16, np.float32) and array.flags.c_contiguous and array.flags.aligned
    copied = array.size and not np.shares_memory(array, X)
    assert not copied or any(issubclass(one.category, kshot.CopyWarning) for one in said), X.dtype
    if X.dtype.kind in "iub":
        assert all(int(a) == int(b) for a, b in zip(array.flat, X.flat))
    else:
        with np.errstate(over="ignore"):
            assert np.array_equal(array, X.astype(array.dtype), equal_nan=True)


LABELS = st.one_of(
    st.text(max_size=4), st.integers(), st.booleans(), st.none(), st.floats(), st.binary(max_size=2), st.tuples(st.text(max_size=2))
)


@timed(0.2)
@strategies(y=st.one_of(st.lists(LABELS, max_size=8), arrays.arrays(TYPES, st.integers(0, 6)), LABELS))
def test_labels_are_named_or_refused(y):
    try:
        names = _labels.names(y)
    except kshot.KshotError:
        return
    assert len(names) == len(y) and all(type(name) is str for name in names)
    for name, label in zip(names, list(y)):
        assert name == str(label)


@timed(0.4)
@strategies(
    problem=problems(),
    way=st.one_of(st.integers(2, 3), st.sampled_from(["all", "x", None, 2.5, -1, 1])),
    shot=st.one_of(st.integers(1, 2), st.lists(st.integers(0, 3), max_size=3), st.sampled_from(["all", None, -1, 0])),
    query=st.one_of(st.integers(1, 2), st.sampled_from(["all", None, -1, 0])),
    episodes=st.one_of(st.integers(1, 5), st.sampled_from([-1, 0, 2**31, 2**32, 2**70])),
    seed=st.one_of(st.integers(0, 9), st.sampled_from([-1, 2**63, 2**65])),
    learners=st.sampled_from(["prototypical", "k-nn:k=9", "ridge", "svm", "x", "fine-tune:epochs=2", "linear-probe", None]),
)
def test_an_evaluation_ends_with_results_or_a_sentence(problem, way, shot, query, episodes, seed, learners):
    X, y = problem
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            r = kshot.evaluate(
                X, y, way=way, shot=shot, query=query, episodes=episodes, seed=seed, learners=learners, workers=1, progress=False
            )
    except kshot.KshotError as error:
        assert str(error) and "panicked" not in str(error)
        return
    assert len(r.frame("summary", "columns")["value"]) > 0
