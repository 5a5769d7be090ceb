"""Carries out a study: a worker for each framework, two frameworks at a time."""

import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

from ..common.cache import cache_folder
from ..common.progress import Board, Job
from ..registry.entries import Entry
from ..workers import launch
from ..workers.session import Session, WorkerFailed
from . import records
from .records import Row
from .study import Setting, Study
from .unfinished import Measured, Unfinished


def measure(
    study: Study,
    chosen: Sequence[tuple[Entry, str]],
    path: Path,
    short: bool,
    pythons: tuple[Path, ...],
    board: Board,
    resume: bool = False,
) -> dict[str, str]:
    """Measure the study in the chosen backends, and write its records to `path`.

    With `resume`, what an interrupted study measured is taken over, a framework at a time. Returns by NAME:VARIANT why
    a backend failed. Its rows are left out, and the page names it.
    """
    started, load = time.monotonic(), os.getloadavg()[0]
    what = records.describe(study.name, short, study.hashes())
    unfinished = Unfinished(path.parent, what, resume)
    made = launch.interpreters_of(chosen, pythons, board)

    def measure_one(pair: tuple[Entry, str]) -> Measured:
        entry, variant = pair
        if (name := f"{entry.name}:{variant}") in unfinished.found:
            board.say(f"{name}: measured before the interruption")
            return unfinished.found[name]
        python = made[entry.label]
        reason = launch.explain_unavailable(entry, variant, python)
        if reason or not isinstance(python, Path):
            return Measured([], {}, reason or str(python))
        with board.job(f"{name}: {study.name}") as job:
            measured = _measure_in(study, entry, variant, python, short, job)
        unfinished.add(name, measured, time.monotonic() - started)
        return measured

    with launch.pool() as threads:
        names = [f"{entry.name}:{variant}" for entry, variant in chosen]
        found = dict(zip(names, threads.map(measure_one, chosen), strict=True))
    failures = {name: each.failure for name, each in found.items() if each.failure}
    rows = [{"contestant": name, **row} for name, each in found.items() if not each.failure for row in each.rows]
    versions = {name: each.versions for name, each in found.items() if not each.failure}
    seconds = unfinished.seconds + time.monotonic() - started
    records.write(path, records.make_header(what, versions, failures, seconds, load), rows)
    unfinished.remove()
    return failures


def _measure_in(study: Study, entry: Entry, variant: str, python: Path, short: bool, job: Job) -> Measured:
    log = cache_folder() / "logs" / f"study-{entry.name}-{variant}-{platform.node()}.log"
    rows: list[Row] = []
    try:
        with Session(launch.place_of(entry, variant, python, log=log)) as session:
            setting = Setting(session, variant, study.file(), short, job.say)
            for row in study.measure(setting):
                rows.append(row)
                job.say(f"{len(rows)} rows")
            job.outcome = f"{len(rows)} rows"
            return Measured(rows, session.versions(), "")
    except WorkerFailed as failed:
        job.outcome = str(failed)
        return Measured([], {}, str(failed))
