"""Which of the differences that one run claims are found again in another run of the same comparison.

An interval speaks for its own run: for those processes, in that hour. Whether a claim outlives them only another run
can tell.
"""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from .tables.speed import Key, StepTimes
from .text import count_things, format_interval


class Claim(NamedTuple):
    """A difference that a run claims: the interval of the ratio of the two step times excludes 1."""

    faster: Key
    slower: Key

    @property
    def sentence(self) -> str:
        """`a:x is faster than b:y`."""
        return f"{':'.join(self.faster)} is faster than {':'.join(self.slower)}"


class Recurrence(NamedTuple):
    """The claims of one run, by what another run says of them."""

    recurring: list[Claim]
    """It claims the same."""
    undecided: list[Claim]
    """Its interval includes 1."""
    reversed: list[Claim]
    """It claims the opposite."""
    not_timed: list[Claim]
    """One of the two variants was not timed in it."""

    @property
    def tried(self) -> int:
        """The claims whose two variants were timed in both runs."""
        return len(self.recurring) + len(self.undecided) + len(self.reversed)


def claimed_differences(times: StepTimes) -> list[Claim]:
    """Return every difference between two variants that the run claims; none where it has no timings."""
    claims = []
    for first, second in itertools.combinations(times.variants, 2):
        ratio = times.ratio(first, second)
        if ratio.excludes(1):
            claims.append(Claim(first, second) if ratio.estimate < 1 else Claim(second, first))
    return claims


def find_again(claims: list[Claim], other: StepTimes) -> Recurrence:
    """Return what the other run says of each claim."""
    found = Recurrence([], [], [], [])
    for claim in claims:
        if claim.faster not in other or claim.slower not in other:
            found.not_timed.append(claim)
            continue
        ratio = other.ratio(claim.faster, claim.slower)
        if not ratio.excludes(1):
            found.undecided.append(claim)
        else:
            (found.recurring if ratio.estimate < 1 else found.reversed).append(claim)
    return found


def describe(found: Recurrence, baseline: str, repeat: str, other: StepTimes) -> Iterator[str]:
    """Yield sentences: how many claims of the baseline recur in its repeat, and each one that does not."""
    if not found.tried:
        return
    yield (
        f"Of {count_things(found.tried, 'difference')} between two variants that {baseline} claims, "
        f"{len(found.recurring)} recur in {repeat}, {len(found.undecided)} are not known there, and "
        f"{len(found.reversed)} are reversed."
    )
    for word, claims in (("not known", found.undecided), ("reversed", found.reversed)):
        for claim in claims:
            ratio = format_interval(other.ratio(claim.slower, claim.faster), decimals=3)
            yield f"{claim.sentence}: {word} in {repeat} (slower over faster: {ratio})."
