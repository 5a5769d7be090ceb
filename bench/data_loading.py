"""Measure how long a large table takes to load, and how much memory.

usage: python bench/data_loading.py [ROWS [COLUMNS [csv|parquet]]]

Writes a file of normal numbers and labels into a temporary folder, and loads it in a fresh process. The aim for a
million rows and 100 columns is 10 s and three times the size of the file, on 2 idle cores. bench/data_loading.md has
results.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

LOAD = """
import json, os, resource, sys, time
import pandas, pyarrow.csv, scipy  # not part of loading
from bakeoff.workload.data import load
from bakeoff.workload.spec import DataSpec
start, before = time.perf_counter(), os.times()
data = load(DataSpec(source=sys.argv[1], target="y"))
after = os.times()
print(json.dumps({
    "seconds": time.perf_counter() - start,
    "processor_seconds": after.user - before.user + after.system - before.system,
    "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    "shape": data.x.shape,
}))
"""


def write_table(path, rows, columns):
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv, parquet

    rng = np.random.default_rng(0)
    table = {f"x{number}": rng.normal(size=rows).round(4) for number in range(columns - 1)}
    table["y"] = np.array(["ant", "bee", "cat"])[rng.integers(0, 3, rows)]
    if path.suffix == ".parquet":
        parquet.write_table(pa.table(table), path)
    else:
        csv.write_csv(pa.table(table), path, csv.WriteOptions(quoting_style="none"))


def main(rows=1_000_000, columns=100, suffix="csv"):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"table.{suffix}"
        write_table(path, int(rows), int(columns))
        size = path.stat().st_size
        answer = subprocess.run([sys.executable, "-c", LOAD, path], capture_output=True, text=True, check=True)
    result = json.loads(answer.stdout)
    print(f"{rows} x {columns}, .{suffix}, {size / 1e6:.0f} MB")
    print(f"time: {result['seconds']:.1f} s, {result['processor_seconds']:.1f} s of processor time")
    print(f"memory: {result['peak_bytes'] / 1e6:.0f} MB, {result['peak_bytes'] / size:.2f} times the file")
    print(f"load average: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


if __name__ == "__main__":
    main(*sys.argv[1:])
