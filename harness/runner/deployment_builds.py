"""Builds every environment that `bakeoff deploy` needs, before the first export."""

import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .. import environments
from ..common.progress import Board
from ..environments import BuildFailed, Environment, Missing
from ..measures.deployment.measure import build_environments, build_serving
from ..measures.deployment.paths import ExportPath
from ..measures.deployment.servers import build_http
from ..registry.entries import Entry

JOBS = 2
"""Environments that are built at a time, and networks that are exported again."""

Bases = dict[str, Environment | Missing | BuildFailed]
"""The backends' own environments by label, or why there is none."""


def build_ahead(
    entries: Sequence[Entry], paths: Sequence[ExportPath], pythons: tuple[Path, ...], http: bool, board: Board
) -> Bases:
    """Build every environment; those that have no other below them are built while the backends' own are.

    That of a large framework takes minutes, most of it one core's: to unpack. A failure of another kind than the
    backends' own is recorded where the path comes. Raises InputError for a path in `pythons` that is no interpreter.
    """
    pool = ThreadPoolExecutor(max_workers=1)
    try:
        alone = pool.submit(_build_runtimes, paths, http, board)
        bases = _build_bases(entries, pythons, board)
        alone.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    _build_layers(paths, bases, board)
    return bases


def _build_bases(entries: Sequence[Entry], pythons: tuple[Path, ...], board: Board) -> Bases:
    unique = list({entry.label: entry for entry in entries}.values())
    with board.job("environments") as job:
        bases = environments.build_all(unique, pythons, on_event=lambda name, line: job.say(f"{name}: {line}"))
        job.outcome = "built"
    return bases


def _build_runtimes(paths: Sequence[ExportPath], http: bool, board: Board) -> None:
    with board.job("environments of serving") as job:
        for runtime in {path.export.serves_with: path for path in paths if not path.in_framework}:
            with contextlib.suppress(Missing, BuildFailed):
                build_serving(runtime, job.say)
        if http:
            with contextlib.suppress(Missing, BuildFailed):
                build_http(job.say)
        job.outcome = "built"


def _build_layers(paths: Sequence[ExportPath], bases: Bases, board: Board) -> None:
    def build(path: ExportPath) -> None:
        base = bases[path.entry.label]
        if isinstance(base, Environment):
            with contextlib.suppress(Missing, BuildFailed):
                build_environments(path, base, job.say)

    layers = {(path.entry.label, path.requirements): path for path in paths if path.requirements}
    with board.job("environments of exporting") as job, ThreadPoolExecutor(max_workers=JOBS) as pool:
        list(pool.map(build, layers.values()))
        job.outcome = "built"
