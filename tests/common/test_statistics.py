"""Intervals contain the truth as often as they say, on series like those that machines give."""

import numpy as np
import pytest
from bakeoff.common import statistics
from bakeoff.common.statistics import UNKNOWN, Interval, Scatter, median, paired_ratio, scatter, unpaired_ratio
from scipy import stats

BLOCKS = 60


@pytest.fixture
def fewer_resamples(monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 300)


def white(rng, rounds=2, blocks=BLOCKS, spread=0.1):
    return [np.exp(spread * rng.standard_normal(blocks)) for _ in range(rounds)]


def wandering(rng, rounds=2, blocks=BLOCKS, memory=0.6, spread=0.1):
    """Return series whose neighbours are alike (an autoregression), of median 1."""
    series = []
    for _ in range(rounds):
        noise = rng.standard_normal(blocks) * np.sqrt(1 - memory**2)
        values = [rng.standard_normal()]
        for each in noise[1:]:
            values.append(memory * values[-1] + each)
        series.append(np.exp(spread * np.array(values)))
    return series


def coverage(make, interval, truth, times):
    rng = np.random.default_rng(20261122)
    return np.mean([not interval(make(rng)).excludes(truth) for _ in range(times)])


def slice_bootstrap(rounds):
    """Return the interval of a plain bootstrap over slices, as if none were like its neighbour."""
    rng = np.random.default_rng(0)
    values = np.concatenate(rounds)
    medians = np.median(rng.choice(values, (statistics.RESAMPLES, len(values))), axis=1)
    return Interval(float(np.median(values)), *np.quantile(medians, [0.025, 0.975]))


@pytest.mark.simulation
@pytest.mark.usefixtures("fewer_resamples")
def test_the_median_of_independent_slices_is_covered_about_95_percent_of_the_time():
    share = coverage(white, median, 1, 150)
    assert 0.90 <= share <= 0.99, f"covered {share:.1%} of 150 times"


@pytest.mark.simulation
@pytest.mark.usefixtures("fewer_resamples")
def test_the_ratio_of_independent_slices_is_covered_about_95_percent_of_the_time():
    share = coverage(lambda rng: (white(rng), white(rng)), lambda pair: paired_ratio(*pair), 1, 150)
    assert 0.90 <= share <= 0.99, f"covered {share:.1%} of 150 times"


@pytest.mark.simulation
@pytest.mark.usefixtures("fewer_resamples")
def test_a_against_a_is_not_over_sure_where_neighbouring_slices_are_alike():
    def ratios(rng):
        return [one / other for one, other in zip(wandering(rng), wandering(rng))]

    segments = coverage(ratios, median, 1, 150)
    slices = coverage(ratios, slice_bootstrap, 1, 150)
    said = f"A/A covered by segments {segments:.1%}, by a plain bootstrap over slices {slices:.1%} of 150 times"
    assert segments >= 0.92, said
    assert slices <= segments - 0.1, said


def test_a_planted_five_percent_is_found():
    rng = np.random.default_rng(5)
    drift = wandering(rng, spread=0.3)
    slow, fast = ([load * noise for load, noise in zip(drift, white(rng, spread=0.03))] for _ in range(2))
    ratio = paired_ratio([1.05 * each for each in slow], fast)
    assert ratio.excludes(1)
    assert not ratio.excludes(1.05)


def test_pairing_cancels_what_both_share():
    """The machine's load, common to a block, moves both medians, and not their ratio."""
    rng = np.random.default_rng(7)
    load = wandering(rng, spread=0.5)
    first, second = ([2 * each for each in load], load)
    ratio = paired_ratio(first, second)
    assert ratio == pytest.approx((2, 2, 2))
    alone = median(first)
    assert alone.high / alone.low > 1.1


def test_what_is_paired_within_a_block_stays_paired():
    first = [np.arange(1.0, 61.0), np.arange(61.0, 1.0, -1)]
    assert paired_ratio(first, [3 * each for each in first]) == pytest.approx((1 / 3, 1 / 3, 1 / 3))


def test_the_estimate_is_the_median_over_all_rounds():
    assert median([np.array([1.0, 2.0, 9.0]), np.array([3.0, 4.0])]).estimate == 3


