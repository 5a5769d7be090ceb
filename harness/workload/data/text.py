"""Tables in text files: .csv, .tsv, .txt and .data."""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ...common.errors import InputError
from ..spec import DataSpec
from .columns import check_named_columns, read_frame
from .containers import File
from .dataset import Column, Dataset
from .layout import (
    BLANKS,
    INITIAL_QUOTE,
    Layout,
    find_layout,
    split_cells,
    suggest_no_header,
)
from .missing import TEXTS
from .wording import quote_names

# pandas and pyarrow take a second to import: only the functions that need them do.
# ruff: noqa: PLC0415

if TYPE_CHECKING:
    import pandas as pd

HEAD_BYTES = 1 << 18
HEAD_LINES = 1000
CHUNK_BYTES = 1 << 22


class Scan(NamedTuple):
    """What one pass over a file shows."""

    quotes: int
    initial_quotes: bool
    """Whether a quoted cell begins after blanks."""


def read_text(file: File, spec: DataSpec) -> Dataset:
    """Return the data set in a text file. Raises InputError where it is unfit."""
    file = _decode(file, spec.encoding)
    scan = _scan(file)
    layout = find_layout(file.name, _read_head(file), spec, file.suffix)
    names = list(layout.names)
    if layout.looks_like_rows and (spec.target not in names or len(set(names)) < len(names)):
        check_named_columns(file.name, names, spec, suggest_no_header(layout))
        raise InputError(f"{file.name}: the same cell twice in the first line.{suggest_no_header(layout)}")
    check_named_columns(spec.source, names, spec)
    kept = [number for number, name in enumerate(names) if name not in spec.drop]
    multiline = scan.quotes > 0
    try:
        try:
            frame = _parse(_regularise(file, layout, scan), layout, spec, kept, multiline)
        except ValueError:
            # A column that begins with numbers holds something else further down, or the table is irregular.
            inferred = layout._replace(numeric=(False,) * len(names))
            frame = _parse(_regularise(file, layout, scan), inferred, spec, kept, multiline)
    except (ValueError, OSError, csv.Error) as error:
        if scan.quotes % 2:
            _explain_quote(file, layout)
        _explain(file, layout)
        raise InputError(f"{file.name}: not a regular table of text: {error}.") from None
    if scan.quotes % 2:
        _explain_quote(file, layout)
    frame, left_out = _leave_out_nameless(frame, [names[number] for number in kept])
    check_names(spec.source, list(frame.columns))
    notes = (*layout.notes, *left_out)
    if layout.looks_like_rows:
        notes += (f"The first line is read as the names of the columns.{suggest_no_header(layout)}",)
    dataset = read_frame(spec.source, frame, spec.model_copy(update={"drop": ()}), notes)
    dropped = tuple(Column(name, "", "left out") for name in names if name in spec.drop)
    return dataset._replace(columns=dataset.columns + dropped)


def _decode(file: File, encoding: str) -> File:
    """Return the file with its text in UTF-8."""
    if encoding.lower().replace("_", "-") in ("", "utf-8", "utf8", "utf-8-sig"):
        return file
    try:
        with file.open() as stream:
            text = codecs.decode(stream.read(), encoding)
        return file._replace(content=text.removeprefix("\ufeff").encode())
    except LookupError:
        raise InputError(
            f"{file.name}: no encoding `{encoding}` of `data.encoding`. Such as `utf-8`, `latin-1`, `cp1252`, `utf-16`."
        ) from None
    except (UnicodeError, TypeError, ValueError) as error:
        raise InputError(f"{file.name}: not text in {encoding}: {error}. Change `data.encoding`.") from None


def _scan(file: File) -> Scan:
    """Look at the whole file once. Raises InputError where it is not UTF-8."""
    quotes, initial, before = 0, False, ""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with file.open() as stream:
        if stream.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            raise InputError(f'{file.name}: expected UTF-8, got UTF-16. Set `data.encoding` to "utf-16".')
        stream.seek(0)
        while chunk := stream.read(CHUNK_BYTES):
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                byte = error.object[error.start]
                raise InputError(
                    f"{file.name}: expected UTF-8, got the byte 0x{byte:02x}. Set `data.encoding`, for example to "
                    '"latin-1", or to "cp1252" (Western Windows).'
                ) from None
            if b"\0" in chunk:
                raise InputError(
                    f"{file.name}: expected text, got NUL bytes. If it is UTF-16 without a mark, set `data.encoding` "
                    'to "utf-16-le" or "utf-16-be"; else save the table as a .csv file.'
                )
            found = chunk.count(b'"')
            quotes += found
            # A chunk without a quote needs no search: it would take as long as the parsing.
            initial = initial or bool(found and INITIAL_QUOTE.search(before + text))
            before = text[-80:]
    return Scan(quotes, initial)


def _read_head(file: File) -> str:
    """Return the first whole lines of a file in UTF-8."""
    with file.open() as stream:
        start = stream.read(HEAD_BYTES)
        whole = not stream.read(1)
    text = start.decode("utf-8", "ignore").removeprefix("\ufeff")
    lines = io.StringIO(text, newline="").readlines()
    # The last line may be cut, and a quoted cell may be open: one row less does no harm.
    lines = lines if whole else lines[:-1] or lines
    return "".join(lines[:HEAD_LINES])


