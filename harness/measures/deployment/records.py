"""The records of `bakeoff deploy` in a file of their own, and the tables from them."""

import json
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ...common.errors import InputError
from ...records.files import DEPLOYMENT_FILE
from ...records.read import Record, read_records
from ...records.vocabulary import COUNT, KEYS, Figure, Vocabulary
from .figures import EXPORTED, FIGURES, MACHINE

UNNAMED = "a machine that the records do not name"
"""Files of earlier versions name none."""


class RecordsFile:
    """Takes the records of each task as soon as the task is finished: a killed command loses no finished one.

    Without a path, it keeps them in memory alone. With `resume`, the records that the file has are kept.
    """

    def __init__(self, path: Path | None = None, resume: bool = False) -> None:
        self.path = path
        self.records: list[Record] = []
        if path is None:
            return
        if resume and path.is_file():
            self.records = read(path)
            content = path.read_bytes()
            # A last line without its end was being written when the command was killed.
            _write_bytes(path, content[: content.rfind(b"\n") + 1])
        else:
            _write_bytes(path, b"")

    def finished(self, task: str) -> bool:
        """Return whether the records of a task are there."""
        return any(row["task"] == task for row in self.records)

    def count_attempts(self, task: str) -> int:
        """Return how many attempts at a task were finished."""
        return max((int(row["attempt"]) for row in self.records if row["task"] == task), default=0)

    def add(self, rows: Sequence[Record]) -> None:
        """Append the records of a finished task; an earlier attempt at it is no longer read."""
        tasks = {row["task"] for row in rows}
        self.records = [row for row in self.records if row["task"] not in tasks] + list(rows)
        if self.path is not None:
            with self.path.open("ab") as file:
                file.write("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows).encode())
                file.flush()
                os.fsync(file.fileno())


def _write_bytes(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}. Choose another place.") from None


def read(path: Path) -> list[Record]:
    """Return the records of a file that `RecordsFile` has written. Raises InputError."""
    if not path.is_file():
        raise InputError(f"{path}: no such file. `bakeoff deploy --records {path}` writes one.")
    frame = read_records(path.parent, Vocabulary(FIGURES), file=path.name)
    rows = [
        {str(key): _restore(str(key), value) for key, value in row.items() if _is_present(value)}
        for row in frame.to_dict("records")
    ]
    machines = {(row["task"], row["value"]) for row in select(rows, MACHINE)}
    mixed = [task for task, count in Counter(task for task, _ in machines).items() if count > 1]
    if mixed:
        raise InputError(
            f"{path}: the task {mixed[0]!r} is there from two machines. Keep the records of one, or measure it again: "
            f"`bakeoff deploy --records {path}`."
        )
    return rows


def read_of_run(folder: Path) -> list[Record]:
    """Return the records of deployment in the folder of a run; [] where there are none. Raises InputError."""
    path = folder / DEPLOYMENT_FILE
    return read(path) if path.is_file() else []


def select(rows: Sequence[Record], figure: Figure, /, **keys: Any) -> list[Record]:
    """Return the records of a figure with these values of keys."""
    return [row for row in rows if row["figure"] == figure.name and all(row.get(key) == keys[key] for key in keys)]


def value_of(rows: Sequence[Record], figure: Figure, /, **keys: Any) -> Any:
    """Return the value of the last such record; None where there is none."""
    found = select(rows, figure, **keys)
    return found[-1]["value"] if found else None


def count_failures(rows: Sequence[Record]) -> int:
    """Return the number of paths that gave no answer, or a wrong one, in float32."""
    return sum(not row["value"] for row in select(rows, EXPORTED, dtype="float32"))


def machine_of(rows: Sequence[Record], task: str) -> str:
    """Return the machine that a task ran on."""
    return str(value_of(rows, MACHINE, task=task) or UNNAMED)


def list_machines(rows: Sequence[Record], timed: Collection[Figure]) -> list[str]:
    """Return the machines that measured one of these figures, the latest first."""
    # Of two tasks at one time, the later in the file is the latest.
    times = {row["task"]: (row["time"], number) for number, row in enumerate(rows) if _is_of(row, timed)}
    latest = sorted(times, key=lambda task: times[task], reverse=True)
    return list(dict.fromkeys(machine_of(rows, task) for task in latest))


def leave_out_machines(rows: Sequence[Record], timed: Collection[Figure], machine: str) -> list[Record]:
    """Return the records without the tasks that measured one of these figures on another machine than this one.

    Of a task that exported, too, the rest stays: what a file holds, and whether it agrees, depends on no machine.
    """
    measured = {row["task"] for row in rows if _is_of(row, timed)}
    elsewhere = {task for task in measured if machine_of(rows, task) != machine}
    exported = {row["task"] for row in select(rows, EXPORTED)}
    return [row for row in rows if row["task"] not in elsewhere or (row["task"] in exported and not _is_of(row, timed))]


def keep_one_machine(rows: Sequence[Record], timed: Collection[Figure]) -> list[Record]:
    """Return the records without those of these figures that another machine measured than the latest one."""
    machines = list_machines(rows, timed)
    return leave_out_machines(rows, timed, machines[0]) if machines[1:] else list(rows)


def _is_of(row: Record, figures: Collection[Figure]) -> bool:
    return any(row["figure"] == figure.name for figure in figures)


def list_labels(rows: Sequence[Record]) -> list[Mapping[str, str]]:
    """Return the keys of each path, in the order of the records."""
    found = {(row["backend"], row["path"]): row["served_with"] for row in select(rows, EXPORTED)}
    return [{"backend": backend, "path": path, "served_with": served} for (backend, path), served in found.items()]


def _restore(key: str, value: Any) -> Any:
    """Return a value as it was written: a column of counts with gaps became one of floating-point numbers."""
    return int(value) if KEYS.get(key) == COUNT else value


def _is_present(value: Any) -> bool:
    return isinstance(value, list | dict) or bool(pd.notna(value))
