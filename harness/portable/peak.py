"""The rate of NumPy's product of two square matrices: `python peak.py CONFIG` prints operations per second.

CONFIG is JSON: cores (a list of core numbers, or null for all), dtype. Thread counts are in the environment.
"""

import json
import os
import sys
import time

SIZE = 1024
"""Rows and columns: large enough to reach the peak of a core; 4 MB in float32."""
SECONDS = 0.4


def measure_peak(dtype: str) -> float:
    """Return the operations per second of the fastest product within SECONDS."""
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
    config = json.loads(sys.argv[1])
    if config["cores"] is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, config["cores"])  # before NumPy starts its threads
    print(measure_peak(config["dtype"]))
