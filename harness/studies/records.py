"""The file of a study: a header, then one flat row for each thing that was measured, as JSON lines."""

import datetime
import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from ..common.errors import InputError

FORMAT = 1
Row = dict[str, Any]


class Records(NamedTuple):
    """What a study measured."""

    header: dict[str, Any]
    """format, study, form (full or short), hashes, created, contestants, versions, failures, machine, seconds."""
    rows: pd.DataFrame

    @property
    def contestants(self) -> list[str]:
        """NAME:VARIANT of the backends that were measured."""
        return [each for each in self.header["contestants"] if each not in self.header["failures"]]

    def of(self, **values: Any) -> pd.DataFrame:
        """Return the rows that have these values."""
        rows = self.rows
        for key, value in values.items():
            rows = rows[rows[key] == value]
        return rows


def describe(study: str, short: bool, hashes: Mapping[str, str | None]) -> dict[str, Any]:
    """Return what a study measures: a measurement that was interrupted is continued only where this is the same."""
    return {
        "format": FORMAT,
        "study": study,
        "form": "short" if short else "full",
        "hashes": dict(hashes),
        "bakeoff": distribution_version("bakeoff"),
    }


def make_header(
    what: Mapping[str, Any], versions: dict[str, dict[str, str]], failures: dict[str, str], seconds: float, load: float
) -> dict[str, Any]:
    """Return the header of what was measured now, on this machine: `what` is that of `describe`.

    `load`: the programs that ran or waited to run on this machine when the study began, mean over a minute.
    """
    return {
        **what,
        "created": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "load_before": round(load, 2)},
        "seconds": round(seconds, 1),
        "contestants": list(versions) + list(failures),
        "versions": versions,
        "failures": failures,
    }


def write(path: Path, header: dict[str, Any], rows: Sequence[Row]) -> None:
    """Write the file, whole or not at all."""
    lines = [json.dumps(line, separators=(",", ":"), allow_nan=False) for line in (header, *rows)]
    partial = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}. Pass --output FOLDER.") from None


def read(path: Path) -> Records:
    """Read the file. Raises InputError where it is none."""
    try:
        header, *rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
        if header["format"] != FORMAT:
            raise InputError(f"{path}: format {header['format']}; this version of Bakeoff reads format {FORMAT}.")
    except OSError:
        raise InputError(f"{path}: no records of a study. Run it first, without --redraw.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not the records of a study: {error}.") from None
    return Records(header, pd.DataFrame(rows))


class Estimate(NamedTuple):
    """A mean with its 95 % interval: Student's t over independent values, such as those of seeds."""

    mean: float
    low: float
    high: float
    values: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval does not contain 0."""
        return self.low > 0 or self.high < 0


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of values and its interval, which is infinite for a single value."""
    array = np.asarray(values, dtype=float)
    mean = float(array.mean())
    if len(array) < 2:
        return Estimate(mean, float("-inf"), float("inf"), len(array))
    half = float(stats.t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array)))
    return Estimate(mean, mean - half, mean + half, len(array))
