"""Features from whatever holds them: borrowed where they lie as kshot reads them, else copied once, which is said."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import CopyWarning, DataError, RequestError, tell

Array = NDArray[Any]


def matrix(features: Any, name: str = "features") -> Array:
    """Rows of native 16-bit or 32-bit floats, one after another in memory."""
    array, notes = _array(features, name)
    if array.ndim != 2:
        hint = "\nhint: X.reshape(len(X), -1) makes rows of them" if array.ndim > 2 else ""
        raise DataError(f"{name} have shape {array.shape}, expected two dimensions: items, and numbers of each{hint}")
    if 0 in array.shape:
        raise DataError(f"{name} have shape {array.shape}, expected one item and one number or more")
    floats, reasons = _floats(array, name)
    if floats is not array or notes:
        told = [*notes, *reasons]
        if told:
            megabytes = floats.nbytes / 2**20
            tell([f"{name} are copied ({megabytes:.1f} MiB): {', '.join(told)}"], CopyWarning)
    return floats


def raw(array: Array) -> Array:
    """The bytes of rows as they lie in memory."""
    return array.reshape(-1).view(np.uint8)


def element(array: Array) -> str:
    """The type of numbers: f2 or f4."""
    return f"f{array.dtype.itemsize}"


def _module(thing: Any) -> str:
    return type(thing).__module__.partition(".")[0]


def _array(features: Any, name: str) -> tuple[Array, list[str]]:
    """An array of any type and layout, and why it is a copy already."""
    module, kind = _module(features), type(features)
    if isinstance(features, np.ma.MaskedArray):
        if np.ma.is_masked(features):
            raise DataError(f"{name} have masked values, every number must be there")
        return features.data, []
    if isinstance(features, np.ndarray):
        return features, []
    if kind.__module__.startswith("scipy.sparse"):
        raise RequestError(f"{name} are a sparse matrix of SciPy, kshot needs all numbers\nhint: X.toarray()")
    if module == "torch":
        return _of_torch(features, name)
    if module in ("pandas", "polars", "pyarrow"):
        return _of_table(features, name)
    if module == "cupy":
        return np.asarray(features.get()), ["a CuPy array lies on a GPU"]
    if hasattr(features, "__dlpack__"):
        return _of_dlpack(features, name)
    if isinstance(features, (str, bytes)) or features is None:
        raise RequestError(f"{name} are a {kind.__name__}, expected numbers of items")
    try:
        return np.asarray(features), []
    except (ValueError, TypeError) as error:
        raise DataError(f"{name} are no matrix of numbers: {error}") from error


def _of_torch(tensor: Any, name: str) -> tuple[Array, list[str]]:
    notes = []
    if str(tensor.layout) != "torch.strided":
        raise RequestError(f"{name} are a sparse tensor, kshot needs all numbers\nhint: X.to_dense()")
    tensor = tensor.detach()
    if str(tensor.device.type) != "cpu":
        notes.append(f"a tensor lies on {tensor.device}")
        tensor = tensor.cpu()
    if str(tensor.dtype) == "torch.bfloat16":
        notes.append("bfloat16 become float32, exactly")
        tensor = tensor.float()
    return tensor.resolve_conj().resolve_neg().numpy(), notes


def _of_dlpack(array: Any, name: str) -> tuple[Array, list[str]]:
    try:
        return np.from_dlpack(array), []
    except (BufferError, RuntimeError, TypeError, ValueError):
        # A type that NumPy has not, or a device that is not the host.
        return np.asarray(array), [f"{type(array).__name__} is not to be had as it lies"]


def _of_table(table: Any, name: str) -> tuple[Array, list[str]]:
    if _module(table) == "pyarrow":
        if not hasattr(table, "column_names"):
            return _of_lists(table.to_pylist(), name)
        columns = {column: table[column].to_numpy() for column in table.column_names}
    elif not hasattr(table, "columns"):
        values = table.to_numpy()
        return _of_lists(values.tolist(), name) if values.dtype == object or values.ndim == 1 else (values, [])
    else:
        columns = {str(column): np.asarray(table[column]) for column in table.columns}
    if len(columns) == 1:
        (only,) = columns.values()
        if only.dtype == object or only.ndim > 1:
            return _of_lists(only.tolist(), name)
    for column, values in columns.items():
        if values.dtype.kind not in "fiub":
            kind = "text or objects" if values.dtype.kind in "OUST" else str(values.dtype)
            raise DataError(f"column `{column}` of {name} holds {kind}, features are numbers\nhint: leave it out")
    types = sorted({str(values.dtype) for values in columns.values()})
    if types == ["float16"] or types == ["float32"]:
        return np.stack(list(columns.values()), axis=1), ["a table holds columns"]
    # Each by itself, so that a whole number that cannot be held is told by its own type.
    floats = [_floats(values.reshape(-1, 1), f"column `{column}` of {name}")[0] for column, values in columns.items()]
    return np.concatenate([column.astype(np.float32) for column in floats], axis=1), [
        f"a table holds columns of {', '.join(types)}"
    ]


def _of_lists(rows: list[Any], name: str) -> tuple[Array, list[str]]:
    lengths = {len(row) if hasattr(row, "__len__") else -1 for row in rows}
    if len(lengths) != 1 or lengths == {-1}:
        raise DataError(f"{name} are a column of lists of different lengths, every item has as many numbers")
    return np.asarray(rows), ["a column holds lists"]


def _floats(array: Array, name: str) -> tuple[Array, list[str]]:
    """The same numbers as rows of f16 or f32, and what was done for it."""
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "f" and size in (2, 4):
        reasons = []
        if not array.dtype.isnative:
            reasons.append("their bytes are in the other order")
        if not array.flags.c_contiguous:
            reasons.append("their rows do not follow one another in memory")
        if not array.flags.aligned:
            reasons.append("they do not begin where a number may")
        return (np.ascontiguousarray(array, array.dtype.newbyteorder("=")).copy() if reasons else array), reasons
    if kind == "f":
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(array, np.float32), [f"{array.dtype} become float32, rounded"]
    if kind in "iub":
        floats = np.ascontiguousarray(array, np.float32)
        if size > 2:
            _exact(array, floats, name)
        return floats, [f"{array.dtype} become float32, exactly"]
    if str(array.dtype) == "bfloat16":
        return np.ascontiguousarray(array, np.float32), ["bfloat16 become float32, exactly"]
    raise DataError(f"{name} are an array of {array.dtype}, features are real numbers")


def _exact(whole: Array, floats: Array, name: str) -> None:
    """Refuses whole numbers that no 32-bit float equals."""
    back = floats.astype(np.float64)
    # Beyond 2^53 a double is no witness, but what rounds to a float that far is told by Python's own numbers.
    wrong = np.argwhere((back != whole.astype(np.float64)) | (np.abs(back) > 2.0**53))
    for row, column in wrong:
        if int(floats[row, column]) != int(whole[row, column]):
            raise DataError(
                f"item {row} of {name} has {whole[row, column]} in column {column}, a whole number that 32 bits cannot hold"
            )