def test_rounds_that_differ_widen_the_interval():
    """Fresh processes differ: what the slices of one process cannot show, rounds do."""
    rng = np.random.default_rng(3)
    alike = white(rng, rounds=4, spread=0.01)
    apart = [each * factor for each, factor in zip(alike, (0.9, 1.0, 1.0, 1.1))]
    narrow, wide = median(alike), median(apart)
    assert wide.high - wide.low > 5 * (narrow.high - narrow.low)


def test_the_same_slices_give_the_same_interval():
    rounds = white(np.random.default_rng(1))
    assert median(rounds) == median(rounds)


@pytest.mark.parametrize("blocks", [1, 2, statistics.SEGMENT, statistics.SEGMENT + 1])
def test_a_round_may_be_shorter_than_a_segment(blocks):
    interval = median([np.linspace(1, 2, blocks)] * 2)
    assert 1 <= interval.low <= interval.estimate <= interval.high <= 2


@pytest.mark.parametrize("blocks", [1, statistics.SEGMENT])
def test_one_segment_gives_no_interval(blocks):
    times = [np.linspace(1, 2, blocks)]
    for interval in (median(times), paired_ratio(times, times), statistics.unpaired_ratio(times, times * 4)):
        assert (interval.low, interval.high) == (0, np.inf)
        assert not interval.excludes(1)


def test_rounds_of_one_that_the_other_lacks_are_refused():
    with pytest.raises(ValueError, match="zip"):
        paired_ratio([np.ones(3), np.ones(3)], [np.ones(3)])


@pytest.mark.parametrize(("value", "outside"), [(0.89, True), (0.9, False), (1.0, False), (1.1, False), (1.11, True)])
def test_an_interval_excludes_what_lies_outside_of_it(value, outside):
    assert Interval(1.0, 0.9, 1.1).excludes(value) is outside


# Processes that differ


def processes(rng, contestants=9, rounds=2, apart=0.015, blocks=BLOCKS):
    """Return contestants that are one program, of rounds whose processes differ; they share the load of a block."""
    loads = wandering(rng, rounds, blocks, memory=0.9)
    return [
        [
            load * noise * np.exp(apart * rng.standard_normal())
            for load, noise in zip(loads, wandering(rng, rounds, blocks, spread=0.02))
        ]
        for _ in range(contestants)
    ]


@pytest.mark.simulation
@pytest.mark.usefixtures("fewer_resamples")
@pytest.mark.parametrize(("contestants", "rounds", "slices_at_most"), [(9, 2, 0.88), (3, 2, 0.88), (2, 5, 0.95)])
def test_equal_programs_are_not_distinguished_by_their_processes(contestants, rounds, slices_at_most):
    def pair(given):
        return paired_ratio(given[0], given[1], scatter(given))

    def slices_alone(given):
        return paired_ratio(given[0], given[1])

    def make(rng):
        return processes(rng, contestants, rounds)

    share, without = (coverage(make, interval, 1, 100) for interval in (pair, slices_alone))
    assert share >= 0.92, f"covered {share:.1%} of 100 times"
    assert without < slices_at_most, f"the slices alone covered {without:.1%}"


@pytest.mark.simulation
@pytest.mark.usefixtures("fewer_resamples")
def test_two_runs_of_equal_programs_are_not_distinguished_by_their_processes():
    def make(rng):
        return processes(rng), processes(rng)

    def pair(given):
        return unpaired_ratio(given[0][0], given[1][0], (scatter(given[0]), scatter(given[1])))

    share = coverage(make, pair, 1, 100)
    assert share >= 0.92, f"covered {share:.1%} of 100 times"


@pytest.mark.simulation
@pytest.mark.parametrize("apart", [0.005, 0.015])
def test_the_scatter_of_processes_is_found(apart):
    rng = np.random.default_rng(11)
    found = [scatter(processes(rng, apart=apart)) for _ in range(100)]
    assert {each.freedom for each in found} == {8}
    least = np.mean([scatter(processes(rng, apart=0)).variance for _ in range(100)])
    assert np.sqrt(np.mean([each.variance for each in found]) - least) == pytest.approx(apart, rel=0.15)


