"""Warm-up, found in the times of the slices and not assumed.

A run's times are cut where their level changes (Killick, Fearnhead & Eckley 2012, PELT: an exact search, from the
library ruptures), and the steady state is the last level, as Barrett et al. 2017 (Virtual Machine Warmup Blows Hot and
Cold) define it: neighbouring levels that hardly differ count as one, and it must have lasted. Of logarithms, as a level
is a factor; of times pulled in towards the median, as one slice that a neighbour disturbed is no level.
"""

import itertools

import numpy as np
import ruptures

from ...common.statistics import Floats, spread

LEAST = 30
"""Slices before anything can be said."""
LASTED = 15
"""Slices that a level must have lasted to be the steady state."""
ALIKE = 0.03
"""Levels that differ by less are one: weather, on a shared machine."""
SHORTEST = 5
"""Slices of the shortest level."""
PENALTY = 8.0
"""Of one more level, in units of variance times log n. At the usual 3, mere noise was cut in a quarter of cases."""


def steady_from(seconds: Floats) -> int | None:
    """Return the number of slices before the steady state in `seconds` (slices,), or None where there is none yet."""
    if len(seconds) < LEAST:
        return None
    levels = np.log(seconds)
    noise = spread(np.diff(levels)) / np.sqrt(2)
    if noise == 0:  # a clock too coarse to show any: by its step
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
