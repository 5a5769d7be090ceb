"""The run folder: what was planned, and every raw value as it was measured.

    run.json        format version, spec, data, machine, versions, commit, and the plan; written once, before the run
    records.jsonl   one record a line, appended and flushed as it is measured; never rewritten
    logs/           what the workers printed
    tables/         made from the records; can be deleted and made again

A record belongs to a task (`check NAME:VARIANT`, `round 2`) and to one attempt at it. A task's last record says
that it is finished. The records of a task that was not finished when a run was killed stay in the file and are not
read: the next attempt at that task measures anew.
"""

import datetime
import errno
import json
import os
import platform
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from ..common.errors import InputError
from ..common.trust import sign_plan
from .files import HEADER_FILE, RECORDS_FILE
from .header import FORMAT
from .read import Record, is_complete, is_of, read_header, read_records
from .vocabulary import FINISHED, Figure, Vocabulary


class Run:
    """A run folder that is being written: takes records from several threads."""

    def __init__(self, folder: Path, vocabulary: Vocabulary) -> None:
        self.folder = folder
        self.header = read_header(folder)
        self._mutex = threading.Lock()
        self._owner = FileLock(folder / ".lock")
        try:
            self._owner.acquire(timeout=0)
        except Timeout:
            raise InputError(f"{folder}: another bakeoff is writing this run. Wait until it ends.") from None
        try:
            # Before anything is cut off or written: a damaged run stays as it is.
            done = read_records(folder, vocabulary, finished_only=False)
            self._file = self._open_records()
        except (InputError, OSError):
            self._owner.release()
            raise
        self._attempts = {str(task): int(last) for task, last in done.groupby("task")["attempt"].max().items()}
        self._finished = set(done.loc[is_of(done, FINISHED), "task"])

    @classmethod
    def create(cls, parent: Path, header: Mapping[str, Any], vocabulary: Vocabulary) -> Self:
        """Make the folder of a new run under `parent`, and write its run.json."""
        now = datetime.datetime.now(datetime.UTC)
        machine = re.sub(r"[^A-Za-z0-9]+", "-", platform.node()).strip("-")[:24] or "machine"
        name = f"{now:%Y-%m-%dT%H%M%S}-{machine}-{header['spec_hash']}"
        folder = parent / name
        try:
            folder = make_folder(parent, name)
            text = json.dumps({"format": FORMAT, "created": f"{now:%Y-%m-%dT%H:%M:%SZ}", **header}, indent=2)
            partial = folder / "run.json.part"
            partial.write_text(text + "\n", encoding="utf-8")
            partial.rename(folder / HEADER_FILE)
            sign_plan(folder, folder / HEADER_FILE)
        except OSError as error:
            raise InputError(f"{folder}: cannot be written: {error.strerror}. Pass --results FOLDER.") from None
        return cls(folder, vocabulary)

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
        task.add(FINISHED, time.monotonic() - started)
        with self._mutex:
            self._finished.add(name)

    def add_finished_task(self, name: str, records: Iterable[Mapping[str, Any]], seconds: float) -> None:
        """Record a task that was carried out elsewhere, with all of its records: see `Record`.

        It is an attempt of its own. Where the task was finished before, this attempt counts.
        """
        with self._mutex:
            attempt = self._attempts[name] = self._attempts.get(name, 0) + 1
        task = Task(self, name, attempt)
        head = {"task": name, "attempt": attempt}
        task.write([*({**record, **head} for record in records), task.record(FINISHED, seconds)])
        with self._mutex:
            self._finished.add(name)

    def write(self, records: Iterable[Record]) -> None:
        """Append the records, each on a line of its own, and wait until they are on the disk."""
        text = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records)
        with self._mutex:
            self._file.write(text.encode())
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the records, and let others write the folder."""
        self._file.close()
        self._owner.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_records(self) -> Any:
        """Open for appending. Remove a last line without its end: the run was killed while it was written."""
        path = self.folder / RECORDS_FILE
        # All is validated by now. A link would lead to a file that is not the run's.
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o666), "a+b")
        file.seek(0)
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)
        return file


def make_folder(parent: Path, name: str) -> Path:
    """Make the folder of a run; one that began in the same second has the name already, and this gets a number."""
    if parent.exists() and not parent.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(parent))
    parent.mkdir(parents=True, exist_ok=True)
    for number in range(1, 1000):
        folder = parent / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(errno.EEXIST, "there are a thousand runs of this second", str(parent / name))


class Task:
    """One attempt at one task: every record is written as soon as it is added."""

    def __init__(self, run: Run, name: str, attempt: int) -> None:
        self._run, self._name, self._attempt = run, name, attempt
        self.records: list[Record] = []
        """All records of this attempt so far."""

    def add(self, figure: Figure, value: Any, **keys: Any) -> None:
        """Write one record of a figure: its value, and the keys that the figure declares."""
        self.write([self.record(figure, value, **keys)])

    def record(self, figure: Figure, value: Any, **keys: Any) -> Record:
        """Return a record of this attempt, for `write`. Raises TypeError where the figure declares something else."""
        head = {"task": self._name, "attempt": self._attempt, "time": round(time.time(), 3)}
        return {**head, **figure.record(value, **keys)}

    def write(self, records: Iterable[Record]) -> None:
        """Write records that belong together."""
        records = list(records)
        self._run.write(records)
        self.records += records
