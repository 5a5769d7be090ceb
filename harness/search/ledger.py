"""The folder of a search: its plan, and a record of every trial, written by the driver alone.

    search.json     the plan, written once: search file, backends, sampler, number of trials, seed, versions, machine
    records.jsonl   one record a line, flushed to the disk before anything depends on it; never rewritten
    study.db        Optuna's SQLite file; what it lacks after a kill is filled in from the records
    figures/        made from the records; can be deleted and made again

A trial is first planned, with its setting, and then has one result for each backend. The first result of a trial in a
backend counts. A result is acknowledged when its line is on the disk.
"""

import datetime
import json
import os
import platform
import re
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Any, Literal, Self

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from ..common.errors import InputError
from ..common.safe_files import read_regular
from ..common.trust import sign_plan
from ..records.store import make_folder
from ..records.validate import require_plain_folder
from .jobs import Result
from .space import Point, SearchFile

FORMAT = 1
HEADER, RECORDS = "search.json", "records.jsonl"


class Plan(BaseModel):
    """What a search does: everything that a resumed one must know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: SearchFile
    contestants: tuple[str, ...]
    """NAME:VARIANT of every backend that trains each trial."""
    sampler: Literal["random", "grid", "tpe"]
    trials: int
    seed: int = 0
    workers: int = 1
    threads: int = 1
    device: str = "cpu"
    budget_s: float | None = None
    data: str = ""
    """The hash of the data; of the first ones where the search is over data sets."""
    folders: dict[str, str] = {}
    """The folders of backends from outside the project, by name."""
    pythons: tuple[str, ...] = ()


class Planned(BaseModel):
    """The record of a trial that was drawn: its setting, before any backend trains it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trial: int
    point: Point
    study_trial: int
    """The number of the trial in Optuna's study, which also counts trials that a kill left without a plan."""
    prune_below: dict[str, tuple[float | None, ...]] = {}
    """By NAME:VARIANT, the validation accuracy by epoch below which the trial ends."""


class Ledger:
    """The folder of a search, open for writing by this process alone."""

    def __init__(self, folder: Path, write: bool = True) -> None:
        self.folder = folder
        self.header = _read_header(folder)
        self.plan = Plan.model_validate(self.header["plan"])
        self._owner = FileLock(folder / ".lock")
        self._file: Any = None
        if write:
            try:
                self._owner.acquire(timeout=0)
            except Timeout:
                raise InputError(f"{folder}: another bakeoff is writing this search. Wait until it ends.") from None
            self._file = _open_whole(folder / RECORDS)
        self.planned: dict[int, Planned] = {}
        self.results: dict[tuple[int, str], Result] = {}
        try:
            self._read()
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(cls, parent: Path, plan: Plan) -> Self:
        """Make the folder of a new search under `parent`, and write its search.json. Raises InputError."""
        now = datetime.datetime.now(datetime.UTC)
        machine = re.sub(r"[^A-Za-z0-9]+", "-", platform.node()).strip("-")[:24] or "machine"
        name = f"search-{now:%Y-%m-%dT%H%M%S}-{machine}-{plan.file.spec.hash()}"
        header = {
            "format": FORMAT,
            "created": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "bakeoff": distribution_version("bakeoff"),
            "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
            "plan": plan.model_dump(mode="json"),
        }
        folder = parent / name
        try:
            folder = make_folder(parent, name)
            partial = folder / f"{HEADER}.part"
            partial.write_text(json.dumps(header, indent=2) + "\n", encoding="utf-8")
            partial.rename(folder / HEADER)
            sign_plan(folder, folder / HEADER)
            (folder / RECORDS).touch()
        except OSError as error:
            raise InputError(f"{folder}: cannot be written: {error.strerror}. Pass --results FOLDER.") from None
        return cls(folder)

    def add_plan(self, planned: Planned) -> None:
        """Record the setting of a trial."""
        self._write({"record": "planned", **planned.model_dump(mode="json")})
        self.planned[planned.trial] = planned

    def add_result(self, result: Result) -> bool:
        """Record a result; return False, and record nothing, where this trial has one in this backend."""
        if result.key in self.results:
            return False
        self._write({"record": "result", **result.model_dump(mode="json")})
        self.results[result.key] = result
        return True

    def results_of(self, trial: int) -> list[Result]:
        """Return the results of a trial, in the order of the contestants."""
        keys = [(trial, contestant) for contestant in self.plan.contestants]
        return [self.results[key] for key in keys if key in self.results]

    def finished(self, trial: int) -> bool:
        """Return whether every backend has a result of the trial."""
        return len(self.results_of(trial)) == len(self.plan.contestants)

    @property
    def complete(self) -> bool:
        """Whether every trial is finished."""
        return all(self.finished(trial) for trial in range(self.plan.trials))

    def close(self) -> None:
        """Close the records, and let others write the folder."""
        if self._file is not None:
            self._file.close()
        self._owner.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, record: dict[str, Any]) -> None:
        self._file.write((json.dumps(record, separators=(",", ":")) + "\n").encode())
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self) -> None:
        path = self.folder / RECORDS
        for number, line in enumerate(path.read_bytes().splitlines(keepends=True), start=1):
            if not line.endswith(b"\n"):  # being written, or the driver was killed meanwhile
                break
            try:
                values = json.loads(line)
                kind = values.pop("record")
                if kind == "planned":
                    planned = Planned.model_validate(values)
                    self.planned[planned.trial] = planned
                elif kind == "result":
                    result = Result.model_validate(values)
                    if result.key in self.results:
                        raise ValueError("a second result of the same trial in the same backend")
                    self.results[result.key] = result
                else:
                    raise ValueError(f"expected a record `planned` or `result`, got `{kind}`")
            except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
                reason = str(error).splitlines()[0]
                raise InputError(f"{path}, line {number}: not a record of a search: {reason}.") from None


def _read_header(folder: Path) -> dict[str, Any]:
    path = folder / HEADER
    try:
        require_plain_folder(folder)
        header = json.loads(read_regular(path, 100_000_000))
        if header["format"] != FORMAT:
            raise InputError(f"{path}: format {header['format']}; this version of Bakeoff reads format {FORMAT}.")
        Plan.model_validate(header["plan"])
    except OSError:
        raise InputError(f"{folder}: expected the folder of a search, with a {HEADER} in it.") from None
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError) as error:
        raise InputError(f"{path}: not the plan of a search: {str(error).splitlines()[0]}.") from None
    return dict(header)


def _open_whole(path: Path) -> Any:
    """Open for appending. Remove a last line without its end: the driver was killed while it was written."""
    file = path.open("a+b")
    file.seek(0)
    content = file.read()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        file.truncate(whole)
    return file
