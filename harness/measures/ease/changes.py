"""The cost of a change of the model, in tokens: patches kept beside the model are applied exactly and counted.

A backend's folder `changes` has a `changes.toml` with a table for each of CHANGES, and unified diffs. A cost is the
edit distance of two programs, before and after the change. Each is the backend itself or the backend with a patch
applied: `float64.before.patch` removes the support of float64, and `optimiser.after.patch` adds an optimiser.
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ...common.errors import InputError
from ...common.toml import read_model
from . import java
from .names import Names
from .patches import apply_patch, parse_patch
from .text import format_python, read_text, tokenize_foreign

CHANGES = {
    "optimiser": "AdaGrad in place of an existing optimiser",
    "layer": "layer normalisation, without parameters, in front of the output layer",
    "float64": "from a program that supports float32 only to one in float64",
    "gpu": "from a program that supports the CPU only to one that can run on a GPU",
    "compiled": "from an eager program to a compiled one",
}
"""Every change, in the order of the tables, and what it consists of; docs/reference/ease.md has the formulas."""

CONVENTIONS = {
    "optimiser": {
        "inside": "p -= lr * g / sqrt(s + epsilon)",
        "float32": "epsilon is kept in single precision, in a run in float64 too",
        "from-1e-6": "s starts at 1e-6, whatever epsilon is",
        "fixed": "p -= lr * g / sqrt(s + 1e-16): epsilon cannot be set",
    },
    "layer": {
        "outside": "(a - mean(a)) / (sqrt(var(a)) + bn_epsilon); the gradient takes epsilon for a part of the root",
    },
}
"""By change, the documented design differences of the implementations that frameworks ship; the tests follow them."""

STATES = ("before", "after")
FOLDER = "changes"
FILE = "changes.toml"
CALLER = "adapter.py"
"""The file that stands for the user's own script around the model; it is counted separately."""

Text = Field(min_length=1)


class Change(BaseModel):
    """What a backend declares about one change."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    answer: Literal["patch", "nothing", "not possible"]
    """Whether the change needs a patch, needs no code, or is not possible."""
    what: str = Text
    """A sentence: what the user does, or why there is nothing to do."""
    documentation: str = Field(pattern=r"^https?://\S+$")
    """The page on which the framework's maintainers teach or state it."""
    convention: str = ""
    """The convention, one of CONVENTIONS, that the framework's own implementation follows; "" where there is none."""


class Changes(BaseModel):
    """A changes.toml: a table for each of CHANGES."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    optimiser: Change
    """A table for this change."""
    layer: Change
    """A table for this change."""
    float64: Change
    """A table for this change."""
    gpu: Change
    """A table for this change."""
    compiled: Change
    """A table for this change."""


class Cost(NamedTuple):
    """What one change costs the user of one backend."""

    change: str
    answer: str
    what: str
    documentation: str
    tokens: int | None
    """Tokens deleted and inserted in the model; None where the change is not possible or the language has no lexer."""
    caller: int | None
    """The same for the adapter, which stands for the user's own script."""
    api_names: tuple[str, ...] = ()
    """Names of the framework's API that either file uses after the change and not before it, sorted."""


def read_changes(folder: Path) -> dict[str, Change] | None:
    """Return what the backend in `folder` declares about each change; None where it has no folder `changes`.

    Raises InputError where a change has no answer, or its patches do not fit the answer.
    """
    home = folder / FOLDER
    if not home.is_dir():
        return None
    table = read_model(Changes, read_text(home / FILE), str(home / FILE))
    declared: dict[str, Change] = {change: getattr(table, change) for change in CHANGES}
    allowed = {
        f"{change}.{state}.patch" for change, each in declared.items() if each.answer == "patch" for state in STATES
    }
    for path in sorted(home.iterdir()):
        if path.name != FILE and path.name not in allowed:
            raise InputError(
                f'{path}: expected only {FILE} and, for each change that is answered "patch" in it, '
                "CHANGE.before.patch or CHANGE.after.patch. Rename or delete the file."
            )
    for change, each in declared.items():
        conventions = CONVENTIONS.get(change, {})
        if each.convention and each.convention not in conventions:
            raise InputError(
                f"{home / FILE}: `{change}.convention`: expected {' or '.join(conventions) or 'none'}, "
                f"got {each.convention!r}."
            )
        if each.answer == "patch" and not any(find_patch(folder, change, state) for state in STATES):
            raise InputError(
                f'{home}: `{change}` is answered "patch", but there is neither {change}.before.patch nor '
                f"{change}.after.patch. Add one of them, or correct the answer."
            )
    return declared


