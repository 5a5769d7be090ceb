"""The arithmetic of a choice: weighted products of ratios, and what becomes of them under other weights.

Every measure is a cost above 0. An alternative's merit on a criterion is minus the mean of its costs' logarithms, by
the measures' shares; its total is the mean of its merits, by the weights. So only ratios of costs count, and a unit
cancels. Totals are linear in the weights: where one alternative overtakes another is solved for, not searched.
docs/explanation/verdict.md says why.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull, QhullError

Floats = npt.NDArray[np.float64]

NOTHING = 1e-9
"""A difference of logarithms that is rounding and no difference."""


class Stretch(NamedTuple):
    """An interval of one criterion's weight, the others fixed, in which one owner leads."""

    low: float
    high: float
    owner: str


class Region(NamedTuple):
    """The weightings, which are at least 0 and sum to 1, under which an owner leads."""

    owner: str
    share: float
    """Of all weightings: a volume, 0 to 1."""
    sure: float
    """The share in which its lead is more than the intervals leave open."""
    vertices: tuple[tuple[float, ...], ...]
    """Corners of the region, weights by criterion; of the union of its variants' regions where it has several."""
    example: tuple[float, ...] | None
    """A weighting amid the largest of them; None where there is no region."""


class Scores:
    """Alternatives that are scored, each of an owner: a framework's variants are alternatives, and it is their owner.

    `costs` (alternatives, measures), above 0, smaller is better; `criteria`, one for each measure; `shares`
    (measures,), of which each criterion's sum to 1; `low` and `high` (alternatives, alternatives, measures), intervals
    for the logarithm of cost over cost, or None where the costs are exact.
    """

    def __init__(
        self,
        owners: Sequence[str],
        criteria: Sequence[str],
        shares: Sequence[float],
        costs: Floats,
        low: Floats | None = None,
        high: Floats | None = None,
    ) -> None:
        self.owners = tuple(owners)
        self.measures_of = tuple(criteria)
        self.criteria = tuple(dict.fromkeys(criteria))
        self.shares: Floats = np.asarray(shares, float)
        self.logs: Floats = np.log(np.asarray(costs, float))
        apart = self.logs[:, None] - self.logs[None]
        self.low = apart if low is None else np.minimum(low, apart)
        self.high = apart if high is None else np.maximum(high, apart)

    @cached_property
    def _spread(self) -> Floats:
        """(measures, criteria): the share of a measure in its criterion, 0 in the others."""
        mine = np.array([[criterion == one for one in self.criteria] for criterion in self.measures_of], float)
        spread: Floats = mine * self.shares[:, None]
        return spread

    @cached_property
    def merits(self) -> Floats:
        """(alternatives, criteria): natural logarithms, larger is better; a row depends on its alternative alone."""
        return np.asarray(-self.logs @ self._spread)

    @cached_property
    def surely(self) -> Floats:
        """(alternatives, alternatives, criteria): by how much the first is better than the second at least."""
        return np.asarray(-self.high @ self._spread)

    @cached_property
    def possibly(self) -> Floats:
        """(alternatives, alternatives, criteria): by how much the first is better than the second at most."""
        return np.asarray(-self.low @ self._spread)

    def vector(self, weights: Mapping[str, float]) -> Floats:
        """Return weights by criterion, summing to 1. All may not be 0."""
        given = np.array([weights.get(criterion, 0.0) for criterion in self.criteria], float)
        vector: Floats = given / given.sum()
        return vector

    def totals(self, weights: Floats) -> Floats:
        """Return (alternatives,): the merits' means by these weights, which sum to 1."""
        return np.asarray(self.merits @ weights)

    def represent(self, weights: Floats) -> list[int]:
        """Return the best alternative of every owner, the best owner first; equals in the order given."""
        totals = self.totals(weights)
        best: dict[str, int] = {}
        for place, owner in enumerate(self.owners):
            if owner not in best or totals[place] > totals[best[owner]] + NOTHING:
                best[owner] = place
        return sorted(best.values(), key=lambda place: -totals[place])

    def lead(self, first: int, second: int, weights: Floats) -> tuple[float, float, float]:
        """Return by how much the first's total is above the second's: a logarithm, its least and its most."""
        totals = self.totals(weights)
        least, most = (float(bounds[first, second] @ weights) for bounds in (self.surely, self.possibly))
        return float(totals[first] - totals[second]), least, most

    def tied(self, first: int, second: int, weights: Floats) -> bool:
        """Whether the intervals leave open which of two is better."""
        _, least, most = self.lead(first, second, weights)
        return least <= NOTHING and most >= -NOTHING

    def leader(self, weights: Floats) -> str:
        """Return the owner of the largest total."""
        return self.owners[self.represent(weights)[0]]

    # Other weights

    def stretches(self, weights: Mapping[str, float], criterion: str) -> list[Stretch]:
        """Return who leads as the weight of one criterion goes from 0 to infinity, the other weights as they are."""
        place = self.criteria.index(criterion)
        rest = np.array([0.0 if one == criterion else weights.get(one, 0.0) for one in self.criteria])
        fixed, slope = self.merits @ rest, self.merits[:, place]
        bends = sorted(set(_crossings(fixed, slope)))
        ends = [0.0, *bends, math.inf]
        stretches: list[Stretch] = []
        for low, high in itertools.pairwise(ends):
            middle = low + 1.0 if high == math.inf else (low + high) / 2
            totals = fixed + middle * slope
            owner = self.owners[int(np.argmax(totals >= totals.max() - NOTHING))]
            if stretches and stretches[-1].owner == owner:
                stretches[-1] = stretches[-1]._replace(high=high)
            else:
                stretches.append(Stretch(low, high, owner))
        return stretches

    def regions(self) -> list[Region]:
        """Return the share of all weightings that each owner leads, and the corners of where; the largest first."""
        regions = []
        for owner in dict.fromkeys(self.owners):
            share, sure, largest = 0.0, 0.0, 0.0
            corners: list[tuple[float, ...]] = []
            example = None
            mine = [place for place, each in enumerate(self.owners) if each == owner]
            for place in self._distinct(mine):
                volume, vertices = _region(self.merits[place] - self.merits)
                if volume > largest:
                    largest, example = volume, tuple(float(part) for part in np.mean(vertices, axis=0))
                share += volume
                corners += vertices
                sure += _region(self._surely_ahead(place))[0]
            regions.append(Region(owner, share, min(sure, share), tuple(dict.fromkeys(corners)), example))
        return sorted(regions, key=lambda region: -region.share)

    def _distinct(self, places: Sequence[int]) -> list[int]:
        """Return one of all that are equals: the region of each would be counted, by the measure of `_region`."""
        kept: list[int] = []
        for place in places:
            if all(np.linalg.norm(self.merits[place] - self.merits[other]) > NOTHING for other in kept):
                kept.append(place)
        return kept

    def _surely_ahead(self, place: int) -> Floats:
        """Return the half-spaces in which an alternative leads its owner's others, and surely all of other owners."""
        siblings = [other for other, owner in enumerate(self.owners) if owner == self.owners[place]]
        others = [other for other, owner in enumerate(self.owners) if owner != self.owners[place]]
        least = self.surely[place][others]
        if (np.abs(least).max(axis=1, initial=0) <= NOTHING).any():
            least = np.concatenate([least, -np.ones((1, least.shape[1]))])  # one is its equal everywhere
        return np.concatenate([least, self.merits[place] - self.merits[siblings]])

    # Other measures

    def without(self, measure: int, shares: Sequence[float]) -> "Scores":
        """Return the same less one measure; `shares` are those of the measures that stay."""
        keep = [place for place in range(len(self.measures_of)) if place != measure]
        return Scores(
            self.owners,
            [self.measures_of[place] for place in keep],
            shares,
            np.exp(self.logs[:, keep]),
            self.low[:, :, keep],
            self.high[:, :, keep],
        )

    def factors(self, weights: Floats) -> Floats:
        """Return (measures,): by how many times the leader's cost would have to grow for the next owner to draw level.

        Infinite where no factor does. The cost of all the leader's variants grows alike.
        """
        first, *others = self.represent(weights)
        if not others:
            return np.full(len(self.measures_of), math.inf)
        gap = self.totals(weights)[first] - self.totals(weights)[others[0]]
        effective = self._spread @ weights
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            return np.where(effective > 0, np.exp(gap / np.where(effective > 0, effective, 1)), math.inf)

    def effective(self, weights: Floats) -> Floats:
        """Return (measures,): the part of the whole that each measure decides; they sum to 1."""
        return np.asarray(self._spread @ weights)


