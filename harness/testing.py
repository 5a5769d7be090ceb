"""Run the conformance checks in your own pytest, with two lines in a test file.

import bakeoff.testing

test_conformance = bakeoff.testing.conformance("path/to/folder")
"""

import functools
import inspect
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .common.errors import InputError
from .common.toml import nearest
from .measures.agreement import cases, run_checks, suite
from .measures.agreement.suite import Outcome
from .registry import entries
from .workers import launch
from .workload import networks


def conformance(
    folder: str | os.PathLike[str],
    python: str | os.PathLike[str] | None = None,
    full: bool = False,
    variant: str | Sequence[str] | None = None,
) -> Callable[..., None]:
    """Return a test of the backend in `folder`, with one worker process for each variant and case.

    `python` is the interpreter that has the framework: a path, or the name of a program; None is the one that runs
    pytest. The cases are the gates, those that `bakeoff run` requires; `full` adds the other required ones of
    `bakeoff check`. `variant` is one variant, or several; None is all that the backend's name stands for. A relative
    path starts at the folder of the calling file. Raises InputError where there is no such backend, variant or
    interpreter.
    """
    try:
        import pytest  # noqa: PLC0415  # Only this function needs pytest.
    except ModuleNotFoundError:
        raise ImportError(
            f"bakeoff.testing makes tests for pytest, and {sys.executable} has none: pip install pytest"
        ) from None

    here = Path(inspect.stack(context=0)[1].filename).parent
    entry = _read_backend(Path(os.path.abspath(here / folder)))
    interpreter = _interpreter(python, here)
    variants = _variants(entry, variant)
    kinds = [
        kind
        for kind in networks.with_supported(
            networks.pairwise_cover() if full else networks.required_networks(), entry.unsupported
        )
        if kind.required
    ]

    @pytest.mark.parametrize("kind", kinds, ids=lambda kind: f"{kind.name}-{kind.dtype}")
    @pytest.mark.parametrize("variant", variants)
    def test_conformance(variant: str, kind: networks.Network, tmp_path: Path) -> None:
        lacking = launch.explain_unavailable(entry, variant)
        if lacking:
            pytest.skip(lacking)
        place = launch.place_of(entry.for_variant(variant), variant, interpreter)._replace(log=tmp_path / "worker.log")
        case = cases.cases([kind])
        opened = functools.partial(run_checks.pinned_session, place)
        outcomes = list(suite.check_backend(opened, case, "cpu", variant, entry.unsupported))
        if any(outcome.failed for outcome in outcomes):
            pytest.fail(_report(f"{entry.name}:{variant}", outcomes, place.log), pytrace=False)
        known = [f"{outcome.check}: {outcome.reason}" for outcome in outcomes if outcome.status == "known failure"]
        if known:
            pytest.xfail("; ".join(known))

    return test_conformance


def _read_backend(folder: Path) -> entries.Entry:
    entries.require_backend(folder)
    return entries.read_entry(folder)


def _variants(entry: entries.Entry, wanted: str | Sequence[str] | None) -> tuple[str, ...]:
    if wanted is None:
        return entry.default_variants
    variants = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    for each in variants:
        if each not in entry.variants:
            raise InputError(f"variant={each!r}: {entry.name} has no such variant. {nearest(each, entry.variants)}")
    return variants


def _interpreter(python: str | os.PathLike[str] | None, here: Path) -> Path:
    if python is None:
        return Path(sys.executable)
    # Links are not followed: the interpreter of a virtual environment is a link.
    path = here / python if os.sep in os.fspath(python) else Path(shutil.which(python) or python)
    if not path.is_file():
        raise InputError(f"python={os.fspath(python)!r}: expected a Python interpreter, found none at {path}.")
    return path


def _report(name: str, outcomes: Sequence[Outcome], log: Path) -> str:
    """Return the description of the outcomes, a line for each failed check, and the traceback of the worker."""
    failures = [outcome for outcome in outcomes if outcome.failed]
    lines = [
        f"{name}: {suite.describe_outcomes(outcomes)}",
        *(f"  {outcome.check}: {outcome.reason}" for outcome in failures),
    ]
    traceback = next((outcome.traceback for outcome in failures if outcome.traceback), "")
    if traceback:
        lines += ["In the worker:", traceback.rstrip()]
    if log.stat().st_size:
        lines.append(f"Output of the worker: {log}")
    return "\n".join(lines)
