"""Run the checks of backend variants in their own environments, two workers at a time."""

import datetime
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ...common.futures import result_of
from ...common.progress import Board, Job
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
from .selection import EVERYTHING, Selection
from .suite import Outcome

CASES, DETERMINISM = "cases", "determinism"
"""The stages of `bakeoff check`, for its progress."""
STOPPED = "the checks ended at the first failure (--fail-fast)."


class VariantResult(NamedTuple):
    """The result of `bakeoff check` for one variant."""

    outcomes: tuple[Outcome, ...]
    determinism: Determinism | None
    """None where it could not be measured: `unmeasured` says why."""
    unmeasured: str = ""
    determinism_network: Network = networks.DEFAULT
    """The network that determinism was measured on: the default, or the most similar supported one."""
    partial: bool = False
    """Whether only some cases or checks were selected."""

    def describe(self) -> str:
        """Return one sentence on all outcomes."""
        return suite.describe_outcomes(self.outcomes, self.partial)


def check_backends(
    chosen: Sequence[tuple[Entry, str]],
    made: Mapping[str, Path | Exception],
    kinds: Sequence[Network],
    device: str,
    threads: int,
    board: Board,
    spread: Sequence[Network] = (),
    selection: Selection = EVERYTHING,
    time_limit_s: float = ANSWER_LIMIT_S,
) -> dict[str, VariantResult]:
    """Check every variant that has an interpreter in `made`; return by NAME:VARIANT what was found, as chosen.

    Each variant is checked on `kinds`, and on its part of `spread`, which the chosen variants of a backend share; or
    on the networks of `selection`. With its `fail_fast`, a variant without any outcome is left out. An answer of a
    worker that takes `time_limit_s` or longer is a hang.
    """
    able = [
        (entry, variant, python)
        for entry, variant in chosen
        if isinstance(python := made[entry.label], Path) and not launch.explain_unavailable(entry, variant)
    ]
    shares = spread_networks(chosen, spread)

    def cases_of(entry: Entry, variant: str) -> list[Case]:
        usual = networks.with_supported([*kinds, *shares[entry.name, variant]], entry.unsupported)
        return agreement_cases.cases(selection.networks or usual)

    plans = (suite.plan_checks(cases_of(e, variant), e.unsupported, selection) for e, variant, _ in able)
    board.expect(CASES, sum(map(len, plans)), launch.JOBS)
    board.expect(DETERMINISM, 0 if selection.partial else len(able), launch.JOBS)
    # Two variants at a time, whose cases share two workers: so the last variant has both.
    with pool() as workers, pool() as variants:

        def one(entry: Entry, variant: str, python: Path) -> VariantResult:
            place = place_of(entry, variant, python, threads)._replace(timeout_s=time_limit_s)
            with board.job(f"{entry.name}:{variant}: conformance") as job:
                cases = cases_of(entry, variant)
                result = _check_variant(entry, variant, place, cases, device, selection, workers, board, job)
                job.outcome = result.describe() if result.outcomes or not selection.stopped.is_set() else STOPPED
            return result

        # The plainest variant is declared first and is the quickest. Started last, it fills the gap at the end.
        futures = {f"{each[0].name}:{each[1]}": variants.submit(one, *each) for each in reversed(able)}
        found = {name: result_of(future) for name, future in futures.items()}
    return {name: each for name, each in reversed(found.items()) if each.outcomes or not selection.stopped.is_set()}


def _check_variant(
    entry: Entry,
    variant: str,
    place: Place,
    cases: Sequence[Case],
    device: str,
    selection: Selection,
    workers: Executor,
    board: Board,
    job: Job,
) -> VariantResult:
    """Return what was found of one variant, its cases in `workers`."""
    checked = suite.check_backend(
        lambda: pinned_session(place),
        cases,
        device,
        variant,
        entry.unsupported,
        run_cases=workers.map,
        selection=selection,
        say=job.say,
        count=functools.partial(board.advance, CASES),
    )
    result = VariantResult(tuple(checked), None, partial=selection.partial)
    if selection.partial:
        return result._replace(unmeasured="determinism was not measured: only a part was selected")
    if selection.stopped.is_set():
        return result._replace(unmeasured=f"determinism was not measured: {STOPPED}")
    started = time.monotonic()
    job.say("determinism")
    result = workers.submit(add_determinism, result, entry, place, device, variant).result()
    board.advance(DETERMINISM, time.monotonic() - started)
    return result


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

    def explain(entry: Entry, variant: str) -> str:
        python = made[entry.label]
        return launch.explain_unavailable(entry, variant) or (STOPPED if isinstance(python, Path) else str(python))

    return {
        name: explain(entry, variant) for entry, variant in chosen if (name := f"{entry.name}:{variant}") not in found
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
    outcomes = list(
        suite.check_backend(lambda: pinned_session(place), cases, device, variant, entry.unsupported, say=say)
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


def add_determinism(result: VariantResult, entry: Entry, place: Place, device: str, variant: str) -> VariantResult:
    """Return the result with the measured determinism, or with the reason why it was not measured."""
    if device != "cpu" or place.threads != 1:
        return result._replace(unmeasured="determinism was not measured: it needs the cpu and one thread")
    network = networks.with_supported([networks.DEFAULT], entry.unsupported)[-1]
    (case,) = agreement_cases.cases([network])
    try:
        found = determinism.measure(lambda threads: Session(place._replace(threads=threads)), case, variant)
    except WorkerFailed as failed:
        return result._replace(unmeasured=f"determinism was not measured: {failed}")
    if advice := entry.description.determinism:
        texts = {field: f"{text}. To make it deterministic: {advice}" for field, text in found.differences.items()}
        found = found._replace(differences=texts)
    return result._replace(determinism=found, determinism_network=network)
