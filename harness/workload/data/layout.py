"""How a text file lays out its table: the separator, the decimal mark and the header, found or as the spec says."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from ...common.errors import InputError
from ..spec import DataSpec
from .missing import TEXTS
from .wording import quote_names

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
BLANKS = " "
"""Stands for any number of blanks between cells."""
INITIAL_QUOTE = re.compile(r'[,;\t|] +"')
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
COMMA_NUMBER = re.compile(r"[-+]?(\d+,?\d*|,\d+)([eE][-+]?\d+)?")
LIBSVM = re.compile(r"\S+( +\d+:[-+.\deE]+)+\s*")
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+")

Rows = list[list[str]]


class Layout(NamedTuple):
    """How a text file lays out its table."""

    separator: str
    decimal: str
    names: tuple[str, ...]
    skip: int
    """The lines above the first row, the header among them."""
    numeric: tuple[bool, ...]
    """Whether the first rows of a column hold numbers only."""
    looks_like_rows: bool
    """Whether the header looks like a row of data."""
    notes: tuple[str, ...]


def split_cells(lines: Sequence[str] | Iterator[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of its last line, from 1, and the cells of each row that is not blank."""
    if separator == BLANKS:
        yield from ((number, line.split()) for number, line in enumerate(lines, 1) if line.strip())
        return
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    for cells in reader:
        if cells and (len(cells) > 1 or cells[0].strip()):
            yield reader.line_num, cells


def find_layout(name: str, head: str, spec: DataSpec, suffix: str) -> Layout:
    """Return the layout of the table that begins with `head`, whole lines of text; `name` is the file's, for messages.

    Raises InputError where the layout is ambiguous and the spec does not say it.
    """
    lines = io.StringIO(head, newline="").readlines()
    above, told, notes = _skip_preamble(lines, spec)
    body = lines[above:]
    if next((LIBSVM.fullmatch(line) for line in body if line.strip()), None):
        raise InputError(
            f"{name}: this is a LIBSVM file (a label, and pairs of a column and its value). Save the table as an .npz "
            "file: numpy.savez(FILE, x=x, y=y), with x of scikit-learn's `load_svmlight_file`, made dense."
        )
    separator = spec.separator or told or _find_separator(name, body, suffix)
    try:
        numbered = list(split_cells(body, separator))
    except csv.Error as error:
        raise InputError(f"{name}: not a regular table of text: {error}.") from None
    rows = [cells for _, cells in numbered]
    if not rows:
        raise InputError(f"{name}: expected a column of labels and at least one feature, got no columns.")
    _check_title(name, numbered, above)
    if max(map(len, rows)) < 2:
        raise InputError(
            f"{name}: expected a column of labels and at least one feature, got only one column. "
            "If another character separates the cells, set `data.separator`."
        )
    found = separator != ("\t" if suffix == ".tsv" else ",") and not spec.separator and not told
    if found:
        notes.append(f"The cells are separated by {SEPARATORS.get(separator, 'blanks')}.")
    data = rows[1:] if spec.header else rows
    decimal = spec.decimal or _find_decimal(name, data)
    if decimal == "," and not spec.decimal:
        notes.append("The decimal mark is the comma.")
    width = len(rows[0])
    # A separator at the end of each row, but not of the header, makes an empty column.
    if spec.header and data and {len(cells) for cells in data} == {width + 1} and not any(c[-1].strip() for c in data):
        width += 1
    names = [*rows[0], *([""] * (width - len(rows[0])))] if spec.header else [str(number) for number in range(width)]
    skip = above + (numbered[0][0] if spec.header else 0)
    doubtful = spec.header and looks_like_row(rows[0], data, decimal)
    numeric = tuple(_is_numeric([row[n] for row in data if n < len(row)], decimal) for n in range(width))
    return Layout(separator, decimal, tuple(cell.strip() for cell in names), skip, numeric, doubtful, tuple(notes))


def _skip_preamble(lines: list[str], spec: DataSpec) -> tuple[int, str, list[str]]:
    """Return the number of lines above the header, the separator that they tell, and notes on them."""
    above = spec.skip_lines
    if above:
        return above, "", [f"The first {above} lines are left out, as `data.skip_lines` says."]
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    match = re.fullmatch(r'"?sep=([,;|\t])"?\s*', lines[first], re.IGNORECASE) if lines else None
    if match:
        return first + 1, match[1], [f"Line {first + 1} says that the separator is `{match[1]}`."]
    comments = first
    while comments < len(lines) and lines[comments].startswith("#"):
        comments += 1
    if comments == first or comments == len(lines):
        return 0, "", []
    # The last line with a # may be the header: it then has as many cells as the next line.
    last, following = lines[comments - 1], lines[comments]
    if any(mark in last and last.count(mark) == following.count(mark) for mark in SEPARATORS):
        comments -= 1
    if comments == first:
        return 0, "", []
    return comments, "", [f"{comments - first} lines of comment above the header are left out."]


