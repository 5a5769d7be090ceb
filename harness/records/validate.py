"""What a run folder from somebody else must be before anything of it is used, or written into it.

The vocabulary says which keys a record has, and of which types. This module adds what types do not say: that the files
are files, that numbers are within bounds, and that text is safe to print. Bounds are checked on whole columns, and text
is looked at only where the bytes of a file have something unusual.
"""

import json
import math
import re
import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..common.arrays import Array
from ..common.errors import InputError
from ..common.foreign import make_all_safe, make_line
from ..common.safe_files import describe_kind
from .vocabulary import COUNT, KEYS, NUMBER, Vocabulary

FOLDERS = ("tables", "logs", "probabilities")
"""The folders that a run folder can have."""
MOST_ENTRIES = 10_000
MOST_TEXT = 100_000
"""Characters of a text in a record."""
DIVERGING = ("agreement", "training", "mistakes")
"""The measures whose values may be infinite or not a number: a wrong backend diverges, and that is a result."""
NEVER_NEGATIVE = (
    *("s", "bytes", "packages", "tokens", "FLOP/s", "steps", "threads", "cores", "lines", "blocks", "floors", "nodes"),
    *("paths", "points", "names", "attributes", "arguments", "concepts", "rounds", "nats", "requests/s"),
)
"""Units of quantities that are 0 at least."""
DIFFERENCES = ("extra_bytes",)
"""Figures in such a unit that can be negative: an exported file can be smaller than the arrays in it."""
LARGEST_WHOLE = 2.0**53
"""A whole number beyond it is none as a float."""
LATEST = 4e9
"""Seconds since 1970: the year 2096."""
POSITIVE = ("attempt", "steps")
"""Keys of counts that are 1 at least; the others are 0 at least."""
ANY_SIGN = ("caller", "point")
"""Keys of counts that can be negative: a change can make code shorter."""
UNUSUAL = re.compile(
    rb"\\u(?:00[01][0-9a-f]|007f|00[89]|061c|200[ef]|202|206|feff|fff|d[89a-f])"  # as JSON writes unsafe characters
    rb"|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]|\xed[\xa0-\xbf]|\xef(?:\xbb\xbf|\xbf[\xbe\xbf])",
    re.IGNORECASE,
)
"""Unsafe characters in the bytes of a line."""


def require_plain_folder(folder: Path) -> None:
    """Raise InputError where a file of a run is a link, a named pipe, a device or a folder, or a folder is a link.

    The run folder itself may be a link: the user has named it.
    """
    for count, path in enumerate(_list_entries(folder)):
        kind = path.lstat().st_mode
        expected = "a folder" if path.parent == folder and path.name in FOLDERS else "a file"
        if describe_kind(kind) != expected:
            raise InputError(f"{path}: expected {expected}, got {describe_kind(kind)}. Remove it; nothing was read.")
        if count > MOST_ENTRIES:
            raise InputError(f"{folder}: expected at most {MOST_ENTRIES:,} files in a run.")


def _list_entries(folder: Path) -> Iterator[Path]:
    """Yield the files of a run and of its folders; other folders, which the user may have put there, are left out."""
    for path in folder.iterdir():
        known_folder = path.name in FOLDERS
        kind = path.lstat().st_mode
        known_file = path.suffix in (".json", ".jsonl", ".html", ".gz") or path.name == ".lock"
        if known_folder or known_file:
            yield path
        if known_folder and stat.S_ISDIR(kind):
            yield from path.iterdir()


def parse_record(line: bytes, vocabulary: Vocabulary) -> tuple[Any, str]:
    """Return a record and what is wrong with it: "" where nothing is. Its text is safe to print."""
    try:
        record = json.loads(line)
        plain = line.isascii() and b"\\u" not in line  # the quick answer for almost all lines
        if (not plain and UNUSUAL.search(line)) or len(line) > MOST_TEXT:
            record = make_all_safe(record, MOST_TEXT)
        return record, vocabulary.problem(record) or _describe_contents(record)
    except RecursionError:
        return None, "is nested too deep"
    except ValueError as error:
        return None, f"is no JSON: {make_line(str(error), 200)}"


def _describe_contents(record: dict[str, Any]) -> str:
    """Return what is wrong inside the lists and objects of a record; "" where nothing is."""
    for key, (is_right, expected) in CONTENTS.items():
        if key in record:
            inside = record[key].values() if isinstance(record[key], dict) else record[key]
            if not all(map(is_right, inside)):
                return f"expected {expected} as {key}"
    return ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12


