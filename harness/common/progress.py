"""Progress on the terminal: live lines where the terminal can show them, plain lines where it cannot."""

import math
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

BAR, LEAST_BAR = 20, 5
"""Characters of a bar: at most, and the fewest that it is drawn with."""
WIDTH = 70
"""The length at which the last message of a job is cut, in characters."""
PLAIN_INTERVAL_S = 30.0
"""Without a terminal, the shortest time between the last line and a line of progress, in seconds."""


@dataclass
class Stage:
    """A part of the work: some jobs of one kind."""

    name: str
    total: int
    parallel: int
    """How many of its jobs run at once."""
    done: int = 0
    seconds: float = 0.0
    """Of the jobs that are done, all together."""


class Stages:
    """How far the work is, and the time left: what the jobs that are left will take if they are like those done."""

    def __init__(self) -> None:
        self.stages: dict[str, Stage] = {}

    def expect(self, name: str, total: int, parallel: int = 1) -> None:
        """Announce a stage with its jobs; one without jobs is left out."""
        if total:
            self.stages[name] = Stage(name, total, parallel)

    def finish(self, name: str, seconds: float) -> None:
        """Count a job of a stage as done."""
        if name in self.stages:
            stage = self.stages[name]
            stage.done, stage.seconds = min(stage.done + 1, stage.total), stage.seconds + seconds

    def describe(self, width: float = math.inf) -> str:
        """Return the first stage with jobs left, a bar of it, and the time left; "" where there is none.

        Where that has more than `width` characters, the bar is shorter; then the stages of unknown length are left
        out, then the bar.
        """
        left = [stage for stage in self.stages.values() if stage.done < stage.total]
        if not left:
            return ""
        current = left[0]
        number = list(self.stages).index(current.name) + 1
        start = f"stage {number} of {len(self.stages)}, {current.name}: "
        end = f"{current.done} of {current.total}{self._describe_time(left)}"
        for ending in (f"{end}{self._describe_unknown(left)}", end):
            room = min(BAR, width - len(f"{start}[] {ending}"))
            if room >= LEAST_BAR:
                filled = round(room * current.done / current.total)
                return f"{start}[{'=' * filled}{'.' * (int(room) - filled)}] {ending}"
        return f"{start}{end}"

    def _describe_time(self, left: Sequence[Stage]) -> str:
        known = [stage for stage in left if stage.done]
        if not known:
            return ""
        seconds = sum(
            stage.seconds / stage.done * math.ceil((stage.total - stage.done) / stage.parallel) for stage in known
        )
        words = f"{math.ceil(seconds)} s" if seconds < 90 else f"{math.ceil(seconds / 60)} min"
        return f", about {words} left"

    def _describe_unknown(self, left: Sequence[Stage]) -> str:
        """Return what the time left leaves out: the last stage of which no job is done."""
        unknown = [stage.name for stage in left if not stage.done]
        return f", and {unknown[-1]}" if unknown and len(unknown) < len(left) else ""


class Display(Progress):
    """The live lines: that of the stages, which has the whole width, above a table of the jobs."""

    BESIDE = len("- 0:00:00 ")
    """Characters of the spinner and of the elapsed time, left of what the edge of the terminal may cut off."""

    def __init__(self, console: Console) -> None:
        self._head = Progress(
            SpinnerColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", "bold", markup=False),
            console=console,
        )
        columns = (
            SpinnerColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            TextColumn("{task.fields[last]}"),
        )
        super().__init__(*columns, console=console, transient=True)

    def show_stages(self, stages: Stages) -> None:
        """Show the stages, in the width that the terminal has now."""
        line = stages.describe(self.console.width - self.BESIDE)
        if self._head.tasks:
            self._head.update(self._head.task_ids[0], description=line)
        else:
            self._head.add_task(line, total=None)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yield what is shown, from top to bottom."""
        if self._head.tasks:
            yield self._head.make_tasks_table(self._head.tasks)
        yield from super().get_renderables()


class Board:
    """The running jobs; each thread may have its own."""

    def __init__(self, console: Console, quiet: bool = False) -> None:
        self.console = console
        self.quiet = quiet
        self._live = Display(console) if console.is_terminal and not quiet else None
        self._mutex = threading.Lock()
        self._stages = Stages()
        self._last_line = time.monotonic()

    def expect(self, stage: str, total: int, parallel: int = 1) -> None:
        """Announce a stage of the work, so that its bar and the time left can be shown; jobs name their stage."""
        with self._mutex:
            self._stages.expect(stage, total, parallel)
        self._show_stages()

    def _show_stages(self) -> None:
        if self._live and self._stages.stages:
            self._live.show_stages(self._stages)

    def advance(self, stage: str, seconds: float) -> None:
        """Count a part of a stage as done that is no job of its own and took so many seconds."""
        with self._mutex:
            self._stages.finish(stage, seconds)
        self._show_stages()

    def say_plainly(self, line: str) -> None:
        """Print a line of progress where nothing is live, unless a line was printed less than PLAIN_INTERVAL_S ago."""
        if self._live is None and time.monotonic() - self._last_line >= PLAIN_INTERVAL_S:
            stages = self._stages.describe()
            self.say(f"{line}{f'; {stages}' if stages else ''}")

    @contextmanager
    def job(self, name: str, stage: str = "") -> Iterator["Job"]:
        """Show a job until the block ends; then print a line with its outcome and its time."""
        job = self.begin(name)
        try:
            yield job
        finally:
            with self._mutex:
                self._stages.finish(stage, time.monotonic() - job.started)
            self.end(job, job.outcome or "stopped")
            self._show_stages()

    def begin(self, name: str) -> "Job":
        """Show a job until `end`."""
        row = self._live.add_task(escape(name), total=None, last="") if self._live else None
        if self._live is None:
            self.say(f"{name} ...")
        return Job(name, self, row)

    def end(self, job: "Job", outcome: str) -> None:
        """Remove the job, and print a line with its outcome and its time."""
        if self._live and job.row is not None:
            self._live.remove_task(job.row)
        self.say(f"{job.name}: {outcome} ({time.monotonic() - job.started:.1f} s)")

    def update(self, row: TaskID, last: str) -> None:
        """Show the last message of the job in `row`."""
        if self._live:
            self._live.update(row, last=f"[dim]{escape(last)}[/dim]")

    def say(self, line: str) -> None:
        """Print one permanent line."""
        if not self.quiet:
            with self._mutex:
                self._last_line = time.monotonic()
                self.console.print(line, highlight=False, soft_wrap=True, markup=False, emoji=False)

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

    def __init__(self, name: str, board: Board, row: TaskID | None) -> None:
        self.name, self.row = name, row
        self.started = time.monotonic()
        self.outcome = ""
        self._board = board

    def say(self, line: str) -> None:
        """Show what the job is doing now: at once on a terminal with live lines, and now and then without one."""
        if self.row is None:
            self._board.say_plainly(f"{self.name}: {line.strip()}")
        else:
            self._board.update(self.row, line.strip()[:WIDTH])
