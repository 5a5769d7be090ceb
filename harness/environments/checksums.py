"""Verifies files against the SHA-256 checksums that a backend pins."""

import hashlib
from pathlib import Path

from ..registry.entries import Entry
from .environment import BuildFailed, BuildLog


def compute_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_sha256(entry: Entry, path: Path, expected: str, log: BuildLog) -> None:
    """Raise BuildFailed where the SHA-256 of a file is not the expected one."""
    found = compute_sha256(path)
    if found != expected:
        reason = f"{entry.label}: {path.name} has the SHA-256 {found}, expected {expected}: it is not the pinned file"
        raise BuildFailed(reason, log.path, log.lines)


def read_lines(path: Path) -> list[list[str]]:
    """Return the words of each line of a lock file, without empty lines and comments."""
    lines = (line.partition("#")[0].split() for line in path.read_text(encoding="utf-8").splitlines())
    return [words for words in lines if words]
