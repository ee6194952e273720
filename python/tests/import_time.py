"""Fails where `import kshot` takes longer than so many milliseconds of a core; the best of ten, less what Python itself takes."""

import os
import subprocess
import sys


def seconds(code):
    def spent():
        times = os.times()
        return times.children_user + times.children_system

    best = float("inf")
    for _ in range(10):
        start = spent()
        subprocess.run([sys.executable, "-c", code], check=True)
        best = min(best, spent() - start)
    return best


# The compiled part too, which is imported with the first call.
milliseconds = 1000 * (seconds("import kshot; kshot.__version__") - seconds("pass"))
print(f"import: {milliseconds:.0f} ms")
sys.exit(milliseconds > float(sys.argv[1]) and f"importing kshot takes {milliseconds:.0f} ms, more than {sys.argv[1]}")
