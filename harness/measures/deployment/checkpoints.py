"""Checkpoints: training that goes on in a new process, against training that just goes on."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...common.arrays import Array, Arrays
from ...workers.place import Place
from ...workers.session import Session, WorkerFailed
from . import figures
from .attempt import LIMIT, Training

SAME_BITS, TO_ROUNDING, DIFFERENT, FAILED = "same bits", "to rounding", "differently", "failed"

FindFloors = Callable[[Training, dict[str, str]], Mapping[str, float]]
"""Returns, by array, plain NumPy's relative rounding error after the whole training."""


class Continued(NamedTuple):
    """The second half of a training: its losses, and the arrays at its end."""

    losses: Array
    arrays: Arrays
    conventions: dict[str, str]


def measure_checkpoint(
    place: Place, variant: str, training: Training, find_floors: FindFloors, folder: Path, write: Callable[..., None]
) -> str:
    """Train, save, go on; restore in a new process, go on; record and return how the two ends differ."""
    started = time.monotonic()
    try:
        straight, resumed = _go_on(place, variant, training, folder)
    except WorkerFailed as failed:
        write(figures.CHECKPOINT, FAILED, reason=failed.message)
        return f"{FAILED}: {failed.message}"
    verdict, found = compare(straight, resumed, find_floors(training, straight.conventions))
    write(figures.CHECKPOINT, verdict, seconds=time.monotonic() - started, **found)
    return verdict


def compare(straight: Continued, resumed: Continued, floors: Mapping[str, float]) -> tuple[str, dict[str, object]]:
    """Return how a resumed training differs from one that was not interrupted, and the array that differs most.

    The array comes with its relative error and its floor; {} where all bits are the same.
    """
    same = np.array_equal(straight.losses, resumed.losses) and all(
        np.array_equal(straight.arrays[name], resumed.arrays[name]) for name in straight.arrays
    )
    if same:
        return SAME_BITS, {}
    errors = {name: _error(resumed.arrays[name], array) for name, array in straight.arrays.items()}
    worst = max(errors, key=lambda name: errors[name] / floors[name])
    found = {"array": worst, "error": errors[worst], "floor": floors[worst]}
    return (TO_ROUNDING if errors[worst] <= LIMIT * floors[worst] else DIFFERENT), found


def _go_on(place: Place, variant: str, training: Training, folder: Path) -> tuple[Continued, Continued]:
    half = len(training.order) // 2
    with Session(place) as session:
        _begin(session, variant, training)
        session.train(training.order[:half])
        session.ask("save", folder=str(folder))
        straight = _end(session, training.order[half:])
    with Session(place) as session:
        _begin(session, variant, training)
        session.ask("restore", folder=str(folder))
        return straight, _end(session, training.order[half:])


def _begin(session: Session, variant: str, training: Training) -> None:
    session.build(training.spec, "cpu", variant)
    session.load(training.arrays)
    session.put(training.x, training.y)


def _end(session: Session, order: Array) -> Continued:
    losses = session.train(order)
    return Continued(losses, session.dump(), session.conventions)


def _error(array: Array, truth: Array) -> float:
    scale = float(np.abs(truth).max()) or 1.0
    return float(np.abs(array.astype(np.float64) - truth.astype(np.float64)).max()) / scale
