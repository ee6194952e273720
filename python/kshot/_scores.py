"""Scores of learners that are written in Python."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def floats(scores: Any) -> NDArray[np.float32]:
    """Scores as an array of 32-bit floats; a tensor is taken to the host."""
    detach = getattr(scores, "detach", None)
    if detach is not None:
        scores = detach().cpu()
        if str(scores.dtype) == "torch.bfloat16":
            scores = scores.float()
    array = np.asarray(scores)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"scores are numbers, got an array of {array.dtype}")
    return array.astype(np.float32, copy=False)
