"""The parts of `bakeoff deploy` that are tasks of their own for each path, and what collects the records of a task."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ..common import machine
from ..measures.deployment import figures
from ..measures.deployment.blunders import try_exports, try_inputs
from ..measures.deployment.latency import Contestant
from ..measures.deployment.measure import Places, record_cold_starts
from ..measures.deployment.paths import ExportPath
from ..measures.deployment.versions import try_versions
from ..records.read import Record
from ..records.vocabulary import FINISHED, Figure
from .deployment_oracle import choose_trainings, find_truth

Say = Callable[[str], None]

ABSOLUTE = re.compile(r"(?<![\w:/])(?:/[\w.+-]+)+/([\w.+-]+)")


def shorten_paths(text: str) -> str:
    """Return a message with the names of files in place of their absolute paths, which are of this machine."""
    return ABSOLUTE.sub(r"\1", text)


class Recorder:
    """Collects the records of one task."""

    def __init__(self, task: str, attempt: int = 1) -> None:
        self.task, self.attempt, self.records = task, attempt, list[Record]()
        self.started = time.monotonic()

    def __call__(self, figure: Figure, value: Any, **keys: Any) -> None:
        """Add one record. Raises TypeError where the figure declares something else."""
        head = {"task": self.task, "attempt": self.attempt, "time": round(time.time(), 3)}
        told = {key: shorten_paths(text) if key in ("reason", "message") else text for key, text in keys.items()}
        self.records.append({**head, **figure.record(value, **told)})

    def finish(self) -> list[Record]:
        """Return the records, with the machine and the last one of the task."""
        self(figures.MACHINE, machine.label())
        self(FINISHED, time.monotonic() - self.started)
        return self.records


class Stage(NamedTuple):
    """A part of what is measured of a path that agrees: a task of its own, so that a later command can add it."""

    name: str
    figure: Figure
    measure: Callable[[Contestant, Places, Path, Recorder, Say], None]

    def task(self, path: ExportPath) -> str:
        """Return the name of its task."""
        return f"deploy {self.name} {path.label}"


def _time_cold_starts(contestant: Contestant, places: Places, scratch: Path, write: Recorder, say: Say) -> None:
    record_cold_starts(contestant, choose_trainings(contestant.path.entry)["float32"], write)


def _try_mistakes(contestant: Contestant, places: Places, scratch: Path, write: Recorder, say: Say) -> None:
    training = choose_trainings(contestant.path.entry)["float32"]
    try_inputs(contestant, training, write)
    try_exports(contestant.path, places, training, find_truth, scratch, write)


def _try_versions(contestant: Contestant, places: Places, scratch: Path, write: Recorder, say: Say) -> None:
    try_versions(contestant, choose_trainings(contestant.path.entry)["float32"].x, write, say)


COLD_STARTS = Stage("cold starts", figures.SERVE_COLD_START, _time_cold_starts)
MISTAKES = Stage("mistakes", figures.BLUNDER, _try_mistakes)
VERSIONS = Stage("versions", figures.READS, _try_versions)
