"""Unified diffs: parsing them, and applying them exactly or not at all."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from ...common.errors import InputError


class Hunk(NamedTuple):
    """One hunk of a patch: the lines expected from line `start` on, and the lines that replace them."""

    start: int
    old: tuple[str, ...]
    new: tuple[str, ...]


def parse_patch(text: str, name: str) -> dict[str, list[Hunk]]:
    """Return the hunks of a unified diff, by file. Raises InputError, with the line, for any other text."""
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
            hunk, number = _parse_hunk(lines, number, name)
            hunks.append(hunk)
        if not hunks:
            raise InputError(f"{name}:{number}: expected a hunk, `@@ -1,3 +1,3 @@`, got none")
    if not files:
        raise InputError(f"{name}: expected a unified diff, got an empty file")
    return files


def _parse_hunk(lines: list[str], number: int, name: str) -> tuple[Hunk, int]:
    """Return the hunk that starts at this line, and the number of the line after the hunk."""
    head = re.match(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@", lines[number])
    if not head:
        raise InputError(f"{name}:{number + 1}: expected a hunk, `@@ -1,3 +1,3 @@`, got {lines[number]!r}")
    wanted = [int(head[2] or 1), int(head[3] or 1)]
    old: list[str] = []
    new: list[str] = []
    begun = number + 1
    number += 1
    while [len(old), len(new)] != wanted:
        # A blank line of context is a single space, which some editors remove.
        line = (lines[number] or " ") if number < len(lines) else "@@"
        if line[0] not in " +-" or len(old) > wanted[0] or len(new) > wanted[1]:
            raise InputError(
                f"{name}:{begun}: the hunk declares {wanted[0]} lines before the change and {wanted[1]} after it, "
                f"and its body has {len(old)} and {len(new)}. Make the patch again with diff -u."
            )
        if line[0] in " -":
            old.append(line[1:])
        if line[0] in " +":
            new.append(line[1:])
        number += 1
    # A hunk without old lines inserts after the line that its header names.
    start = int(head[1]) + (0 if old else 1)
    return Hunk(start, tuple(old), tuple(new)), number


def apply_patch(source: str, hunks: Sequence[Hunk], file: str, patch: str) -> str:
    """Return `source` with every hunk applied at its line. Raises InputError where the lines differ from the hunk's."""
    lines = source.split("\n")
    result: list[str] = []
    done = 0
    for number, hunk in enumerate(hunks, start=1):
        begin, end = hunk.start - 1, hunk.start - 1 + len(hunk.old)
        there = lines[begin:end]
        if begin < done or there != list(hunk.old):
            off = next((i for i, line in enumerate(hunk.old) if i >= len(there) or there[i] != line), 0)
            found = repr(there[off]) if off < len(there) else "the end of the file"
            wanted = repr(hunk.old[off]) if hunk.old else "a line after the previous hunk"
            raise InputError(
                f"{patch}: hunk {number} does not apply to {file}: expected {wanted} at line "
                f"{hunk.start + off}, found {found}. The file has changed: make the patch again."
            )
        result += [*lines[done:begin], *hunk.new]
        done = end
    return "\n".join([*result, *lines[done:]])
