"""Check results that are kept and reused while nothing has changed that they depend on.

A result holds the outcomes of all checks of one backend variant. Its key is a hash of everything that can change an
outcome: the files of the backend, its environment, every source file of the packages that the checks run in, the
contents of the cases, the device, the threads, the environment variables in force, the processor and the version of
NumPy that the oracle runs on.
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...common import cache, machine
from ...environments.environment import Environment
from ...registry.entries import Entry, source_files
from ...workers.launch import place_of
from ...workers.place import variables_in_force
from .case import Case
from .serialisation import outcome_from_json, outcome_to_json
from .suite import Outcome

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("measures/agreement", "portable", "workers", "workload", "registry", "common")
"""The folders whose files all belong to the key. A test compares them with the modules that the checks import."""
FOLDER = "check_results"
"""The folder of the results in the cache."""


class CachedResult(NamedTuple):
    """All outcomes of one backend variant, and when the checks ran."""

    outcomes: tuple[Outcome, ...]
    at: str
    """UTC, as in 2026-11-22T17:00:00Z."""
    seconds: float
    """The duration of the checks. A variant that is slow to check is slow to train, so a run starts it early."""


def key(
    entry: Entry,
    variant: str,
    environment: Environment,
    device: str,
    cases: Sequence[Case],
    threads: int = 1,
    inherit: tuple[str, ...] = (),
) -> str:
    """Return twelve hexadecimal digits that change with everything that a check result depends on.

    `inherit` names the variables that the user passes on to the workers (workers/place.py).
    """
    digest = hashlib.sha256()
    worker = entry.worker
    place = place_of(entry, variant, environment.python, threads, inherit=inherit)
    variables = sorted(variables_in_force(place).items())
    settings = (variant, device, threads, environment.folder.name, variables, worker.thread_variables)
    for part in (*settings, machine.processor(), np.__version__, *map(hash_case, cases)):
        digest.update(f"{part}".encode() + b"\0")
    for folder, paths in ((ROOT, harness_files()), (entry.folder, source_files(entry))):
        for path in paths:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(folder).as_posix()} {content}".encode() + b"\0")
    return digest.hexdigest()[:12]


def harness_files() -> list[Path]:
    """Return every file of PACKAGES, in order, without what Python leaves behind."""
    return sorted(path for package in PACKAGES for path in _files_of(ROOT / package))


def _files_of(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


@lru_cache(maxsize=1024)
def hash_case(case: Case) -> str:
    """Return a hash of the whole case: its name, spec, arrays, rows, labels, order, and the oracle it asks for."""
    digest = hashlib.sha256()
    pair = [f"{each.__module__}.{each.__qualname__}" for each in case.reference_pair]
    digest.update(f"{case.name} {case.spec} {case.required} {pair}".encode())
    test = zip(("x_test", "y_test"), case.all_test_rows, strict=True)
    for name, array in (*case.arrays.items(), ("x", case.x), ("y", case.y), ("order", case.order), *test):
        digest.update(f"\0{name} {array.dtype.str} {array.shape}\0".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def find(key: str) -> CachedResult | None:
    """Return the result kept under `key`, or None."""
    try:
        kept = cache.find(FOLDER, key)
        outcomes = tuple(outcome_from_json(fields) for fields in kept["outcomes"])
        return CachedResult(outcomes, str(kept["at"]), float(kept["seconds"]))
    except (ValueError, LookupError, TypeError, AttributeError):
        return None  # Nothing is kept, or it cannot be read: the checks run again.


def keep(key: str, result: CachedResult) -> None:
    """Keep a result under `key`, unless an outcome failed: failed checks run again."""
    if not any(outcome.failed for outcome in result.outcomes):
        outcomes = [outcome_to_json(outcome) for outcome in result.outcomes]
        cache.keep(FOLDER, key, {"at": result.at, "seconds": result.seconds, "outcomes": outcomes})