def find_patch(folder: Path, change: str, state: str) -> Path | None:
    """Return the patch that makes this state of the backend; None where this state is the backend itself."""
    path = folder / FOLDER / f"{change}.{state}.patch"
    return path if path.is_file() else None


def measure_changes(folder: Path, model: str, import_names: tuple[str, ...]) -> list[Cost]:
    """Return what each change costs; an empty list where the backend has no folder `changes`.

    Raises InputError as `read_changes` and `read_patched` do, and for a patch that changes no token.
    """
    declared = read_changes(folder) or {}
    return [_measure_change(folder, model, import_names, change, each) for change, each in declared.items()]


def _measure_change(folder: Path, model: str, import_names: tuple[str, ...], change: str, declared: Change) -> Cost:
    head = (change, declared.answer, declared.what, declared.documentation)
    if declared.answer == "not possible":
        return Cost(*head, None, None)
    if declared.answer == "nothing":
        return Cost(*head, 0, 0)
    before, after = (read_patched(folder, model, find_patch(folder, change, state)) for state in STATES)
    tokens, caller = (_measure_distance(name, before[name], after[name]) for name in (model, CALLER))
    if tokens == caller == 0:
        raise InputError(
            f"{folder / FOLDER}: the patches of `{change}` change no token. If the change needs no code, "
            f'write answer = "nothing" in {FILE}.'
        )
    new = _find_names(after, import_names) - _find_names(before, import_names)
    return Cost(*head, tokens, caller, tuple(sorted(new)))


# Counting

_formatted = functools.lru_cache(maxsize=64)(format_python)


def _measure_distance(name: str, before: str, after: str) -> int | None:
    if before == after:
        return 0
    old, new = _tokenize(name, before), _tokenize(name, after)
    return None if old is None or new is None else edit_distance(old, new)


def _tokenize(name: str, source: str) -> list[str] | None:
    if name.endswith(".py"):
        return [token.text for token in _formatted(source, name).tokens]
    found = tokenize_foreign(source, name)
    return None if found is None else [token.text for token in found if token.counts]


def _find_names(files: dict[str, str], import_names: tuple[str, ...]) -> set[str]:
    trees = [_formatted(source, name).tree for name, source in files.items() if name.endswith(".py")]
    found = {name for tree in trees for name in Names(tree, import_names).framework_names()}
    for name, source in files.items():
        if name.endswith(java.SUFFIX):
            found |= set(java.find_api_names(tokenize_foreign(source, name) or [], import_names))
    return found


def edit_distance(old: Sequence[str], new: Sequence[str]) -> int:
    """Return the least number of deletions and insertions that turn `old` into `new` (Myers 1986)."""
    # For each diagonal (index in `old` minus index in `new`): the largest index in `old` that so many edits reach.
    reach = {1: 0}
    for edits in range(len(old) + len(new) + 1):
        for diagonal in range(-edits, edits + 1, 2):
            inserts = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
            x = reach[diagonal + 1] if inserts else reach[diagonal - 1] + 1
            while x < len(old) and x - diagonal < len(new) and old[x] == new[x - diagonal]:
                x += 1
            reach[diagonal] = x
            if x >= len(old) and x - diagonal >= len(new):
                return edits
    raise AssertionError("deleting everything and inserting everything is always enough")


def read_patched(folder: Path, model: str, patch: Path | None) -> dict[str, str]:
    """Return the texts of the model and of the adapter in `folder`, with the patch applied where there is one.

    Raises InputError, with the file and the number of the hunk, for anything that does not apply exactly.
    """
    files = {name: read_text(folder / name) for name in (model, CALLER)}
    if patch is not None:
        for name, hunks in parse_patch(read_text(patch), str(patch)).items():
            if name not in files:
                raise InputError(f"{patch}: changes {name}: expected changes of {model} and {CALLER} only.")
            files[name] = apply_patch(files[name], hunks, name, str(patch))
    return files
