"""A table of a run as `bakeoff table` writes it: chosen columns and order, in the formats of papers and programs.

pandas writes every format. Columns have the names of `summary.csv`, in every format.
"""

import html
import io
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from ..common.errors import InputError
from ..common.toml import nearest
from .report import Report
from .tables.summary import HEADINGS
from .text import ABSENT, format_or_dash, format_size, format_time, to_bullets, to_csv, to_markdown

RAW = ("csv", "parquet", "json")
"""The formats of raw values: seconds, bytes, shares. The others are written for people."""

READABLE = {
    "backend": "backend", "variant": "backend", "version": "version", "correct": "correct", "worst_floors": "correct",
    "validation_accuracy": "validation", "test_accuracy": "test", "first_call_s": "first_call", "step_s": "step",
    "times_fastest": "times_fastest", "examples_per_s": "examples", "peak_memory_bytes": "memory",
    "import_s": "import", "tokens": "tokens", "api_names": "api_names", "licence": "licence",
}  # fmt: skip
"""By column of raw values, the column of the summary for people that has it."""


class Table(NamedTuple):
    """A table of a run, in the chosen order."""

    raw: pd.DataFrame
    readable: pd.DataFrame
    notes: list[str]
    """The sentences that stand over it."""


def select(report: Report, speed: bool, columns: Sequence[str] = (), sort: str = "", raw: bool = False) -> Table:
    """Return the summary, or with `speed` everything that was timed, in its own order or sorted by a column.

    `columns` are those to keep; none keeps all. `sort` is a column, with `-` before it for the largest first; rows
    without a value come last. `raw`: whether the raw values are wanted. Raises InputError for an unknown column.
    """
    values = report.speed() if speed else report.summary()
    readable = report.readable_speed() if speed else report.readable_summary()
    notes = [*report.notes(), report.SPEED_CAPTION] if speed else report.notes()
    for name in (*columns, *([sort.removeprefix("-")] if sort else ())):
        if name not in values:
            raise InputError(
                f"no column `{name}` in this table. {nearest(name, [str(each) for each in values.columns])}"
            )
    if sort:
        order = values[sort.removeprefix("-")].sort_values(ascending=not sort.startswith("-"), kind="stable").index
        values, readable = values.loc[order], readable.loc[order]
    if columns and speed and not raw:
        raise InputError(f"--columns with --speed needs a format of raw values: --format {', '.join(RAW)}.")
    if columns and not raw:
        readable = _select_readable(values, readable, columns)
    if columns:
        values = values[list(dict.fromkeys(columns))]
    return Table(values, readable, notes)


def _select_readable(values: pd.DataFrame, readable: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return the columns for people; one that the summary does not show is written by its unit."""
    chosen = {HEADINGS["backend"]: readable[HEADINGS["backend"]]}
    for name in columns:
        if name in READABLE:
            heading = HEADINGS[READABLE[name]]
            chosen[heading] = readable[heading]
        else:
            chosen[name] = values[name].map(lambda value, name=name: _write(name, value))
    return pd.DataFrame(chosen)


def _write(name: str, value: Any) -> str:
    if name.endswith(("_s", "_s_low", "_s_high")):
        return format_or_dash(value, format_time)
    if name.endswith("_bytes"):
        return format_or_dash(value, format_size)
    return format_or_dash(value, lambda known: f"{known:.3g}" if isinstance(known, float) else str(known)) or ABSENT


def render(table: Table, form: str) -> str:
    """Return the table as text: markdown, csv, html or latex."""
    if form == "csv":
        return to_csv(table.raw)
    if form == "markdown":
        return f"{to_bullets(table.notes)}\n\n{to_markdown(table.readable)}\n"
    if form == "html":
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in table.notes)
        written = table.readable.to_html(index=False, escape=True, border=0, na_rep=ABSENT)
        return f"<ul>{notes}</ul>\n{written}\n"
    aligned = "l" + "r" * (len(table.readable.columns) - 1)
    latex = table.readable.to_latex(index=False, escape=True, na_rep=ABSENT, column_format=aligned)
    comments = "".join(f"% {' '.join(note.split())}\n" for note in table.notes)
    return f"{comments}{latex}"


def to_parquet(table: Table) -> bytes:
    """Return the raw values as a parquet file, with the notes in its metadata."""
    plain = table.raw.map(lambda value: json.dumps(value) if isinstance(value, dict | list) else value)
    plain.attrs["notes"] = table.notes
    buffer = io.BytesIO()
    plain.to_parquet(buffer, index=False)
    return buffer.getvalue()
