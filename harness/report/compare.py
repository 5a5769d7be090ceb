"""The comparison of two runs: which variants became slower, less exact or larger, and what else differs.

The first run is the baseline. Within a run all variants take slices in turn, so background load affects them alike.
Two runs never share it: their ratios contain whatever changed on the machine between them, and a note says so. Where
one variant stayed as it was, step times can be taken relative to it, block by block in each run: then such changes
cancel.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..common import statistics
from ..common.errors import InputError
from ..common.statistics import Floats, Interval, Scatter
from ..records import read
from ..records.vocabulary import FINISHED
from .causes import describe_change, describe_changes
from .differences import Difference, compare_tables, list_differences
from .notes import describe_resolution, describe_self_test
from .recurrence import claimed_differences, describe, find_again
from .report import Report
from .tables.speed import Key, Row
from .tables.summary import HEADINGS
from .text import count_things, format_interval, format_or_dash, format_size, shorten_floors

COMPARED = (
    "version",
    "correct",
    "worst_floors",
    "validation_accuracy",
    "test_accuracy",
    "first_call_s",
    "step_s",
    "peak_memory_bytes",
    "install_bytes",
    "failure",
)
"""The values of a run's summary that are compared: floors, shares of 1, seconds, bytes."""

CORRECT = ("yes", "reduced precision")
"""The words of the summary for a variant whose required checks all passed."""

NAMED_KEYS = 3
"""How many differing keys an error message names."""


class Change(NamedTuple):
    """One variant in both runs."""

    key: Key
    ratio: Interval | None
    """Step time over the baseline's, or relative step time; None where one of the two was not timed."""
    before: Row
    after: Row
    worse: list[str]
    """Why it is worse by the threshold, a sentence each; empty where no threshold is stated."""

    @property
    def name(self) -> str:
        """`backend:variant`."""
        return ":".join(self.key)


def compare(
    folders: Sequence[Path], threshold: float | None = None, relative_to: str = "", lenient: bool = False
) -> list["Pair"]:
    """Compare every run with the first. Raises InputError where two of them cannot be compared.

    `relative_to`: a variant, as `name:variant`, by whose step times the others' are divided, block by block; "" for
    none. `lenient` leaves out records that are wrong.
    """
    if len(folders) < 2:  # one run has nothing to be compared with
        raise InputError(f"compare: expected two runs or more, the first as baseline, got {len(folders)}.")
    if threshold is not None and not 0 < threshold < np.inf:
        raise InputError(f"--threshold {threshold}: expected a ratio above 0 such as 1.05.")
    baseline, *others = (Report(folder, lenient) for folder in folders)
    for other in others:
        require_comparable(baseline, other)
    for report in (baseline, *others) if relative_to else ():
        _require_timed(report, relative_to)
    return [Pair(baseline, other, threshold, relative_to) for other in others]


def require_comparable(baseline: Report, other: Report) -> None:
    """Raise InputError where the runs are of different networks or data, or have no variant in common."""
    for what, first, second in (
        ("spec", baseline.header["spec_hash"], other.header["spec_hash"]),
        ("data", baseline.header["data"]["hash"], other.header["data"]["hash"]),
    ):
        if first != second:
            raise InputError(
                f"{other.folder}: its {what} ({second}) is not that of {baseline.folder} ({first}): "
                f"{_name_differing_keys(baseline.header[what], other.header[what])}. Compare runs of the same {what}."
            )
    if not set(baseline.entries) & set(other.entries):
        raise InputError(
            f"{other.folder} and {baseline.folder} have no variant in common: {_join_names(other.entries)} there, "
            f"{_join_names(baseline.entries)} here. Compare runs of the same backends."
        )


def _name_differing_keys(first: Row, second: Row) -> str:
    # A later version of Bakeoff may word a note on the data differently, and the message names the hash itself.
    ignored = {"notes": None, "hash": None}
    found = compare_tables({**first, **ignored}, {**second, **ignored})
    named = "; ".join(f"`{each.what}` is {each.after}, there {each.before}" for each in found[:NAMED_KEYS])
    more = f"; and {len(found) - NAMED_KEYS} more" if len(found) > NAMED_KEYS else ""
    return f"{named or 'only the hashes differ'}{more}"


def _require_timed(report: Report, name: str) -> None:
    timed = [":".join(key) for key in report.step_times.variants]
    if name not in timed:
        raise InputError(
            f"--relative-to {name}: {report.folder} has no such variant that was timed to the end. "
            f"There are: {', '.join(timed) or 'none'}."
        )


