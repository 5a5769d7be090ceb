"""Two runs of one comparison: what became slower, less exact or larger since, and what else differed between them.

The first run is the baseline. Within a run rivals take turns; two runs never did. So their ratio carries whatever
changed between them, the machine's hour too, and the tables say so. Where one variant stayed as it was, step times can
be taken relative to it, turn by turn, in either run: then the hour cancels.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..common import statistics
from ..common.errors import InputError
from ..common.statistics import Floats, Interval, Scatter
from .report import Report, Row
from .text import HEADINGS

Key = tuple[str, str]
"""A backend and its variant."""

COMPARED = (
    "version",
    "conforms",
    "worst_floors",
    "validation_accuracy",
    "test_accuracy",
    "first_call_s",
    "step_s",
    "peak_memory_bytes",
    "install_bytes",
    "failure",
)
"""Of a run's summary: floors, shares of 1, seconds, bytes."""

PASSING = {"clock_step_s", "frequency_mhz", "load", "not_readable", "throttle_events"}
"""Facts of the machine that differ at every reading; of the load, `load_before` stays."""

NAMED_KEYS = 3
"""How many differing keys a refusal names."""

ABSENT = "absent"


class Change(NamedTuple):
    """One variant in both runs."""

    key: Key
    ratio: Interval | None
    """Step time over the baseline's, or relative step time; None where one of the two was not timed."""
    before: Row
    after: Row
    worse: list[str]
    """What passes the threshold, a sentence each; empty where none is stated."""

    @property
    def name(self) -> str:
        """As people write it."""
        return ":".join(self.key)


class Difference(NamedTuple):
    """Something else that is not the same in both runs."""

    what: str
    before: str
    after: str


def compare(folders: Sequence[Path], threshold: float | None = None, relative_to: str = "") -> list["Pair"]:
    """Hold every run against the first. Raises InputError where two of them did not do the same.

    `relative_to`: a variant, as `name:variant`, whose step times the others' are divided by, turn by turn; "" for none.
    """
    if len(folders) < 2:
        raise InputError(f"compare: expected two runs or more, the first as baseline, got {len(folders)}.")
    if threshold is not None and not 0 < threshold < np.inf:
        raise InputError(f"--threshold {threshold}: expected a ratio above 0 such as 1.05.")
    baseline, *others = (Report(folder) for folder in folders)
    for other in others:
        refuse_unlike(baseline, other)
    for other in others:
        if not set(baseline.entries) & set(other.entries):
            raise InputError(
                f"{other.folder} and {baseline.folder} have no variant in common: "
                f"{_named(other.entries)} there, {_named(baseline.entries)} here. Compare runs of the same backends."
            )
    for report in (baseline, *others) if relative_to else ():
        _must_be_timed(report, relative_to)
    return [Pair(baseline, other, threshold, relative_to) for other in others]


def refuse_unlike(baseline: Report, other: Report) -> None:
    """Raise InputError where the runs trained different networks, or on different data."""
    for what, part, hashed in (("spec", "spec", ("spec_hash",)), ("data", "data", ("data", "hash"))):
        first, second = (_at(report.header, hashed) for report in (baseline, other))
        if first != second:
            # A remark may be worded anew in a later version, and the hash is named anyway.
            aside = {"notes": None, "hash": None}
            reasons = _unequal(*({**report.header[part], **aside} for report in (baseline, other)))
            named = "; ".join(f"`{key}` is {after}, there {before}" for key, before, after in reasons[:NAMED_KEYS])
            more = f"; and {len(reasons) - NAMED_KEYS} more" if len(reasons) > NAMED_KEYS else ""
            raise InputError(
                f"{other.folder}: its {what} ({second}) is not that of {baseline.folder} ({first}): "
                f"{named or 'only the hashes differ'}{more}. Compare runs of the same {what}."
            )


def _must_be_timed(report: Report, name: str) -> None:
    timed = [":".join(key[:2]) for key in report.step_times if not key[2]]
    if name not in timed:
        raise InputError(
            f"--relative-to {name}: {report.folder} has no such variant that was timed to the end. "
            f"There are: {', '.join(timed) or 'none'}."
        )


