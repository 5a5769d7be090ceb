"""The cost of a change: small patches kept beside a model, applied to the letter, and counted in tokens.

A backend's folder `changes` has a `changes.toml`, a table for each of CHANGES, and unified diffs. What is counted lies
between two programs, before and after; each is the backend as it stands, or the backend with a patch applied:
`float64.before.patch` takes out what serves float64, and `optimiser.after.patch` puts an optimiser in.
"""

import functools
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ...common.errors import InputError
from ...common.toml import read_model
from ...records.vocabulary import Figure
from .figures import CHANGE
from .names import Names
from .text import foreign_tokens, formatted, read

CHANGES = {
    "optimiser": "AdaGrad in place of an optimiser that is there",
    "layer": "layer normalisation, without parameters, in front of the output layer",
    "float64": "from a program that knows float32 alone to one in float64",
    "gpu": "from a program that knows the CPU alone to one that can run on a GPU",
    "compiled": "from an eager program to a compiled one",
}
"""Every change, in the order in which it is shown, and what it asks for; docs/ease.md has the formulas."""

CONVENTIONS = {
    "optimiser": {
        "inside": "p -= lr * g / sqrt(s + epsilon)",
        "float32": "epsilon is kept in single precision, in a run in float64 too",
    },
}
"""By change, how what a framework ships may depart from the page by design; harness/changed.py follows it."""

STATES = ("before", "after")
FOLDER = "changes"
FILE = "changes.toml"
CALLER = "adapter.py"
"""What stands for a user's own script around the model: counted apart."""

Text = Field(min_length=1)


class Change(BaseModel):
    """What a backend says of one change."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    answer: Literal["patch", "nothing", "not possible"]
    """Whether it takes a patch, needs nothing said, or cannot be done."""
    what: str = Text
    """What its user does, or why there is nothing to do, in a sentence."""
    documentation: str = Field(pattern=r"^https?://\S+$")
    """Where the framework's own people teach or say it."""
    convention: str = ""
    """How what the framework ships departs from the page, one of CONVENTIONS; "" where it does not."""


class Changes(BaseModel):
    """A changes.toml, whole."""

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
    """What one change costs one backend's user."""

    change: str
    answer: str
    what: str
    documentation: str
    tokens: int | None
    """Deleted and inserted in the model; None where the change is not possible, or the language is not cut."""
    caller: int | None
    """The same in the adapter, which stands for the user's own script."""
    names: tuple[str, ...] = ()
    """Names of the framework that are needed after it, in either file, and were not before; sorted."""


class Hunk(NamedTuple):
    """One place of a patch: lines to be found from line `start` on, and those to put there."""

    start: int
    old: tuple[str, ...]
    new: tuple[str, ...]


def read_changes(folder: Path) -> dict[str, Change] | None:
    """Return what the backend in `folder` says of each change; None where it has no folder `changes`.

    Raises InputError where a change is not answered, or its patches do not go with the answer.
    """
    home = folder / FOLDER
    if not home.is_dir():
        return None
    table = read_model(Changes, read(home / FILE), str(home / FILE))
    said: dict[str, Change] = {change: getattr(table, change) for change in CHANGES}
    allowed = {f"{change}.{state}.patch" for change, each in said.items() if each.answer == "patch" for state in STATES}
    for path in sorted(home.iterdir()):
        if path.name != FILE and path.name not in allowed:
            raise InputError(
                f"{path}: expected {FILE} and a CHANGE.before.patch or CHANGE.after.patch for an answer "
                f'"patch" in it, and nothing else.'
            )
    for change, each in said.items():
        conventions = CONVENTIONS.get(change, {})
        if each.convention and each.convention not in conventions:
            raise InputError(
                f"{home / FILE}: `{change}.convention`: expected {' or '.join(conventions) or 'none'}, "
                f"got {each.convention!r}."
            )
        if each.answer == "patch" and not any(patch_of(folder, change, state) for state in STATES):
            raise InputError(
                f'{home}: `{change}` is answered "patch", and there is neither {change}.before.patch nor '
                f"{change}.after.patch."
            )
    return said


