"""Committing a mistake: a worker of its own, given what a user with that mistake would give it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ...common.arrays import Array, Arrays
from ...workers.place import Place
from ...workers.session import Session, WorkerFailed
from .catalogue import Problem

WHEN = {"import": "build", "build": "build", "load": "build", "put": "build", "train": "first call"}
"""What the user is at during a call of the worker's; after the first `train`, everything is later."""

LIMIT_S = 300.0
"""How long a call may take before it counts as hung."""


class Attempt(NamedTuple):
    """What became of one training: its results, or what stopped it; and what was printed."""

    losses: tuple[Array, ...]
    """Of the first step, and of the rest."""
    probabilities: Array | None
    """(rows, classes) of the rows held out; None where it did not get so far."""
    stopped: WorkerFailed | None
    when: str
    """In which it stopped: build, first call, later; or never."""
    printed: tuple[tuple[str, str], ...]
    """(when, text) of what came on standard output and standard error."""
    seconds: float


class Log:
    """What a worker prints, as it comes."""

    def __init__(self, path: Path) -> None:
        self.path, self.read = path, 0

    def news(self) -> str:
        """Return what was printed since the last call."""
        content = self.path.read_bytes() if self.path.exists() else b""
        new, self.read = content[self.read :], len(content)
        return new.decode("utf-8", "replace")


def attempt(place: Place, variant: str, problem: Problem) -> Attempt:
    """Build, load, take the first step, take the others, predict; in a worker that ends with it."""
    started = time.monotonic()
    log, call, when = Log(place.log), "import", "build"
    given: list[Array] = []
    losses: list[Array] = []
    printed: list[tuple[str, str]] = []
    stopped = None
    try:
        with Session(place) as session:
            for call, header, arrays in _calls(problem, variant):
                printed.append((when, log.news()))
                when = "later" if losses else WHEN.get(call, "later")
                answer = session.ask(call, arrays, **header)
                if call == "train":
                    losses.append(answer["losses"])
                elif call == "predict":
                    given.append(answer["probabilities"])
    except WorkerFailed as failed:
        stopped = failed
    printed.append((when, log.news()))
    return Attempt(
        tuple(losses),
        given[0] if given else None,
        stopped,
        when if stopped else "never",
        tuple((at, text) for at, text in printed if text),
        time.monotonic() - started,
    )


def _calls(problem: Problem, variant: str) -> Iterator[tuple[str, dict[str, Any], Arrays]]:
    """Yield what a user does, in order, in the words of the worker's protocol."""
    yield "build", {"spec": problem.spec._asdict(), "device": "cpu", "variant": variant}, {}
    yield "load", {}, problem.arrays
    yield "put", {}, {"x": problem.x, "y": problem.y}
    yield "train", {"drain": False}, {"order": problem.order[:1]}
    yield "train", {"drain": False}, {"order": problem.order[1:]}
    yield "predict", {}, {"x": problem.x_test}
