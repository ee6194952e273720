"""Writes kshot/estimators.py: a classifier of scikit-learn for every inductive head of the registry.

    python generate.py            writes it
    python generate.py --check    fails where it is not what would be written
"""

import sys
from pathlib import Path

# The package that is installed, and not the sources beside this file, which are without their compiled part.
sys.path.pop(0)

from kshot import _kshot

PLACE = Path(__file__).resolve().parent / "kshot" / "estimators.py"

#: Names that are no plain joining of words.
NAMES = {"k-nn": "KNN", "lda": "LDA", "metaoptnet-svm": "MetaOptNetSVM", "mlp": "MLP", "svm": "SVM"}
#: What has a member `transform` is a transformer to scikit-learn.
ARGUMENTS = {"transform": "feature_transform"}

HEAD = '''"""The inductive heads of kshot as classifiers of scikit-learn. Made by generate.py from the registry of learners."""

from typing import ClassVar

from ._estimator import Head

'''


def class_name(learner):
    return NAMES.get(learner, "".join(word.title() for word in learner.split("-")))


def argument(parameter):
    """The name of a parameter in Python: an alias in capitals is what scikit-learn calls it."""
    capital = [alias for alias in parameter["aliases"] if alias.isupper()]
    own = ARGUMENTS.get(parameter["name"], parameter["name"].replace("-", "_"))
    return (capital or [own])[0]


def value(parameter):
    text = parameter["default"]
    return {"int": lambda: str(int(text)), "float": lambda: repr(float(text)), "str": lambda: f'"{text}"'}[parameter["type"]]()


def written(learner):
    name, parameters = learner["name"], learner["parameters"]
    seeded = name == "fine-tune" and all(parameter["name"] != "seed" for parameter in parameters)
    lines = [f"class {class_name(name)}(Head):", f'    """{learner["about"][0].upper()}{learner["about"][1:]}.', ""]
    lines += ["    Parameters", "    ----------"]
    for parameter in parameters:
        lines += [f"    {argument(parameter)} : {parameter['type']}, {parameter['range']}; default {parameter['default']}"]
        lines += [f"        {parameter['meaning'][0].upper()}{parameter['meaning'][1:]}."]
    if seeded:
        lines += ["    seed : int; default 7", "        Seed of its random numbers."]
    lines += ['    """', ""]
    pairs = ", ".join(f'"{argument(p)}": "{p["name"]}"' for p in parameters)
    lines += [f'    _learner: ClassVar[str] = "{name}"', f"    _names: ClassVar[dict[str, str]] = {{{pairs}}}"]
    lines += [f"    _probabilities: ClassVar[bool] = {probabilities(name)}", ""]
    lines += ["    def __init__(", "        self,", "        *,"]
    lines += [f"        {argument(p)}: {p['type']} = {value(p)}," for p in parameters]
    lines += ["        seed: int = 7,"] if seeded else []
    lines += ["    ) -> None:"]
    lines += [f"        self.{argument(p)} = {argument(p)}" for p in parameters]
    lines += ["        self.seed = seed"] if seeded else []
    return "\n".join(lines) + "\n"


def probabilities(name):
    """Whether its scores are more than a ranking: asked of the head itself."""
    import numpy as np

    support = np.array([[0, 1], [1, 0]], np.float32)
    head = _kshot.Head(name, support.reshape(-1).view(np.uint8), 2, [0, 1], 7)
    return head.scores(support.reshape(-1).view(np.uint8))[1] != "ranking"


def text():
    heads = [one for one in _kshot.learners() if one["setting"] == "inductive" and not one["needs_network"]]
    heads.sort(key=lambda one: class_name(one["name"]))
    exported = "".join(f'    "{class_name(one["name"])}",\n' for one in heads)
    classes = "\n\n".join(written(one) for one in heads)
    return f"{HEAD}__all__ = [\n{exported}]\n\n\n{classes}"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(PLACE.read_text() != text() and f"{PLACE} is not what generate.py writes")
    PLACE.write_text(text())