@pytest.mark.simulation
def test_disturbed_slices_of_some_are_no_scatter_of_all():
    """One slice in five takes up to three times as long, as when threads wake on the same core."""
    rng = np.random.default_rng(15)

    def disturbed(series):
        late = rng.random((len(series), BLOCKS)) < 0.2
        return [each * np.where(slow, 1 + 2 * rng.random(BLOCKS), 1) for each, slow in zip(series, late, strict=True)]

    calm = [[white(rng, spread=0.01) for _ in range(9)] for _ in range(100)]
    wild = [[disturbed(series) for series in given] for given in calm]
    before, after = (np.sqrt(np.mean([scatter(given).variance for given in each])) for each in (calm, wild))
    assert after < 2 * before


def test_what_rounds_and_contestants_have_in_common_is_no_scatter():
    rng = np.random.default_rng(12)
    loads = [wandering(rng, spread=0.3)[0], 1.4 * wandering(rng, spread=0.3)[0]]
    found = scatter([[pace * load for load in loads] for pace in (1, 2, 70)])
    assert found.variance == pytest.approx(0, abs=1e-20)


@pytest.mark.parametrize("times", [[], [[np.ones(3), np.ones(3)]], [[np.ones(3)], [np.ones(3)]]])
def test_one_round_or_one_contestant_says_nothing_of_processes(times):
    assert scatter(times) == UNKNOWN


def test_a_wide_scatter_of_processes_widens_and_a_narrow_one_does_not_narrow():
    first, second = white(np.random.default_rng(13)), white(np.random.default_rng(14))
    slices = paired_ratio(first, second)
    assert paired_ratio(first, second, Scatter(1e-12, 8)) == slices
    wide = paired_ratio(first, second, Scatter(0.05**2, 8))
    # Two rounds of two processes: t(8) is 2.306.
    assert np.log(wide.high / wide.estimate) == pytest.approx(2.306 * 0.05, rel=1e-3)
    assert np.log(wide.estimate / wide.low) == pytest.approx(2.306 * 0.05, rel=1e-3)


# Two runs


def of_two_runs(factor=1.0, **more):
    """Return a way to draw the series of two runs that nothing pairs, the first `factor` times the second."""
    return lambda rng: ([factor * each for each in white(rng, **more)], white(rng, rounds=3, blocks=40))


@pytest.mark.simulation
@pytest.mark.usefixtures("fewer_resamples")
@pytest.mark.parametrize("factor", [1.0, 1.1])
def test_the_ratio_of_two_runs_is_covered_and_its_interval_is_not_much_wider_than_need_be(factor):
    widths = []

    def interval(pair):
        ratio = unpaired_ratio(*pair)
        widths.append(np.log(ratio.high / ratio.low))
        return ratio

    share = coverage(of_two_runs(factor), interval, factor, 80)
    assert share >= 0.90, f"covered {share:.1%} of 80 times"
    # What theory says of medians of 120 normal values of standard deviation 0.1, and of their difference.
    least = 2 * 1.96 * np.sqrt(2 * np.pi / 2 / 120) * 0.1
    assert 0.9 <= np.median(widths) / least <= 1.4


@pytest.mark.simulation
@pytest.mark.usefixtures("fewer_resamples")
def test_the_ratio_of_two_runs_is_not_over_sure_where_neighbouring_slices_are_alike():
    share = coverage(lambda rng: (wandering(rng), wandering(rng)), lambda pair: unpaired_ratio(*pair), 1, 80)
    assert share >= 0.90, f"covered {share:.1%} of 80 times"


def test_ten_percent_between_two_runs_is_found():
    ratio = unpaired_ratio(*of_two_runs(1.1)(np.random.default_rng(2)))
    assert ratio.excludes(1)
    assert not ratio.excludes(1.1)


def test_two_runs_share_no_blocks_and_so_nothing_cancels():
    load = wandering(np.random.default_rng(7), spread=0.5)
    ratio = unpaired_ratio([2 * each for each in load], load)
    assert ratio.estimate == pytest.approx(2)
    assert ratio.high / ratio.low > 1.1


