"""The private folders of workers for temporary files: made, removed with the worker, or later by another process.

Each is locked for as long as the process lives that made it. One that nobody holds was left by a process that was
killed, and the next that starts a worker removes it.
"""

import contextlib
import fcntl
import functools
import os
import shutil
import signal
import stat
import tempfile
from pathlib import Path

NAME = "bakeoff-worker-"
"""The beginning of the name of a folder that is locked, or abandoned."""
UNLOCKED = "bakeoff-new-"
"""The same while it is not locked yet: nobody may take it for abandoned."""

_held: dict[Path, int] = {}
"""The descriptors of the locked folders of this process."""


def make() -> Path | None:
    """Return a new folder; None where none can be made."""
    _remove_abandoned(tempfile.gettempdir())
    try:
        new = Path(tempfile.mkdtemp(prefix=UNLOCKED))
    except OSError:
        return None
    folder = new.with_name(new.name.replace(UNLOCKED, NAME, 1))
    descriptor = os.open(new, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        new.rename(folder)
    except OSError:  # a file system without locks: it stays if this process is killed
        os.close(descriptor)
        return new
    _held[folder] = descriptor
    return folder


def kill_users(folder: Path) -> None:
    """Kill the processes whose temporary files belong in the folder.

    A daemon of a worker is no longer in its process group, and still has its environment.
    """
    mark = b"TMPDIR=" + os.fsencode(folder)
    for environment in Path("/proc").glob("[0-9]*/environ"):  # no other system than Linux has it
        with contextlib.suppress(OSError):
            process = os.pidfd_open(int(environment.parent.name))
            try:
                if mark in environment.read_bytes().split(b"\0"):
                    signal.pidfd_send_signal(process, signal.SIGKILL)
            finally:
                os.close(process)


def remove(folder: Path) -> None:
    """Remove a folder with what is left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    descriptor = _held.pop(folder, None)
    if descriptor is not None:
        os.close(descriptor)


@functools.cache
def _remove_abandoned(parent: str) -> None:
    """Remove the folders of this user that no process holds; once in a process."""
    for folder in Path(parent).glob(f"{NAME}*"):
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                status = os.fstat(descriptor)
                if status.st_uid == os.geteuid() and stat.S_ISDIR(status.st_mode):
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
