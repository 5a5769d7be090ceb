"""The records of `bakeoff deploy` in a file of their own, and the tables from them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ...common.errors import InputError
from ...records.read import Record, read_records
from ...records.vocabulary import Figure, Vocabulary
from .figures import EXPORTED, FIGURES


def write(rows: Sequence[Record], path: Path) -> None:
    """Write the records to a .jsonl file; an existing file is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows), encoding="utf-8")


def read(path: Path) -> list[Record]:
    """Return the records of a file that `write` has written. Raises InputError."""
    if not path.is_file():
        raise InputError(f"{path}: no such file. `bakeoff deploy --records {path}` writes one.")
    frame = read_records(path.parent, Vocabulary(FIGURES), file=path.name)
    return [{str(key): value for key, value in row.items() if _is_present(value)} for row in frame.to_dict("records")]


def select(rows: Sequence[Record], figure: Figure, /, **keys: Any) -> list[Record]:
    """Return the records of a figure with these values of keys."""
    return [row for row in rows if row["figure"] == figure.name and all(row.get(key) == keys[key] for key in keys)]


def value_of(rows: Sequence[Record], figure: Figure, /, **keys: Any) -> Any:
    """Return the value of the last such record; None where there is none."""
    found = select(rows, figure, **keys)
    return found[-1]["value"] if found else None


def count_failures(rows: Sequence[Record]) -> int:
    """Return the number of paths that gave no answer, or a wrong one, in float32."""
    return sum(not row["value"] for row in select(rows, EXPORTED, dtype="float32"))


def list_labels(rows: Sequence[Record]) -> list[Mapping[str, str]]:
    """Return the keys of each path, in the order of the records."""
    found = {(row["backend"], row["path"]): row["served_with"] for row in select(rows, EXPORTED)}
    return [{"backend": backend, "path": path, "served_with": served} for (backend, path), served in found.items()]


def _is_present(value: Any) -> bool:
    return isinstance(value, list | dict) or bool(pd.notna(value))
