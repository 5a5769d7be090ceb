"""Reads the files in which Linux shows the state of the machine."""

from pathlib import Path


class Unreadable(Exception):
    """The system does not show a value; the message says what is missing."""


def read_word(path: Path) -> str:
    """Return the text of a file without the space around it. Raises Unreadable."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        raise Unreadable(f"no {_system_path(path)}") from None


def read_number(path: Path) -> float:
    """Return the number in a file. Raises Unreadable."""
    word = read_word(path)
    try:
        return float(word)
    except ValueError:
        raise Unreadable(f"{_system_path(path)} says {word!r}") from None


def _system_path(path: Path) -> str:
    """Return the path as the system has it, whatever folder stands for its root."""
    parts = path.parts
    start = next((place for place, part in enumerate(parts) if part in ("sys", "proc")), 0)
    return "/" + "/".join(parts[start:]).lstrip("/")
