"""Reads files of pins: the requirements files of pip, with a version and hashes for each package.

A line that ends with a backslash goes on with the next, as pip and uv write hashes.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement

_HASH = re.compile(r"\s--hash=(\S+)")
_SOURCE = re.compile(r"--no-binary[ =](\S+)")


class Line(NamedTuple):
    """A line of a file of pins, with those that continue it and without its comment."""

    number: int
    """That of its first line in the file, from 1."""
    text: str
    """The requirement or the option, without hashes."""
    hashes: tuple[str, ...]
    """Of every file of the release, such as "sha256:9f86...": the file that is installed must have one of them."""

    @property
    def is_option(self) -> bool:
        """Whether it is an option of pip, such as `--no-binary NAME`."""
        return self.text.startswith("-")

    @property
    def written(self) -> str:
        """The line as pip reads it, with its hashes."""
        return " ".join((self.text, *(f"--hash={each}" for each in self.hashes)))

    @property
    def requirement(self) -> Requirement:
        """What it requires. Raises InvalidRequirement for a path, a link, or what is none."""
        return Requirement(self.text)

    @property
    def version(self) -> str | None:
        """The version that it pins by `==`; None where it pins none."""
        try:
            found = self.requirement.specifier
        except InvalidRequirement:
            return None
        return next((each.version for each in found if each.operator == "=="), None)


def read_pins(path: Path) -> list[Line]:
    """Return the lines of a file of pins, but no empty ones; what is no UTF-8 in it, pip reports when it installs."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return list(_parse(text.splitlines()))


def is_hashed(lines: list[Line]) -> bool:
    """Return whether the file has hashes: pip then requires one for each package."""
    return any(line.hashes for line in lines)


def split_unhashed(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """Return the lines with hashes and those without; the options belong to both."""
    return (
        [line for line in lines if line.is_option or line.hashes],
        [line for line in lines if line.is_option or not line.hashes],
    )


def built_from_source(lines: list[Line]) -> list[str]:
    """Return the packages that are installed from source, by their `--no-binary` lines: they were published as such."""
    return [name for line in lines if line.is_option for name in _SOURCE.findall(line.text)]


def _parse(physical: list[str]) -> Iterator[Line]:
    begun, parts = 0, ""
    for number, each in enumerate(physical, start=1):
        # pip takes a # for a comment only at the beginning or after a space: links have fragments.
        content = re.sub(r"(^|\s)#.*$", "", each).rstrip()
        begun = begun if parts else number
        parts += content.removesuffix("\\") + " "
        if not content.endswith("\\"):
            if parts.strip():
                yield _line(begun, parts)
            parts = ""
    if parts.strip():
        yield _line(begun, parts)


def _line(number: int, joined: str) -> Line:
    return Line(number, " ".join(_HASH.sub(" ", f" {joined}").split()), tuple(_HASH.findall(f" {joined}")))
