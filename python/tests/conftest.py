import numpy as np
import pytest


@pytest.fixture(scope="session")
def items():
    """Eight classes of forty items in twelve dimensions, near enough to be mistaken for each other."""
    random = np.random.default_rng(7)
    centres = random.normal(size=(8, 12))
    X = (np.repeat(centres, 40, axis=0) + random.normal(size=(320, 12))).astype(np.float32)
    y = [f"class {row // 40}" for row in range(320)]
    return X, y
