"""Carries out a study: a worker for each framework, two frameworks at a time."""

import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..common.cache import cache_folder
from ..common.progress import Board, Job
from ..registry.entries import Entry
from ..workers import launch
from ..workers.session import Session, WorkerFailed
from . import records
from .records import Row
from .study import Setting, Study


class Measured(NamedTuple):
    """What one framework came to."""

    rows: list[Row]
    versions: dict[str, str]
    failure: str


def measure(
    study: Study,
    chosen: Sequence[tuple[Entry, str]],
    path: Path,
    short: bool,
    pythons: tuple[Path, ...],
    board: Board,
) -> dict[str, str]:
    """Measure the study in the chosen backends, and write its records to `path`.

    Returns by NAME:VARIANT why a backend failed. Its rows are left out, and the page names it.
    """
    started = time.monotonic()
    made = launch.interpreters_of(chosen, pythons, board)

    def measure_one(pair: tuple[Entry, str]) -> Measured:
        entry, variant = pair
        python = made[entry.label]
        reason = launch.explain_unavailable(entry, variant, python)
        if reason or not isinstance(python, Path):
            return Measured([], {}, reason or str(python))
        with board.job(f"{entry.name}:{variant}: {study.name}") as job:
            return _measure_in(study, entry, variant, python, short, job)

    with launch.pool() as threads:
        names = [f"{entry.name}:{variant}" for entry, variant in chosen]
        found = dict(zip(names, threads.map(measure_one, chosen), strict=True))
    failures = {name: each.failure for name, each in found.items() if each.failure}
    rows = [{"contestant": name, **row} for name, each in found.items() if not each.failure for row in each.rows]
    versions = {name: each.versions for name, each in found.items() if not each.failure}
    header = records.make_header(study.name, short, versions, failures, time.monotonic() - started)
    records.write(path, header, rows)
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
