"""A confidence interval that stays valid however often one looks at it: for stopping when a ratio is known well enough.

The mean of normal values of unknown variance is tested by the Bayes factor with a normal prior on the effect size
(mean over standard deviation) and the right Haar prior on the standard deviation. Under the null hypothesis this Bayes
factor is a test martingale whatever the standard deviation is, so by Ville's inequality it exceeds 1 / alpha at *any*
time with probability alpha at most. The interval is the set of means that it does not reject.

Sources: Gönen, Johnson, Lu & Westfall 2005, The Bayesian two-sample t test (the Bayes factor); Lai 1976, On confidence
sequences; Hendriksen, de Heide & Grünwald 2021, Optional stopping with Bayes factors; Wang & Ramdas 2023, Anytime-valid
t-tests and confidence sequences for Gaussian means with unknown variance.
"""

import math

import numpy as np
import numpy.typing as npt

from .statistics import Interval

LEVEL = 0.95
EFFECT_SCALE = 3.0
"""Standard deviation of the prior on the effect size: the interval is narrowest, for its level, at 5 to 30 values."""


def mean_interval(values: npt.ArrayLike, level: float = LEVEL, effect_scale: float = EFFECT_SCALE) -> Interval:
    """Return the mean of `values` (n,) with an interval that covers the true mean at every n at once.

    The values are independent and normal, for example one logarithm of a ratio for each round of fresh processes. With
    too few of them to exclude anything the interval is infinite. Raises ValueError for no value.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array):
        raise ValueError(f"expected at least one value, as an array (n,), got shape {array.shape}")
    mean, count = float(array.mean()), len(array)
    half_width = math.inf
    if count > 1:
        half_width = float(array.std(ddof=1)) / math.sqrt(count) * critical_t(count, 1 - level, effect_scale)
    return Interval(mean, mean - half_width, mean + half_width)


def ratio_interval(log_ratios: npt.ArrayLike, level: float = LEVEL) -> Interval:
    """Return the ratio whose logarithms, one for each round, are `log_ratios` (n,), with its anytime-valid interval."""
    found = mean_interval(log_ratios, level)
    with np.errstate(over="ignore"):  # an end that no float can hold is infinite
        return Interval(*np.exp(found).tolist())


def is_known_to(interval: Interval, precision: float) -> bool:
    """Return whether both ends of the interval of a ratio are within `precision` (0.02 is 2 %) of its estimate."""
    estimate, low, high = interval
    return high <= estimate * (1 + precision) and low >= estimate * (1 - precision)


def critical_t(count: int, alpha: float = 1 - LEVEL, effect_scale: float = EFFECT_SCALE) -> float:
    """Return the largest |t| with count - 1 degrees of freedom at which the Bayes factor is below 1 / alpha.

    The Bayes factor is (1 + n c^2)^(-1/2) ((1 + u) / (1 + u / (1 + n c^2)))^(n/2) with u = t^2 / (n - 1) and c the
    scale of the prior. It grows with u towards a limit: where that limit is below 1 / alpha nothing is excluded.
    """
    spread = 1 + count * effect_scale**2
    bound = math.exp(2 / count * (0.5 * math.log(spread) - math.log(alpha)))
    if bound >= spread:
        return math.inf
    return math.sqrt((count - 1) * (bound - 1) / (1 - bound / spread))