class Pair:
    """A run held against the baseline."""

    def __init__(self, baseline: Report, other: Report, threshold: float | None = None, relative_to: str = "") -> None:
        self.baseline, self.other, self.threshold, self.relative_to = baseline, other, threshold, relative_to

    @cached_property
    def changes(self) -> list[Change]:
        """Every variant that is in both, in the baseline's order."""
        return [self._change(key) for key in self.baseline.entries if key in self.other.entries]

    @property
    def worse(self) -> bool:
        """Whether a stated threshold is passed."""
        return bool(self.missing) or any(change.worse for change in self.changes)

    @property
    def missing(self) -> list[str]:
        """What was timed in the baseline and has no part in the other run; empty where no threshold is stated."""
        if self.threshold is None:
            return []
        timed = {key[:2] for key in self.baseline.step_times}
        return [":".join(key) for key in self.baseline.entries if key in timed and key not in self.other.entries]

    def only(self) -> tuple[list[str], list[str]]:
        """Return the variants that the baseline alone has, and those that the other alone has."""
        first, second = self.baseline.entries, self.other.entries
        return (
            [":".join(key) for key in first if key not in second],
            [":".join(key) for key in second if key not in first],
        )

    def differences(self) -> list[Difference]:
        """Return what else differed: Bakeoff, the machine, the plan, versions of frameworks and packages."""
        return [Difference(*each) for each in _unequal(_circumstances(self.baseline), _circumstances(self.other))]

    def remarks(self) -> list[str]:
        """Return what must be said over the table; a control that failed first."""
        failed, lines = [], []
        for report in (self.baseline, self.other):
            control = report.control()
            if control is None:
                lines.append(f"No control in {report.folder}: nothing was timed against itself to the end.")
            elif control[1].excludes(1):
                failed.append(
                    f"CONTROL FAILED in {report.folder}: {control[0]} against itself came out at "
                    f"{in_words(control[1])}, which excludes 1. Ratios to this run are not to be trusted."
                )
            if report.step_times and not report.scatter.freedom:
                lines.append(f"{report.folder} has one round: it does not tell by how much two processes differ.")
            missing = report.header["plan"]["rounds"] - _rounds(report)
            if missing:
                lines.append(f"{report.folder} is not whole: {missing} of its rounds of timing are missing.")
        slices = ["lead_in" in report.header["plan"] for report in (self.baseline, self.other)]
        if slices[0] != slices[1]:
            without = self.other if slices[0] else self.baseline
            lines.append(
                f"{without.folder} was made before slices had a lead-in. Its step times are too long, by 3 to 14 % "
                "where it was measured (docs/adr/0023-a-lead-in.md), and ratios between the two carry that."
            )
        lines += self._on_the_ratios()
        for report, names in zip((self.baseline, self.other), self.only(), strict=True):
            if names:
                lines.append(f"Only in {report.folder}: {', '.join(names)}.")
        lines += [f"WORSE: {name}: it was timed in the baseline, and has no part in this run" for name in self.missing]
        for change in self.changes:
            lines += [f"WORSE: {change.name}: {reason}" for reason in change.worse]
        if self.threshold is not None and not self.worse:
            lines.append(f"No variant is worse by the threshold of {self.threshold:g}.")
        return [*failed, *lines]

    def _on_the_ratios(self) -> Iterator[str]:
        if not self.relative_to:
            yield (
                "The runs took no turns with each other: what changed on the machine between them is in these ratios, "
                "and their intervals do not know of it. --relative-to a variant that stayed as it was leaves it out."
            )
            return
        yield (
            f"Ratios are of step times relative to {self.relative_to}, timed in the same turns: what changed on the "
            "machine for all alike is not in them."
        )
        name = f"backends.{self.relative_to.partition(':')[0]}."
        for what, before, after in self.differences():
            if what.startswith(name):
                yield f"{self.relative_to} itself changed: {what.removeprefix(name)} was {before}, is {after}."

    def readable(self) -> pd.DataFrame:
        """Return the changes as people read them, one row a variant; `a -> b` where they read differently."""
        first, second = (report.readable().set_index(HEADINGS["backend"]) for report in (self.baseline, self.other))
        rows = []
        for change in self.changes:

            def both(heading: str, name: str = change.name) -> str:
                return _arrow(first.at[name, heading], second.at[name, heading])

            rows.append(
                {
                    "backend": change.name,
                    "version": both(HEADINGS["version"]),
                    "to baseline [95 %]": "-" if change.ratio is None else in_words(change.ratio),
                    "step in baseline": first.at[change.name, HEADINGS["step"]],
                    "step": second.at[change.name, HEADINGS["step"]],
                    **{HEADINGS[name]: both(HEADINGS[name]) for name in ("conforms", "validation", "test")},
                    **{HEADINGS[name]: both(HEADINGS[name]) for name in ("first_call", "memory")},
                    "installed": _arrow(*(_megabytes(row["install_bytes"]) for row in (change.before, change.after))),
                }
            )
        return pd.DataFrame(rows)

    def as_json(self) -> dict[str, Any]:
        """Return all of it for programs; null where there is no value."""
        only_before, only_after = self.only()
        return {
            "run": str(self.other.folder),
            "relative_to": self.relative_to or None,
            "worse": self.worse,
            "remarks": self.remarks(),
            "rows": [
                {
                    "backend": change.key[0],
                    "variant": change.key[1],
                    "ratio": change.ratio.estimate if change.ratio else None,
                    "ratio_low": change.ratio.low if change.ratio else None,
                    "ratio_high": change.ratio.high if change.ratio else None,
                    "baseline": _compared(change.before),
                    "run": _compared(change.after),
                    "worse": change.worse,
                }
                for change in self.changes
            ],
            "missing": self.missing,
            "only_in_baseline": only_before,
            "only_in_run": only_after,
            "differences": [each._asdict() for each in self.differences()],
        }

    def _change(self, key: Key) -> Change:
        before, after = (_row(report, key) for report in (self.baseline, self.other))
        first, second = (self._times(report, key) for report in (self.baseline, self.other))
        ratio = None
        if first is not None and second is not None:
            ratio = statistics.unpaired_ratio(second, first, (self._scatter(self.other), self._scatter(self.baseline)))
        worse = [] if self.threshold is None else list(_reasons(before, after, ratio, self.threshold))
        return Change(key, ratio, before, after, worse)

    def _scatter(self, report: Report) -> Scatter:
        """Return the scatter of processes in a run; a time relative to another's is that of two."""
        return report.scatter._replace(variance=report.scatter.variance * (2 if self.relative_to else 1))

    def _times(self, report: Report, key: Key) -> list[Floats] | None:
        """Return seconds a step, (turns,) a round, or their share of the reference's in the same turn."""
        times = report.step_times.get((*key, False))
        if times is None or not self.relative_to:
            return times
        name, _, variant = self.relative_to.partition(":")
        reference = report.step_times[name, variant, False]
        return [mine / other for mine, other in zip(times, reference, strict=True)]


