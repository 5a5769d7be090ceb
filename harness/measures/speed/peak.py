"""Measures the rate of the machine's own matrix product, with which the arithmetic of a step is compared."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ...portable import peak


def measure(cores: Sequence[int] | None, threads: int, dtype: str, inherit: tuple[str, ...] = ()) -> float:
    """Return the best rate of a matrix product on these cores, in floating-point operations a second.

    NumPy computes it in a process of its own (harness/portable/peak.py), so that cores, threads and environment
    variables are those of a worker.
    """
    # Whoever reads the records of a run needs `operations` alone, and not what starts workers.
    from ...workers.place import Place, worker_environment  # noqa: PLC0415

    program = Path(peak.__file__)
    place = Place(Path(sys.executable), program.parent, Path(os.devnull), threads=threads, inherit=inherit)
    config = json.dumps({"cores": None if cores is None else list(cores), "dtype": dtype})
    command = [sys.executable, "-I", str(program), config]
    done = subprocess.run(command, env=worker_environment(place), capture_output=True, text=True, check=True)
    return float(done.stdout)


def operations(sizes: Sequence[int], batch: int) -> int:
    """Return the floating-point operations of one step's matrix products, 2 for a multiplication and its addition.

    Each layer has one product forward and two backward: for its weights and, except in the first layer, for its input.
    """
    products = [2 * batch * rows * columns for rows, columns in itertools.pairwise(sizes)]
    return 3 * sum(products) - products[0]
