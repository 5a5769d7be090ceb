"""The backends that can be compared: reads their backend.toml files, selects them by name, and scaffolds a new one.

It reads files only and imports no code of a backend. Each name is imported when it is first used: whoever reads the
records of a run needs the names of the facts alone.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import scaffold
    from .description import Description
    from .entries import Entry, default_selection, read_all, read_entry, select, stand_ins

__all__ = ["Description", "Entry", "default_selection", "read_all", "read_entry", "scaffold", "select", "stand_ins"]

_ELSEWHERE = {"Description": "description"}
"""The module of a name; the others are in `entries`."""


def __getattr__(name: str) -> Any:
    """Return a name of this package."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "scaffold":
        return importlib.import_module(".scaffold", __name__)
    return getattr(importlib.import_module(f".{_ELSEWHERE.get(name, 'entries')}", __name__), name)
