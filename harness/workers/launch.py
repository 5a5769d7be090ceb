"""From backends to workers: which interpreter a backend has, why a variant cannot run, and where its workers run."""

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from .. import environments
from ..common.cache import cache_folder
from ..common.progress import Board
from ..environments import BuildFailed, Environment, Missing
from ..registry.entries import Entry
from .place import Place

JOBS = 2
"""How many environments are built, and how many workers are checked, at a time. Timing runs alone."""


def explain_unavailable(entry: Entry, variant: str, found: object = None) -> str:
    """Return why `variant` cannot run on this machine; "" where it can.

    `found` is what `interpreters_of` returned for the backend: an exception where it has no interpreter.
    """
    if isinstance(found, Exception):
        return str(found)
    programs = entry.description.environment.programs.get(variant, ())
    if not programs or any(shutil.which(program) for program in programs):
        return ""
    return (
        f"{entry.name}:{variant} is not available here: needs {' or '.join(programs)} on PATH. "
        f"Install {'one of them' if len(programs) > 1 else 'it'} with your system's package manager."
    )


def interpreters_of(
    chosen: Sequence[tuple[Entry, str]], pythons: tuple[Path, ...], board: Board
) -> dict[str, Path | Exception]:
    """Return by label the interpreter that has the framework, or the exception that says why there is none.

    A backend that is given as a folder runs in the first of `pythons`, as it is; every other gets its own environment.
    """
    entries = {entry.label: entry for entry, _ in chosen}
    ours = [entry for entry in entries.values() if not (entry.outside and pythons)]
    with board.job("environments") as job:
        built = environments.build_all(ours, pythons, on_event=lambda name, line: job.say(f"{name}: {line}"))
        unavailable = [name for name, environment in built.items() if isinstance(environment, Missing | BuildFailed)]
        job.outcome = f"none for {', '.join(unavailable)}" if unavailable else "ready"
    made: dict[str, Path | Exception] = {
        name: environment.python if isinstance(environment, Environment) else environment
        for name, environment in built.items()
    }
    return {name: made.get(name, pythons[0].absolute() if pythons else Path()) for name in entries}


def place_of(
    entry: Entry,
    variant: str,
    python: Path,
    threads: int = 1,
    *,
    cores: Sequence[int] | None = None,
    log: Path | None = None,
    inherit: tuple[str, ...] = (),
) -> Place:
    """Return where the workers of a variant run. The log is in the cache folder, unless `log` names another file."""
    worker = entry.worker
    return Place(
        python=python,
        folder=entry.folder,
        log=log or cache_folder() / "logs" / f"check-{entry.name}-{variant}.log",
        cores=None if cores is None else tuple(cores),
        threads=threads,
        thread_variables=worker.thread_variables,
        variables=worker.variables,
        inherit=inherit,
    )


@contextmanager
def pool() -> Iterator[ThreadPoolExecutor]:
    """Give a pool of JOBS threads, and wait for them at the end.

    Where something is raised, as by Ctrl-C, the jobs that have not begun are dropped.
    """
    threads = ThreadPoolExecutor(JOBS)
    try:
        yield threads
    except BaseException:
        threads.shutdown(wait=False, cancel_futures=True)
        raise
    threads.shutdown()
