"""TODO: workers.launch."""

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

pass


def lacking_program(entry: Entry, variant: str) -> str | None:
    """Return why `variant` of `entry` cannot run for want of a program on PATH, None where it lacks none."""
    programs = entry.description.environment.programs.get(variant, ())
    if not programs or any(shutil.which(program) for program in programs):
        return None
    return f"{entry.name}:{variant} needs one of these programs on PATH, and found none: {', '.join(programs)}"


pass


JOBS = 2


def interpreters_of(
    chosen: Sequence[tuple[Entry, str]], pythons: tuple[Path, ...], board: Board
) -> dict[str, Path | Exception]:
    """Return by label the interpreter that has the framework, or why there is none.

    A backend given as a folder runs in the first of `pythons`, as it is; every other gets an environment of its own.
    """
    entries = {entry.label: entry for entry, _ in chosen}
    ours = [entry for entry in entries.values() if not (entry.outside and pythons)]
    with board.job("environments") as job:
        built = environments.build_all(ours, pythons, on_event=lambda name, line: job.say(f"{name}: {line}"))
        lacking = [name for name, environment in built.items() if isinstance(environment, Missing | BuildFailed)]
        job.outcome = f"none for {', '.join(lacking)}" if lacking else "ready"
    made: dict[str, Path | Exception] = {
        name: environment.python if isinstance(environment, Environment) else environment
        for name, environment in built.items()
    }
    return {name: made.get(name, pythons[0].absolute() if pythons else Path()) for name in entries}


def place_of(entry: Entry, variant: str, python: Path, threads: int = 1) -> Place:
    """Return where the checks of a variant run."""
    worker = entry.worker
    return Place(
        python=python,
        folder=entry.folder,
        log=cache_folder() / "logs" / f"check-{entry.name}-{variant}.log",
        threads=threads,
        thread_variables=worker.threads,
        variables=worker.variables,
    )


@contextmanager
def pool() -> Iterator[ThreadPoolExecutor]:
    """Two threads; they are waited for, unless something is raised, as by Ctrl-C: then what waits is not begun."""
    threads = ThreadPoolExecutor(JOBS)
    try:
        yield threads
    except BaseException:
        threads.shutdown(wait=False, cancel_futures=True)
        raise
    threads.shutdown()