@pytest.mark.parametrize("lengths", [(40, 40), (16, 24, 40)], ids=str)
def test_the_resamples_of_two_runs_have_nothing_to_do_with_each_other(lengths):
    """Also where rounds differ in length, whose resamples are counted in the order of their sizes."""
    rng = np.random.default_rng(23)
    rounds = [rng.lognormal(0, 0.1, length) for length in lengths]
    first, second = (statistics._resample_run(rounds, seed) for seed in (0, 1))
    assert abs(stats.pearsonr(first, second).statistic) < 4 / np.sqrt(statistics.RESAMPLES)


def test_of_two_runs_the_shorter_one_decides_how_sure_the_ratio_is():
    rng = np.random.default_rng(4)
    long, short = white(rng), white(rng, rounds=1, blocks=2 * statistics.SEGMENT)
    both, one = unpaired_ratio(long, long), unpaired_ratio(short, long)
    assert one.high / one.low > both.high / both.low


def test_the_estimate_of_two_runs_is_the_ratio_of_their_medians():
    first, second = [np.array([1.0, 2.0, 9.0])], [np.array([3.0, 4.0]), np.array([5.0])]
    assert unpaired_ratio(first, second).estimate == 2 / 4


# Exact values: what coverage over many series does not distinguish from its neighbours


def test_the_robust_standard_deviation_is_that_of_scipy():
    values = np.array([1.0, 2.0, 3.0, 5.0, 100.0])
    assert statistics.spread(values) == pytest.approx(stats.median_abs_deviation(values, scale="normal"))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("score", "far"), [(3.45, False), (3.55, True)])
def test_an_outlier_is_further_than_three_and_a_half_deviations_of_logarithms(score, far, sign):
    # Their median is 0, and the median of their distances from it 1: so a standard deviation is 1 / ppf(0.75).
    logs = sign * np.array([-1.0, -1.0, -1.0, 0.0, 1.0, 1.0, score / stats.norm.ppf(0.75)])
    assert list(statistics.outliers(5 * np.exp(logs))) == [False] * 6 + [far]


def test_the_tails_are_those_of_the_expanded_percentile_interval():
    """As Hesterberg 2015 writes them: Student's quantile, stretched by sqrt(n / (n - 1)), as a share of the normal."""
    for segments in (2, 5, 16, 40.5):
        stretched = stats.t(segments - 1).ppf(0.025) * (segments / (segments - 1)) ** 0.5
        assert statistics._tail(segments) == pytest.approx(stats.norm().cdf(stretched))
    assert statistics._tail(1.9) == 0


def test_the_degrees_of_freedom_of_a_sum_are_welch_s():
    assert statistics._welch([4.0, 9.0], [5, 10]) == pytest.approx(13**2 / (16 / 5 + 81 / 10))
    assert statistics._welch([4.0, 9.0], [0, 10]) == 0
    assert statistics._welch([0.0, 0.0], [5, 10]) == 5
    assert statistics._welch([4.0, 0.0], [5, 10]) == 5


def test_a_started_segment_counts():
    size = statistics.SEGMENT
    assert statistics._segments([np.ones(size), np.ones(size + 1), np.ones(1)]) == 4


def test_the_ends_of_an_interval_are_the_quantiles_of_its_resamples():
    rounds = white(np.random.default_rng(21), blocks=19)
    rng = np.random.default_rng(0)
    medians = [np.median(statistics.resample(rounds, rng)) for _ in range(statistics.RESAMPLES)]
    tail = statistics._tail(6)  # 2 rounds of 19 blocks: 3 segments of 8 each
    assert median(rounds) == pytest.approx((np.median(np.concatenate(rounds)), *np.quantile(medians, [tail, 1 - tail])))


