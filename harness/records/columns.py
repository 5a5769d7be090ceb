"""The records of a run by figure, as columns: read from records.jsonl, or from a copy of it in the user's cache.

A run of a million records takes seconds to read as JSON. So the columns of a large file are kept in the cache folder,
under the SHA-256 of the very bytes of records.jsonl and of the vocabulary that they were validated against. The file
stays the truth: its hash is taken anew each time, so a copy of other bytes is never found, and a copy that is damaged
is made again. Nothing is kept in the run folder, which may be read-only or somebody else's.
"""

import hashlib
import io
import json
import os
import threading
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import feather

from ..common.cache import cache_folder
from ..common.errors import InputError
from ..common.safe_files import open_regular
from .files import RECORDS_FILE
from .read import CHUNK, MOST_RECORDS_BYTES, Record, iterate_records
from .vocabulary import FINISHED, HEAD, KEYS, NUMBER, Figure, Vocabulary

LAYOUT = 2
"""Of a copy in the cache: another number, and no older copy is found."""
WORTH_KEEPING_BYTES = 20_000_000
"""A smaller file takes less than a second to read, and is not kept."""
WORTH_PARTING_BYTES = 500_000
"""A smaller table of a copy is unpacked as a whole, a larger one a column at a time."""
MOST_KEPT = 20
"""Copies in the cache; the one that was used least recently is removed first."""
LINE = "line"
"""The column with the place of a record in its file, from 0: the index of every table."""
JSON_TEXT = b"json"
"""Marks a column of values of several types or with parts, which is kept as JSON."""

Name = tuple[str, str]
"""Of a figure: its measure and its own."""
Tables = dict[Name, pa.Table]


class Columns:
    """The records of the finished attempts of a run, a table a figure. A column is converted when it is asked for."""

    def __init__(self, tables: Mapping[Name, pa.Table | bytes]) -> None:
        self._tables = tables

    def of_figure(self, figure: Figure) -> "FigureColumns | None":
        """Return the records of a figure; None where there are none."""
        table = self._tables.get((figure.measure, figure.name))
        return None if table is None else FigureColumns(table)


class FigureColumns:
    """The records of a figure as pandas has them when it reads them: text as `str`, what is missing as NaN."""

    def __init__(self, table: pa.Table | bytes) -> None:
        """Take a table, or one as it is kept in the cache, of which a column is unpacked when it is asked for."""
        self._table = table
        if isinstance(table, bytes):
            self._names = set(pa.ipc.open_file(pa.BufferReader(table)).schema.names)
        else:
            self._names = set(table.column_names)
        self.index = pd.Index(self._read(LINE)[LINE].to_numpy())
        """The line of each record in its file, from 0."""

    def column(self, name: str) -> pd.Series | None:
        """Return the values of a key; None where no record has it."""
        if name not in self._names:
            return None
        return pd.Series(_to_series(self._read(name), name), index=self.index, copy=False)

    def _read(self, name: str) -> pa.Table:
        if isinstance(self._table, bytes):
            return feather.read_table(pa.BufferReader(self._table), columns=[name])
        return self._table


def read_columns(
    folder: Path,
    vocabulary: Vocabulary,
    set_aside: list[str] | None = None,
    entries: Collection[Sequence[str]] = (),
) -> Columns:
    """Return the records of the finished attempts of a run.

    Raises InputError, with the number of the line, for a record that is not valid, see `iterate_records`; where there
    is a list `set_aside`, it takes the reasons, and such records are left out.
    """
    path = folder / RECORDS_FILE
    if not path.exists():
        return Columns({})
    large = path.stat().st_size >= WORTH_KEEPING_BYTES
    if large:
        with open_regular(path, MOST_RECORDS_BYTES) as stream:
            found = _find(_key(hashlib.file_digest(stream, "sha256").hexdigest(), vocabulary, entries))
        if found is not None:
            return Columns(found)
    digest = hashlib.sha256()
    records = iterate_records(path, vocabulary, digest.update, set_aside, entries)
    tables = select_finished(build_tables(records, vocabulary))
    if large and not set_aside:
        _keep(_key(digest.hexdigest(), vocabulary, entries), tables)
    return Columns(tables)


# From records to columns


def build_tables(records: Iterable[Record], vocabulary: Vocabulary) -> Tables:
    """Return the columns of valid records, by figure."""
    chunks: dict[Name, dict[str, list[pa.Array]]] = {}
    numbered = enumerate(records)
    while chunk := list(islice(numbered, CHUNK)):
        for name, mine in _group_by_figure(chunk).items():
            figure = vocabulary.figures[name]
            columns = chunks.setdefault(name, {})
            columns.setdefault(LINE, []).append(pa.array([line for line, _ in mine], pa.int64()))
            for key in dict.fromkeys((*HEAD, *figure.keys, *figure.optional)):
                columns.setdefault(key, []).append(_to_array(key, [record.get(key) for _, record in mine]))
    return {name: _join(columns) for name, columns in chunks.items()}


def _group_by_figure(chunk: list[tuple[int, Record]]) -> dict[Name, list[tuple[int, Record]]]:
    groups: dict[Name, list[tuple[int, Record]]] = {}
    for each in chunk:
        groups.setdefault((each[1]["measure"], each[1]["figure"]), []).append(each)
    return groups


