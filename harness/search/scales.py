"""Dimensions of a search space: the scale on which the values of one hyperparameter are drawn.

A position u from 0 to 1 on a scale is a value: `linear` low + u (high - low); `log` low (high / low)**u; `one-minus`
the same of 1 - value, for decays near 1; `integer` every whole number equally often; `choice` every value equally
often. Random draws take u from a uniform distribution, grids take evenly spaced u with both ends.
"""

import json
import math
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ..workload.spec import STRICT, Section

Finite = Annotated[float, Field(allow_inf_nan=False)]
Scale = Literal["linear", "log", "one-minus", "integer", "choice"]


class Dimension(Section):
    """One hyperparameter: its scale, and its range or its values."""

    scale: Scale
    """linear, log, one-minus, integer or choice."""
    low: Finite | None = None
    """The smallest value."""
    high: Finite | None = None
    """The largest value."""
    values: Annotated[tuple[Any, ...], STRICT] = ()
    """The values of a choice."""
    points: Annotated[int, Field(ge=2, le=1000)] = 3
    """The number of values that a grid takes, with both ends."""

    @model_validator(mode="after")
    def _check_range(self) -> "Dimension":
        if self.scale == "choice":
            if len(self.values) < 2 or self.low is not None or self.high is not None:
                raise ValueError("choice takes `values` with at least two values, and neither `low` nor `high`")
            if len({json.dumps(freeze(value)) for value in self.values}) < len(self.values):
                raise ValueError(f"choice takes each value once, got {list(self.values)}")
            return self
        if self.values or self.low is None or self.high is None:
            raise ValueError(f"{self.scale} takes `low` and `high`, and no `values`")
        if not self.low < self.high:
            raise ValueError(f"{self.scale} takes a low below its high, got {self.low:g} and {self.high:g}")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"log takes a low above 0, got {self.low:g}: a logarithm has no zero")
        if self.scale == "one-minus" and self.high >= 1:
            raise ValueError(f"one-minus takes a high below 1, got {self.high:g}: it is the logarithm of 1 - value")
        if self.scale == "integer" and not (float(self.low).is_integer() and float(self.high).is_integer()):
            raise ValueError("integer takes whole numbers as low and high")
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest value. Raises TypeError for a choice."""
        if self.low is None or self.high is None:
            raise TypeError("a choice has no ends")
        return self.low, self.high

    def value_at(self, position: float) -> Any:
        """Return the value at a position from 0 to 1 on the scale."""
        position = min(max(position, 0.0), 1.0)
        if self.scale == "choice":
            return self.values[min(int(position * len(self.values)), len(self.values) - 1)]
        low, high = self.ends
        if self.scale == "integer":
            return int(low) + min(int(position * (high - low + 1)), int(high - low))
        if position in (0.0, 1.0):  # The ends themselves, without rounding.
            return float(high if position else low)
        if self.scale == "linear":
            return low + position * (high - low)
        if self.scale == "log":
            return low * (high / low) ** position
        return 1 - (1 - low) * ((1 - high) / (1 - low)) ** position

    def position_of(self, value: Any) -> float:
        """Return the position of a value on the scale, from 0 to 1: the inverse of `value_at`."""
        if self.scale == "choice":
            return (self.values.index(freeze(value)) + 0.5) / len(self.values)
        low, high = self.ends
        if self.scale == "integer":
            return float((value - low + 0.5) / (high - low + 1))
        if self.scale == "linear":
            return float((value - low) / (high - low))
        if self.scale == "log":
            return math.log(value / low) / math.log(high / low)
        return math.log((1 - value) / (1 - low)) / math.log((1 - high) / (1 - low))

    def grid(self) -> list[Any]:
        """Return the values of a grid: all of a choice, else `points` values with both ends, each once."""
        if self.scale == "choice":
            return list(self.values)
        if self.scale == "integer":
            low, high = self.ends
            spaced = [round(low + index * (high - low) / (self.points - 1)) for index in range(self.points)]
            return list(dict.fromkeys(spaced))
        return [self.value_at(index / (self.points - 1)) for index in range(self.points)]

    def extremes(self) -> list[Any]:
        """Return the values that a spec must accept, so that it accepts all others: both ends, or all of a choice."""
        return list(self.values) if self.scale == "choice" else [self.value_at(0), self.value_at(1)]


def freeze(value: Any) -> Any:
    """Return the value with lists for tuples, as TOML and JSON have it."""
    return json.loads(json.dumps(value))
