"""How messages name columns, classes and other lists of words."""

import difflib
from collections.abc import Sequence


def unknown(what: str, name: str, names: list[str]) -> str:
    """Say that there is no such name, and which one may have been meant, or which there are."""
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean `{close[0]}`?" if close else f"It has {quoted(names) or 'none'}."
    return f"no {what} `{name}`. {hint}"


def quoted(names: Sequence[str]) -> str:
    """Return the names in backquotes, as `some`."""
    return some([f"`{name}`" for name in names])


def some(items: Sequence[str]) -> str:
    """Return the first ten items, and how many more there are."""
    more = f" and {len(items) - 10} more" if len(items) > 10 else ""
    return ", ".join(items[:10]) + more
