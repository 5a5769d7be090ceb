"""The suite held to account: no mistake may pass, nothing legitimate may be called a fault.

Each mutant of mutants.py stands in for a backend and goes through the checks, on the cases of `bakeoff check` one after
the other, until one catches it.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

from ...workload import networks
from . import cases as agreement_cases
from . import diagnosis, mutants
from . import floors as agreement_floors
from .case import LOSES_PRECISION, NOT_CONFORMING, Case
from .checks import CHECKS
from .in_process import subject
from .mutants import Mutant
from .suite import judge

UNTIMED = {name: check for name, check in CHECKS.items() if name != "wait_waits"}
"""A mutant of NumPy has nothing to wait for."""


class Caught(NamedTuple):
    """What became of one mistake."""

    mistake: str
    """What the mutant does, in words."""
    case: str
    """Where it was caught first; empty where it was not."""
    check: str
    floors: float
    """How far off; 0 where the check that caught it measures none."""
    named: bool
    """Whether the explanation that came with it names this mistake."""
    sentence: str


class Measured(NamedTuple):
    """What was made of something that is no mistake."""

    what: str
    floors: float
    """The worst, over all arrays of all cases."""
    right: bool
    """Whether it was judged as it should be."""


class Report(NamedTuple):
    """What the suite made of everything in mutants.py."""

    mistakes: tuple[Caught, ...]
    lost_precision: tuple[Measured, ...]
    legitimate: tuple[Measured, ...]

    @property
    def passes(self) -> bool:
        """Whether every mistake is caught, every loss of precision is named as one, and nothing else is."""
        return all(each.case for each in self.mistakes) and all(
            each.right for each in (*self.lost_precision, *self.legitimate)
        )

    def in_words(self) -> list[str]:
        """Return the counts, a sentence each."""
        caught, named = sum(bool(each.case) for each in self.mistakes), sum(each.named for each in self.mistakes)
        count, alarms = len(self.mistakes), sum(not each.right for each in self.legitimate)
        worst = max(each.floors for each in self.legitimate)
        seen = sum(each.right for each in self.lost_precision)
        return [
            f"Kill rate: {caught} of {count} mistakes caught ({caught / count:.0%}); {named} named as what they are.",
            f"False alarms: {alarms} of {len(self.legitimate)} legitimate ways to compute (worst {worst:.1f} floors).",
            f"Lost precision: {seen} of {len(self.lost_precision)} seen as that, and as nothing worse.",
        ]

    def as_json(self) -> dict[str, Any]:
        """Return everything, for programs."""
        return {
            "passes": self.passes,
            "mistakes": [each._asdict() for each in self.mistakes],
            "lost_precision": [each._asdict() for each in self.lost_precision],
            "legitimate": [each._asdict() for each in self.legitimate],
        }


def run(say: Callable[[str], None]) -> Report:
    """Hold the suite against every mutant; `say` is told which is under way."""
    cases = agreement_cases.cases(networks.pairwise_cover())
    with threadpool_limits(1, user_api="blas"):

        def each(some: tuple[Mutant, ...]) -> Iterator[Mutant]:
            for number, mutant in enumerate(some, start=1):
                say(f"{number} of {len(some)}: {mutants.in_words(mutant)}")
                yield mutant

        return Report(
            tuple(catch(mutant, cases) for mutant in each(mutants.MISTAKES)),
            tuple(precision_of(mutant, cases) for mutant in each(mutants.LOST_PRECISION)),
            tuple(legitimacy_of(mutant, cases) for mutant in each(mutants.LEGITIMATE)),
        )


def catch(mutant: Mutant, cases: list[Case]) -> Caught:
    """Return where a mistake is caught first, and by which check."""
    words = mutants.in_words(mutant)
    for case in cases:
        if not case.gated:
            continue
        tested = subject(mutant, case)
        for check in UNTIMED.values():
            outcome = judge(check, tested, {})
            if outcome.red:
                sentence = diagnosis.explain(tested.seen, tested.training, case, {}) or outcome.reason
                named = mutants.in_words(mutant) in sentence
                return Caught(words, case.label, outcome.check, outcome.floors, named, sentence)
    return Caught(words, "", "", 0.0, False, "")


def precision_of(mutant: Mutant, cases: list[Case]) -> Measured:
    """Return whether what only loses precision is found to: over 16 floors somewhere in float32, never over 128."""
    worst = _worst_training(mutant, [case for case in cases if case.spec.dtype == "float32"])
    return Measured(mutants.in_words(mutant), worst, LOSES_PRECISION < worst <= NOT_CONFORMING)


def legitimacy_of(mutant: Mutant, cases: list[Case]) -> Measured:
    """Return whether other arithmetic for the same mathematics stays within 16 floors everywhere."""
    worst = _worst_training(mutant, cases)
    return Measured(mutants.in_words(mutant), worst, worst <= LOSES_PRECISION)


def _worst_training(mutant: Mutant, cases: list[Case]) -> float:
    return max(
        each.floors
        for case in cases
        for each in agreement_floors.measure(agreement_floors.training, mutant(case.spec), case, {})
    )
