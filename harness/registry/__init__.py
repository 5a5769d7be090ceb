"""The backends that can be compared: reads their backend.toml files, selects them by name, and scaffolds a new one.

It reads files only and imports no code of a backend.
"""

from . import scaffold
from .description import Description
from .entries import Entry, default_selection, read_all, read_entry, select, stand_ins

__all__ = ["Description", "Entry", "default_selection", "read_all", "read_entry", "scaffold", "select", "stand_ins"]
