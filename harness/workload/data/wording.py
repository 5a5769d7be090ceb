"""Phrases in messages: unknown names, and lists of names."""

import difflib
from collections.abc import Sequence


def explain_unknown_name(what: str, name: str, names: list[str]) -> str:
    """Return a sentence: there is no such name, and the most similar name or all names."""
    close = [each for each in names if each.strip().casefold() == name.strip().casefold()]
    close = close or difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean `{close[0]}`?" if close else f"It has {quote_names(names) or 'none'}."
    return f"no {what} `{name}`. {hint}"


def quote_names(names: Sequence[str]) -> str:
    """Return the names in backquotes, shortened as by `shorten_list`."""
    return shorten_list([f"`{name}`" for name in names])


def shorten_list(items: Sequence[str]) -> str:
    """Return the first ten items, and the number of the others."""
    more = f" and {len(items) - 10} more" if len(items) > 10 else ""
    return ", ".join(items[:10]) + more