def patch_of(folder: Path, change: str, state: str) -> Path | None:
    """Return the patch that makes this state of the backend; None where that is the backend as it stands."""
    path = folder / FOLDER / f"{change}.{state}.patch"
    return path if path.is_file() else None


def costs(folder: Path, model: str, import_names: tuple[str, ...]) -> list[Cost]:
    """Return what each change costs; nothing where the backend says nothing of any.

    Raises InputError as `read_changes` and `patched` do, and for a patch that changes no token.
    """
    said = read_changes(folder) or {}
    return [_cost(folder, model, import_names, change, each) for change, each in said.items()]


def _cost(folder: Path, model: str, import_names: tuple[str, ...], change: str, said: Change) -> Cost:
    head = (change, said.answer, said.what, said.documentation)
    if said.answer == "not possible":
        return Cost(*head, None, None)
    if said.answer == "nothing":
        return Cost(*head, 0, 0)
    before, after = (patched(folder, model, patch_of(folder, change, state)) for state in STATES)
    tokens, caller = (_distance(name, before[name], after[name]) for name in (model, CALLER))
    if tokens == caller == 0:
        raise InputError(
            f"{folder / FOLDER}: the patches of `{change}` change no token. If nothing need be said, say "
            f'so in {FILE}: answer = "nothing".'
        )
    new = _names(after, import_names) - _names(before, import_names)
    return Cost(*head, tokens, caller, tuple(sorted(new)))


def records(found: Sequence[Cost]) -> Iterator[tuple[Figure, int | None, dict[str, Any]]]:
    """Yield (figure, value, keys) for every change that was answered."""
    for cost in found:
        keys = {
            "change": cost.change, "answer": cost.answer, "what": cost.what, "documentation": cost.documentation
        }  # fmt: skip
        counted = {} if cost.tokens is None else {"caller": cost.caller, "names": cost.names}
        yield CHANGE, cost.tokens, {**keys, **counted}


# Counting

_formatted = functools.lru_cache(maxsize=64)(formatted)


def _distance(name: str, before: str, after: str) -> int | None:
    if before == after:
        return 0
    old, new = _tokens(name, before), _tokens(name, after)
    return None if old is None or new is None else distance(old, new)


def _tokens(name: str, source: str) -> list[str] | None:
    if name.endswith(".py"):
        return [token.text for token in _formatted(source, name).tokens]
    found = foreign_tokens(source, name)
    return None if found is None else [token.text for token in found if token.counts]


def _names(files: dict[str, str], import_names: tuple[str, ...]) -> set[str]:
    trees = [_formatted(source, name).tree for name, source in files.items() if name.endswith(".py")]
    return {name for tree in trees for name in Names(tree, import_names).framework_names()}


def distance(old: Sequence[str], new: Sequence[str]) -> int:
    """Return how many tokens must be deleted and inserted, at the least, to make `new` of `old` (Myers 1986)."""
    # By diagonal (a place in `old` less the place in `new`): how far into `old` so many edits can reach.
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
    raise AssertionError("to delete all and insert all is always enough")


# Patching


def patched(folder: Path, model: str, patch: Path | None) -> dict[str, str]:
    """Return the text of the model and of the adapter in `folder`, with the patch applied where there is one.

    Raises InputError, with the file and the number of the hunk, for anything that does not fit exactly.
    """
    files = {name: read(folder / name) for name in (model, CALLER)}
    if patch is not None:
        for name, hunks in parse(read(patch), str(patch)).items():
            if name not in files:
                raise InputError(f"{patch}: changes {name}: expected {model} and {CALLER} alone.")
            files[name] = apply(files[name], hunks, name, str(patch))
    return files


