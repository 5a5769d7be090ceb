"""What a served answer is worth: within rounding of the oracle, reduced in precision, or wrong."""

import numpy as np

from ...common.arrays import Array
from .attempt import LIMIT, Truth

EXACT, REDUCED, REFUSED, WRONG = "exact", "reduced", "refused", "wrong"
"""What becomes of a network in float64. `reduced` and `wrong` are silent: the process answers without an error."""

REDUCED_LIMIT = 16 * 16 * float(np.finfo(np.float32).eps)
"""The relative error up to which an answer in float64 is one in single precision, and above which it is wrong.

16 floors, where a floor of float32 is taken as 16 units in the last place: plain NumPy loses 2 to 10 on this network.
"""


def judge_float64(answer: Array, truth: Truth) -> str:
    """Return EXACT, REDUCED or WRONG for the served probabilities of a network in float64.

    An answer in float32 is reduced however near it is: half of its digits are gone.
    """
    error = truth.error_of(answer)
    if error > REDUCED_LIMIT:
        return WRONG
    if answer.dtype != np.float64 or error > LIMIT * truth.floor:
        return REDUCED
    return EXACT


def explain_difference(answer: Array, truth: Truth) -> str:
    """Return why the served probabilities do not agree; "" where they do."""
    if answer.shape != truth.probabilities.shape:
        return f"expected probabilities of shape {truth.probabilities.shape}, got {answer.shape}"
    if not np.isfinite(answer).all():
        return "a probability is not a number"
    error = truth.error_of(answer)
    if error <= LIMIT * truth.floor:
        return ""
    largest = float(np.abs(answer - truth.probabilities).max())
    rows = int((np.abs(answer - truth.probabilities).max(axis=1) > LIMIT * truth.floor).sum())
    return (
        f"probabilities are up to {largest:.2g} off, {error / truth.floor:,.0f} floors, allowed {LIMIT:g}; "
        f"{rows} of {len(answer)} rows differ"
    )