def in_words(ratio: Interval) -> str:
    """Return a ratio with its interval, to three places."""
    return f"{ratio.estimate:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]"


def _reasons(before: Row, after: Row, ratio: Interval | None, threshold: float) -> Iterator[str]:
    """Yield why a variant is worse than it was.

    What is no longer checked, or no longer timed, is worse too: a threshold that silence passes guards nothing.
    """
    why = f": {after['failure'].splitlines()[0]}" if after["failure"] else ""
    if ratio is not None and ratio.low > threshold:
        yield f"the whole interval of its step time's ratio, {in_words(ratio)}, lies above {threshold:g}"
    if ratio is None and pd.notna(before["step_s"]):
        yield f"it was timed in the baseline, and is not now{why}"
    if before["conforms"] and not after["conforms"]:
        state = "could not be checked" if after["conforms"] is None else "does not conform"
        yield f"it conformed in the baseline, and {state} now{why}"


def _row(report: Report, key: Key) -> Row:
    return next(row for row in report.rows if (row["backend"], row["variant"]) == key)


def _compared(row: Row) -> Row:
    values = {name: row[name] for name in COMPARED}
    return {name: None if pd.isna(value) else _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    """Return a NumPy number as Python's own; a number that JSON has no word for as text."""
    value = value.item() if isinstance(value, np.generic) else value
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def _named(entries: Sequence[Key]) -> str:
    return ", ".join(":".join(key) for key in entries)


def _rounds(report: Report) -> int:
    """Return how many rounds of timing came to their end."""
    ended = report.records.loc[report.records["quantity"] == "finished", "task"]
    return int(ended.str.match(r"round \d+$").sum())


def _circumstances(report: Report) -> dict[str, Any]:
    """Return what a run was made under, less what differs at every run and what the table shows."""
    header = report.header
    machine = dict(header["machine"])
    facts = machine.pop("facts", {})
    plan = {name: value for name, value in header["plan"].items() if name not in ("entries", "seed")}
    return {
        "bakeoff": header["bakeoff"],
        "commit": header["commit"],
        "machine": {**machine, **{name: value for name, value in facts.items() if name not in PASSING}},
        "plan": plan,
        "backends": {name: {**identity, **_versions(report, name)} for name, identity in header["backends"].items()},
    }


def _versions(report: Report, backend: str) -> dict[str, Any]:
    """Return the versions that a backend's workers told, and its packages: how many, and where recorded which."""
    records = report.records
    mine = records[records["backend"].eq(backend) & records["measure"].eq("deployment")].to_dict("records")
    versions = {f"uses {row['of']}": row["value"] for row in mine if row["quantity"] == "version"}
    for row in mine:
        if row["quantity"] == "packages":
            installed, variant = row.get("installed"), row.get("variant")
            key = f"packages of {variant}" if isinstance(variant, str) else "packages"
            versions[key] = installed if isinstance(installed, dict) else row["value"]
    return versions


def _unequal(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return each key whose values differ, its tables' names before it, and both values.

    A backend that one of the two lacks is no difference but absent as a whole: `Pair.only` names it.
    """
    ours, theirs = dict(_flat(first)), dict(_flat(second))
    lacking = [f"backends.{name}." for name in {*first.get("backends", {})} ^ {*second.get("backends", {})}]
    return [
        (key, str(ours.get(key, ABSENT)), str(theirs.get(key, ABSENT)))
        for key in dict.fromkeys([*ours, *theirs])
        if ours.get(key, ABSENT) != theirs.get(key, ABSENT) and not key.startswith(tuple(lacking))
    ]


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _at(header: Mapping[str, Any], path: Sequence[str]) -> Any:
    value: Any = header
    for key in path:
        value = value[key]
    return value


def _arrow(before: Any, after: Any) -> str:
    return str(before) if before == after else f"{before} -> {after}"


def _megabytes(size: Any) -> str:
    return "-" if pd.isna(size) else f"{size / 1e6:,.0f} MB"