def test_the_ends_of_an_interval_of_two_runs_are_the_quantiles_of_a_difference_of_logarithms():
    first, second = of_two_runs()(np.random.default_rng(22))
    logs = []
    for seed, rounds in enumerate((first, second)):
        rng = np.random.default_rng(seed)
        medians = [np.median(statistics.resample(rounds, rng)) for _ in range(statistics.RESAMPLES)]
        logs.append(np.log(np.random.default_rng(seed).permutation(medians)))
    segments = [2 * -(-BLOCKS // statistics.SEGMENT), 3 * -(-40 // statistics.SEGMENT)]
    variances = [each.var() for each in logs]
    freedom = sum(variances) ** 2 / sum(each**2 / (count - 1) for each, count in zip(variances, segments))
    tail = statistics._tail(1 + freedom)
    low, high = np.exp(np.quantile(logs[0] - logs[1], [tail, 1 - tail]))
    assert unpaired_ratio(first, second)[1:] == pytest.approx((low, high))


def test_two_runs_are_widened_by_the_scatter_of_both_and_an_unknown_one_is_the_other_s():
    first, second = of_two_runs()(np.random.default_rng(23))  # two rounds, and three
    one, other = Scatter(0.05**2, 8), Scatter(0.08**2, 12)

    def factor(*processes):
        ratio = unpaired_ratio(first, second, processes)
        assert np.log(ratio.high / ratio.estimate) == pytest.approx(np.log(ratio.estimate / ratio.low))
        return np.log(ratio.high / ratio.estimate)

    def expected(left, right):
        variances = [left.variance / 2, right.variance / 3]
        freedom = sum(variances) ** 2 / sum(
            each**2 / side.freedom for each, side in zip(variances, (left, right), strict=True)
        )
        return stats.t.ppf(0.975, freedom) * np.sqrt(sum(variances))

    assert factor(one, other) == pytest.approx(expected(one, other))
    assert factor(one, UNKNOWN) == pytest.approx(expected(one, one))
    assert factor(UNKNOWN, other) == pytest.approx(expected(other, other))


def test_the_scatter_is_the_residual_of_a_two_way_analysis_of_variance():
    rng = np.random.default_rng(24)
    given = [[np.exp(0.1 * rng.standard_normal(5)) for _ in range(3)] for _ in range(4)]
    paces = np.empty((3, 4))
    for number in range(3):
        logs = np.log([given[contestant][number] for contestant in range(4)])
        for contestant in range(4):
            rivals = np.median(np.delete(logs, contestant, axis=0), axis=0)
            paces[number, contestant] = np.median(logs[contestant] - rivals) * 3 / 4
    residual = paces - paces.mean(0) - paces.mean(1)[:, None] + paces.mean()
    assert scatter(given) == pytest.approx(((residual**2).sum() / 6, 6))


def test_a_ratio_of_paired_rounds_is_widened_by_two_processes_a_round():
    first, second = white(np.random.default_rng(25), rounds=5), white(np.random.default_rng(26), rounds=5)
    ratio = paired_ratio(first, second, Scatter(0.1**2, 20))
    assert np.log(ratio.high / ratio.estimate) == pytest.approx(stats.t.ppf(0.975, 20) * np.sqrt(2 * 0.01 / 5))
    assert median(first, Scatter(0.1**2, 20)).high / median(first).estimate == pytest.approx(
        np.exp(stats.t.ppf(0.975, 20) * np.sqrt(0.01 / 5))
    )


def test_one_degree_of_freedom_widens_and_none_does_not():
    first, second = white(np.random.default_rng(27)), white(np.random.default_rng(28))
    assert paired_ratio(first, second, Scatter(0.1**2, 1)).high > 2 * paired_ratio(first, second).high
    assert paired_ratio(first, second, Scatter(0.1**2, 0)) == paired_ratio(first, second)


def test_an_interval_of_two_segments_is_finite():
    low, high = median([np.linspace(1, 2, 2 * statistics.SEGMENT)])[1:]
    assert 1 <= low < high <= 2
    half = [np.linspace(1, 2, 2 * statistics.SEGMENT)]
    assert np.isfinite(unpaired_ratio(half, half).high)


def test_two_rounds_of_two_contestants_have_one_degree_of_freedom():
    assert scatter(processes(np.random.default_rng(29), contestants=2)).freedom == 1


def test_contestants_of_different_rounds_are_refused():
    with pytest.raises(ValueError, match="zip"):
        scatter([[np.ones(3)] * 3, [np.ones(3)] * 2])


def test_one_segment_has_its_estimate():
    assert median([np.array([1.0, 2.0, 9.0])]).estimate == 2
