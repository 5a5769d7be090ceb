"""The two tiers of the tests that run backends: the default one, and `full`, which adds what takes long."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

FULL = pytest.mark.full
"""The mark of the tests that only `tox -e full` runs."""


def mark_all_but_first(values: Iterable[Any], group: Callable[[Any], Any]) -> list[Any]:
    """Return the values as parameters of a test; all but the first of each group have the mark FULL."""
    seen: set[Any] = set()
    parameters = []
    for value in values:
        arguments = value if type(value) is tuple else (value,)
        parameters.append(pytest.param(*arguments, marks=FULL if group(value) in seen else ()))
        seen.add(group(value))
    return parameters


def selected_parameters(session: pytest.Session, function: Callable[..., None]) -> list[dict[str, Any]]:
    """Return the parameters, by name, of each test of `function` that was selected, as by `-m` or `-k`."""
    return [item.callspec.params for item in session.items if getattr(item, "function", None) is function]
