"""The explanation of a failure: the first array that deviates, and the most likely cause.

The first array is the first quantity over the limit in the order of the computation: the loss of a step, its gradients
from the output back, then updates, running statistics, test mode. For the cause, each undeclared convention and each
mistake of mutants replaces the oracle on the same case. The closest one is named if the backend is within the limit
of it. Otherwise, where a float64 backend deviates no more than float32 would, that is named; else no cause is named.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ...portable.spec import CONVENTIONS, full_conventions
from . import case as agreement_case
from . import floors as agreement_floors
from . import mutants
from .case import LOSES_PRECISION, NOT_CONFORMING, Case, Deviation, Seen
from .mutants import Mutant

PHASES = ("forward", "loss", "gradient", "update", "running statistics", "test mode")
"""In the order of the computation, after the same number of steps."""


class Suspect(NamedTuple):
    """A possible cause: what the backend may compute instead, in words and as a mutant."""

    words: str
    mutant: Mutant
    advice: str = ""


class Fit(NamedTuple):
    """A suspect, and the largest deviation of the backend from it, in floors."""

    suspect: Suspect
    floors: float


def explain_deviation(seen: Seen, measured: Sequence[Deviation], case: Case, conventions: Mapping[str, str]) -> str:
    """Return the sentence on what `floors.training` saw and measured; empty where nothing deviates."""
    first = find_first_deviation(measured)
    if first is None:
        return ""
    if case.reference_pair is not agreement_case.COMMON_REFERENCE:
        # The suspects are of the common network.
        return describe_first(first, measured)
    return f"{describe_first(first, measured)} {describe_cause(seen, measured, case, conventions)}"


def find_first_deviation(measured: Sequence[Deviation]) -> Deviation | None:
    """Return the first quantity over a limit: the limit for an error, or else the limit for a loss of precision."""
    ordered = sort_by_computation(measured)
    for limit in (NOT_CONFORMING, LOSES_PRECISION):
        over = [each for each in ordered if not each.floors <= limit]  # `not <=` includes NaN.
        if over:
            return over[0]
    return None


def sort_by_computation(measured: Sequence[Deviation]) -> list[Deviation]:
    """Return what was measured, in the order of the computation."""
    places = {each.quantity: place for place, each in enumerate(measured)}

    def order(each: Deviation) -> tuple[int, int, int]:
        quantity = each.quantity
        # The start belongs to the first step. Gradients are computed from the output back.
        place = -places[quantity] if quantity.phase == "gradient" else places[quantity]
        # A loss of arrays that were not compared does not locate the error, so it comes last.
        phase = len(PHASES) if quantity.array == agreement_case.LATER_BATCHES else PHASES.index(quantity.phase)
        return max(quantity.step, 1), phase, place

    return sorted(measured, key=order)


def describe_first(first: Deviation, measured: Sequence[Deviation]) -> str:
    """Return a sentence: the first quantity that deviates, by how much, and the phases that agree before it."""
    over = NOT_CONFORMING if not first.floors <= NOT_CONFORMING else LOSES_PRECISION
    ordered = sort_by_computation(measured)
    before = ordered[: [each.quantity for each in ordered].index(first.quantity)]
    phase = first.quantity.phase
    agree = [each for each in PHASES if each in {one.quantity.phase for one in before} and each != phase]
    before_it = f"; {_listed(agree)} agree{'s' if len(agree) == 1 else ''} before it" if agree else ""
    verb = "deviate" if phase == "running statistics" else "deviates"
    return (
        f"{phase} {verb} first: {first.quantity}, {first.error:.1e} off, {first.floors:,.0f} floors, "
        f"allowed {over:g}{before_it}."
    )


def describe_cause(seen: Seen, measured: Sequence[Deviation], case: Case, conventions: Mapping[str, str]) -> str:
    """Return in words which known alternative the numbers fit, that they are those of float32, or that none does."""
    fits = sorted(
        (fit_suspect(suspect, seen, case, conventions) for suspect in list_suspects(case, conventions)), key=_floors
    )
    best, honest = fits[0], max(each.floors for each in measured)
    if best.floors <= LOSES_PRECISION < honest or best.floors <= NOT_CONFORMING < honest:
        return (
            f"Likely cause: the backend {best.suspect.words} (its results match within {best.floors:,.1f} floors)"
            f"{best.suspect.advice}."
        )
    if case.spec.dtype == "float64":
        floors = agreement_floors.compute_floors(agreement_floors.training, case.with_dtype("float32"), conventions)
        narrow = max(each.error / floors[each.quantity] for each in measured)
        if narrow <= NOT_CONFORMING:
            return (
                f"The error is no larger than that of float32 (within {narrow:,.1f} of its floors): look for a "
                "constant or a layer that computes in float32."
            )
    nothing = f"None of {len(fits)} known conventions and mistakes matches its results."
    if not case.spec.batch_norm:
        return nothing
    plain = f"default-{case.spec.activation}-{case.spec.optimiser}-plain"
    return f"{nothing} Two at once match none: try a network without batch norm, --case {plain}."


def fit_suspect(suspect: Suspect, seen: Seen, case: Case, conventions: Mapping[str, str]) -> Fit:
    """Return the largest deviation of the backend from a suspect, in floors."""
    measured = agreement_floors.compare(agreement_floors.training, seen, case, conventions, suspect.mutant)
    worst = float(np.max([each.floors for each in measured]))
    # A suspect that answers NaN where the backend does not is not the cause.
    return Fit(suspect, math.inf if math.isnan(worst) else worst)


def list_suspects(case: Case, conventions: Mapping[str, str]) -> list[Suspect]:
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
                mutants.describe_mutant(mutants.undeclared(convention, value)),
                mutants.undeclared(convention, value),
                f", where `{followed[convention]}` is {'declared' if convention in conventions else 'the rule'}: "
                "declare it if this is intended",
            )
            for convention, value in others
        ),
        *(
            Suspect(mutants.describe_mutant(mutant), mutant)
            for mutant in mutants.MISTAKES
            if mutant not in mutants.UNDECLARED
        ),
        *(
            Suspect(mutants.describe_mutant(mutant), mutant)
            for mutant in mutants.LOST_PRECISION
            if case.spec.dtype == "float32"
        ),
    ]


def _floors(fitted: Fit) -> float:
    return fitted.floors


def _listed(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
