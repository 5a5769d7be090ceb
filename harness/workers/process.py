"""The process of a worker: its start, its private folder for temporary files, and its log, which has a bounded size."""

import contextlib
import json
import os
import stat
import subprocess
import threading
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from ..common.foreign import make_safe
from ..portable import worker
from . import scratch
from .failures import WorkerFailed
from .place import THREAD_VARIABLES, Place, home_folder, sets_variable, worker_environment

LAST_LINES = 20
"""How many of the lines that a worker printed last are kept where it died, as on a failed assertion."""
MOST_LOG_BYTES = 4 << 20
"""Of a log, which several workers may share. What is over it is cut out of the middle."""
KEPT_LOG_BYTES = 1 << 20
"""Of the beginning, and of the end, of a log that was too large."""


class Started(NamedTuple):
    """A process that was started, with the ends of its pipes."""

    process: "subprocess.Popen[bytes]"
    requests: int
    """The descriptor that requests are written to."""
    answers: int
    """The descriptor that answers are read from."""
    log: "Log"
    scratch: Path | None
    """Its folder for temporary files; None where none could be made."""

    def remove_scratch(self) -> None:
        """End what the process left running, and remove what it left among its temporary files."""
        if self.scratch is not None:
            scratch.kill_users(self.scratch)
            scratch.remove(self.scratch)


def start_worker(place: Place, program: str = worker.__file__) -> Started:
    """Start a worker, or another program of its kind. Raises WorkerFailed where it cannot be started."""
    request_read, request_write = os.pipe()
    answer_read, answer_write = os.pipe()
    config = {
        "folder": str(place.folder),
        "read": request_read,
        "write": answer_write,
        "cores": place.cores,
        "threads": place.threads,
        "thread_variables": [*THREAD_VARIABLES, *place.thread_variables],
    }
    # Where the cache can only be read, a framework that wants to write below HOME finds another folder or says so.
    with contextlib.suppress(OSError):
        home_folder().mkdir(parents=True, exist_ok=True)
    # None also where backend.toml or the user sets the folder.
    environment, private = worker_environment(place), None if sets_variable(place, "TMPDIR") else scratch.make()
    if private is not None:
        environment["TMPDIR"] = str(private)
    try:
        log = Log(place.log, private)
        with log.open() as output:
            process = subprocess.Popen(
                [str(place.python), "-s", program, json.dumps(config)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(request_read, answer_write),
                env=environment,
                cwd=_find_another_folder(private),
                start_new_session=True,
            )
    except (OSError, ValueError) as error:  # ValueError: a null character in a variable or a path
        os.close(request_write)
        os.close(answer_read)
        if private is not None:
            scratch.remove(private)
        raise WorkerFailed("died", f"{place.python} could not be started: {error}") from None
    finally:
        os.close(request_read)
        os.close(answer_write)
    return Started(process, request_write, answer_read, log, private)


def _find_another_folder(private: Path | None) -> Path | None:
    """Return a folder to work in where the current one was removed, as no framework expects; None where it is there."""
    try:
        os.getcwd()
    except OSError:
        return private or Path("/")
    return None


class Log:
    """The file that the output of a worker is appended to. Several workers may share it."""

    _trimming = threading.Lock()

    def __init__(self, path: Path, scratch: Path | None) -> None:
        self.path = path
        self._scratch = scratch
        self._start = 0
        """The size of the file before this worker."""

    def open(self) -> BinaryIO:
        """Open the file to append. It is one among the temporary files where the cache can only be read."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return self._open()
        except PermissionError:
            if self._scratch is None:
                raise
            self.path = self._scratch / "worker.log"
            return self._open()

    def _open(self) -> BinaryIO:
        # A link there could lead to any file of the user.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        file = os.fdopen(os.open(self.path, flags, 0o666), "ab", buffering=0)
        os.set_blocking(file.fileno(), True)
        self._start = file.tell()
        return cast(BinaryIO, file)

    def trim(self) -> None:
        """Cut the middle out of the file where it is too large; what a worker writes meanwhile may be lost."""
        with contextlib.suppress(OSError), self._trimming:
            status = self.path.stat()
            if not stat.S_ISREG(status.st_mode) or status.st_size <= MOST_LOG_BYTES:
                return
            with self.path.open("r+b") as file:
                file.seek(status.st_size - KEPT_LOG_BYTES)
                tail = file.read(KEPT_LOG_BYTES)
                file.truncate(KEPT_LOG_BYTES)
            left_out = status.st_size - 2 * KEPT_LOG_BYTES
            with self.path.open("ab") as file:
                file.write(f"\n[... {left_out:,} bytes left out ...]\n".encode() + tail)

    def read_last_lines(self) -> str:
        """Return the last lines of what was written since this worker began, as text that is safe to print."""
        return read_last_lines(self.path, self._start)


def read_last_lines(log: Path, start: int) -> str:
    """Return the last lines of `log`, at most LAST_LINES, of what was written after its first `start` bytes."""
    try:
        size = log.stat().st_size
        begin = start if start <= size else 0  # it was trimmed meanwhile
        with log.open("rb") as file:
            file.seek(max(begin, size - LAST_LINES * 400))
            text = file.read(LAST_LINES * 400).decode("utf-8", "replace")
    except OSError:
        return ""
    return make_safe("\n".join(text.splitlines()[-LAST_LINES:]))
