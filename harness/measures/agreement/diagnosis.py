"""Where a backend departs first, and what its numbers look like: the sentence that a failure comes with.

Where: the first quantity over the limit in the order of the computation (a step's loss before its gradients, those from
the output back, then updates, running statistics, test mode). Why: each convention that is not declared and each
mistake of mutants.py takes the oracle's place, on the same problem; the one from which the backend's own numbers are
fewest floors away is named if they are within the limit. If none is, and a float64 backend is off by no more than
float32 would be, that is named; else no cause is.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ...portable.spec import CONVENTIONS, full_conventions
from . import case as agreement_case
from . import floors as agreement_floors
from . import mutants
from .case import LOSES_PRECISION, NOT_CONFORMING, Case, Measured, Seen
from .mutants import Mutant

PHASES = ("forward", "loss", "gradient", "update", "running statistics", "test mode")
"""In the order of the computation, after the same number of steps."""


class Suspect(NamedTuple):
    """What a backend may be computing instead, and how to say so."""

    words: str
    mutant: Mutant
    advice: str = ""


class Fit(NamedTuple):
    """A suspect, and the most floors that the backend is away from it."""

    suspect: Suspect
    floors: float


def explain(seen: Seen, measured: Sequence[Measured], case: Case, conventions: Mapping[str, str]) -> str:
    """Return the sentence on what `agreement.training` saw and measured; empty where nothing departs."""
    first = departure(measured)
    if first is None:
        return ""
    if case.page is not agreement_case.COMMON:
        # The suspects are of the common network.
        return where(first, measured)
    return f"{where(first, measured)} {cause(seen, measured, case, conventions)}"


def departure(measured: Sequence[Measured]) -> Measured | None:
    """Return the first quantity over a limit: over that of conformance, or else over that of precision."""
    ordered = in_order(measured)
    for limit in (NOT_CONFORMING, LOSES_PRECISION):
        over = [each for each in ordered if not each.floors <= limit]  # `not <=` so that NaN departs too
        if over:
            return over[0]
    return None


def in_order(measured: Sequence[Measured]) -> list[Measured]:
    """Return what was measured, in the order of the computation."""
    places = {each.quantity: place for place, each in enumerate(measured)}

    def order(each: Measured) -> tuple[int, int, int]:
        quantity = each.quantity
        # What is seen at the start belongs to the first step; gradients are computed from the output back.
        place = -places[quantity] if quantity.phase == "gradient" else places[quantity]
        # A loss of arrays that were not seen says nothing of where they went wrong: those that were speak first.
        phase = len(PHASES) if quantity.array == agreement_case.LATER_BATCHES else PHASES.index(quantity.phase)
        return max(quantity.step, 1), phase, place

    return sorted(measured, key=order)


def where(first: Measured, measured: Sequence[Measured]) -> str:
    """Return in words which quantity departs first, by how much, and what agrees until there."""
    over = NOT_CONFORMING if not first.floors <= NOT_CONFORMING else LOSES_PRECISION
    ordered = in_order(measured)
    before = ordered[: [each.quantity for each in ordered].index(first.quantity)]
    phase = first.quantity.phase
    agree = [each for each in PHASES if each in {one.quantity.phase for one in before} and each != phase]
    until = f"; {_listed(agree)} agree{'s' if len(agree) == 1 else ''} until there" if agree else ""
    verb = "depart" if phase == "running statistics" else "departs"
    return (
        f"{phase} {verb} first: {first.quantity}, {first.error:.1e} off, {first.floors:,.0f} floors, "
        f"allowed {over:g}{until}."
    )


def cause(seen: Seen, measured: Sequence[Measured], case: Case, conventions: Mapping[str, str]) -> str:
    """Return in words which known alternative the numbers fit, that they are those of float32, or that none does."""
    fits = sorted((fit(suspect, seen, case, conventions) for suspect in suspects(case, conventions)), key=_floors)
    best, honest = fits[0], max(each.floors for each in measured)
    if best.floors <= LOSES_PRECISION < honest or best.floors <= NOT_CONFORMING < honest:
        return (
            f"Its numbers are those of a backend that {best.suspect.words} (within {best.floors:,.1f} floors)"
            f"{best.suspect.advice}."
        )
    if case.spec.dtype == "float64":
        floors = agreement_floors.floors(agreement_floors.training, agreement_floors.in_float32(case), conventions)
        narrow = max(each.error / floors[each.quantity] for each in measured)
        if narrow <= NOT_CONFORMING:
            return (
                f"It is off no more than float32 is (within {narrow:,.1f} of the floors of float32): look for what "
                "is in float32 on the way, a constant or a layer, whatever the arrays' dtype."
            )
    return f"None of {len(fits)} known conventions and mistakes has its numbers."


def fit(suspect: Suspect, seen: Seen, case: Case, conventions: Mapping[str, str]) -> Fit:
    """Return how far the backend is from a suspect at most, in floors."""
    measured = agreement_floors.compare(agreement_floors.training, seen, case, conventions, suspect.mutant)
    worst = float(np.max([each.floors for each in measured]))
    # A suspect may answer NaN where the backend does not: then it is not the one.
    return Fit(suspect, math.inf if math.isnan(worst) else worst)


def suspects(case: Case, conventions: Mapping[str, str]) -> list[Suspect]:
    """Return every alternative: conventions other than the declared, mistakes, and ways to lose precision."""
    followed = full_conventions(dict(conventions))
    others = [
        (convention, value)
        for convention, values in CONVENTIONS.items()
        for value in values
        if value != followed[convention]
    ]
    return [
        *(
            Suspect(
                mutants.in_words(mutants.undeclared(convention, value)),
                mutants.undeclared(convention, value),
                f", where `{followed[convention]}` is {'declared' if convention in conventions else 'the rule'}: "
                "declare it if it is meant",
            )
            for convention, value in others
        ),
        *(Suspect(mutants.in_words(mutant), mutant) for mutant in mutants.MISTAKES if mutant not in mutants.UNDECLARED),
        *(
            Suspect(mutants.in_words(mutant), mutant)
            for mutant in mutants.LOST_PRECISION
            if case.spec.dtype == "float32"
        ),
    ]


def _floors(fitted: Fit) -> float:
    return fitted.floors


def _listed(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
