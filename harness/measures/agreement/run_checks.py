"""The conformance checks of backend variants, in their own environments, two at a time."""

import datetime
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ...common.progress import Board
from ...environments.environment import Environment
from ...portable import spec as portable
from ...registry.entries import Entry
from ...workers import launch
from ...workers.launch import place_of, pool
from ...workers.place import Place
from ...workers.session import Session, WorkerFailed
from ...workload import networks
from ...workload.networks import Network
from . import cached_results, determinism, suite
from . import cases as agreement_cases
from .cached_results import Verdict
from .case import Case
from .determinism import Determinism
from .suite import Outcome


class Checked(NamedTuple):
    """What `bakeoff check` found of one variant."""

    outcomes: tuple[Outcome, ...]
    determinism: Determinism | None
    """None where it could not be measured: `unmeasured` says why."""
    unmeasured: str = ""
    determined_on: Network = networks.DEFAULT
    """The cell that determinism was measured on: the default spec, or what is likest to it of what can be done."""


def check_all(
    chosen: Sequence[tuple[Entry, str]],
    made: Mapping[str, Path | Exception],
    kinds: Sequence[Network],
    device: str,
    threads: int,
    board: Board,
) -> dict[str, Checked]:
    """Check every variant that has an interpreter in `made`; return by NAME:VARIANT what was found, as chosen."""

    def one(entry: Entry, variant: str, python: Path) -> Checked:
        cases = agreement_cases.cases(networks.with_supported(kinds, entry.unsupported))
        usual = networks.with_supported([networks.DEFAULT], entry.unsupported)[-1]
        place = place_of(entry, variant, python, threads)
        measured: list[Determinism | str] = []
        with board.job(f"{entry.name}:{variant}: conformance") as job:
            outcomes = _outcomes(
                place,
                cases,
                device,
                variant,
                job.say,
                entry.unsupported,
                lambda session: measured.append(_determinism(session, place, device, variant, usual)),
            )
            job.outcome = suite.in_words(outcomes)
        answer = measured[0] if measured else "determinism was not measured: the worker did not live to the end"
        if isinstance(answer, str):
            return Checked(tuple(outcomes), None, answer)
        return Checked(tuple(outcomes), answer, determined_on=usual)

    able = [
        (entry, variant, python)
        for entry, variant in chosen
        if isinstance(python := made[entry.label], Path) and not launch.explain_unavailable(entry, variant)
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
        cases = agreement_cases.cases(networks.with_supported(networks.required_networks(), entry.unsupported))
        with board.job(f"{entry.name}:{variant}: conformance") as job:
            place = place_of(entry, variant, environment.python)
            verdict, job.outcome = prove(entry, variant, environment, place, cases, "cpu", job.say)
        return verdict

    with pool() as workers:
        futures = [
            workers.submit(one, entry, variant, environment)
            for entry, variant in chosen
            if isinstance(environment := made[entry.label], Environment)
            and not launch.explain_unavailable(entry, variant)
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
    key = cached_results.key(entry, variant, environment, device, cases)
    kept = cached_results.find(key)
    if kept is not None:
        return kept, f"{suite.in_words(kept.outcomes)} (as checked {kept.at}: nothing has changed since)"
    started = time.monotonic()
    outcomes = _outcomes(place, cases, device, variant, say, entry.unsupported)
    at = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
    verdict = Verdict(tuple(outcomes), at, round(time.monotonic() - started, 3))
    cached_results.keep(key, verdict)
    return verdict, suite.in_words(outcomes)


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
    for outcome in suite.check_backend(lambda: Session(place), cases, device, variant, at_last, cannot):
        say(f"{outcome.case} {outcome.dtype} {outcome.check}: {outcome.status}")
        outcomes.append(outcome)
    return outcomes


def _determinism(session: Session, place: Place, device: str, variant: str, kind: Network) -> Determinism | str:
    """Return what was measured, or why nothing was."""
    if device != "cpu" or place.threads != 1:
        return "determinism is measured on the cpu, from one thread on"
    (case,) = agreement_cases.cases([kind])
    try:
        return determinism.measure(session, lambda threads: Session(place._replace(threads=threads)), case, variant)
    except WorkerFailed as failed:
        return f"determinism could not be measured: {failed}"
