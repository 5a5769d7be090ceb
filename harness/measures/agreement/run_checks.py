"""Run the checks of backend variants in their own environments, two workers at a time."""

import datetime
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ...common.futures import result_of
from ...common.progress import Board
from ...environments import Environment
from ...registry.entries import Entry
from ...workers import launch
from ...workers.cores import lease_cores
from ...workers.launch import place_of, pool
from ...workers.place import ANSWER_LIMIT_S, Place
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
    spread: Sequence[Network] = (),
    time_limit_s: float = ANSWER_LIMIT_S,
) -> dict[str, VariantResult]:
    """Check every variant that has an interpreter in `made`; return by NAME:VARIANT what was found, as chosen.

    Each variant is checked on `kinds`, and on its part of `spread`, which the chosen variants of a backend share.
    An answer of a worker that takes `time_limit_s` or longer is a hang.
    """

    def one(entry: Entry, variant: str, python: Path) -> VariantResult:
        mine = [*kinds, *spread_networks(chosen, spread)[entry.name, variant]]
        cases = agreement_cases.cases(networks.with_supported(mine, entry.unsupported))
        usual = networks.with_supported([networks.DEFAULT], entry.unsupported)[-1]
        place = place_of(entry, variant, python, threads)._replace(timeout_s=time_limit_s)
        with board.job(f"{entry.name}:{variant}: conformance") as job:
            checked = suite.check_backend(
                lambda: pinned_session(place), cases, device, variant, entry.unsupported, run_cases=workers.map
            )
            outcomes = _collect(checked, job.say)
            job.say("determinism")
            answer = workers.submit(_determinism, entry, place, device, variant, usual).result()
            job.outcome = suite.describe_outcomes(outcomes)
        if isinstance(answer, str):
            return VariantResult(tuple(outcomes), None, answer)
        return VariantResult(tuple(outcomes), answer, determinism_network=usual)

    able = [
        (entry, variant, python)
        for entry, variant in chosen
        if isinstance(python := made[entry.label], Path) and not launch.explain_unavailable(entry, variant)
    ]
    # Two variants at a time, whose cases share two workers: so the last variant has both.
    with pool() as workers, pool() as variants:
        # The plainest variant is declared first and is the quickest. Started last, it fills the gap at the end.
        futures = {f"{each[0].name}:{each[1]}": variants.submit(one, *each) for each in reversed(able)}
        found = {name: result_of(future) for name, future in futures.items()}
    return dict(reversed(found.items()))


def spread_networks(
    chosen: Sequence[tuple[Entry, str]], spread: Sequence[Network]
) -> dict[tuple[str, str], list[Network]]:
    """Return by backend and variant its part of the networks: every network goes to one chosen variant of a backend."""
    variants: dict[str, list[str]] = {}
    for entry, variant in chosen:
        variants.setdefault(entry.name, []).append(variant)
    return {
        (name, variant): list(spread[place :: len(mine)])
        for name, mine in variants.items()
        for place, variant in enumerate(mine)
    }


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
        return [result_of(future) for future in futures]


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
    outcomes = _collect(
        suite.check_backend(lambda: pinned_session(place), cases, device, variant, entry.unsupported), say
    )
    at = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
    result = CachedResult(tuple(outcomes), at, round(time.monotonic() - started, 3))
    cached_results.keep(key, result)
    return result, suite.describe_outcomes(outcomes)


@contextmanager
def pinned_session(place: Place) -> Iterator[Session]:
    """Start a worker that is pinned to as many cores as it has threads, as one is that is timed."""
    with lease_cores(place.threads) as cores, Session(place._replace(cores=cores)) as session:
        yield session


def _collect(checked: Iterable[Outcome], say: Callable[[str], None]) -> list[Outcome]:
    """Return the outcomes; `say` takes each as soon as it is known."""
    outcomes = []
    for outcome in checked:
        say(f"{outcome.case} {outcome.dtype} {outcome.check}: {outcome.status}")
        outcomes.append(outcome)
    return outcomes


def _determinism(entry: Entry, place: Place, device: str, variant: str, kind: Network) -> Determinism | str:
    """Return the measured determinism, or why it was not measured."""
    if device != "cpu" or place.threads != 1:
        return "determinism was not measured: it needs the cpu and one thread"
    (case,) = agreement_cases.cases([kind])
    try:
        found = determinism.measure(lambda threads: Session(place._replace(threads=threads)), case, variant)
    except WorkerFailed as failed:
        return f"determinism was not measured: {failed}"
    advice = entry.description.determinism
    if not advice:
        return found
    differences = {field: f"{text}. To make it deterministic: {advice}" for field, text in found.differences.items()}
    return found._replace(differences=differences)