def _is_place(value: Any) -> bool:
    """Return whether a value is a pair of what was found and its line, null where it has none."""
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], str):
        return False
    return value[1] is None or (isinstance(value[1], int) and 0 <= value[1] < LARGEST_WHOLE)


CONTENTS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "calls": (_is_amount, "a list of seconds"),
    "installed": (_is_text, "versions"),
    "names": (_is_text, "a list of text"),
    "named": (_is_text, "a list of text"),
    "found": (_is_place, "pairs of a text and a line"),
}
"""What is inside the lists and objects of a record, by key."""


def find_bad_values(records: pd.DataFrame) -> dict[int, str]:
    """Return by row the first value that is out of bounds, in words; the rows have passed `parse_record`."""
    diverging = records["measure"].isin(DIVERGING).to_numpy()
    bad: dict[int, str] = {}

    def mark(key: str, wrong: "Array", expected: str) -> None:
        for row in np.flatnonzero(wrong):
            found = records[key].iloc[row]
            shown = found.item() if isinstance(found, np.generic) else found
            bad.setdefault(int(row), f"expected {expected} as {key}, got {shown!r:.60}")

    for key in records.columns:
        types = KEYS.get(str(key), ())
        if str(key) == "value" or (set(types) & {int, float} and bool not in types):
            values, whole = _to_numbers(records[key])
            if types in (COUNT, (int, type(None)), (str, int)):
                least = 1 if key in POSITIVE else 0
                mark(str(key), np.abs(values) > LARGEST_WHOLE, "a whole number below 2**53")
                if key not in ANY_SIGN:
                    mark(str(key), values < least, f"{least} or more")
            elif types == NUMBER or str(key) == "value":
                mark(str(key), whole & ~np.isfinite(values) & ~diverging, "a finite number")
                mark(str(key), whole & (np.abs(values) > 1e300) & np.isfinite(values), "a number below 1e300")
    values, _ = _to_numbers(records["value"])
    quantities = (records["unit"].isin(NEVER_NEGATIVE) & ~records["figure"].isin(DIFFERENCES)).to_numpy()
    mark("value", quantities & (values < 0), "0 or more")
    times, _ = _to_numbers(records["time"])
    mark("time", ~((times >= 0) & (times < LATEST)), "seconds since 1970, of this century")
    return bad


def find_strangers(records: pd.DataFrame, entries: Collection[Sequence[str]]) -> dict[int, str]:
    """Return by row what speaks of a backend or a variant that the plan does not have; `entries` are the plan's."""
    if "backend" not in records:
        return {}
    variants = records["variant"] if "variant" in records else pd.Series(np.nan, records.index)
    # The code of a backend is described in all its variants, whichever are measured.
    variants = variants.astype(object).where(records["measure"].ne("ease"), None)
    planned = {tuple(entry) for entry in entries} | {(backend, None) for backend, _ in entries} | {(None, None)}
    pairs = list(
        zip(*(each.astype(object).where(each.notna(), None) for each in (records["backend"], variants)), strict=True)
    )
    unknown = set(pairs) - planned
    return {
        row: f"expected a backend and a variant of the plan in run.json, got {':'.join(map(str, pair))}"
        for row, pair in enumerate(pairs if unknown else ())
        if pair in unknown
    }


def _to_numbers(column: "pd.Series[Any]") -> tuple["Array", "Array"]:
    """Return the numbers of a column, NaN where there is none, and where a number was written."""
    if column.dtype.kind in "iuf":
        # A key that a record lacks is NaN, too, as null is.
        numbers = column.to_numpy(dtype=float)
        return numbers, ~np.isnan(numbers)
    whole = column.map(lambda each: isinstance(each, int | float) and not isinstance(each, bool)).to_numpy(dtype=bool)
    numbers = np.full(len(column), np.nan)
    written = column.to_numpy()[whole]
    try:
        numbers[whole] = written.astype(float)
    except OverflowError:
        numbers[whole] = [math.inf if abs(each) > LARGEST_WHOLE else float(each) for each in written]
    return numbers, whole


INVALID_ADVICE = "Records are never edited: restore the file, or leave such records out with --lenient."


def describe_first(path: Path, problems: Sequence[str]) -> str:
    """Return the message for a file with bad records: the first of them, and how many more there are."""
    more = f" (and {len(problems) - 1:,} more)" if len(problems) > 1 else ""
    return f"{path}: {problems[0]}{more}. {INVALID_ADVICE}"
