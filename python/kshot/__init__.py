"""Few-shot and zero-shot evaluation on identical frozen episodes, with honest statistics.

>>> import kshot
>>> results = kshot.evaluate(X, y, way=5, shot=[1, 5], learners=["prototypical", "linear-probe:C=10"])  # doctest: +SKIP
>>> results.compare(baseline="prototypical", margin=0.5)  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .errors import ComputationError, CopyWarning, DataError, KshotError, KshotWarning, RequestError

if TYPE_CHECKING:
    from ._draws import Draws, draws
    from ._kshot import __version__
    from ._own import Learner, learner
    from ._ranks import Ranks, read_mteb
    from ._runs import Selection, evaluate, select
    from .estimators import (
        KNN,
        LDA,
        MLP,
        SVM,
        Stacked,
        FineTune,
        LinearProbe,
        MLP,
        Mahalanobis,
        Matching,
        MetaOptNetSVM,
        NearestCentroid,
        Prototypical,
        Ridge,
        Stacked,
        WhitenedRidge,
    )
    from .results import Comparison, Results, compare, read, report

#: What is imported when it is asked for: NumPy and scikit-learn take longer to import than all of kshot.
_LAZY = {
    "Draws": "_draws",
    "draws": "_draws",
    "__version__": "_kshot",
    "Learner": "_own",
    "learner": "_own",
    "Ranks": "_ranks",
    "read_mteb": "_ranks",
    "Selection": "_runs",
    "evaluate": "_runs",
    "select": "_runs",
    "Comparison": "results",
    "Results": "results",
    "compare": "results",
    "read": "results",
    "report": "results",
    "FineTune": "estimators",
    "KNN": "estimators",
    "LDA": "estimators",
    "LinearProbe": "estimators",
    "MLP": "estimators",
    "MLP": "estimators",
    "Mahalanobis": "estimators",
    "Matching": "estimators",
    "MetaOptNetSVM": "estimators",
    "NearestCentroid": "estimators",
    "Prototypical": "estimators",
    "Ridge": "estimators",
    "SVM": "estimators",
    "Stacked": "estimators",
    "Stacked": "estimators",
    "WhitenedRidge": "estimators",
}

__all__ = [
    "Comparison",
    "ComputationError",
    "CopyWarning",
    "DataError",
    "Draws",
    "FineTune",
    "KNN",
    "KshotError",
    "KshotWarning",
    "LDA",
    "Learner",
    "LinearProbe",
    "MLP",
    "Mahalanobis",
    "Matching",
    "MetaOptNetSVM",
    "NearestCentroid",
    "Prototypical",
    "Ranks",
    "RequestError",
    "Results",
    "Ridge",
    "SVM",
    "Selection",
    "Stacked",
    "WhitenedRidge",
    "__version__",
    "compare",
    "draws",
    "evaluate",
    "learner",
    "read",
    "read_mteb",
    "report",
    "select",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
