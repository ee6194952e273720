"""Peak memory of an evaluation above the array that it is given, and where its numbers are read.

    python memory.py [--rows 500000] [--dim 1024]
"""

import argparse
import resource

import kshot
import numpy as np
from kshot import _items

parser = argparse.ArgumentParser()
parser.add_argument("--rows", type=int, default=500_000)
parser.add_argument("--dim", type=int, default=1_024)
args = parser.parse_args()

X = np.empty((args.rows, args.dim), np.float32)
random = np.random.default_rng(7)
for block in np.array_split(X, 100):
    random.standard_normal(block.shape, np.float32, out=block)
y = np.arange(args.rows) % 100
kshot.evaluate(X[:2_000], y[:2_000], episodes=100, learners="prototypical", progress=False)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
r = kshot.evaluate(X, y, way=5, shot=5, episodes=1_000, learners=["prototypical", "linear-probe"], progress=False)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(f"an array of {X.nbytes / 1e6:.0f} MB: {(after - before) * 1024 / 1e6:.0f} MB above it")
address = _items.Items(y).features("features", X).address
print("borrowed" if address == X.ctypes.data else "copied")