def _crossings(fixed: Floats, slope: Floats) -> Iterator[float]:
    """Yield where, to the right of 0, two of the lines fixed + t * slope meet."""
    for one, other in itertools.combinations(range(len(fixed)), 2):
        steeper = slope[one] - slope[other]
        if abs(steeper) > NOTHING:
            crossing = float((fixed[other] - fixed[one]) / steeper)
            if crossing > 0 and math.isfinite(crossing):
                yield crossing


def _region(halfspaces: Floats) -> tuple[float, list[tuple[float, ...]]]:
    """Return the share of the simplex in which every row of `halfspaces` times the weights is at least 0; its corners.

    Every corner lies on as many of the planes as there are weights less one: all choices of planes are tried.
    """
    size = halfspaces.shape[1]
    norms = np.linalg.norm(halfspaces, axis=1)
    if not np.isfinite(halfspaces).all():
        return 0.0, []
    planes = np.concatenate([halfspaces[norms > NOTHING] / norms[norms > NOTHING, None], np.eye(size)])
    choices = math.comb(len(planes), size - 1)  # of one criterion there is one: of no plane
    chosen = np.array(list(itertools.combinations(range(len(planes)), size - 1)), int)
    chosen = chosen.reshape(choices, size - 1)
    systems = np.concatenate([planes[chosen], np.ones((len(chosen), 1, size))], axis=1)
    solvable = np.abs(np.linalg.det(systems)) > NOTHING
    right = np.zeros((int(solvable.sum()), size, 1))
    right[:, -1] = 1
    corners = np.linalg.solve(systems[solvable], right)[:, :, 0]
    inside = corners[(corners @ planes.T >= -NOTHING).all(axis=1)]
    vertices = np.unique(np.round(np.maximum(inside, 0), 9), axis=0)
    return _volume(vertices), [tuple(float(part) for part in vertex) for vertex in vertices]


def _volume(vertices: Floats) -> float:
    """Return the part of the simplex that the convex hull of its points takes."""
    if not len(vertices):
        return 0.0
    flat = vertices[:, :-1]
    if flat.shape[1] == 0:
        return 1.0
    if flat.shape[1] == 1:
        return float(flat.max() - flat.min())
    try:
        return float(ConvexHull(flat).volume) * math.factorial(flat.shape[1])
    except (QhullError, ValueError):
        return 0.0  # fewer corners than a body has, or all in one plane
