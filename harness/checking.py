"""The conformance checks of one backend variant, in its own environment."""

from pathlib import Path

from harness import conformance, environments
from harness.cache import cache_folder
from harness.conformance import Outcome
from harness.progress import Board
from harness.registry import Entry
from harness.session import Place, Session


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
    worker = entry.description.environment
    place = Place(
        python=environment.python,
        folder=entry.folder,
        log=cache_folder() / "logs" / f"check-{entry.name}-{variant}.log",
        threads=threads,
        thread_variables=worker.threads,
        variables=worker.variables,
    )
    outcomes = []
    with board.job(f"{name}: conformance") as job:
        for outcome in conformance.check_backend(lambda: Session(place), conformance.all_cases(), device, variant):
            job.say(f"{outcome.case} {outcome.dtype} {outcome.check}: {outcome.status}")
            outcomes.append(outcome)
        job.outcome = conformance.in_words(outcomes)
    return outcomes
