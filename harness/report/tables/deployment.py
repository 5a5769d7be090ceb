"""The table of the installation: what it takes to get started with each variant."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from ...measures.deployment.figures import (
    DOWNLOAD_SIZE,
    INSTALL_SIZE,
    INSTALL_TIME,
    INTERPRETERS,
    PACKAGES,
    REQUIRES_PYTHON,
)
from ...measures.speed.figures import COLD_START, IMPORT
from ...records.query import Query
from ...records.vocabulary import Figure
from ..text import ABSENT, format_count, format_or_dash, format_seconds, format_size, format_whole_seconds

INSTALLED: dict[str, tuple[Figure, Callable[[Any], str]]] = {
    "download": (DOWNLOAD_SIZE, format_size),
    "installed": (INSTALL_SIZE, format_size),
    "packages": (PACKAGES, format_count),
    "install time": (INSTALL_TIME, format_whole_seconds),
    "requires Python": (REQUIRES_PYTHON, str),
    "has wheels for": (INTERPRETERS, str),
}
"""The columns that come from a backend's environment."""


def tabulate_installation(query: Query, entries: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Return what it takes to get started with each variant: "unknown" where the value is not known, never 0."""
    rows = []
    for backend, variant in entries:
        who = {"backend": backend, "variant": variant}
        rows.append(
            {
                "backend": f"{backend}:{variant}",
                **{
                    heading: _format_known(query.value_of(figure, backend, variant, absent=ABSENT), write)
                    for heading, (figure, write) in INSTALLED.items()
                },
                "import": format_or_dash(query.values(IMPORT, self_test=False, **who).median(), format_seconds),
                # The second copy of the self-tested variant starts as cold as the first.
                "cold start": format_or_dash(query.values(COLD_START, **who).median(), format_seconds),
            }
        )
    return pd.DataFrame(rows)


def _format_known(value: Any, write: Callable[[Any], str]) -> str:
    if value == ABSENT:
        return ABSENT
    return "unknown" if pd.isna(value) else write(value)
