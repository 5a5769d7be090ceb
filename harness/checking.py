"""The conformance checks of one backend variant, in its own environment."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import conformance, environments, verdicts
from harness.agreement import Case
from harness.cache import cache_folder
from harness.conformance import Outcome
from harness.environments import Environment
from harness.progress import Board
from harness.registry import Entry
from harness.session import Place, Session
from harness.verdicts import Verdict


def check(
    entry: Entry, variant: str, device: str, threads: int, pythons: tuple[Path, ...], board: Board
) -> list[Outcome]:
    """Build the environment if need be, and run every check on every case.

    Raises environments.Missing and environments.BuildFailed where there is no environment to check in.
    """
    name = f"{entry.name}:{variant}"
    with board.job(f"{name}: environment") as job:
        environment = environments.build(entry, pythons, job.say)
        job.outcome = environment.in_words()
    place = place_of(entry, variant, environment, threads)
    outcomes = []
    with board.job(f"{name}: conformance") as job:
        for outcome in conformance.check_backend(lambda: Session(place), conformance.all_cases(), device, variant):
            job.say(f"{outcome.case} {outcome.dtype} {outcome.check}: {outcome.status}")
            outcomes.append(outcome)
        job.outcome = conformance.in_words(outcomes)
    return outcomes


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
    outcomes = []
    for outcome in conformance.check_backend(lambda: Session(place), cases, device, variant):
        say(f"{outcome.case} {outcome.dtype} {outcome.check}: {outcome.status}")
        outcomes.append(outcome)
    verdict = Verdict(tuple(outcomes), f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}")
    verdicts.keep(key, verdict)
    return verdict, conformance.in_words(outcomes)


def prove_all(
    chosen: Sequence[tuple[Entry, str]], made: Mapping[str, Environment | Exception], board: Board
) -> list[Verdict]:
    """Prove every variant that has an environment, two at a time; return the verdicts."""
    cases = conformance.gate_cases()

    def one(entry: Entry, variant: str, environment: Environment) -> Verdict:
        with board.job(f"{entry.name}:{variant}: conformance") as job:
            place = place_of(entry, variant, environment)
            verdict, job.outcome = prove(entry, variant, environment, place, cases, "cpu", job.say)
        return verdict

    with ThreadPoolExecutor(2) as pool:
        futures = [
            pool.submit(one, entry, variant, environment)
            for entry, variant in chosen
            if isinstance(environment := made[entry.name], Environment)
            and not environments.lacking_program(entry, variant)
        ]
        return [future.result() for future in futures]


def place_of(entry: Entry, variant: str, environment: Environment, threads: int = 1) -> Place:
    """Return where the checks of a variant run."""
    worker = entry.description.environment
    return Place(
        python=environment.python,
        folder=entry.folder,
        log=cache_folder() / "logs" / f"check-{entry.name}-{variant}.log",
        threads=threads,
        thread_variables=worker.threads,
        variables=worker.variables,
    )
