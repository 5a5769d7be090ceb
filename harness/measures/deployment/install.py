"""Installing a backend's environment: how long it takes, and how large it is."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ... import environments
from ...environments import BuildFailed, Environment, Missing, pip
from ...environments.commands import Commands
from ...registry.entries import Entry
from . import figures


def measure(
    entry: Entry,
    labels: Sequence[dict[str, str]],
    add: Callable[..., None],
    pythons: tuple[Path, ...],
    say: Callable[[str], None],
    commands: Commands,
) -> tuple[Environment | None, str]:
    """Find or build the environment of a backend, or of a part of one; record its cost, or why there is none.

    `labels` are the keys that say of whom a record speaks: the backend, or each variant of the part. Returns the
    environment, None where there is none, and the outcome in words.
    """
    try:
        environment = environments.build(entry, pythons, say, commands)
    except (Missing, BuildFailed) as error:
        figure = figures.UNAVAILABLE if isinstance(error, Missing) else figures.FAILED
        for each in labels:
            add(figure, str(error), **each)
        return None, str(error)
    packages, interpreters = environment.packages, environment.interpreters
    needs = pip.read_requires_python(environment, entry.description.package)
    for each in labels:
        add(figures.INSTALL_TIME, environment.seconds, **each)
        add(figures.INSTALL_SIZE, environment.bytes, **each)
        add(figures.PACKAGES, len(packages), installed=packages, **each)
        add(figures.DOWNLOAD_SIZE, environment.download_bytes or None, **each)
        add(figures.INTERPRETERS, " ".join(interpreters) if interpreters else None, **each)
        add(figures.REQUIRES_PYTHON, needs or None, **each)
    return environment, environment.describe()
