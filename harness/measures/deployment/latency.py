"""How fast the served networks answer: cold starts in fresh processes, and interleaved calls with a self-test."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ...common import statistics
from ...common.arrays import Array
from ...records.read import Record
from ...workers.cores import IdleCoreSpinners, reserve_cores
from ...workers.place import Place
from ...workers.serving import ServingSession
from . import figures
from .attempt import Exported, start_server
from .paths import ExportPath
from .records import select

COLD_STARTS = 5
ROUNDS = 2
"""Rounds of fresh processes: two processes of one program differ by a per cent or two."""
BLOCKS = 16
"""Blocks of calls in a round, each with all contestants in an order drawn anew."""
CALLS = 40
CALLS_LIMIT_S = 0.05
"""The longest that the calls of one contestant take in a block, for each number of rows."""
BATCH = 64
"""Rows of the large call."""
PERCENTILES = (50, 95, 99)
"""Of latencies, in the tables."""

Write = Callable[..., None]
"""Takes a figure, its value, and its keys."""


class Contestant(NamedTuple):
    """An exported network that passed the gate, and where it is served."""

    path: ExportPath
    place: Place
    exported: Exported
    batch: int | None
    """The number of rows that it takes; None where that is any."""

    def takes(self, rows: int) -> bool:
        """Return whether it answers calls of so many rows."""
        return self.batch in (None, rows)


def measure_cold_start(contestant: Contestant, x: Array) -> list[float]:
    """Return the seconds from the start of a process to its first answer, for COLD_STARTS fresh processes.

    The first start of all, which reads the files from the disk, came before: the gate.
    """
    seconds = []
    for _ in range(COLD_STARTS):
        started = time.perf_counter()
        with start_server(contestant.place, contestant.path, contestant.exported.folder) as session:
            session.predict(x)
            seconds.append(time.perf_counter() - started)
    return seconds


def measure_latency(
    contestants: Sequence[Contestant], x: Array, cores: Sequence[int] | None, write: Write, seed: int = 0
) -> None:
    """Time calls of 1 row and of BATCH rows, in rounds of fresh processes.

    All processes of a round live at once, and all but one are stopped. The first contestant takes part twice:
    `judge_self_test` compares the two.
    """
    rng = np.random.default_rng(seed)
    entered = [*((each, False) for each in contestants), *((each, True) for each in contestants[:1])]
    with reserve_cores(cores) as spinners:
        for number in range(1, ROUNDS + 1):
            _time_round(entered, x, spinners, write, number, rng)


def _time_round(
    entered: Sequence[tuple[Contestant, bool]],
    x: Array,
    spinners: IdleCoreSpinners,
    write: Write,
    number: int,
    rng: np.random.Generator,
) -> None:
    sessions: list[ServingSession] = []
    try:
        for each, _ in entered:
            sessions.append(start_server(each.place, each.path, each.exported.folder))
            sessions[-1].predict(x[: each.batch or 1])
            sessions[-1].pause()
        for block in range(1, BLOCKS + 1):
            for rows in (1, BATCH):
                for index in rng.permutation(len(entered)):
                    contestant, twin = entered[index]
                    if not contestant.takes(rows):
                        continue
                    seconds = _call(sessions[index], x[:rows], spinners)
                    calls = [float(f"{each:.6g}") for each in seconds]
                    keys = {**contestant.path.keys, "rows": rows, "round": number, "block": block, "self_test": twin}
                    write(figures.SERVE_LATENCY, float(np.median(seconds)), calls=calls, **keys)
        if number == 1:
            for (each, twin), session in zip(entered, sessions, strict=True):
                if not twin:
                    write(figures.SERVE_PEAK_MEMORY, session.peak_bytes(), **each.path.keys)
    finally:
        for session in sessions:
            session.close()


def _call(session: ServingSession, x: Array, spinners: IdleCoreSpinners) -> Array:
    session.resume()
    with spinners.paused():
        seconds = session.latency(x, CALLS, CALLS_LIMIT_S)
    session.pause()
    return seconds


def judge_self_test(rows: Sequence[Record]) -> str:
    """Return why the self-test of the latencies failed, from the records; "" where it passed or nothing was timed.

    As for training, an interval is never narrower than the scatter of all paths' processes allows.
    """
    copies = select(rows, figures.SERVE_LATENCY, self_test=True)
    for size in dict.fromkeys(row["rows"] for row in copies):
        paths = {key: copies[0][key] for key in figures.PATH}
        timed = _list_blocks(rows, size)
        first, copy = (timed[(*paths.values(), twin)] for twin in (False, True))
        ratio = statistics.paired_ratio(first, copy, statistics.scatter(list(timed.values())))
        if ratio.excludes(1.0):
            called = f"{int(size)} row{'s' if size > 1 else ''} a call"
            return f"one process was {ratio.estimate:.3g} times as fast as its copy, at {called}"
    return ""


def _list_blocks(rows: Sequence[Record], size: int) -> dict[tuple[object, ...], list[statistics.Floats]]:
    """Return, for each process that was timed, an array of the medians (blocks,) for each round."""
    timed: dict[tuple[object, ...], dict[int, list[float]]] = {}
    found = select(rows, figures.SERVE_LATENCY, rows=size)
    for row in sorted(found, key=lambda row: (row["round"], row["block"])):
        process = (*(row[key] for key in figures.PATH), row["self_test"])
        timed.setdefault(process, {}).setdefault(row["round"], []).append(row["value"])
    return {process: [np.array(blocks) for blocks in of_round.values()] for process, of_round in timed.items()}
