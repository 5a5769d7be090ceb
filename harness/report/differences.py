"""What else differs between two runs beside their results: Bakeoff, the machine, the plan, and the versions."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..measures.deployment.figures import PACKAGES, VERSION
from ..measures.speed.figures import KERNELS
from .report import Report

PASSING = {"clock_step_s", "frequency_mhz", "load", "not_readable", "throttle_events"}
"""Facts of the machine that differ at every reading; of the load, `load_before` stays."""

ABSENT, PRESENT, NOT_RECORDED = "absent", "present", "not recorded"


class Difference(NamedTuple):
    """A circumstance that is not the same in both runs."""

    what: str
    before: str
    after: str


def list_differences(baseline: Report, other: Report) -> list[Difference]:
    """Return every circumstance that differs, with both values."""
    ours, theirs = _read_circumstances(baseline), _read_circumstances(other)
    for table, key in ((None, "variables"), (None, "kernels"), ("machine", "flags")):
        first, second = (each[table] if table else each for each in (ours, theirs))
        _leave_out_unrecorded(first, second, key)
    return compare_tables(ours, theirs)


def _leave_out_unrecorded(first: dict[str, Any], second: dict[str, Any], key: str) -> None:
    """Replace a table that one of the two runs did not record yet: its entries are no differences."""
    recorded = [bool(each.get(key)) for each in (first, second)]
    if not all(recorded):
        for each, there in zip((first, second), recorded, strict=True):
            each[key] = "recorded" if there else NOT_RECORDED


def _read_circumstances(report: Report) -> dict[str, Any]:
    """Return the circumstances of a run, without those that differ at every run or stand in the table."""
    header = report.header
    machine = dict(header["machine"])
    facts = machine.pop("facts", {})
    machine["flags"] = dict.fromkeys(machine.get("flags") or (), PRESENT)
    plan = {name: value for name, value in header["plan"].items() if name not in ("entries", "seed")}
    return {
        "bakeoff": header["bakeoff"],
        "commit": header["commit"],
        "machine": {**machine, **{name: value for name, value in facts.items() if name not in PASSING}},
        "plan": plan,
        "variables": header.get("variables", {}),
        "kernels": _read_kernels(report),
        "backends": {
            name: {**identity, **_read_versions(report, name)} for name, identity in header["backends"].items()
        },
    }


def _read_versions(report: Report, backend: str) -> dict[str, Any]:
    """Return the versions that a backend's workers reported, and its packages: how many, or each where recorded."""
    found = report.query.rows(VERSION, backend=backend).to_dict("records")
    versions: dict[str, Any] = {f"uses {row['of']}": row["value"] for row in found}
    for row in report.query.rows(PACKAGES, backend=backend).to_dict("records"):
        installed, variant = row["installed"], row["variant"]
        key = f"packages of {variant}" if isinstance(variant, str) else "packages"
        versions[key] = installed if isinstance(installed, dict) else row["value"]
    return versions


def _read_kernels(report: Report) -> dict[str, Any]:
    """Return by variant and library for which processor its kernels are, and its version, as workers reported."""
    found: dict[str, dict[str, Any]] = {}
    for row in report.query.rows(KERNELS).to_dict("records"):
        libraries = found.setdefault(f"{row['backend']}:{row['variant']}", {})
        said = f"{row['value']} ({row['api']} {row['version']})"
        known = libraries.setdefault(row["of"], [])
        if said not in known:
            known.append(said)
    return {
        name: {library: ", ".join(sorted(said)) for library, said in libraries.items()}
        for name, libraries in found.items()
    }


def compare_tables(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Return each key whose values differ, written as a path, with both values.

    A backend or a variant that only one of the two has is no difference: `Pair.only` names it.
    """
    ours, theirs = dict(_flatten(first)), dict(_flatten(second))
    lacking = [
        f"{table}.{name}."
        for table in ("backends", "variables", "kernels")
        if isinstance(first.get(table), Mapping) and isinstance(second.get(table), Mapping)
        for name in {*first[table]} ^ {*second[table]}
    ]
    return [
        Difference(key, str(ours.get(key, ABSENT)), str(theirs.get(key, ABSENT)))
        for key in dict.fromkeys([*ours, *theirs])
        if ours.get(key, ABSENT) != theirs.get(key, ABSENT) and not key.startswith(tuple(lacking))
    ]


def _flatten(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value
