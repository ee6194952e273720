"""Fails where `import kshot` takes longer than so many milliseconds; the best of ten, less what Python itself takes."""

import subprocess
import sys
import time


def seconds(code):
    best = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        best = min(best, time.perf_counter() - start)
    return best


# The compiled part too, which is imported with the first call.
milliseconds = 1000 * (seconds("import kshot; kshot.__version__") - seconds("pass"))
print(f"import: {milliseconds:.0f} ms")
sys.exit(milliseconds > float(sys.argv[1]) and f"importing kshot takes {milliseconds:.0f} ms, more than {sys.argv[1]}")
