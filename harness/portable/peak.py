"""The rate of NumPy's product of two square matrices: `python peak.py CONFIG` prints operations a second.

CONFIG is JSON: cores (a list of core numbers, or null for all), dtype. Thread counts are in the environment.
"""

import json
import os
import sys
import time

SIZE = 1024
"""Rows and columns: large enough for the pace of a core, 4 MB in float32."""
SECONDS = 0.4


def best(dtype: str) -> float:
    """Return the operations a second of the quickest product of SECONDS."""
    import numpy as np

    left, right = (np.random.RandomState(seed).standard_normal((SIZE, SIZE)).astype(dtype) for seed in (0, 1))
    out = left.dot(right)
    least, begun = float("inf"), time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        started = time.perf_counter()
        np.dot(left, right, out=out)
        least = min(least, time.perf_counter() - started)
    return float(2 * SIZE**3 / least)


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    if told["cores"] is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, told["cores"])  # before NumPy starts its threads
    print(best(told["dtype"]))
