"""The conformance checks of backend variants, in their own environments, two at a time."""

import datetime
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from harness import agreement, conformance, determinism, environments, verdicts
from harness.agreement import Case, Measured
from harness.cache import cache_folder
from harness.conformance import Kind, Outcome
from harness.determinism import Determinism
from harness.environments import BuildFailed, Environment, Missing
from harness.portable import spec as portable
from harness.progress import Board
from harness.registry import Entry
from harness.session import Place, Session, WorkerFailed
from harness.verdicts import Verdict

JOBS = 2

BITS = {
    "twice": "same bits twice",
    "processes": "same bits in two processes",
    "threads": "same bits with 1 and 2 threads",
}
"""The fields of Determinism, in words."""


class Checked(NamedTuple):
    """What `bakeoff check` found of one variant."""

    outcomes: tuple[Outcome, ...]
    determinism: Determinism | None
    """None where it could not be measured: `unmeasured` says why."""
    unmeasured: str = ""
    determined_on: Kind = conformance.USUAL
    """The cell that determinism was measured on: the default spec, or what is likest to it of what can be done."""


def check_all(
    chosen: Sequence[tuple[Entry, str]],
    made: Mapping[str, Path | Exception],
    kinds: Sequence[Kind],
    device: str,
    threads: int,
    board: Board,
) -> dict[str, Checked]:
    """Check every variant that has an interpreter in `made`; return by NAME:VARIANT what was found, as chosen."""

    def one(entry: Entry, variant: str, python: Path) -> Checked:
        cases = conformance.cases(conformance.within(kinds, entry.cannot))
        usual = conformance.within([conformance.USUAL], entry.cannot)[-1]
        place = place_of(entry, variant, python, threads)
        measured: list[Determinism | str] = []
        with board.job(f"{entry.name}:{variant}: conformance") as job:
            outcomes = _outcomes(
                place,
                cases,
                device,
                variant,
                job.say,
                entry.cannot,
                lambda session: measured.append(_determinism(session, place, device, variant, usual)),
            )
            job.outcome = conformance.in_words(outcomes)
        answer = measured[0] if measured else "determinism was not measured: the worker did not live to the end"
        if isinstance(answer, str):
            return Checked(tuple(outcomes), None, answer)
        return Checked(tuple(outcomes), answer, determined_on=usual)

    able = [
        (entry, variant, python)
        for entry, variant in chosen
        if isinstance(python := made[entry.label], Path) and not environments.lacking_program(entry, variant)
    ]
    with pool() as workers:
        # The plainest variant is declared first and takes least: begun last, it fills the gap that the others leave.
        futures = {f"{each[0].name}:{each[1]}": workers.submit(one, *each) for each in reversed(able)}
        found = {name: future.result() for name, future in futures.items()}
    return dict(reversed(found.items()))


def prove_all(
    chosen: Sequence[tuple[Entry, str]], made: Mapping[str, Environment | Exception], board: Board
) -> list[Verdict]:
    """Prove every variant that has an environment, two at a time; return the verdicts."""

    def one(entry: Entry, variant: str, environment: Environment) -> Verdict:
        cases = conformance.cases(conformance.within(conformance.gates(), entry.cannot))
        with board.job(f"{entry.name}:{variant}: conformance") as job:
            place = place_of(entry, variant, environment.python)
            verdict, job.outcome = prove(entry, variant, environment, place, cases, "cpu", job.say)
        return verdict

    with pool() as workers:
        futures = [
            workers.submit(one, entry, variant, environment)
            for entry, variant in chosen
            if isinstance(environment := made[entry.label], Environment)
            and not environments.lacking_program(entry, variant)
        ]
        return [future.result() for future in futures]


def prove(
    entry: Entry,
    variant: str,
    environment: Environment,
    place: Place,
    cases: Sequence[Case],
    device: str,
    say: Callable[[str], None],
) -> tuple[Verdict, str]:
    """Return the verdict of the checks on `cases`, and what it comes to in words.

    The checks run unless they have run before and nothing that they depend on has changed since.
    """
    key = verdicts.key(entry, variant, environment, device, cases)
    kept = verdicts.find(key)
    if kept is not None:
        return kept, f"{conformance.in_words(kept.outcomes)} (as checked {kept.at}: nothing has changed since)"
    started = time.monotonic()
    outcomes = _outcomes(place, cases, device, variant, say, entry.cannot)
    at = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
    verdict = Verdict(tuple(outcomes), at, round(time.monotonic() - started, 3))
    verdicts.keep(key, verdict)
    return verdict, conformance.in_words(outcomes)


def interpreters_of(
    chosen: Sequence[tuple[Entry, str]], pythons: tuple[Path, ...], board: Board
) -> dict[str, Path | Exception]:
    """Return by label the interpreter that has the framework, or why there is none.

    A backend given as a folder runs in the first of `pythons`, as it is; every other gets an environment of its own.
    """
    entries = {entry.label: entry for entry, _ in chosen}
    ours = [entry for entry in entries.values() if not (entry.outside and pythons)]
    with board.job("environments") as job:
        built = environments.build_all(ours, pythons, on_event=lambda name, line: job.say(f"{name}: {line}"))
        lacking = [name for name, environment in built.items() if isinstance(environment, Missing | BuildFailed)]
        job.outcome = f"none for {', '.join(lacking)}" if lacking else "ready"
    made: dict[str, Path | Exception] = {
        name: environment.python if isinstance(environment, Environment) else environment
        for name, environment in built.items()
    }
    return {name: made.get(name, pythons[0].absolute() if pythons else Path()) for name in entries}


