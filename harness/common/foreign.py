"""Text from somebody else, made safe to keep and to print: a worker's messages, a run folder's names, a file's cells.

Such text can hold lone surrogates, which no file and no terminal takes; control characters, which command a terminal;
and more characters than anybody reads.
"""

import re
from typing import Any

MOST_CHARACTERS = 4_000
"""Of a text that is kept, where the caller names no other limit."""
UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but for the tab and the end of a line
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # they change the direction in which text is shown
    "\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"  # line ends of other kinds, and what is no character
)
LINE_ENDS = re.compile("[\t\n]")


def make_safe(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return the text with unsafe characters written as escapes, and with about `most` characters at most.

    What is left out of the middle is counted in its place. The result is valid UTF-8.
    """
    if len(text) > most:
        head, tail = most * 2 // 3, most // 3
        left_out = len(text) - head - tail
        text = f"{text[:head]} [... {left_out:,} characters left out ...] {text[len(text) - tail :]}"
    return UNSAFE.sub(_escape, text)


def make_line(text: str, most: int = MOST_CHARACTERS) -> str:
    """Return the text as `make_safe` does, on one line: tabs and line ends are escapes, too."""
    return LINE_ENDS.sub(_escape, make_safe(text, most))


def make_all_safe(value: Any, most: int = MOST_CHARACTERS) -> Any:
    """Return a JSON value with every text in it, and every key, made safe."""
    if isinstance(value, str):
        return make_safe(value, most)
    if isinstance(value, dict):
        return {make_safe(str(key), most): make_all_safe(each, most) for key, each in value.items()}
    if isinstance(value, list):
        return [make_all_safe(each, most) for each in value]
    return value


def find_unsafe(value: Any) -> str | None:
    """Return the first text in a JSON value that holds an unsafe character; None where there is none."""
    if isinstance(value, str):
        return value if UNSAFE.search(value) else None
    parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return next((found for part in parts if (found := find_unsafe(part)) is not None), None)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    named = {9: "\\t", 10: "\\n", 13: "\\r"}.get(code)
    return named or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d.,]*(?:[eE][+-]?\d+)?$)")
"""The beginning of a text that a spreadsheet computes; a number with its sign is none, nor is a dash alone."""


def guard_formula(value: Any) -> Any:
    """Return a value for a cell of a CSV file: a text that a spreadsheet would compute has an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value