def _regularise(file: File, layout: Layout, scan: Scan) -> Any:
    """Return a source for pyarrow: the file, or its text with one separator between cells where it has blanks."""
    import pyarrow as pa

    if layout.separator != BLANKS and not scan.initial_quotes:
        return str(file.path) if file.content is None else pa.BufferReader(file.content)
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=layout.separator, lineterminator="\n")
    with _open_text(file) as lines:
        skipped = [next(lines, "") for _ in range(layout.skip)]
        writer.writerows(cells for _, cells in split_cells(lines, layout.separator))
    return pa.BufferReader(("\n" * len(skipped) + written.getvalue()).encode())


def _open_text(file: File) -> io.TextIOWrapper:
    return io.TextIOWrapper(file.open(), encoding="utf-8-sig", newline="")


def _parse(source: Any, layout: Layout, spec: DataSpec, kept: list[int], multiline: bool) -> "pd.DataFrame":
    """Return the columns of these numbers, named by their numbers: labels and text as text, with NaN where missing."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    numbers = [str(number) for number in range(len(layout.names))]
    as_text = [numbers[n] for n, name in enumerate(layout.names) if name in (spec.target, spec.split) and name]
    table = arrow_csv.read_csv(
        source,
        read_options=arrow_csv.ReadOptions(column_names=numbers, skip_rows=layout.skip, block_size=1 << 22),
        parse_options=arrow_csv.ParseOptions(delimiter=layout.separator, newlines_in_values=multiline),
        convert_options=arrow_csv.ConvertOptions(
            null_values=list(TEXTS),
            strings_can_be_null=True,
            decimal_point=layout.decimal,
            # pyarrow keeps the text of a column whose type it infers until the end of the file: twice the memory.
            column_types={
                **{name: pa.float64() for name, numeric in zip(numbers, layout.numeric, strict=True) if numeric},
                **{name: pa.string() for name in as_text},
            },
            include_columns=[numbers[number] for number in kept],
        ),
    )
    frame: pd.DataFrame = table.to_pandas(self_destruct=True, split_blocks=True)
    if layout.decimal == ",":
        # A column with one cell that is no number is text as a whole: its numbers are to be recognised all the same.
        for name in frame.columns:
            if frame[name].dtype == "str" and name not in as_text:
                frame[name] = frame[name].str.replace(r"^\s*([-+]?\d*),(\d+)\s*$", r"\1.\2", regex=True)
    return frame


def _leave_out_nameless(frame: "pd.DataFrame", names: list[str]) -> tuple["pd.DataFrame", list[str]]:
    """Return the table under its names, without an index and without an empty last column, and notes on them."""
    import numpy as np

    notes, kept = [], [True] * len(names)
    for number, name in enumerate(names):
        values = frame.iloc[:, number]
        if name not in ("", "Unnamed: 0") or not len(values):
            continue
        if not name and number == len(names) - 1 and values.isna().all():
            kept[number] = False
            notes.append("The empty column after the separator at the end of each row is left out.")
        elif values.dtype.kind in "if" and number == 0 and values.iloc[0] in (0, 1):
            start = int(values.iloc[0])
            if (values.to_numpy() == np.arange(start, start + len(values))).all():
                kept[number] = False
                notes.append(f"The first column, {start}, {start + 1}, {start + 2}, ..., is an index and is left out.")
    frame.columns = names
    return (frame if all(kept) else frame.loc[:, kept]), notes


def check_names(source: str, names: list[str]) -> None:
    """Raise InputError for columns without a name, and for two of the same name."""
    unnamed = [str(number) for number, name in enumerate(names, 1) if not name.strip()]
    if unnamed:
        raise InputError(
            f'{source}: column {", ".join(unnamed)} has no name. Name it, or leave it out: `data.drop` = [""].'
        )
    duplicates = sorted({name for name in names if names.count(name) > 1})
    if duplicates:
        raise InputError(
            f"{source}: the same column name twice: {quote_names(duplicates)}. Rename one of them, "
            "or leave out both with `data.drop`."
        )


def _explain(file: File, layout: Layout) -> None:
    """Raise InputError for the first row with another number of cells, if there is one."""
    width = len(layout.names)
    what = "the header has" if layout.skip else "the first row has"
    end = layout.skip
    with _open_text(file) as lines:
        try:
            for line, cells in _rows_below(lines, layout):
                if len(cells) != width:
                    if any("\n" in cell for cell in cells):
                        raise _open_quote(file, end, line)
                    raise InputError(
                        f"{file.name}: line {line} has {len(cells)} cell{'s' * (len(cells) != 1)} where {what} "
                        f"{width}. Remove it if it is no row. Give every row the same number of cells, and put text "
                        "with separators in double quotes; if another character separates the cells, set "
                        "`data.separator`."
                    )
                end = line
        except csv.Error as error:
            raise InputError(f"{file.name}: not a regular table of text: {error}.") from None


def _rows_below(lines: Iterator[str], layout: Layout) -> Iterator[tuple[int, list[str]]]:
    for _ in range(layout.skip):
        next(lines, None)
    for line, cells in split_cells(lines, layout.separator):
        yield layout.skip + line, cells


def _explain_quote(file: File, layout: Layout) -> None:
    """Raise InputError for a quote that is not closed, if there is one."""
    end = layout.skip
    with _open_text(file) as lines:
        for line, cells in _rows_below(lines, layout):
            if line - end > 1 and any("\n" in cell for cell in cells):
                raise _open_quote(file, end, line)
            end = line


def _open_quote(file: File, after: int, line: int) -> InputError:
    """Return the error for a quote that opens after one line, and is still open on another."""
    return InputError(
        f"{file.name}: a double quote that opens after line {after} is not closed before line {line}. "
        'Write a quote inside text twice (""), or remove it.'
    )
