"""Runs the commands that build an environment, and stops them all at once."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..common.foreign import make_line
from .environment import Say

GUARD = Path(__file__).with_name("guard.py")


class Commands:
    """The commands that run now, in any thread."""

    def __init__(self) -> None:
        self.stopped = False
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()

    def run(self, command: Sequence[str | Path], say: Say, folder: Path, variables: Mapping[str, str]) -> int:
        """Run `command` in `folder`; pass each line of its output to `say`; return its exit code.

        Leaves no process behind. Raises InterruptedError after `stop`, and OSError where it cannot be started.
        """
        with self._start(command, folder, variables) as process:
            try:
                for line in process.stdout or ():
                    say(make_line(line.rstrip()))
                return process.wait()
            except BaseException:
                kill_group(process)
                raise
            finally:
                with self._lock:
                    self._running.discard(process)

    def stop(self) -> None:
        """Kill every running command, and start no more."""
        with self._lock:
            self.stopped = True
            for process in self._running:
                kill_group(process)

    def _start(
        self, command: Sequence[str | Path], folder: Path, variables: Mapping[str, str]
    ) -> subprocess.Popen[str]:
        with self._lock:
            if self.stopped:
                raise InterruptedError("stopped")
            if not shutil.which(command[0], path=variables.get("PATH", os.defpath)):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(command[0]))
            # A new session is a new process group, so the command's children can be killed with it. The guard kills
            # them when this process is killed: its standard input then ends.
            process = subprocess.Popen(
                [sys.executable, "-I", GUARD, *command],
                cwd=folder,
                env=variables,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            self._running.add(process)
            return process


def kill_group(process: subprocess.Popen[str]) -> None:
    """Kill `process` and its children, unless it has ended: its number may belong to another process by then."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
