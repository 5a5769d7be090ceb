"""Measures how often the detection of steady state is wrong, on times whose levels are known.

    python bench/warmup.py [--trials 400]

The program prints, for each kind of times, the share of trials in which a steady state is found, and the share in which
it is found to begin at the right slice (within 3). Correlated noise stands for the background load of a shared machine:
each slice is similar to the one before.
"""

import argparse

import numpy as np
from bakeoff.measures.speed import warmup


def noise(rng, count, correlation=0.0, scale=0.01):
    """Return (count,) of noise around 0: autoregressive, with a tail to the slow side in one slice of twenty."""
    values = rng.normal(0, scale, count)
    for index in range(1, count):
        values[index] = correlation * values[index - 1] + np.sqrt(1 - correlation**2) * values[index]
    return values + (rng.random(count) < 0.05) * rng.exponential(0.2, count)


def run_trial(rng, count, begins, height, correlation):
    """Return the steady state found in `count` slices of which the first `begins` are `height` times as long."""
    levels = np.where(np.arange(count) < begins, np.log(height), 0.0)
    return warmup.find_steady_state(0.02 * np.exp(levels + noise(rng, count, correlation)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=400, help="trials for each kind of times (default 400)")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    print("| times | slices | steady state found | at the right slice |\n|---|---|---|---|")
    for name, count, begins, height, correlation in [
        ("no warm-up", 30, 0, 1, 0),
        ("no warm-up", 100, 0, 1, 0),
        ("no warm-up, correlated 0.5", 30, 0, 1, 0.5),
        ("no warm-up, correlated 0.5", 100, 0, 1, 0.5),
        ("10 slices 1.1 times as long", 40, 10, 1.1, 0),
        ("10 slices 1.1 times as long, correlated 0.5", 40, 10, 1.1, 0.5),
        ("10 slices 2 times as long", 40, 10, 2, 0.5),
        ("30 slices 1.05 times as long", 80, 30, 1.05, 0),
        ("25 of 30 slices 2 times as long: too few slices", 30, 25, 2, 0),
    ]:
        found = [run_trial(rng, count, begins, height, correlation) for _ in range(options.trials)]
        steady = np.mean([each is not None for each in found])
        right = np.mean([each is not None and abs(each - begins) <= 3 for each in found])
        print(f"| {name} | {count} | {steady:.1%} | {right:.1%} |", flush=True)


if __name__ == "__main__":
    main()
