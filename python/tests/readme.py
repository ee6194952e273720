"""Runs the lines of the README's section on Python, as they stand there."""

import os
import re
import tempfile
from pathlib import Path

import numpy as np

README = Path(__file__).resolve().parents[2] / "README.md"
section = README.read_text().split("## Python\n")[1].split("\n## ")[0]
lines = re.findall(r"```python\n(.*?)```", section, re.S)
random = np.random.default_rng(7)
y = [f"class {row // 40}" for row in range(400)]
X = (np.repeat(random.normal(size=(10, 32)), 40, axis=0) + random.normal(size=(400, 32))).astype(np.float32)
os.chdir(tempfile.mkdtemp())
for block in lines:
    exec(block, {"X": X, "y": y})
print("README: ran", sum(block.count("\n") for block in lines), "lines")