def _find_separator(name: str, lines: list[str], suffix: str) -> str:
    readings = {}
    for separator in SEPARATORS:
        rows = _read(lines, separator)
        widths = {len(cells) for cells in rows}
        if len(widths) == 1 and max(widths) > 1:
            readings[separator] = rows
    if suffix == ".tsv" and "\t" in readings:
        return "\t"
    sensible = [separator for separator, rows in readings.items() if _makes_sense(separator, rows, list(readings))]
    candidates = sensible or list(readings)
    if len(candidates) > 1:
        found = " or ".join(SEPARATORS[separator] for separator in candidates)
        raise InputError(
            f"{name}: the cells may be separated by {found}: both give a regular table. Set `data.separator`."
        )
    if candidates:
        return candidates[0]
    return _find_irregular_separator(lines)


def _find_irregular_separator(lines: list[str]) -> str:
    """Return the separator with which most rows have the same number of cells, for a message about the others."""
    blanks = [line.split() for line in lines if line.strip()]
    best, share = ",", 0.0
    for separator in SEPARATORS:
        widths = [len(cells) for cells in _read(lines, separator)]
        usual = max(set(widths), key=widths.count, default=0)
        if usual > 1 and widths.count(usual) / len(widths) > share:
            best, share = separator, widths.count(usual) / len(widths)
    regular = len({len(cells) for cells in blanks}) == 1 and len(blanks[0]) > 1
    numeric = sum(bool(NUMBER.fullmatch(cell)) for cells in blanks[1:] for cell in cells)
    if share < 1 and regular and numeric >= sum(len(cells) - 1 for cells in blanks[1:]) and len(blanks) > 1:
        return BLANKS
    if not share and lines:
        # No two rows agree: the header may still show the separator.
        return max(SEPARATORS, key=lines[0].count)
    return best


def _read(lines: list[str], separator: str) -> Rows:
    try:
        return [cells for _, cells in split_cells(lines, separator)]
    except csv.Error:
        return []


def _makes_sense(separator: str, rows: Rows, others: list[str]) -> bool:
    """Whether no cell holds another separator, except the comma of a decimal number."""
    for cells in rows[1:] or rows:
        for cell in cells:
            for other in others:
                decimal = other == "," and COMMA_NUMBER.fullmatch(cell.strip())
                if other != separator and other in cell and not decimal:
                    return False
    return True


def _check_title(name: str, numbered: list[tuple[int, list[str]]], above: int) -> None:
    """Raise InputError for a line above the header that is no row of the table."""
    widths = [len(cells) for _, cells in numbered]
    title = next((number for number, width in enumerate(widths) if width > 1), 0)
    if title and len(set(widths[title:])) == 1 and len(widths) > title + 1:
        lines = above + numbered[title][0] - 1
        raise InputError(
            f"{name}: line {above + numbered[0][0]} is not the header: it has 1 cell, the table below has "
            f"{widths[title]}. Remove what stands above the header, or set `data.skip_lines` = {lines}."
        )


def _find_decimal(name: str, rows: Rows) -> str:
    """Return the decimal mark. Raises InputError where numbers with commas can be read in two ways."""
    cells = [cell.strip() for row in rows for cell in row]
    commas = [cell for cell in cells if "," in cell and COMMA_NUMBER.fullmatch(cell)]
    points = [cell for cell in cells if "." in cell and NUMBER.fullmatch(cell)]
    if not commas or points:
        return "."
    if all(THOUSANDS.fullmatch(cell) for cell in commas):
        raise InputError(
            f"{name}: {commas[0]!r} may be a decimal comma or a thousands separator. "
            'Set `data.decimal` to "," or write the numbers without thousands separators (`data.decimal` = "." then '
            "reads such a cell as text)."
        )
    return ","


def _is_numeric(cells: list[str], decimal: str) -> bool:
    present = [cell for cell in cells if cell.strip() not in TEXTS]
    return bool(present) and all(is_number(cell, decimal) for cell in present)


def is_number(cell: str, decimal: str = ".") -> bool:
    """Whether a cell is a number with this decimal mark."""
    return bool((COMMA_NUMBER if decimal == "," else NUMBER).fullmatch(cell.strip()))


def looks_like_row(header: list[str], rows: Rows, decimal: str) -> bool:
    """Whether a header looks like a row: two numbers or more above numbers, and not ascending, as a scale would be."""
    numbers = [
        float(cell.strip().replace(",", "."))
        for column, cell in enumerate(header)
        if is_number(cell, decimal) and rows and column < len(rows[0]) and is_number(rows[0][column], decimal)
    ]
    if len(numbers) < max(1, (len(header) - 1) // 2):
        return False
    ascending = all(one < other for one, other in pairwise(numbers))
    return not ascending or len(numbers) < 3


def suggest_no_header(layout: Layout) -> str:
    """Return a hint on `data.header` for a file whose first line looks like a row, or nothing."""
    if not layout.looks_like_rows:
        return ""
    return (
        f" The first line, {quote_names(layout.names)}, looks like a row and not like a header. "
        "If the file has no header, set "
        f"`data.header = false`: its columns are then named `0`, `1` and so on, the last `{len(layout.names) - 1}`."
    )