def _to_array(key: str, values: list[Any]) -> pa.Array:
    """Return values as an array of their own type; as JSON where they have several, or parts."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {str}:
        return pa.array(values, pa.string()).dictionary_encode()
    try:
        if kinds == {bool}:
            return pa.array(values, pa.bool_())
        if kinds == {float} or (key != "value" and kinds <= {float, int} and KEYS[key] == NUMBER and kinds):
            return pa.array(map(_to_float, values), pa.float64())
        if kinds == {int}:
            return pa.array(values, pa.int64())
    except (OverflowError, pa.ArrowInvalid):
        pass  # a whole number beyond 64 bits: JSON has it
    return pa.nulls(len(values)) if not kinds else _to_json(values)


def _to_float(value: float | None) -> float | None:
    return None if value is None else float(value)


def _to_json(values: Iterable[Any]) -> pa.Array:
    return pa.array([None if value is None else json.dumps(value) for value in values], pa.large_string())


def _join(chunks: Mapping[str, list[pa.Array]]) -> pa.Table:
    """Return one table of columns that were built in chunks, each of one type."""
    columns, fields = [], []
    for key, arrays in chunks.items():
        kinds = {each.type for each in arrays} - {pa.null()}
        kind = kinds.pop() if len(kinds) == 1 else pa.large_string() if kinds else pa.null()
        if kinds:  # more than one
            arrays = [each if each.type == kind else _to_json(each.to_pylist()) for each in arrays]  # noqa: PLW2901
        marked = {JSON_TEXT: b""} if pa.types.is_large_string(kind) else None
        column = pa.chunked_array([each if each.type == kind else each.cast(kind) for each in arrays], kind)
        # In one piece: pyarrow takes rows of one piece many times as fast as of several.
        columns.append(column.unify_dictionaries().combine_chunks())
        fields.append(pa.field(key, kind, metadata=marked))
    return pa.table(columns, schema=pa.schema(fields))


def select_finished(tables: Tables) -> Tables:
    """Return the records of the last finished attempt at each task."""
    ends = tables.get((FINISHED.measure, FINISHED.name))
    if ends is None:
        return {}
    # Of a task that ended twice, the later.
    last = dict(zip(ends["task"].to_pylist(), _to_series(ends, "attempt"), strict=True))
    found = {}
    for name, table in tables.items():
        encoded = table["task"].combine_chunks()
        expected = np.array([last.get(task) for task in encoded.dictionary.to_pylist()], dtype=object)
        mine = np.asarray(_to_series(table, "attempt")) == expected[encoded.indices.to_numpy()]
        if mine.any():
            found[name] = table if mine.all() else table.filter(pa.array(mine))
    return found


def _to_series(table: pa.Table, key: str) -> Any:
    column = table[key]
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if JSON_TEXT in (table.schema.field(key).metadata or {}):
        decoded = json.loads(f"[{','.join('NaN' if text is None else text for text in column.to_pylist())}]")
        values = np.empty(len(decoded), dtype=object)
        values[:] = decoded
        return values
    if pa.types.is_dictionary(column.type):
        return pd.array(column.combine_chunks().cast(pa.large_string()), dtype="str")
    return column.to_pandas().to_numpy()


# The copy in the cache


def _key(digest: str, vocabulary: Vocabulary, entries: Collection[Sequence[str]]) -> str:
    """Return the name of a copy: by the bytes of the file, and by what made them valid and columns of them."""
    planned = sorted(map(tuple, entries))
    rules = repr((LAYOUT, pa.__version__, HEAD, KEYS, planned, sorted(map(repr, vocabulary.figures.values()))))
    return f"{digest}-{hashlib.sha256(rules.encode()).hexdigest()[:16]}"


def _file(key: str) -> Path:
    return cache_folder() / "records" / f"{key}.zip"


def _find(key: str) -> dict[Name, pa.Table | bytes] | None:
    """Return the tables of a copy; None where there is none, or it is damaged: zip has a checksum of each table."""
    try:
        with open_regular(_file(key), MOST_RECORDS_BYTES, follow=True) as file, zipfile.ZipFile(file) as archive:
            tables = dict(_read_members(archive))
        os.utime(_file(key))
    except (OSError, ValueError, LookupError, RuntimeError, InputError, zipfile.BadZipFile, pa.ArrowException):
        return None
    return tables


def _read_members(archive: zipfile.ZipFile) -> Iterator[tuple[Name, pa.Table | bytes]]:
    for member in archive.namelist():
        measure, _, figure = member.partition("/")
        content = archive.read(member)
        reader = pa.ipc.open_file(pa.BufferReader(content))  # raises where it is no table
        yield (measure, figure), reader.read_all() if len(content) < WORTH_PARTING_BYTES else content


def _keep(key: str, tables: Tables) -> None:
    """Keep a copy; where the cache cannot be written, there is none and the file is read again next time."""
    path = _file(key)
    partial = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            for (measure, figure), table in tables.items():
                content = io.BytesIO()
                feather.write_feather(table, content, compression="lz4", chunksize=max(1, len(table)))
                archive.writestr(f"{measure}/{figure}", content.getbuffer().tobytes())
        partial.replace(path)
        kept = sorted(path.parent.glob("*.zip"), key=lambda each: each.stat().st_mtime, reverse=True)
        for each in kept[MOST_KEPT:]:
            each.unlink(missing_ok=True)
    except OSError:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