class Pair:
    """A run compared with the baseline."""

    def __init__(self, baseline: Report, other: Report, threshold: float | None = None, relative_to: str = "") -> None:
        self.baseline, self.other, self.threshold, self.relative_to = baseline, other, threshold, relative_to

    @cached_property
    def changes(self) -> list[Change]:
        """Every variant that is in both, in the baseline's order."""
        return [self._compare_variant(key) for key in self.baseline.entries if key in self.other.entries]

    @property
    def worse(self) -> bool:
        """Whether anything is worse by the stated threshold."""
        return bool(self.missing) or any(change.worse for change in self.changes)

    @property
    def missing(self) -> list[str]:
        """The variants that were timed in the baseline and are not in the run; empty where no threshold is stated."""
        if self.threshold is None:
            return []
        timed = {key[:2] for key in self.baseline.step_times.rounds}
        return [":".join(key) for key in self.baseline.entries if key in timed and key not in self.other.entries]

    def only(self) -> tuple[list[str], list[str]]:
        """Return the variants that only the baseline has, and those that only the other run has."""
        first, second = self.baseline.entries, self.other.entries
        return (
            [":".join(key) for key in first if key not in second],
            [":".join(key) for key in second if key not in first],
        )

    def differences(self) -> list[Difference]:
        """Return what else differs: Bakeoff, the machine, the plan, versions of frameworks and packages."""
        return list_differences(self.baseline, self.other)

    def notes(self) -> list[str]:
        """Return the sentences to be read before the table; a failed self-test comes first."""
        return list(list_notes(self))

    def readable(self) -> pd.DataFrame:
        """Return the changes for people, one row a variant; `a -> b` where the two runs differ."""
        return tabulate_changes(self)

    def as_json(self) -> dict[str, Any]:
        """Return everything for programs; null where there is no value."""
        only_before, only_after = self.only()
        return {
            "run": str(self.other.folder),
            "relative_to": self.relative_to or None,
            "worse": self.worse,
            "notes": self.notes(),
            "rows": [
                {
                    "backend": change.key[0],
                    "variant": change.key[1],
                    "change": describe_change(change.ratio) if change.ratio else None,
                    "ratio": change.ratio.estimate if change.ratio else None,
                    "ratio_low": change.ratio.low if change.ratio else None,
                    "ratio_high": change.ratio.high if change.ratio else None,
                    "baseline": _select_compared(change.before),
                    "run": _select_compared(change.after),
                    "worse": change.worse,
                }
                for change in self.changes
            ],
            "missing": self.missing,
            "only_in_baseline": only_before,
            "only_in_run": only_after,
            "differences": [each._asdict() for each in self.differences()],
        }

    def _compare_variant(self, key: Key) -> Change:
        before, after = (_find_row(report, key) for report in (self.baseline, self.other))
        first, second = (self._read_times(report, key) for report in (self.baseline, self.other))
        ratio = None
        if first is not None and second is not None:
            scatters = (self._read_scatter(self.other), self._read_scatter(self.baseline))
            ratio = statistics.unpaired_ratio(second, first, scatters)
        worse = [] if self.threshold is None else list(_list_reasons(before, after, ratio, self.threshold))
        return Change(key, ratio, before, after, worse)

    def _read_scatter(self, report: Report) -> Scatter:
        """Return the variation between processes of a run; a time relative to another's has that of two."""
        scatter = report.step_times.scatter
        return scatter._replace(variance=scatter.variance * (2 if self.relative_to else 1))

    def _read_times(self, report: Report, key: Key) -> list[Floats] | None:
        """Return seconds per step, (blocks,) a round, or their ratio to the reference's in the same block."""
        times = report.step_times.rounds.get((*key, False))
        if times is None or not self.relative_to:
            return times
        name, _, variant = self.relative_to.partition(":")
        reference = report.step_times.rounds[name, variant, False]
        return [mine / other for mine, other in zip(times, reference, strict=True)]


def list_notes(pair: Pair) -> Iterator[str]:
    """Yield the notes on a comparison: failed self-tests, the quality of both runs, the ratios, and what is worse."""
    reports = (pair.baseline, pair.other)
    for report in reports:
        tested = report.self_test()
        if tested and tested[1].excludes(1):
            yield f"{report.folder}: {describe_self_test(*tested)} {describe_resolution(tested[1])}"
    yield from describe_changes(pair)
    for report in reports:
        yield from _describe_quality(report)
    yield from _describe_ratios(pair)
    claims = claimed_differences(pair.baseline.step_times)
    again = find_again(claims, pair.other.step_times)
    yield from describe(again, str(pair.baseline.folder), str(pair.other.folder), pair.other.step_times)
    for report, names in zip(reports, pair.only(), strict=True):
        if names:
            yield f"Only in {report.folder}: {', '.join(names)}."
    for name in pair.missing:
        yield f"WORSE: {name}: it was timed in the baseline, and is not part of this run."
    for change in pair.changes:
        yield from (f"WORSE: {change.name}: {shorten_floors(reason)}" for reason in change.worse)
    if pair.threshold is not None and not pair.worse:
        yield f"No variant is worse by the threshold of {pair.threshold:g}."


