"""How values are written for people: three significant digits, a unit, an interval; and tables as Markdown."""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd

from ..common.foreign import guard_formula
from ..common.statistics import Interval
from ..measures.agreement import case

MANY_FLOORS = 10_000
"""A rounding error of more floors is an error of another kind: how many they are says nothing more."""
FLOORS_IN_TEXT = re.compile(r"(\d[\d,]*(?:\.\d+)?|inf) floors")
ESCAPED = r"\\\g<0>"
STARTS_MARKUP = re.compile(r"\||<(?=[A-Za-z/!?])|(?<=\])\(|!(?=\[)")
TAG = re.compile(r"<(?=[A-Za-z/!?])")
ABSENT = "-"
"""What a table shows where there is no value."""


def to_markdown(table: pd.DataFrame) -> str:
    """Return the table as Markdown; a sentence where it has no rows."""
    if not len(table):
        return "Nothing to show."
    columns = [[escape_markdown(str(name)), *_write_cells(mine.tolist(), mine.isna())] for name, mine in table.items()]
    together = "".join("".join(column) for column in columns)
    if together.isascii() and "\n" not in together:
        return _lay_out_markdown(columns)
    cells = pd.DataFrame({column[0]: column[1:] for column in columns})
    return str(cells.to_markdown(index=False, disable_numparse=True))


def _write_cells(values: Sequence[Any], empties: Iterable[bool]) -> Iterator[str]:
    """Yield each value as a cell of a Markdown table; the same text is escaped once."""
    escaped: dict[str, str] = {}
    for value, empty in zip(values, empties, strict=True):
        if empty:
            yield ""
            continue
        text = str(value)
        if text not in escaped:
            escaped[text] = escape_markdown(text)
        yield escaped[text]


def escape_markdown(text: str) -> str:
    """Return a text as a cell of a Markdown table: data, which begins no column, no tag, no link and no line."""
    return STARTS_MARKUP.sub(ESCAPED, " ".join(text.splitlines()) if "\n" in text else text)


def to_csv(table: pd.DataFrame) -> str:
    """Return the raw values as CSV. A text that a spreadsheet would take for a formula has an apostrophe before it."""
    # The same as pandas writes, in a third of the time. A row of one empty cell must not be an empty line.
    empty = "" if table.shape[1] > 1 else '""'
    columns = [[cell or empty for cell in _list_cells(column)] for _, column in table.items()]
    return "".join([f"{','.join(row)}\n" for row in [map(_quote, map(str, table)), *zip(*columns, strict=True)]])


def _list_cells(column: "pd.Series[Any]") -> list[str]:
    """Return the values of a column as cells of a CSV file: nothing where one is missing, a formula guarded."""
    values = column.tolist()
    if column.dtype.kind in "biuf":
        cells = [*map(str, values)]
    else:
        cells = [_write_text(each) if isinstance(each, str) else _quote(str(each)) for each in values]
    missing = column.isna()
    return ["" if no else cell for cell, no in zip(cells, missing, strict=True)] if missing.any() else cells


@lru_cache(maxsize=4096)
def _write_text(text: str) -> str:
    return _quote(guard_formula(text))


def _quote(text: str) -> str:
    """Return a text as a cell of a CSV file, in quotes where it needs them."""
    written = io.StringIO()
    csv.writer(written).writerow([text, ""])
    return written.getvalue().removesuffix(",\r\n")


def _lay_out_markdown(columns: list[list[str]]) -> str:
    """Return what tabulate makes of columns of one-line cells, the heading first: it takes 50 times as long."""
    padded = []
    for column in columns:
        stripped = [each.strip() for each in column]
        width = max(len(stripped[0]) + 2, *map(len, stripped))
        padded.append([each.ljust(width) for each in stripped])
        padded[-1].insert(1, f":{'-' * (width + 1)}")
    heading, rule, *rows = zip(*padded, strict=True)
    return "\n".join([f"| {' | '.join(heading)} |", f"|{'|'.join(rule)}|", *(f"| {' | '.join(row)} |" for row in rows)])


def to_bullets(sentences: Iterable[str]) -> str:
    """Return the sentences as a Markdown list."""
    return "\n".join(f"- {TAG.sub(ESCAPED, sentence)}" for sentence in sentences)


def format_or_dash(value: Any, write: Callable[[Any], str]) -> str:
    """Return the value as `write` writes it; a dash where there is none."""
    return ABSENT if pd.isna(value) else write(value)


def format_number(value: float) -> str:
    """Return a number with three significant digits: 1.47, 15.2, 402,000."""
    return f"{value:.{_decimals(value)}f}" if abs(value) < 1000 else _format_large(value)


def _format_large(value: float) -> str:
    if not math.isfinite(value):
        return f"{value:.0f}"
    return f"{round(value, 2 - math.floor(math.log10(abs(value)))):,.0f}"


def _decimals(value: float) -> int:
    """Return how many decimals show three significant digits."""
    if not math.isfinite(value) or value == 0:
        return 0
    return max(0, 2 - math.floor(math.log10(abs(value))))


def format_interval(
    interval: Interval, write: Callable[[float], str] | None = None, decimals: int | None = None
) -> str:
    """Return an estimate with its 95 % interval in brackets: 1.47 [1.43, 1.52].

    `write` writes each of the three, such as `format_time`. Without it the estimate has three significant digits, or
    `decimals`, and its interval has as many decimals.
    """
    if write is None:
        places = _decimals(interval.estimate) if decimals is None else decimals

        def write(value: float) -> str:
            return f"{value:,.{places}f}"

    estimate, low, high = (write(value) for value in interval)
    return f"{estimate} [{low}, {high}]"


def format_time(seconds: float) -> str:
    """Return a time with three significant digits, in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def format_seconds(seconds: float) -> str:
    """Return a time in seconds with two decimals."""
    return f"{seconds:.2f} s"


def format_whole_seconds(seconds: float) -> str:
    """Return a time in whole seconds."""
    return f"{seconds:,.0f} s"


def format_size(size: float) -> str:
    """Return bytes in megabytes."""
    return f"{size / 1e6:,.0f} MB"


def format_share(share: float) -> str:
    """Return a share of 1 in per cent."""
    return f"{share:.1%}"


def format_count(number: float) -> str:
    """Return a whole number."""
    return f"{number:,.0f}"


def format_floors(floors: float) -> str:
    """Return a rounding error in floors."""
    return f"> {MANY_FLOORS:,}" if floors > MANY_FLOORS else case.format_floors(floors)


def shorten_floors(sentence: str) -> str:
    """Return a recorded sentence with every count of floors written as `format_floors` writes it."""

    def shorten(found: re.Match[str]) -> str:
        floors = float(found[1].replace(",", ""))
        return f"{format_floors(floors) if floors > MANY_FLOORS else found[1]} floors"

    return FLOORS_IN_TEXT.sub(shorten, sentence)


def count_things(number: int, thing: str) -> str:
    """Return a number of things in words: 1 thread, 2 threads."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def join_words(words: Sequence[str], conjunction: str = "and") -> str:
    """Return the words as a list in a sentence: a, b and c."""
    return f" {conjunction} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