def write_changed(folder: Path, model: str, patch: Path | None, parent: Path) -> Path:
    """Write a copy of the backend, with the patch applied, as a folder of the same name in `parent`; return it."""
    files = patched(folder, model, patch)
    copy = Path(shutil.copytree(folder, parent / folder.name, ignore=shutil.ignore_patterns(FOLDER, "__pycache__")))
    for name, text in files.items():
        (copy / name).write_text(text, encoding="utf-8")
    return copy


def parse(text: str, name: str) -> dict[str, list[Hunk]]:
    """Return the hunks of a unified diff, by file. Raises InputError for what is none, with the line."""
    files: dict[str, list[Hunk]] = {}
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    number = 0
    while number < len(lines):
        heads = [
            re.fullmatch(rf"{sign} {side}/(\S+)(\t.*)?", line)
            for sign, side, line in zip(("---", r"\+\+\+"), "ab", (*lines[number : number + 2], "", ""), strict=False)
        ]
        if not heads[0] or not heads[1] or heads[0][1] != heads[1][1]:
            raise InputError(f"{name}:{number + 1}: expected `--- a/FILE` and `+++ b/FILE`, got {lines[number]!r}")
        number += 2
        hunks = files.setdefault(heads[0][1], [])
        while number < len(lines) and not lines[number].startswith("--- "):
            hunk, number = _hunk(lines, number, name)
            hunks.append(hunk)
        if not hunks:
            raise InputError(f"{name}:{number}: expected a hunk, `@@ -1,3 +1,3 @@`, got none")
    if not files:
        raise InputError(f"{name}: expected a unified diff, got nothing")
    return files


def _hunk(lines: list[str], number: int, name: str) -> tuple[Hunk, int]:
    """Return the hunk that begins at this line, and the number of the line after it."""
    head = re.match(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@", lines[number])
    if not head:
        raise InputError(f"{name}:{number + 1}: expected a hunk, `@@ -1,3 +1,3 @@`, got {lines[number]!r}")
    wanted = [int(head[2] or 1), int(head[3] or 1)]
    old: list[str] = []
    new: list[str] = []
    begun = number + 1
    number += 1
    while [len(old), len(new)] != wanted:
        # An editor may have cut the blank that stands for a blank line.
        line = (lines[number] or " ") if number < len(lines) else "@@"
        if line[0] not in " +-" or len(old) > wanted[0] or len(new) > wanted[1]:
            raise InputError(
                f"{name}:{begun}: the hunk promises {wanted[0]} lines and {wanted[1]} after it, and has "
                f"{len(old)} and {len(new)}"
            )
        if line[0] in " -":
            old.append(line[1:])
        if line[0] in " +":
            new.append(line[1:])
        number += 1
    # Nothing to be found: what is put in comes after the line that is named.
    start = int(head[1]) + (0 if old else 1)
    return Hunk(start, tuple(old), tuple(new)), number


def apply(source: str, hunks: Sequence[Hunk], file: str, patch: str) -> str:
    """Return `source` with the hunks applied, each at its line, to the letter. Raises InputError where one is not."""
    lines = source.split("\n")
    result: list[str] = []
    done = 0
    for number, hunk in enumerate(hunks, start=1):
        begin, end = hunk.start - 1, hunk.start - 1 + len(hunk.old)
        there = lines[begin:end]
        if begin < done or there != list(hunk.old):
            off = next((i for i, line in enumerate(hunk.old) if i >= len(there) or there[i] != line), 0)
            found = repr(there[off]) if off < len(there) else "the end of the file"
            wanted = repr(hunk.old[off]) if hunk.old else "a place after the hunk before it"
            raise InputError(
                f"{patch}: hunk {number} does not apply to {file}: expected {wanted} at line "
                f"{hunk.start + off}, found {found}. The file was changed: make the patch anew."
            )
        result += [*lines[done:begin], *hunk.new]
        done = end
    return "\n".join([*result, *lines[done:]])
