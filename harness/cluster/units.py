"""A backend's variant on the host that runs a job: its entry, and its environment, which is built at the first job."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .. import environments
from ..environments import BuildFailed, Environment
from ..registry import entries as registry_entries
from ..workers import launch


class Unit(NamedTuple):
    """A backend's variant as it was selected."""

    entry: registry_entries.Entry
    variant: str


def select_unit(contestant: str, build: str = "") -> Unit:
    """Return the variant that NAME:VARIANT names, in a build of its packages. Raises InputError where it is lacking."""
    entries = registry_entries.read_all()
    ((entry, variant),) = registry_entries.select(entries, contestant)
    return Unit(entry._replace(build_name=build) if build else entry, variant)


class Unavailable(NamedTuple):
    """Why a variant has no environment on this host."""

    reason: str
    failed: bool
    """Whether it could have been built here, and was not."""


_found: dict[str, Environment | Unavailable] = {}
_mutex = threading.Lock()


def use_environment(label: str, environment: Environment) -> None:
    """Run the jobs of a backend in this environment, and build none for it in this process."""
    with _mutex:
        _found[label] = environment


def forget_environments() -> None:
    """Look for environments anew."""
    with _mutex:
        _found.clear()


def find_environment(unit: Unit, pythons: Sequence[str] = ()) -> Environment | Unavailable:
    """Find or build the environment of a variant on this host; return it, or why there is none.

    A backend that was given as a folder runs in the first of `pythons`, as it is.
    """
    lacking = launch.explain_unavailable(unit.entry, unit.variant)
    if lacking:
        return Unavailable(lacking, failed=False)
    if unit.entry.outside and pythons:
        python = Path(pythons[0])
        return Environment(python=python, folder=python.parent, seconds=0, bytes=0, packages={})
    key = f"{unit.entry.label} {unit.entry.build_name}".strip()
    with _mutex:  # one build at a time in this process; the lock of the cache serves other processes
        if key not in _found:
            built = environments.build_all([unit.entry], tuple(map(Path, pythons)))[unit.entry.label]
            lacks = Unavailable(str(built), isinstance(built, BuildFailed))
            _found[key] = built if isinstance(built, Environment) else lacks
        return _found[key]
