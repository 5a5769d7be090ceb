"""One training in a worker of its own, with the input of a user who makes a mistake, or of one who makes none."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ...common.arrays import Array, Arrays
from ...workers.place import Place
from ...workers.session import Session, WorkerFailed
from .catalogue import TrainingInput

WHEN = {"import": "build", "build": "build", "load": "build", "put": "build", "train": "first call"}
"""The phase of the user's work, by call of the worker; every call after the first `train` is later."""

TIME_LIMIT_S = 300.0
"""Seconds that a call may take before it counts as hung."""


class Attempt(NamedTuple):
    """The outcome of one training: its results or the failure that stopped it, and everything that was printed."""

    losses: tuple[Array, ...]
    """The losses of the first step, and those of the other steps."""
    probabilities: Array | None
    """(rows, classes) for the test rows; None where the training stopped before."""
    stopped: WorkerFailed | None
    when: str
    """The phase in which it stopped: build, first call, later; or never."""
    printed: tuple[tuple[str, str], ...]
    """(phase, text) of standard output and standard error."""
    seconds: float


class Log:
    """What a worker prints, read while it runs."""

    def __init__(self, path: Path) -> None:
        self.path, self.position = path, 0

    def read_new(self) -> str:
        """Return the text printed since the previous call."""
        content = self.path.read_bytes() if self.path.exists() else b""
        new, self.position = content[self.position :], len(content)
        return new.decode("utf-8", "replace")


def try_training(place: Place, variant: str, training: TrainingInput) -> Attempt:
    """Build, load, take the first step, take the others, predict; in a worker that is closed at the end."""
    started = time.monotonic()
    log, call, when = Log(place.log), "import", "build"
    predicted: list[Array] = []
    losses: list[Array] = []
    printed: list[tuple[str, str]] = []
    stopped = None
    try:
        with Session(place) as session:
            for call, header, arrays in _list_calls(training, variant):
                printed.append((when, log.read_new()))
                when = "later" if losses else WHEN.get(call, "later")
                answer = session.ask(call, arrays, **header)
                if call == "train":
                    losses.append(answer["losses"])
                elif call == "predict":
                    predicted.append(answer["probabilities"])
    except WorkerFailed as failed:
        stopped = failed
    printed.append((when, log.read_new()))
    return Attempt(
        tuple(losses),
        predicted[0] if predicted else None,
        stopped,
        when if stopped else "never",
        tuple((at, text) for at, text in printed if text),
        time.monotonic() - started,
    )


def _list_calls(training: TrainingInput, variant: str) -> Iterator[tuple[str, dict[str, Any], Arrays]]:
    """Yield (call, header, arrays) of the worker's protocol in the order in which a user makes the calls."""
    yield "build", {"spec": training.spec._asdict(), "device": "cpu", "variant": variant}, {}
    yield "load", {}, training.arrays
    yield "put", {}, {"x": training.x, "y": training.y}
    yield "train", {"drain": False}, {"order": training.order[:1]}
    yield "train", {"drain": False}, {"order": training.order[1:]}
    yield "predict", {}, {"x": training.x_test}
