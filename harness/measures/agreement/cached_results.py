"""Verdicts of conformance that need not be reached again: kept by everything that they depend on.

A verdict is the outcomes of all checks of one backend variant. It is reused when the backend's files, its environment,
the checks, the oracle, the device and the processor are the same, to the byte.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...common import cache, machine
from ...environments import Environment
from ...portable import host, reference, spec, wire, worker
from ...registry.entries import Entry, source_files
from ...workers import session
from . import checks, diagnosis, floors, mutants, suite
from .case import Case, Measured, Quantity
from .suite import Outcome


class Verdict(NamedTuple):
    """All outcomes of one backend variant, and when they were reached."""

    outcomes: tuple[Outcome, ...]
    at: str
    """UTC, as in 2026-11-22T17:00:00Z."""
    seconds: float
    """What the checks took: what is slow to check is slow to train, and had better start early."""


def key(entry: Entry, variant: str, environment: Environment, device: str, cases: Sequence[Case]) -> str:
    """Return twelve hexadecimal digits that change when anything does on which a verdict depends."""
    modules = (floors, checks, suite, diagnosis, mutants, session, host, reference, spec, wire, worker)
    digest = hashlib.sha256()
    problems = [f"{case.label} {case.spec} {case.gated}" for case in cases]
    for part in (variant, device, environment.folder.name, machine.processor(), np.__version__, *problems):
        digest.update(part.encode() + b"\0")
    for path in [*(Path(str(module.__file__)) for module in modules), *source_files(entry)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def find(key: str) -> Verdict | None:
    """Return the verdict kept under `key`, or None."""
    try:
        kept = cache.find("verdicts", key)
        outcomes = tuple(_outcome(fields) for fields in kept["outcomes"])
        return Verdict(outcomes, str(kept["at"]), float(kept["seconds"]))
    except (ValueError, LookupError, TypeError, AttributeError):
        return None  # nothing kept, or nothing that can be read: the checks run again


def keep(key: str, verdict: Verdict) -> None:
    """Keep a verdict under `key`, unless something in it is red: what failed is tried again."""
    if not any(outcome.red for outcome in verdict.outcomes):
        cache.keep(
            "verdicts", key, {"at": verdict.at, "seconds": verdict.seconds, "outcomes": _plain(verdict.outcomes)}
        )


def _plain(outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    return [
        {**outcome._asdict(), "measured": [[*each.quantity, each.error, each.floor] for each in outcome.measured]}
        for outcome in outcomes
    ]


def _outcome(fields: dict[str, object]) -> Outcome:
    rows = fields.pop("measured")
    if not isinstance(rows, list):
        raise TypeError("measured: expected a list")
    measured = [Measured(Quantity(*row[:3]), row[3], row[4]) for row in rows]
    return Outcome(**{**fields, "measured": measured})  # type: ignore[arg-type]  # as _plain wrote them
