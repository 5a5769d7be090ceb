"""The map over the weights: the leader for each division of the weight among the criteria."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from .scores import Scores

COLUMNS, ROWS = 21, 5
"""The cells of the map."""


class WeightMap:
    """The leaders between the two criteria of most weight, in rows by the share of all other criteria."""

    def __init__(self, scores: Scores, criteria: Sequence[str], weights: Mapping[str, float]) -> None:
        self._scores, self._weights = scores, weights
        order = sorted(criteria, key=lambda one: -weights[one])
        self.axes = (order[0], order[1]) if len(order) > 1 else None
        """The two criteria of most weight; None where there are no two."""
        self.others = [one for one in criteria if one not in (self.axes or ())]
        """The criteria to which a row gives its share."""
        self._total = sum(weights[one] for one in criteria)

    @cached_property
    def rows(self) -> list[tuple[float, list[tuple[str, bool]]]]:
        """The share of all other criteria in each row, and the leader in each column, and whether its lead is certain.

        From the left to the right the rest of the weight moves from the first axis to the second.
        """
        if self.axes is None:
            return []
        others = {one: self._weights[one] for one in self.others}
        if not sum(others.values()):
            others = dict.fromkeys(self.others, 1.0)
        rows = []
        for share in np.arange(ROWS) / ROWS if others else [0.0]:
            cells = []
            for split in np.linspace(0, 1, COLUMNS):
                weights = {one: share * each / sum(others.values()) for one, each in others.items()}
                weights |= {self.axes[0]: (1 - share) * (1 - split), self.axes[1]: (1 - share) * split}
                cells.append(self._find_leader(weights))
            rows.append((float(share), cells))
        return rows

    def _find_leader(self, weights: Mapping[str, float]) -> tuple[str, bool]:
        vector = self._scores.vector(weights)
        first, *rest = self._scores.represent(vector)
        certain = not any(self._scores.tied(first, other, vector) for other in rest)
        return self._scores.owners[first], certain

    @property
    def here(self) -> tuple[int, int]:
        """The row and column nearest to the user's weights."""
        if self.axes is None:
            return 0, 0
        first, second = (self._weights[axis] for axis in self.axes)
        rest = 1 - (first + second) / self._total
        split = second / (first + second) if first + second else 0.0
        return min(round(rest * ROWS), len(self.rows) - 1), round(split * (COLUMNS - 1))