def as_json(found: Mapping[str, Checked], unable: Mapping[str, str]) -> dict[str, Any]:
    """Return everything that was found, for programs."""
    return {
        "outcomes": {name: [_outcome(each) for each in checked.outcomes] for name, checked in found.items()},
        "determinism": {
            name: checked.determinism._asdict() if checked.determinism else checked.unmeasured
            for name, checked in found.items()
        },
        "unable": dict(unable),
    }


def records(found: Mapping[str, Checked]) -> pd.DataFrame:
    """Return one row for each value measured, each check that measures none, and each answer on determinism."""
    rows: list[dict[str, Any]] = []
    for name, checked in found.items():
        backend, _, variant = name.partition(":")
        who = {"backend": backend, "variant": variant}
        for outcome in checked.outcomes:
            head = {**who, **outcome._asdict(), "red": outcome.red}
            del head["measured"], head["traceback"], head["explanation"]
            rows += [{**head, **_measured(each)} for each in outcome.measured] or [head]
        answers = checked.determinism._asdict() if checked.determinism else {}
        for field, answer in answers.items():
            status = {True: "yes", False: "no", None: "not tried"}[answer]
            kind = checked.determined_on
            case = {"case": kind.name, "dtype": kind.dtype, "gated": False, "red": False}
            rows.append({**who, "check": "determinism", "array": field, "status": status, **case})
    return pd.DataFrame(rows)


def write_records(found: Mapping[str, Checked], path: Path) -> None:
    """Write the records to a .jsonl, .csv or .csv.gz file."""
    table = records(found)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        rows = [{name: value for name, value in row.items() if pd.notna(value)} for row in table.to_dict("records")]
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    else:
        table.to_csv(path, index=False)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a variant: the worst floors by dtype, float32 on the default spec by steps, determinism.

    What a known failure measured is not among the floors.
    """
    table = table.assign(entry=table["backend"] + ":" + table["variant"])
    rows = []
    for entry, mine in table.groupby("entry", sort=False):
        known = mine["status"].eq("known failure")
        gated = mine[mine["gated"].eq(True) & ~known]
        usual = mine[mine["case"].eq(conformance.USUAL.name) & mine["dtype"].eq(conformance.USUAL.dtype) & ~known]
        bits = mine[mine["check"].eq("determinism")].set_index("array")["status"]
        conforms = "yes, but for known failures" if known.any() else "yes"
        row: dict[str, Any] = {"backend": entry, "conforms": "no" if mine["red"].eq(True).any() else conforms}
        row |= {f"{dtype}, worst": _worst(gated[gated["dtype"].eq(dtype)]) for dtype in ("float64", "float32")}
        for step in agreement.CHECKPOINTS:
            row[f"default float32, step {step}"] = _worst(usual[usual["step"].eq(step)])
        row |= {heading: bits.get(field, "-") for field, heading in BITS.items()}
        rows.append(row)
    return pd.DataFrame(rows)


def _worst(table: pd.DataFrame) -> str:
    floors = table["floors"].dropna()
    return f"{floors.max():.1f}" if len(floors) else "-"


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {**outcome._asdict(), "measured": [_measured(each) for each in outcome.measured], "red": outcome.red}


def _measured(each: Measured) -> dict[str, Any]:
    return {**each.quantity._asdict(), "error": each.error, "floor": each.floor, "floors": each.floors}


def place_of(entry: Entry, variant: str, python: Path, threads: int = 1) -> Place:
    """Return where the checks of a variant run."""
    worker = entry.worker
    return Place(
        python=python,
        folder=entry.folder,
        log=cache_folder() / "logs" / f"check-{entry.name}-{variant}.log",
        threads=threads,
        thread_variables=worker.threads,
        variables=worker.variables,
    )


@contextmanager
def pool() -> Iterator[ThreadPoolExecutor]:
    """Two threads; they are waited for, unless something is raised, as by Ctrl-C: then what waits is not begun."""
    threads = ThreadPoolExecutor(JOBS)
    try:
        yield threads
    except BaseException:
        threads.shutdown(wait=False, cancel_futures=True)
        raise
    threads.shutdown()


def _outcomes(
    place: Place,
    cases: Sequence[Case],
    device: str,
    variant: str,
    say: Callable[[str], None],
    cannot: Callable[[portable.Spec], str],
    at_last: Callable[[Session], None] = lambda session: None,
) -> list[Outcome]:
    outcomes = []
    for outcome in conformance.check_backend(lambda: Session(place), cases, device, variant, at_last, cannot):
        say(f"{outcome.case} {outcome.dtype} {outcome.check}: {outcome.status}")
        outcomes.append(outcome)
    return outcomes


def _determinism(session: Session, place: Place, device: str, variant: str, kind: Kind) -> Determinism | str:
    """Return what was measured, or why nothing was."""
    if device != "cpu" or place.threads != 1:
        return "determinism is measured on the cpu, from one thread on"
    (case,) = conformance.cases([kind])
    try:
        return determinism.measure(session, lambda threads: Session(place._replace(threads=threads)), case, variant)
    except WorkerFailed as failed:
        return f"determinism could not be measured: {failed}"
