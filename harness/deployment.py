"""Deployment: how long it takes from nothing to the first trained step, in a process of its own."""

import time
from typing import NamedTuple

from harness.portable import spec as portable
from harness.session import Array, Arrays, Place, Session, keeping_off


class ColdStart(NamedTuple):
    """One start, in seconds; the parts do not add up to the whole, which has the starting of Python in it too."""

    seconds: float
    """From before the process is started until the first step's loss has come back."""
    import_s: float
    build_s: float
    first_step_s: float
    """With whatever is compiled for it."""


def cold_start(
    place: Place, spec: portable.Spec, arrays: Arrays, x: Array, y: Array, order: Array, device: str, variant: str
) -> ColdStart:
    """Start a worker, build, hand over arrays and rows, train one step, and bury it. Raises WorkerFailed.

    Cold is the process, not the disk: files are read before, and what a framework keeps on disk between processes is
    there.
    """
    with keeping_off(place.cores):
        started = time.perf_counter()
        with Session(place) as session:
            build_s = session.build(spec, device, variant)
            session.load(arrays)
            session.put(x, y)
            first_step_s = session.train_by_the_clock(order[:1]).wall_s
            return ColdStart(time.perf_counter() - started, session.import_s, build_s, first_step_s)
