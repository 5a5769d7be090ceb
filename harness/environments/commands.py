"""TODO: environments.commands."""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from .environment import Say

pass


class Commands:
    """The commands that run now, in whichever thread, so that all can be stopped at once."""

    def __init__(self) -> None:
        self.stopped = False
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()

    def run(self, command: Sequence[str | Path], say: Say, folder: Path, environment: Mapping[str, str]) -> int:
        """Run `command` in `folder`, tell `say` each line of its output, return its exit code; leave no process."""
        with self._start(command, folder, environment) as process:
            try:
                for line in process.stdout or ():
                    say(line.rstrip())
                return process.wait()
            except BaseException:
                _kill(process)
                raise
            finally:
                with self._lock:
                    self._running.discard(process)

    def stop(self) -> None:
        """Kill what runs, and let nothing start any more."""
        with self._lock:
            self.stopped = True
            for process in self._running:
                _kill(process)

    def _start(
        self, command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]
    ) -> subprocess.Popen[str]:
        with self._lock:
            if self.stopped:
                raise InterruptedError("stopped")
            # A session of its own is a process group of its own: pip's children can be killed with it.
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            self._running.add(process)
            return process


def _kill(process: subprocess.Popen[str]) -> None:
    """Kill `process` and its children, unless it has ended: its number may be another's by then."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
