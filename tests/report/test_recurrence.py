"""Which differences of one run are found again in another: by hand-made step times."""

import numpy as np
from bakeoff.report.recurrence import Claim, claimed_differences, describe, find_again
from bakeoff.report.tables.speed import StepTimes

A, B, C = ("a", "plain"), ("b", "plain"), ("c", "plain")


def times_of(**medians):
    """Return the step times of variants with these medians in ms, all with the same scatter of 0.3 %."""
    times = StepTimes.__new__(StepTimes)
    times.until, times._ratios = False, {}
    rng = np.random.default_rng(1)
    times.rounds = {
        (name, "plain", False): [median * 1e-3 * rng.lognormal(0, 0.003, 40) for _ in range(3)]
        for name, median in medians.items()
    }
    return times


def test_a_run_claims_the_differences_that_its_intervals_exclude():
    assert claimed_differences(times_of(a=1.0, b=1.0, c=2.0)) == [Claim(A, C), Claim(B, C)]


def test_a_claim_recurs_is_undecided_is_reversed_or_was_not_timed():
    claims = claimed_differences(times_of(a=1.0, b=2.0, c=3.0, d=4.0))
    found = find_again(claims, times_of(a=1.0, b=1.0, c=0.5))
    assert found.recurring == []
    assert found.undecided == [Claim(A, B)]
    assert found.reversed == [Claim(A, C), Claim(B, C)]
    assert len(found.not_timed) == 3
    assert found.tried == 3
    assert find_again(claims, times_of(a=1.0, b=2.0, c=3.0, d=4.0)).recurring == claims


def test_a_run_without_timings_claims_nothing():
    assert claimed_differences(times_of()) == []


def test_what_does_not_recur_is_named():
    other = times_of(a=1.0, b=1.0, c=0.5)
    found = find_again([Claim(A, B), Claim(A, C)], other)
    first, *rest = describe(found, "results/one", "results/two", other)
    assert first == (
        "Of 2 differences between two variants that results/one claims, 0 recur in results/two, 1 are not known there, "
        "and 1 are reversed."
    )
    assert rest[0].startswith("a:plain is faster than b:plain: not known in results/two (slower over faster: ")
    assert rest[1].startswith("a:plain is faster than c:plain: reversed in results/two (slower over faster: 0.")


def test_without_claims_there_is_nothing_to_say():
    assert list(describe(find_again([], times_of(a=1.0)), "one", "two", times_of(a=1.0))) == []
