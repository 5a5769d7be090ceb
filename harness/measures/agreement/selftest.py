"""Test the checks by mutation: they must detect every known mistake, with no false alarm.

Each mutant of mutants takes the place of a backend. It runs through the checks on the cases of `bakeoff check`,
until one check detects it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

from ...workload import networks
from . import cases as agreement_cases
from . import diagnosis, mutants
from . import floors as agreement_floors
from .case import LOSES_PRECISION, NOT_CONFORMING, Case
from .checks import CHECKS, SIZES
from .detection import DetectionFloor, find_detection_floor
from .in_process import make_subject
from .mutants import Mutant
from .suite import run_check

UNTIMED = {name: check for name, check in CHECKS.items() if name != "wait_waits" and name not in SIZES}
"""The checks of the mutants. NumPy is synchronous, so `wait_waits` does not apply; no mutant depends on sizes."""


DTYPES = ("float64", "float32")
"""Of the required cases: what float64 shows can be hidden in float32."""


class MistakeResult(NamedTuple):
    """Whether, where and how one mistake was detected."""

    mistake: str
    """What the mutant does."""
    case: str
    """The first case on which it was detected; empty where it was not."""
    check: str
    floors: float
    """Its deviation; 0 where the check that detected it measures none."""
    named: bool
    """Whether the explanation names this mistake as the cause."""
    sentence: str
    smallest: Mapping[str, DetectionFloor] = {}
    """By dtype, the smallest deviation of this kind that is detected."""


class ArithmeticResult(NamedTuple):
    """How the checks judge a mutant that is no mistake."""

    description: str
    floors: float
    """The largest deviation over all arrays of all cases."""
    expected: bool
    """Whether the checks judge it as expected."""


class SelftestReport(NamedTuple):
    """The results for every mutant of mutants."""

    mistakes: tuple[MistakeResult, ...]
    lost_precision: tuple[ArithmeticResult, ...]
    legitimate: tuple[ArithmeticResult, ...]

    @property
    def passes(self) -> bool:
        """Whether the checks detect every mistake, report every loss of precision as such, and raise no false alarm."""
        return all(each.case for each in self.mistakes) and all(
            each.expected for each in (*self.lost_precision, *self.legitimate)
        )

    def describe(self) -> list[str]:
        """Return the counts, one sentence each."""
        caught, named = sum(bool(each.case) for each in self.mistakes), sum(each.named for each in self.mistakes)
        count, alarms = len(self.mistakes), sum(not each.expected for each in self.legitimate)
        worst = max(each.floors for each in self.legitimate)
        seen = sum(each.expected for each in self.lost_precision)
        return [
            f"Detected mistakes: {caught} of {count} ({caught / count:.0%}); {named} with the right cause.",
            f"False alarms: {alarms} of {len(self.legitimate)} correct variants (at most {worst:.1f} floors).",
            f"Reduced precision: {seen} of {len(self.lost_precision)} reported as such, and not as a failure.",
        ]

    def as_json(self) -> dict[str, Any]:
        """Return everything, for programs."""
        return {
            "passes": self.passes,
            "mistakes": [{**each._asdict(), "smallest": _as_json(each.smallest)} for each in self.mistakes],
            "lost_precision": [each._asdict() for each in self.lost_precision],
            "legitimate": [each._asdict() for each in self.legitimate],
        }


def run(say: Callable[[str], None]) -> SelftestReport:
    """Run the checks on every mutant; `say` takes the progress."""
    cases = agreement_cases.cases(networks.pairwise_cover())
    with threadpool_limits(1, user_api="blas"):

        def each(some: tuple[Mutant, ...]) -> Iterator[Mutant]:
            for number, mutant in enumerate(some, start=1):
                say(f"{number} of {len(some)}: {mutants.describe_mutant(mutant)}")
                yield mutant

        return SelftestReport(
            tuple(catch_and_measure(mutant, cases) for mutant in each(mutants.MISTAKES)),
            tuple(judge_lost_precision(mutant, cases) for mutant in each(mutants.LOST_PRECISION)),
            tuple(judge_legitimate(mutant, cases) for mutant in each(mutants.LEGITIMATE)),
        )


def catch_and_measure(mutant: Mutant, cases: list[Case]) -> MistakeResult:
    """Return where a mistake is detected, with the smallest deviation of its kind that still is."""
    smallest = {
        dtype: find_detection_floor(mutant, [case for case in cases if case.required and case.spec.dtype == dtype])
        for dtype in DTYPES
    }
    return catch_mistake(mutant, cases)._replace(smallest=smallest)


def _as_json(smallest: Mapping[str, DetectionFloor]) -> dict[str, dict[str, Any]]:
    return {dtype: {**found._asdict(), "words": found.describe()} for dtype, found in smallest.items()}


def catch_mistake(mutant: Mutant, cases: list[Case]) -> MistakeResult:
    """Return the first case and the first check that detect a mistake."""
    words = mutants.describe_mutant(mutant)
    for case in cases:
        if not case.required:
            continue
        tested = make_subject(mutant, case)
        for check in UNTIMED.values():
            outcome = run_check(check, tested, ())
            if outcome.failed:
                sentence = diagnosis.explain_deviation(tested.seen, tested.training, case, {}) or outcome.reason
                named = mutants.describe_mutant(mutant) in sentence
                return MistakeResult(words, case.label, outcome.check, outcome.floors, named, sentence)
    return MistakeResult(words, "", "", 0.0, False, "")


def judge_lost_precision(mutant: Mutant, cases: list[Case]) -> ArithmeticResult:
    """Return whether a mutant that only loses precision exceeds 16 floors in float32, and never 128."""
    worst = _worst_training(mutant, [case for case in cases if case.spec.dtype == "float32"])
    return ArithmeticResult(mutants.describe_mutant(mutant), worst, LOSES_PRECISION < worst <= NOT_CONFORMING)


def judge_legitimate(mutant: Mutant, cases: list[Case]) -> ArithmeticResult:
    """Return whether other arithmetic for the same mathematics stays within 16 floors on all cases."""
    worst = _worst_training(mutant, cases)
    return ArithmeticResult(mutants.describe_mutant(mutant), worst, worst <= LOSES_PRECISION)


def _worst_training(mutant: Mutant, cases: list[Case]) -> float:
    return max(
        each.floors
        for case in cases
        for each in agreement_floors.measure(agreement_floors.training, mutant(case.spec), case, {})
    )
