"""Detection floors: the smallest deviation of each kind that the checks still detect on the required cases.

A mistake that is made in full is easy to detect. How small could it be? A program whose results are the oracle's, but
for a share of a mutant's deviation, is off by that share. So the smallest share that is detected is 128 floors over the
mutant's own deviation, on the array and the case where that is largest. Where a mutant runs another value of the spec,
the value itself is brought nearer to the right one until the checks see no difference.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from . import floors as agreement_floors
from .case import NOT_CONFORMING, Case, Deviation
from .mutants import Mutant, WithSpec

HALVINGS = 8
"""Of the interval of a value's share: known to within 2 % in the end."""


class DetectionFloor(NamedTuple):
    """The smallest deviation that is detected of one mistake."""

    share: float
    """Of the mistake; 0 where training shows nothing of it: another check, or another dtype, detects it."""
    value: str
    """The smallest wrong value of the spec, as "bn_epsilon 0.0021 % off"; "" where the mutant changes no such value."""
    case: str
    """Where it is detected."""
    array: str

    def describe(self) -> str:
        """Return the floor in words, for a table."""
        if self.value:
            return self.value
        return f"{self.share:.1e} of it" if self.share else "hidden"


NOTHING_MEASURED = DetectionFloor(0.0, "", "", "")
"""Of a mistake that training does not show."""


def find_detection_floor(mutant: Mutant, cases: Sequence[Case]) -> DetectionFloor:
    """Return the smallest deviation of this kind that is detected in training on one of the cases."""
    case, worst = max(((case, _find_worst(mutant, case)) for case in cases), key=lambda found: _size(found[1]))
    if not _size(worst) > NOT_CONFORMING:
        return NOTHING_MEASURED
    share = NOT_CONFORMING / _size(worst)
    value = ""
    if issubclass(mutant, WithSpec) and mutant is not WithSpec:
        changed = _find_changed_values(mutant, case)
        if changed:
            share = _bisect(changed, case, share)
            value = ", ".join(f"{field} {_percent(right, wrong, share)} off" for field, right, wrong in changed)
    return DetectionFloor(share, value, case.label, str(worst.quantity))


def _find_worst(mutant: Mutant, case: Case) -> Deviation:
    measured = agreement_floors.measure(agreement_floors.training, mutant(case.spec), case, {})
    return max(measured, key=_size)


def _size(deviation: Deviation) -> float:
    return math.inf if math.isnan(deviation.floors) else deviation.floors


def _find_changed_values(mutant: Mutant, case: Case) -> list[tuple[str, float, float]]:
    """Return the field, the right and the wrong value of each number of the spec that the mutant changes."""
    instance: Any = mutant(case.spec)
    changes: dict[str, Any] = instance.changed(case.spec)
    right = case.spec._asdict()
    return [(field, right[field], wrong) for field, wrong in changes.items() if isinstance(wrong, float)]


def _bisect(changed: list[tuple[str, float, float]], case: Case, estimate: float) -> float:
    """Return the smallest share of the change of these values that is detected on the case."""
    low, high = estimate / 8, min(1.0, estimate * 8)  # A large change is not in proportion to its effect.
    while is_detected(changed, case, low):
        low /= 8
    for _ in range(HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if is_detected(changed, case, middle) else (middle, high)
    return high


def is_detected(changed: list[tuple[str, float, float]], case: Case, share: float) -> bool:
    """Return whether training detects values that are this share of the way from the right to the wrong ones."""

    class Nearer(WithSpec):
        """Runs values nearer to the right ones."""

        def changed(self, spec: Any) -> dict[str, float]:
            return {field: right + share * (wrong - right) for field, right, wrong in changed}

    return _size(_find_worst(Nearer, case)) > NOT_CONFORMING


def _percent(right: float, wrong: float, share: float) -> str:
    return f"{100 * abs(share * (wrong - right) / right):.2g} %"
