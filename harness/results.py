"""The run folder: what was planned, and every raw value as it was measured.

    run.json        format version, spec, data, machine, versions, commit, and the plan; written once, before the run
    records.jsonl   one record a line, appended and flushed as it is measured; never rewritten
    logs/           what the workers printed
    tables/         made from the records; can be deleted and made again

A record belongs to a task (`check NAME:VARIANT`, `round 2`) and to one attempt at it. A task's last record says
that it is finished. What a killed run had begun and not finished stays in the file and is not read: the next attempt
at that task measures anew.
"""

import datetime
import json
import os
import platform
import re
import subprocess
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pandas as pd
from filelock import FileLock, Timeout

from harness.errors import InputError

FORMAT = 1
"""Of run.json and records.jsonl. 1 (2026-11-22): the first."""

Record = dict[str, Any]

HEAD = ("task", "attempt", "measure", "quantity", "value")
"""What every record has."""


class Run:
    """A run folder that is being written: takes records from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.header = read_header(folder)
        self._mutex = threading.Lock()
        self._owner = FileLock(folder / ".lock")
        try:
            self._owner.acquire(timeout=0)
        except Timeout:
            raise InputError(f"{folder}: another bakeoff is writing this run. Wait until it ends.") from None
        self._file = self._open_records()
        done = read_records(folder, finished_only=False)
        self._attempts = {str(task): int(last) for task, last in done.groupby("task")["attempt"].max().items()}
        self._finished = set(done.loc[done["quantity"] == "finished", "task"])

    @classmethod
    def create(cls, parent: Path, header: Mapping[str, Any]) -> Self:
        """Make the folder of a new run under `parent`, and write its run.json."""
        now = datetime.datetime.now(datetime.UTC)
        machine = re.sub(r"[^A-Za-z0-9]+", "-", platform.node()).strip("-")[:24] or "machine"
        name = f"{now:%Y-%m-%dT%H%M%S}-{machine}-{header['spec_hash']}"
        folder = parent / name
        try:
            folder.mkdir(parents=True)
            text = json.dumps({"format": FORMAT, "created": f"{now:%Y-%m-%dT%H:%M:%SZ}", **header}, indent=2)
            aside = folder / "run.json.part"
            aside.write_text(text + "\n", encoding="utf-8")
            aside.rename(folder / "run.json")
        except OSError as error:
            raise InputError(f"{folder}: cannot be written: {error.strerror}. Pass --results FOLDER.") from None
        return cls(folder)

    def finished(self, task: str) -> bool:
        """Return whether an attempt at `task` came to its end."""
        return task in self._finished

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return is_complete(self._finished, self.header)

    @contextmanager
    def task(self, name: str) -> Iterator["Task"]:
        """Begin an attempt at a task; it is finished when the block ends without an exception."""
        with self._mutex:
            attempt = self._attempts[name] = self._attempts.get(name, 0) + 1
        started = time.monotonic()
        task = Task(self, name, attempt)
        yield task
        task.add("task", "finished", time.monotonic() - started, "s")
        with self._mutex:
            self._finished.add(name)

    def write(self, records: Iterable[Record]) -> None:
        """Append the records, each on its line, and see them to the disk."""
        text = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records)
        with self._mutex:
            self._file.write(text.encode())
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let go of the folder."""
        self._file.close()
        self._owner.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_records(self) -> Any:
        """Open for appending; a last line without its end is what a kill cut off, no record, and is taken away."""
        path = self.folder / "records.jsonl"
        file = path.open("a+b")
        file.seek(0)
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)
        return file


class Task:
    """One attempt at one task: what it measures is written as it comes."""

    def __init__(self, run: Run, name: str, attempt: int) -> None:
        self._run, self._name, self._attempt = run, name, attempt

    def add(self, measure: str, quantity: str, value: Any, unit: str = "", **more: Any) -> None:
        """Write one record: what was measured, its value and unit, and whatever else tells it apart."""
        self._run.write([self.record(measure, quantity, value, unit, **more)])

    def record(self, measure: str, quantity: str, value: Any, unit: str = "", **more: Any) -> Record:
        """Return a record of this attempt, for `write`."""
        head = {"task": self._name, "attempt": self._attempt, "at": round(time.time(), 3)}
        return {**head, "measure": measure, "quantity": quantity, "value": value, "unit": unit, **more}

    def write(self, records: Iterable[Record]) -> None:
        """Write records that belong together."""
        self._run.write(records)


def read_header(folder: Path) -> dict[str, Any]:
    """Return what stands in run.json. Raises InputError where there is none, or of another format."""
    path = folder / "run.json"
    try:
        header: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{folder}: no run here (expected a folder with run.json).{_runs_beside(folder)}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    found = header.get("format") if isinstance(header, dict) else None
    if found != FORMAT:
        raise InputError(f"{path}: expected format {FORMAT}, got {found!r}. Use the bakeoff that wrote it.")
    return header


def _runs_beside(folder: Path) -> str:
    runs = sorted(path.parent.name for path in folder.parent.glob("*/run.json"))
    return f" There are: {', '.join(runs[-5:])}." if runs else ""


def read_records(folder: Path, finished_only: bool = True, file: str = "records.jsonl") -> pd.DataFrame:
    """Return the records as a tidy table, one a row; by default those of finished attempts only."""
    path = folder / file
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict) or not record.keys() >= set(HEAD):
            raise InputError(f"{path}: line {number} is no record. Raw records are never edited.")
        records.append(record)
    table = pd.DataFrame(records, columns=None if records else HEAD)
    if not finished_only or not records:
        return table
    ends = table.loc[table["quantity"] == "finished", ["task", "attempt"]].drop_duplicates("task", keep="last")
    return table.merge(ends, on=["task", "attempt"], how="inner")


LAST = "complete"
"""The task that is finished when all others are."""


def is_complete(finished: Collection[str], header: Mapping[str, Any]) -> bool:
    """Return whether a run has come to its end: by `LAST`, or by its last round where nothing comes after."""
    rounds = f"round {header['plan']['rounds']}" in finished and not any(header["spec"].get("sweep", {}).values())
    return LAST in finished or rounds


def planned_turns(header: Mapping[str, Any], records: pd.DataFrame) -> int | None:
    """Return the turns of a round, by the plan or as the budget allowed; None where that was not yet worked out."""
    if header["plan"]["turns"] is not None:
        return int(header["plan"]["turns"])
    found = records.loc[records["measure"].eq("speed") & records["quantity"].eq("turns"), "value"]
    return int(found.iloc[-1]) if len(found) else None


def latest(parent: Path) -> Path:
    """Return the newest run folder under `parent`."""
    runs = sorted(path.parent for path in parent.glob("*/run.json"))
    if not runs:
        raise InputError(f"{parent}: no runs here yet. `bakeoff run` makes one.")
    return max(runs, key=lambda run: str(read_header(run)["created"]))


def commit() -> str | None:
    """Return the commit of the checkout this runs from, with `+` where it has changes; None outside a checkout."""
    here = Path(__file__).resolve().parent.parent
    if not (here / ".git").exists():
        return None
    try:
        ask = ["git", "-C", str(here), "describe", "--always", "--abbrev=12", "--dirty=+"]
        return subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
