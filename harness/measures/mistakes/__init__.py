"""Mistakes committed on purpose: does a framework notice, when, and what does it say? docs/mistakes.md."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ...common.progress import Board
from ...registry.entries import Entry
from ...workers import launch
from ...workers.place import Place
from ...workload import networks
from ...workload.spec import Spec
from .attempt import LIMIT_S, Attempt, attempt
from .catalogue import MISTAKES, Coded, Mistake, Problem, edited_copy, problem, read_coded
from .judge import OUTCOMES, Finding, judge
from .records import Measured, read, records, write
from .tables import by_mistake, outcomes, shares

__all__ = [
    "LIMIT_S", "MISTAKES", "OUTCOMES", "Finding", "Measured", "Mistake", "Problem", "by_mistake", "commit_all",
    "measure", "outcomes", "problem", "read", "read_coded", "records", "shares", "write",
]  # fmt: skip


def commit_all(
    chosen: Sequence[tuple[Entry, str]],
    made: Mapping[str, Path | Exception],
    names: Sequence[str],
    limit_s: float,
    board: Board,
) -> tuple[dict[str, Measured], dict[str, str]]:
    """Commit the mistakes of these names in every variant that has an interpreter in `made`, two variants at a time.

    Returns by NAME:VARIANT what was found, and for those that could not be tried, why.
    """
    coded = {entry.name: read_coded(entry.folder) for entry, _ in chosen}
    problems = {entry.name: problem_for(entry) for entry, _ in chosen}

    def one(entry: Entry, variant: str, python: Path) -> Measured | str:
        name = f"{entry.name}:{variant}"
        with board.job(f"{name}: mistakes") as job:
            place = launch.place_of(entry, variant, python)._replace(timeout_s=limit_s)
            given, network = problems[entry.name]
            found = measure(place, variant, names, coded[entry.name], given, job.say)
            if isinstance(found, str):
                job.outcome = found
            else:
                found = found._replace(network=network)
                silent = sum(finding.outcome in ("NaN", "wrong", "hung") for finding in found.findings)
                noticed = sum(finding.noticed for finding in found.findings)
                job.outcome = f"{noticed} noticed, {silent} silent and wrong"
        return found

    unable: dict[str, str] = {}
    able = []
    for entry, variant in chosen:
        python = made[entry.label]
        lacking = launch.explain_unavailable(entry, variant, python)
        if lacking or not isinstance(python, Path):
            unable[f"{entry.name}:{variant}"] = str(lacking)
        else:
            able.append((entry, variant, python))
    measured: dict[str, Measured] = {}
    with launch.pool() as workers:
        futures = {f"{each[0].name}:{each[1]}": workers.submit(one, *each) for each in able}
        for name, future in futures.items():
            found = future.result()
            if isinstance(found, str):
                unable[name] = found
            else:
                measured[name] = found
    return measured, unable


def problem_for(entry: Entry) -> tuple[Problem, str]:
    """Return the default problem and ""; or the likest that the backend can do, and in words what is other in it."""
    usual = problem()
    reason = entry.unsupported(usual.spec)
    if not reason:
        return usual, ""
    kind = networks.with_supported([networks.DEFAULT], entry.unsupported)[-1]
    network = {"activation": kind.activation, "batch_norm": kind.batch_norm}
    likest = problem(Spec.model_validate({"network": network, "optimiser": {"name": kind.optimiser}}))
    pairs = zip(usual.spec._fields, usual.spec, likest.spec, strict=True)
    other = ", ".join(f"{field} = {chosen}" for field, common, chosen in pairs if chosen != common)
    return likest, f"tried with {other}, as it {reason}" if other else reason


def measure(
    place: Place,
    variant: str,
    names: Sequence[str],
    coded: Mapping[str, Coded] | None,
    given: Problem,
    say: Callable[[str], None] = lambda line: None,
) -> Measured | str:
    """Commit each mistake in a worker of its own; return what each came to, or why the right code does not run.

    `place` is that of the backend as it is, and `coded` its mistakes.toml, None where it has none.
    """
    with tempfile.TemporaryDirectory(prefix="bakeoff-mistakes-") as folder:
        aside = Path(folder)
        right_place = place._replace(log=aside / "right.log")
        say("without a mistake")
        right = attempt(right_place, variant, given)
        if right.stopped is not None:
            return f"without a mistake it does not run: {right.stopped}"
        findings = []
        for name in names:
            say(name)
            findings.append(_one(right_place, variant, name, coded, given, right, aside))
        return Measured(tuple(findings), right.seconds)


def _one(
    right_place: Place,
    variant: str,
    name: str,
    coded: Mapping[str, Coded] | None,
    given: Problem,
    right: Attempt,
    aside: Path,
) -> Finding:
    mistake = MISTAKES[name]
    place = right_place._replace(log=aside / f"{name}.log")
    if mistake.spoil is not None:
        tried = attempt(place, variant, mistake.spoil(given))
        return judge(name, "", mistake.at_fault, tried, right, given, (place, right_place))
    if coded is None:
        return Finding(name, "not written", "The backend has no mistakes.toml.")
    made = coded[name]
    if not made.edits:
        return Finding(name, "cannot", made.how)
    place = place._replace(
        folder=edited_copy(right_place.folder, name, made, aside / name),
        variables={**place.variables, **made.variables},
    )
    tried = attempt(place, variant, given)
    return judge(name, made.how, {**mistake.at_fault, **made.at_fault}, tried, right, given, (place, right_place))
