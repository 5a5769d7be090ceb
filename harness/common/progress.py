"""Progress on the terminal: live lines where the terminal can show them, plain lines where it cannot."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

WIDTH = 70
"""The length at which the last message of a job is cut, in characters."""


class Board:
    """The running jobs; each thread may have its own."""

    def __init__(self, console: Console, quiet: bool = False) -> None:
        self.console = console
        self.quiet = quiet
        self._live: Progress | None = None
        if console.is_terminal and not quiet:
            columns = (
                SpinnerColumn(),
                TimeElapsedColumn(),  # left of the text that the edge of the terminal may cut off
                TextColumn("{task.description}"),
                TextColumn("{task.fields[last]}"),
            )
            self._live = Progress(*columns, console=console, transient=True)
        self._mutex = threading.Lock()

    @contextmanager
    def job(self, name: str) -> Iterator["Job"]:
        """Show a job until the block ends; then print a line with its outcome and its time."""
        job = self.begin(name)
        try:
            yield job
        finally:
            self.end(job, job.outcome or "stopped")

    def begin(self, name: str) -> "Job":
        """Show a job until `end`."""
        row = self._live.add_task(escape(name), total=None, last="") if self._live else None
        if self._live is None:
            self.say(f"{name} ...")
        return Job(name, self._live, row)

    def end(self, job: "Job", outcome: str) -> None:
        """Remove the job, and print a line with its outcome and its time."""
        if self._live and job.row is not None:
            self._live.remove_task(job.row)
        self.say(f"{job.name}: {outcome} ({time.monotonic() - job.started:.1f} s)")

    def say(self, line: str) -> None:
        """Print one permanent line."""
        if not self.quiet:
            with self._mutex:
                self.console.print(escape(line), highlight=False, soft_wrap=True)

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()


class Job:
    """One job: `say` shows its progress, and its last line shows `outcome`."""

    def __init__(self, name: str, live: Progress | None, row: TaskID | None) -> None:
        self.name, self.row = name, row
        self.started = time.monotonic()
        self.outcome = ""
        self._live = live

    def say(self, line: str) -> None:
        """Show what the job is doing now, on a terminal with live lines."""
        if self._live and self.row is not None:
            self._live.update(self.row, last=f"[dim]{escape(line.strip()[:WIDTH])}[/dim]")
