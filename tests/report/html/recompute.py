"""A third party's script: it recomputes the numbers of the summary from two CSV files that the report offers.

It imports nothing of Bakeoff. It follows docs/explanation/timing.md: medians over all blocks, and a bootstrap of rounds
and of segments of eight neighbouring blocks, at least as wide as the processes of one program differ.

    python recompute.py slices.csv summary.csv

prints, as JSON, what the table and the first sentences of the report should print.
"""

import json
import math
import sys

import numpy as np
import pandas as pd
from scipy import stats

SEGMENT, RESAMPLES = 8, 2000


def read(path):
    return pd.read_csv(path, comment="#")


def rounds_of(slices, name):
    mine = slices[slices["variant"] == name].sort_values(["round", "block"])
    return [part["wall_s"].to_numpy() / part["steps"].to_numpy() for _, part in mine.groupby("round")]


def draw(lengths):
    """Return the places of every resample, rounds end to end: of each round drawn, segments that wrap around."""
    rng = np.random.default_rng(0)
    begins = np.concatenate([[0], np.cumsum(lengths)])
    for _ in range(RESAMPLES):
        places = []
        for chosen in rng.integers(0, len(lengths), len(lengths)):
            blocks = lengths[chosen]
            starts = rng.integers(0, blocks, math.ceil(blocks / SEGMENT))
            runs = [(start + np.arange(SEGMENT)) % blocks for start in starts]
            places.append(begins[chosen] + np.concatenate(runs)[:blocks])
        yield np.concatenate(places)


def interval(rounds, variance, freedom):
    """Return the median of all blocks and its 95 % interval."""
    blocks = np.concatenate(rounds)
    estimate = float(np.median(blocks))
    segments = sum(math.ceil(len(each) / SEGMENT) for each in rounds)
    wide = math.sqrt(segments / (segments - 1)) * stats.t.ppf(0.025, segments - 1)
    tail = stats.norm.cdf(wide)
    medians = [np.median(blocks[places]) for places in draw([len(each) for each in rounds])]
    low, high = np.quantile(medians, [tail, 1 - tail])
    if freedom:
        factor = math.exp(stats.t.ppf(0.975, freedom) * math.sqrt(variance))
        low, high = min(low, estimate / factor), max(high, estimate * factor)
    return estimate, float(low), float(high)


def scatter(contestants):
    """Return the variance of the pace of processes of one program, and its degrees of freedom."""
    freedom = (len(contestants) - 1) * (len(contestants[0]) - 1)
    if freedom < 1:
        return 0.0, 0
    paces = []
    for index, mine in enumerate(contestants):
        row = []
        for number, blocks in enumerate(mine):
            rivals = [np.log(other[number]) for place, other in enumerate(contestants) if place != index]
            far = np.median(np.log(blocks) - np.median(rivals, axis=0))
            row.append(far * len(rivals) / len(contestants))
        paces.append(row)
    table = np.array(paces)
    left = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    return float((left**2).sum() / freedom), freedom


def three(value):
    return max(0, 2 - math.floor(math.log10(abs(value))))


def seconds(value):
    unit, size = next(each for each in (("s", 1), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)) if value >= each[1])
    return f"{value / size:.3g} {unit}"


def brackets(values, write):
    estimate, low, high = map(write, values)
    return f"{estimate} [{low}, {high}]"


def ratio_text(values, places=None):
    places = three(values[0]) if places is None else places
    return brackets(values, lambda value: f"{value:,.{places}f}")


def recompute(slices, summary):
    names = list(dict.fromkeys(slices["variant"]))
    rounds = {name: rounds_of(slices, name) for name in sorted(names)}
    variance, freedom = scatter(list(rounds.values()))
    shape = len(next(iter(rounds.values())))

    def ratio(one, other):
        parts = [first / second for first, second in zip(rounds[one], rounds[other])]
        return interval(parts, 2 * variance / shape, freedom)

    steps = {name: interval(rounds[name], variance / shape, freedom) for name in rounds}
    copies = [name for name in rounds if name.endswith("(second copy)")]
    fastest = min((name for name in rounds if name not in copies), key=lambda name: steps[name][0])
    ratios = {name: ratio(name, fastest) for name in rounds if name != fastest}
    rows = {}
    for row in summary.to_dict("records"):
        name = row["name"]
        cells = {"step_s": brackets(steps[name], seconds) if name in steps else "-"}
        cells["ratio"] = "1" if name == fastest else ratio_text(ratios[name]) if name in ratios else "-"
        for column, write in (
            ("first_call_s", "{:.2f} s"),
            ("import_s", "{:.2f} s"),
            ("test_accuracy", "{:.1%}"),
            ("tokens", "{:,.0f}"),
        ):
            cells[column] = "-" if pd.isna(row[column]) else write.format(row[column])
        memory = row["peak_memory_bytes"]
        cells["peak_memory_bytes"] = "-" if pd.isna(memory) else f"{memory / 1e6:,.0f} MB"
        rows[name] = cells
    twin = ratio(copies[0].removesuffix(" (second copy)"), copies[0])
    timed = [name for name in rounds if name not in copies]
    accuracies = summary["test_accuracy"].dropna()
    return {
        "rows": rows,
        "sentences": {
            "fastest": f"({fastest}) is the fastest of {len(timed)} variants: {brackets(steps[fastest], seconds)}",
            "slowest": ratio_text(ratios[max(timed, key=lambda name: steps[name][0])]),
            "accuracy": sorted({f"{accuracies.min():.1%}", f"{accuracies.max():.1%}"}),
            "self_test": ratio_text(twin, 3),
            "resolution": f"{math.ceil((max(twin[2], 1 / twin[1]) - 1) * 1000) / 10:.1f} %",
        },
    }


if __name__ == "__main__":
    print(json.dumps(recompute(read(sys.argv[1]), read(sys.argv[2]))))
