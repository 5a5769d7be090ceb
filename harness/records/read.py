"""Reading a run folder: run.json and the records, validated, or a sentence that says what is wrong with them."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from ..common.errors import InputError
from ..common.foreign import make_all_safe, make_line
from ..common.safe_files import open_regular, read_regular
from .files import HEADER_FILE, RECORDS_FILE
from .header import FORMAT, header_problem
from .validate import describe_first, find_bad_values, find_strangers, parse_record, require_plain_folder
from .vocabulary import FINISHED, HEAD, Figure, Vocabulary

__all__ = ["FORMAT", "LAST", "Record", "is_complete", "latest", "read_header", "read_records"]

Record = dict[str, Any]

MOST_HEADER_BYTES = 10_000_000
"""Of run.json."""
MOST_RECORDS_BYTES = 4_000_000_000
"""Of a file of records."""
CHUNK = 50_000
"""Records that are examined, or turned into columns, together."""
LAST = "complete"
"""The task that is finished when all others are."""


def read_header(folder: Path) -> dict[str, Any]:
    """Return what stands in run.json. Raises InputError where there is none, or it is not as declared in header.py."""
    path = folder / HEADER_FILE
    try:
        require_plain_folder(folder)
        found: Any = json.loads(read_regular(path, MOST_HEADER_BYTES).decode("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder}: no run here (expected a folder with run.json).{_list_runs(folder)}") from None
    except RecursionError:
        raise InputError(f"{path}: is nested too deep for a run.json.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {make_line(str(error), 300)}") from None
    problem = header_problem(found)
    if problem:
        raise InputError(f"{path}: {make_line(problem, 500)}")
    header: dict[str, Any] = make_all_safe(found)
    return header


def _list_runs(folder: Path) -> str:
    runs = sorted(path.parent.name for path in folder.parent.glob("*/run.json"))
    return f" There are: {', '.join(runs[-5:])}." if runs else ""


def read_records(
    folder: Path,
    vocabulary: Vocabulary,
    finished_only: bool = True,
    file: str = RECORDS_FILE,
    set_aside: list[str] | None = None,
    entries: Collection[Sequence[str]] = (),
) -> pd.DataFrame:
    """Return the records as a tidy table, one a row; by default those of finished attempts only.

    Raises InputError, with the number of the line, for a record that is not of a figure in `vocabulary`, or that has a
    value out of bounds. Where there is a list `set_aside`, it takes the reasons, and such records are left out.
    Where there are `entries`, those of the plan, a record of any other backend or variant is wrong, too.
    """
    path = folder / file
    records = list(iterate_records(path, vocabulary, set_aside=set_aside, entries=entries))
    table = pd.DataFrame(records, columns=None if records else list(HEAD))
    if not finished_only or not len(table):
        return table
    ends = table.loc[is_of(table, FINISHED), ["task", "attempt"]].drop_duplicates("task", keep="last")
    return table.merge(ends, on=["task", "attempt"], how="inner")


def iterate_records(
    path: Path,
    vocabulary: Vocabulary,
    saw: Callable[[bytes], object] | None = None,
    set_aside: list[str] | None = None,
    entries: Collection[Sequence[str]] = (),
) -> Iterator[Record]:
    """Yield every record of a file, each validated; `saw` is given every line, with its end, as it is read.

    A file that does not exist has none. A last line without its end is no record: the run was killed while it was
    written. Raises InputError, with the number of the line, for a record that is not of a figure in `vocabulary`, or
    that has a value out of bounds, or that is of no backend and variant in `entries`, those of the plan, where they are
    given. Where there is a list `set_aside`, it takes the reasons, and such records are left out.
    """
    numbered = enumerate(_read_lines(path, saw), start=1)
    while chunk := list(islice(numbered, CHUNK)):
        records, numbers, problems = [], [], {}
        for number, line in chunk:
            record, problem = parse_record(line, vocabulary)
            if problem:
                problems[number] = problem
            else:
                records.append(record)
                numbers.append(number)
        table = pd.DataFrame(records)
        strangers = find_strangers(table, entries) if entries else {}
        bad = {**strangers, **find_bad_values(table)} if records else {}
        problems |= {numbers[row]: problem for row, problem in bad.items()}
        described = [f"line {number}: {make_line(problems[number], 500)}" for number in sorted(problems)]
        if described and set_aside is None:
            raise InputError(describe_first(path, described))
        if set_aside is not None:
            set_aside += described
        yield from (record for row, record in enumerate(records) if row not in bad)


def _read_lines(path: Path, saw: Callable[[bytes], object] | None) -> Iterator[bytes]:
    """Yield the whole lines of a file, none where there is no file. Raises InputError where it cannot be read."""
    try:
        with open_regular(path, MOST_RECORDS_BYTES) as lines:
            for line in lines:
                if saw is not None:
                    saw(line)
                if not line.endswith(b"\n"):
                    return
                yield line
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from None


def is_of(records: pd.DataFrame, figure: Figure) -> "pd.Series[bool]":
    """Return which records are of a figure."""
    return records["measure"].eq(figure.measure) & records["figure"].eq(figure.name)


def is_complete(finished: Collection[str], header: Mapping[str, Any]) -> bool:
    """Return whether a run has come to its end: by `LAST`, or by its last round where nothing comes after."""
    planned = header["plan"]["rounds"]
    timed = planned is not None and f"round {planned}" in finished
    later = (header.get("suite"), header["plan"].get("new_shapes"), header["plan"].get("deploy_s"))
    more = any(header["spec"].get("sweep", {}).values()) or any(later)
    return LAST in finished or (timed and not more)


class RunState(NamedTuple):
    """A run folder, and how far the run came."""

    folder: Path
    header: dict[str, Any]
    complete: bool
    rounds: int
    """Finished rounds of timing."""


def list_runs(parent: Path) -> tuple[list[RunState], dict[Path, str]]:
    """Return every run under `parent`, the newest first, and why others cannot be read, by folder."""
    states, unreadable = [], {}
    for path in sorted(parent.glob("*/run.json")):
        try:
            states.append(read_state(path.parent))
        except InputError as error:
            unreadable[path.parent] = str(error)
    return sorted(states, key=lambda state: str(state.header["created"]), reverse=True), unreadable


def read_state(folder: Path) -> RunState:
    """Return how far a run came, from its run.json and the ends of its tasks: quicker than to read all records."""
    header, path = read_header(folder), folder / RECORDS_FILE
    lines = _read_lines(path, None)
    mark = f'"figure":"{FINISHED.name}"'.encode()
    try:
        finished = {str(json.loads(line)["task"]) for line in lines if mark in line.replace(b" ", b"")}
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read: {make_line(str(error), 300)}") from None
    rounds = sum(bool(re.fullmatch(r"round \d+", task)) for task in finished)
    return RunState(folder, header, is_complete(finished, header), rounds)


def latest(parent: Path) -> Path:
    """Return the newest run folder under `parent`, complete or not."""
    runs = sorted(path.parent for path in parent.glob("*/run.json"))
    if not runs:
        raise InputError(f"{parent}: no runs here yet. `bakeoff run` makes one.")
    return max(runs, key=lambda run: str(read_header(run)["created"]))


def latest_complete(parent: Path, like: RunState | None = None) -> RunState:
    """Return the newest complete run under `parent`; with `like`, the newest older one of the same spec and data.

    Raises InputError where there is none, and names the command that completes the newest.
    """
    runs, unreadable = list_runs(parent)
    found = [run for run in runs if run.complete and (like is None or _is_older_twin(run, like))]
    if found:
        return found[0]
    if like is not None:
        raise InputError(f"{like.folder}: {parent} has no older complete run of its spec and data. Name the baseline.")
    if runs:
        folder = runs[0].folder
        raise InputError(
            f"{parent}: no complete run. The newest, {folder}, was interrupted: finish it with "
            f"`bakeoff run --resume {folder}`, or name a run."
        )
    raise InputError(next(iter(unreadable.values()), f"{parent}: no runs here yet. `bakeoff run` makes one."))


def _is_older_twin(run: RunState, other: RunState) -> bool:
    same = run.header["spec_hash"] == other.header["spec_hash"]
    same_data = run.header["data"]["hash"] == other.header["data"]["hash"]
    return bool(same and same_data and run.header["created"] < other.header["created"])