def _describe_quality(report: Report) -> Iterator[str]:
    """Yield what limits the trust in one of the two runs."""
    if report.self_test() is None:
        yield f"{report.folder} was not self-tested: no variant was timed against itself to the end of every round."
    if report.step_times and not report.step_times.scatter.freedom:
        yield f"{report.folder} timed one process per variant, so it does not tell how much processes vary."
    ended = report.query.rows(FINISHED)["task"]
    planned = report.header["plan"]["rounds"]
    missing = 0 if planned is None else planned - int(ended.str.match(r"round \d+$").sum())
    if planned is None and not read.is_complete(set(ended), report.header):
        yield f"{report.folder} is unfinished: its ratios are not known as well as it was to measure them."
    if missing:
        yield f"{report.folder} is unfinished: {count_things(missing, 'round')} of timing missing."


def _describe_ratios(pair: Pair) -> Iterator[str]:
    """Yield what the ratios are of, and what they contain beside the change of the variant."""
    if not pair.relative_to:
        yield (
            "The two runs were not timed together: the ratios contain whatever changed on the machine between them, "
            "and their intervals do not include it. `bakeoff compare --relative-to NAME:VARIANT` cancels it, for a "
            "variant that did not change."
        )
        return
    yield (
        f"Ratios are of step times relative to {pair.relative_to}, timed in the same blocks: changes of the machine "
        "that affect all variants alike cancel."
    )
    name = f"backends.{pair.relative_to.partition(':')[0]}."
    for what, before, after in pair.differences():
        if what.startswith(name):
            yield f"{pair.relative_to} itself changed: {what.removeprefix(name)} was {before}, is {after}."


def tabulate_changes(pair: Pair) -> pd.DataFrame:
    """Return the changes for people, one row a variant; `a -> b` where the two runs differ."""
    reports = (pair.baseline, pair.other)
    first, second = (report.readable_summary().set_index(HEADINGS["backend"]) for report in reports)
    rows = []
    for change in pair.changes:

        def both(column: str, name: str = change.name) -> str:
            return _write_both(first.at[name, HEADINGS[column]], second.at[name, HEADINGS[column]])

        sizes = (format_or_dash(row["install_bytes"], format_size) for row in (change.before, change.after))
        rows.append(
            {
                "backend": change.name,
                "version": both("version"),
                "change": "-" if change.ratio is None else describe_change(change.ratio),
                "times the baseline [95 %]": "-" if change.ratio is None else format_interval(change.ratio, decimals=3),
                "time per step in the baseline": first.at[change.name, HEADINGS["step"]],
                "time per step": second.at[change.name, HEADINGS["step"]],
                **{HEADINGS[column]: both(column) for column in ("correct", "validation", "test")},
                **{HEADINGS[column]: both(column) for column in ("first_call", "memory")},
                "installed": _write_both(*sizes),
            }
        )
    return pd.DataFrame(rows)


def _list_reasons(before: Row, after: Row, ratio: Interval | None, threshold: float) -> Iterator[str]:
    """Yield why a variant is worse than it was.

    A variant that is no longer checked, or no longer timed, is worse too: otherwise a threshold would guard nothing.
    """
    why = f": {after['failure'].splitlines()[0]}" if after["failure"] else ""
    if ratio is not None and ratio.low > threshold:
        yield (
            f"its step takes {format_interval(ratio, decimals=3)} times as long; the whole interval lies above "
            f"{threshold:g}"
        )
    if ratio is None and not np.isnan(before["step_s"]):
        yield f"it was timed in the baseline, and is not now{why}"
    if before["correct"] in CORRECT and after["correct"] not in CORRECT:
        state = "could not be checked" if after["correct"] is None else "is not correct"
        yield f"it was correct in the baseline, and {state} now{why}"


def _find_row(report: Report, key: Key) -> Row:
    return next(row for row in report.rows if (row["backend"], row["variant"]) == key)


def _select_compared(row: Row) -> Row:
    values = {name: row[name] for name in COMPARED}
    return {name: None if pd.isna(value) else _to_json(value) for name, value in values.items()}


def _to_json(value: Any) -> Any:
    """Return a NumPy number as one of Python's; a number that JSON does not have as text."""
    value = value.item() if isinstance(value, np.generic) else value
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def _join_names(entries: Sequence[Key]) -> str:
    return ", ".join(":".join(key) for key in entries)


def _write_both(before: Any, after: Any) -> str:
    return str(before) if before == after else f"{before} -> {after}"
