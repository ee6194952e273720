"""Learners as Python programs hold them: specifications, functions, classifiers of scikit-learn, modules of torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from . import _kshot
from .errors import RequestError

Meaning = Literal["ranking", "logits", "probabilities"]
Transform = Literal["none", "l2n", "cl2n"]


@dataclass(frozen=True)
class Learner:
    """A learner that is written in Python; made by :func:`learner`."""

    function: Callable[..., Any]
    name: str
    scores: Meaning = "ranking"
    takes: Transform = "none"
    batch: bool = False
    transductive: bool = False

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)


def learner(
    function: Any = None,
    *,
    name: str | None = None,
    scores: Meaning | None = None,
    takes: Transform = "none",
    batch: bool = False,
    transductive: bool = False,
) -> Any:
    """A learner of a function ``(support, labels, query) -> scores``, also as a decorator.

    It is given ``support`` (items, dim), ``labels`` (items) from 0 and ``query`` (items, dim), and gives back one number
    per query and class (queries, way), higher is likelier. With ``batch`` all have an axis of episodes in front. The labels
    of queries are not to be had.

    ``scores`` says what the numbers mean: a ``ranking`` alone, ``logits`` or ``probabilities``. ``takes`` is what is done to
    features first, as for the learners of kshot. An inductive function answers each query as if it were alone; one that
    looks at all of them together says ``transductive=True``, and is admitted by protocols of that setting alone.

    A classifier of scikit-learn and a module of torch are taken as well; :func:`evaluate` does so by itself.
    """
    if function is None:
        return lambda function: learner(
            function, name=name, scores=scores, takes=takes, batch=batch, transductive=transductive
        )
    called, own_name, own_scores = _function(function)
    return Learner(called, _kebab(name or own_name), scores or own_scores, takes, batch, transductive)


def _kebab(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
    kebab = re.sub(r"[^a-z0-9]+", "-", spaced.lower()).strip("-")
    return kebab or "own"


def _function(thing: Any) -> tuple[Callable[..., Any], str, Meaning]:
    """How it is called, what it is called, and what its scores mean."""
    if _is_torch(thing):
        return _of_torch(thing), type(thing).__name__, "logits"
    if hasattr(thing, "fit") and hasattr(thing, "get_params"):
        probabilities = hasattr(thing, "predict_proba")
        return _of_sklearn(thing, probabilities), type(thing).__name__, "probabilities" if probabilities else "ranking"
    if callable(thing):
        name = getattr(thing, "__name__", type(thing).__name__)
        return thing, "own" if name == "<lambda>" else name, "ranking"
    raise RequestError(
        f"a learner is a specification, a function, a classifier of scikit-learn or a module of torch, got {thing!r}"
    )


def _is_torch(thing: Any) -> bool:
    return any(base.__module__.startswith("torch.nn.") and base.__name__ == "Module" for base in type(thing).__mro__)


def _of_sklearn(estimator: Any, probabilities: bool) -> Callable[..., Any]:
    from sklearn.base import clone

    def scores(support: Any, labels: Any, query: Any) -> Any:
        import numpy as np

        fitted = clone(estimator).fit(support, labels)
        if probabilities:
            return fitted.predict_proba(query)
        if hasattr(fitted, "decision_function"):
            decided = np.asarray(fitted.decision_function(query))
            return np.stack([-decided, decided], axis=1) if decided.ndim == 1 else decided
        return np.eye(int(labels.max()) + 1, dtype=np.float32)[fitted.predict(query)]

    return scores


def _of_torch(module: Any) -> Callable[..., Any]:
    """Called with tensors; a classifier of easyfsl's form gets its support set first."""

    def scores(support: Any, labels: Any, query: Any) -> Any:
        import torch

        support, labels, query = torch.from_numpy(support), torch.from_numpy(labels), torch.from_numpy(query)
        with torch.no_grad():
            if hasattr(module, "process_support_set"):
                module.process_support_set(support, labels)
                return module(query)
            return module(support, labels, query)

    return scores


def given(learners: Any) -> tuple[list[str], list[_kshot.Own]]:
    """Specifications for the run, and the learners in Python that they name."""
    specs: list[str] = []
    owns: dict[str, _kshot.Own] = {}
    for label, thing in _labelled(learners):
        spec = getattr(thing, "_kshot_spec", None)
        if spec is not None:
            thing = spec()
        if isinstance(thing, str):
            specs.append(f"{label}={thing}" if label else thing)
            continue
        one = thing if isinstance(thing, Learner) else learner(thing)
        name = _kebab(label) if label else one.name
        if name in owns:
            raise RequestError(f"two learners are called `{name}`\nhint: name them, as in {{'mine': function}}")
        owns[name] = _kshot.Own(name, one.function, one.scores, one.takes, one.batch, one.transductive)
        specs.append(name)
    return specs, list(owns.values())


def _labelled(learners: Any) -> Iterable[tuple[str | None, Any]]:
    if learners is None:
        return []
    if isinstance(learners, Mapping):
        return [(str(label), thing) for label, thing in learners.items()]
    if isinstance(learners, (list, tuple)):
        return [one if _is_pair(one) else (None, one) for one in learners]
    return [(None, learners)]


def _is_pair(one: Any) -> bool:
    return isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], str)
