"""Backends with a patch applied: what the tests of changes run and read."""

import difflib
import os
import shutil
from pathlib import Path

import pytest
from bakeoff.measures.ease.changes import CHANGES, FOLDER, STATES, find_patch, read_patched
from bakeoff.registry import entries

ENTRIES = entries.read_all()
ONLY = os.environ.get("BAKEOFF_BACKENDS")
"""As --backends: `tox -e backend-...` checks one at a time."""
CHOSEN = entries.select(ENTRIES, ONLY or None)
WANTED = {entry.name for entry, _ in CHOSEN}
PATCHES = [
    (name, change, state)
    for name, entry in ENTRIES.items()
    for change in CHANGES
    for state in STATES
    if find_patch(entry.folder, change, state)
]
each_patch = pytest.mark.parametrize(("name", "change", "state"), PATCHES)
ANSWERING = [name for name, entry in ENTRIES.items() if (entry.folder / FOLDER).is_dir()]
"""The backends that answer the changes: a backend need not."""
each_backend = pytest.mark.parametrize("name", ANSWERING)


def diff(old, new, file="model.py"):
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"a/{file}", f"b/{file}", lineterm="", n=1)
    return "".join(f"{line}\n" for line in lines)


def write_patched(folder, model, patch, parent):
    """Write a copy of the backend, with the patch applied, as a folder of the same name in `parent`; return it."""
    files = read_patched(folder, model, patch)
    copy = Path(shutil.copytree(folder, parent / folder.name, ignore=shutil.ignore_patterns(FOLDER, "__pycache__")))
    for name, text in files.items():
        (copy / name).write_text(text, encoding="utf-8")
    return copy
