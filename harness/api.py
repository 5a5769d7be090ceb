"""The commands as Python functions: `bakeoff.load`, `bakeoff.run` and `bakeoff.check`.

Defaults are those of the commands. Bad input raises `bakeoff.common.errors.InputError`.
"""

import hashlib
import html
import inspect
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console

from .cli.agreement import carry_out_checks
from .cli.run import make_request, run_backends
from .common.errors import InputError
from .common.progress import Board
from .measures.agreement import records as found_records
from .report.notebook.run import LoadedRun, load
from .runner import start

__all__ = ["CheckResult", "LoadedRun", "check", "load", "run"]

Names = str | Sequence[str] | None
FilePath = str | os.PathLike[str]
Arrays = tuple[npt.ArrayLike, npt.ArrayLike]


def run(
    spec: FilePath | None = None,
    *,
    data: str | Arrays | None = None,
    backends: Names = None,
    results: FilePath = "results",
    python: FilePath | Sequence[FilePath] = (),
    progress: bool = True,
    **options: Any,
) -> LoadedRun:
    """Train, check and time backends, as `bakeoff run` does; return the run.

    `data` is a source as for --data, or `(X, y)`: features (rows, features) and labels (rows,), which are kept in
    `results`. `backends` are names, `NAME:VARIANT`, or "all". `progress` prints it on standard error. `options` are the
    other options of the command, with `_` for `-`: `quick=True`, `rounds=4`, `budget="60s"`, `framework_defaults=True`.
    Raises InputError for bad input, TypeError for an unknown option. A failed check is in the run, and raises nothing.
    """
    given = _read_defaults()
    unknown = set(options) - set(given)
    if unknown:
        raise TypeError(f"run() has no option {', '.join(sorted(unknown))}. There are: {', '.join(sorted(given))}.")
    source = data if isinstance(data, str) or data is None else str(_save_arrays(data, Path(results)))
    pythons = (python,) if isinstance(python, str | os.PathLike) else tuple(python)
    given |= {
        **options,
        "spec": None if spec is None else str(spec),
        "data": source,
        "backends": None if backends is None else ",".join(_list_names(backends)),
        "results": str(results),
        "python": [str(each) for each in pythons],
    }
    work = start.begin(make_request(given))
    with work.run:
        work.carry_out(Board(Console(stderr=True), quiet=not progress))
    found = LoadedRun(work.run.folder)
    found.report.write()
    return found


@dataclass(frozen=True)
class CheckResult:
    """What `bakeoff.check` found."""

    records: pd.DataFrame = field(repr=False)
    """One row for each measured array or check: backend, variant, check, case, dtype, status, floors, reason, ..."""
    unable: dict[str, str]
    """By NAME:VARIANT, why it was not checked."""
    passed: bool
    """Whether everything was checked, and no required check failed."""

    @property
    def summary(self) -> pd.DataFrame:
        """One row for each variant, for people."""
        return found_records.summary(self.records) if len(self.records) else pd.DataFrame()

    def _repr_html_(self) -> str:
        """Return the summary for a notebook. Text from frameworks is escaped."""
        reasons = "".join(
            f"<p>{html.escape(f'{name}: not checked: {reason}')}</p>" for name, reason in self.unable.items()
        )
        table = self.summary.to_html(index=False, escape=True, border=0)
        return f"<div><p>{'Passed' if self.passed else 'Failed'}.</p>{reasons}{table}</div>"


def check(
    backends: Names = None,
    *,
    full: bool = False,
    device: str = "cpu",
    threads: int = 1,
    python: FilePath | Sequence[FilePath] = (),
    progress: bool = True,
) -> CheckResult:
    """Check that backends compute what the network specification says, as `bakeoff check` does.

    `backends` are names, `NAME:VARIANT`, or paths of folders; None is the default ones. Raises InputError for bad
    input. A failed check is in the result, and raises nothing.
    """
    board = Board(Console(stderr=True), quiet=not progress)
    names = None if backends is None else _list_names(backends)
    pythons = (python,) if isinstance(python, str | os.PathLike) else tuple(python)
    found, unable, _ = carry_out_checks(board, names, full, device, threads, tuple(map(Path, pythons)))
    failed = any(outcome.failed for checked in found.values() for outcome in checked.outcomes)
    return CheckResult(found_records.records(found), unable, passed=not unable and not failed)


def _read_defaults() -> dict[str, Any]:
    """Return the parameters of the command with their defaults, so that the two never differ."""
    left_out = ("context", "resume", "as_json")
    parameters = inspect.signature(run_backends).parameters
    return {name: each.default for name, each in parameters.items() if name not in left_out}


def _list_names(names: str | Sequence[str]) -> list[str]:
    return names.split(",") if isinstance(names, str) else list(names)


def _save_arrays(data: Arrays, folder: Path) -> Path:
    """Write features and labels to a file that is named by its content, so that a run can be resumed; return it."""
    try:
        x, y = (np.asarray(each) for each in data)
    except (TypeError, ValueError):
        raise InputError("data: expected a source such as `digits`, or a pair of arrays (X, y).") from None
    if "O" in (x.dtype.kind, y.dtype.kind):
        raise InputError("data: expected arrays of numbers, and labels of numbers or text; got Python objects.")
    buffer = io.BytesIO()
    np.savez(buffer, x=x, y=y)
    path = folder / f"arrays-{hashlib.sha256(buffer.getvalue()).hexdigest()[:12]}.npz"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())
    return path
