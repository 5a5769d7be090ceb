"""Bars on a logarithmic scale, of characters."""

import math
from collections.abc import Sequence

from ..text import format_time

EIGHTHS = " ▏▎▍▌▋▊▉█"
MARGIN = 1.25
"""The scale begins this many times below the smallest value, so that its bar can be seen."""


class LogScale:
    """A scale from a little below the smallest value to the largest; `width` in characters."""

    def __init__(self, values: Sequence[float], width: int, blocks: bool = True) -> None:
        self.width, self.blocks = width, blocks
        self.low, self.high = min(values) / MARGIN, max(values)

    @property
    def heading(self) -> str:
        """The two ends of the scale where they fit, and that it is logarithmic; as wide as a bar."""
        low, high = format_time(self.low), format_time(self.high)
        for middle in (" log scale ", " log "):
            if len(low) + len(high) + len(middle) <= self.width:
                return f"{low}{middle.center(self.width - len(low) - len(high))}{high}"
        return ("log scale" if self.width >= len("log scale") else "log").ljust(self.width)

    def draw(self, value: float) -> str:
        """Return the bar of a value, padded to the width; a mark at least."""
        span = math.log(self.high / self.low)
        share = math.log(value / self.low) / span if span > 0 else 1.0
        if not self.blocks:
            return ("#" * max(1, round(share * self.width))).ljust(self.width)
        eighths = max(1, round(share * self.width * 8))
        whole, part = divmod(eighths, 8)
        return ("█" * whole + (EIGHTHS[part] if part else "")).ljust(self.width)
