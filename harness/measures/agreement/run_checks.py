"""Run the checks of backend variants in their own environments, two variants at a time."""

import datetime
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ...common.progress import Board
from ...environments import Environment
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
from .cached_results import CachedResult
from .case import Case
from .determinism import Determinism
from .suite import Outcome


class VariantResult(NamedTuple):
    """The result of `bakeoff check` for one variant."""

    outcomes: tuple[Outcome, ...]
    determinism: Determinism | None
    """None where it could not be measured: `unmeasured` says why."""
    unmeasured: str = ""
    determinism_network: Network = networks.DEFAULT
    """The network that determinism was measured on: the default, or the most similar supported one."""


def check_backends(
    chosen: Sequence[tuple[Entry, str]],
    made: Mapping[str, Path | Exception],
    kinds: Sequence[Network],
    device: str,
    threads: int,
    board: Board,
) -> dict[str, VariantResult]:
    """Check every variant that has an interpreter in `made`; return by NAME:VARIANT what was found, as chosen."""

    def one(entry: Entry, variant: str, python: Path) -> VariantResult:
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
            job.outcome = suite.describe_outcomes(outcomes)
        answer = measured[0] if measured else "determinism was not measured: the worker ended before the last check"
        if isinstance(answer, str):
            return VariantResult(tuple(outcomes), None, answer)
        return VariantResult(tuple(outcomes), answer, determinism_network=usual)

    able = [
        (entry, variant, python)
        for entry, variant in chosen
        if isinstance(python := made[entry.label], Path) and not launch.explain_unavailable(entry, variant)
    ]
    with pool() as workers:
        # The plainest variant is declared first and is the quickest. Started last, it fills the gap at the end.
        futures = {f"{each[0].name}:{each[1]}": workers.submit(one, *each) for each in reversed(able)}
        found = {name: future.result() for name, future in futures.items()}
    return dict(reversed(found.items()))


def explain_unchecked(
    chosen: Sequence[tuple[Entry, str]], made: Mapping[str, Path | Exception], found: Mapping[str, VariantResult]
) -> dict[str, str]:
    """Return by NAME:VARIANT why each chosen variant without a result was not checked."""
    return {
        name: launch.explain_unavailable(entry, variant) or str(made[entry.label])
        for entry, variant in chosen
        if (name := f"{entry.name}:{variant}") not in found
    }


def check_all_with_cache(
    chosen: Sequence[tuple[Entry, str]], made: Mapping[str, Environment | Exception], board: Board
) -> list[CachedResult]:
    """Check every variant that has an environment, two at a time, or find its kept result; return the results."""

    def one(entry: Entry, variant: str, environment: Environment) -> CachedResult:
        cases = agreement_cases.cases(networks.with_supported(networks.required_networks(), entry.unsupported))
        with board.job(f"{entry.name}:{variant}: conformance") as job:
            place = place_of(entry, variant, environment.python)
            result, job.outcome = check_with_cache(entry, variant, environment, place, cases, "cpu", job.say)
        return result

    with pool() as workers:
        futures = [
            workers.submit(one, entry, variant, environment)
            for entry, variant in chosen
            if isinstance(environment := made[entry.label], Environment)
            and not launch.explain_unavailable(entry, variant)
        ]
        return [future.result() for future in futures]


def check_with_cache(
    entry: Entry,
    variant: str,
    environment: Environment,
    place: Place,
    cases: Sequence[Case],
    device: str,
    say: Callable[[str], None],
) -> tuple[CachedResult, str]:
    """Return the result of the checks on `cases`, and its description.

    The checks run only where no result is kept, or something that they depend on has changed since.
    """
    key = cached_results.key(entry, variant, environment, device, cases, place.threads, place.inherit)
    kept = cached_results.find(key)
    if kept is not None:
        return kept, f"{suite.describe_outcomes(kept.outcomes)} (checked on {kept.at}, unchanged since)"
    started = time.monotonic()
    outcomes = _outcomes(place, cases, device, variant, say, entry.unsupported)
    at = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
    result = CachedResult(tuple(outcomes), at, round(time.monotonic() - started, 3))
    cached_results.keep(key, result)
    return result, suite.describe_outcomes(outcomes)


def _outcomes(
    place: Place,
    cases: Sequence[Case],
    device: str,
    variant: str,
    say: Callable[[str], None],
    cannot: Callable[[portable.Spec], str],
    on_end: Callable[[Session], None] = lambda session: None,
) -> list[Outcome]:
    outcomes = []
    for outcome in suite.check_backend(lambda: Session(place), cases, device, variant, on_end, cannot):
        say(f"{outcome.case} {outcome.dtype} {outcome.check}: {outcome.status}")
        outcomes.append(outcome)
    return outcomes


def _determinism(session: Session, place: Place, device: str, variant: str, kind: Network) -> Determinism | str:
    """Return the measured determinism, or why it was not measured."""
    if device != "cpu" or place.threads != 1:
        return "determinism was not measured: it needs the cpu and one thread"
    (case,) = agreement_cases.cases([kind])
    try:
        return determinism.measure(session, lambda threads: Session(place._replace(threads=threads)), case, variant)
    except WorkerFailed as failed:
        return f"determinism was not measured: {failed}"
