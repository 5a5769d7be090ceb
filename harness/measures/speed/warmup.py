"""Finds where the warm-up ends and the steady state begins, from the times of the slices.

A change-point search (PELT: Killick, Fearnhead & Eckley 2012; the library ruptures) splits the times where their level
changes. The steady state is the last level, as in Barrett et al. 2017 (Virtual Machine Warmup Blows Hot and Cold):
neighbouring levels that hardly differ count as one, and the level must have lasted. The search uses logarithms, because
levels differ by a factor. It clips the times around the median, so that one disturbed slice does not become a level.
"""

import itertools

import numpy as np

from ...common.statistics import Floats, spread

LEAST = 30
"""The least number of slices in which a steady state is searched."""
LASTED = 15
"""The least number of slices of a steady state."""
ALIKE = 0.03
"""Levels that differ by a smaller share count as one: background load of a shared machine explains the difference."""
SHORTEST = 5
"""The number of slices of the shortest level."""
PENALTY = 8.0
"""The penalty for one more level, in units of variance times log n. The customary 3 split pure noise in a quarter of
cases."""


def find_steady_state(seconds: Floats) -> int | None:
    """Return the number of slices before the steady state in `seconds` (slices,), or None where none is found."""
    if len(seconds) < LEAST:
        return None
    import ruptures  # noqa: PLC0415  # it imports much of SciPy, and only a measurement needs it

    levels = np.log(seconds)
    noise = spread(np.diff(levels)) / np.sqrt(2)
    if noise == 0:  # the clock is too coarse to show any noise
        noise = 1e-6
    centre = np.median(levels)
    reach = max(5 * spread(levels), 5 * noise)
    pulled = np.clip(levels, centre - reach, centre + reach)
    search = ruptures.Pelt(model="l2", min_size=SHORTEST, jump=1).fit(pulled)
    cuts = [0, *search.predict(pen=PENALTY * noise**2 * np.log(len(levels)))]
    last = float(np.median(levels[cuts[-2] :]))
    start = cuts[-2]
    for begin, end in list(itertools.pairwise(cuts))[-2::-1]:
        if abs(float(np.median(levels[begin:end])) - last) >= ALIKE:
            break
        start = begin
    return start if len(levels) - start >= LASTED else None


def still_falls(seconds: Floats) -> bool:
    """Return whether the last third of the slices is quicker than the third before it, by more than ALIKE.

    Thirds of all that was taken, not the last few slices: a slow fall is not seen from one slice to the next.
    """
    if len(seconds) < LEAST:
        return False
    third = len(seconds) // 3
    before, last = np.median(seconds[-2 * third : -third]), np.median(seconds[-third:])
    return bool(last < (1 - ALIKE) * before)
