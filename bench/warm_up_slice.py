"""Measures what a warm-up slice changes: the same workers are timed with and without one, alternating.

    python bench/warm_up_slice.py [--backends a,b:variant] [--threads 1] [--rounds 3] [--blocks 40]

As in a run, each round starts fresh workers for all variants, and all but one of them are stopped at any time. In each
block every variant takes a slice of about 10 ms with a warm-up slice (the same steps, untimed, before it) and one
without, all in random order. The program prints the paired ratio without / with and its 95 % interval for each variant.
The part over 1 is the cost of a worker that was stopped; a training loop does not have that cost.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from bakeoff.common import statistics
from bakeoff.registry import entries as registry_entries
from bakeoff.workers.cores import first_cores, reserve_cores
from bakeoff.workers.session import Session
from overhead import prepare
from problems import place_of, problem_of

SLICE_S = 0.01
WARM_SLICES = 40
WAYS = (True, False)


def measure(chosen, number, options, folder, cores, spinners):
    """Return {(variant, warm-up slice or not): seconds of its slices (blocks,)} of one round."""
    rng, problem, sessions, orders = np.random.default_rng(number), problem_of(), {}, {}
    try:
        for index in rng.permutation(len(chosen)):
            entry, variant = chosen[index]
            with spinners.paused():
                place = place_of(entry, folder)._replace(cores=cores, threads=options.threads)
                session = sessions[entry.name, variant] = Session(place)
                prepare(session, variant, problem)
                session.train(problem.steps(64))
                pace = min(session.train_timed(problem.steps(64)).wall_s for _ in range(3)) / 64
                order = orders[entry.name, variant] = problem.steps(max(1, round(SLICE_S / pace)))
                for _ in range(WARM_SLICES):
                    session.train(order)
            session.pause()
        slices = [(key, warm_up_slice) for key in sessions for warm_up_slice in WAYS]
        taken = {each: [] for each in slices}
        for _ in range(options.blocks):
            for index in rng.permutation(len(slices)):
                key, warm_up_slice = slices[index]
                sessions[key].resume()
                with spinners.paused():
                    trained = sessions[key].train_timed(orders[key], warm_up_slice=warm_up_slice)
                taken[key, warm_up_slice].append(trained.wall_s)
                sessions[key].pause()
    finally:
        for session in sessions.values():
            session.close()
    return {each: np.array(seconds) for each, seconds in taken.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", help="backends as in `bakeoff run` (default: the default backends)")
    parser.add_argument("--threads", type=int, default=1, help="threads of each worker (default 1)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of fresh processes (default 3)")
    parser.add_argument("--blocks", type=int, default=40, help="blocks in a round (default 40)")
    options = parser.parse_args()
    entries, cores = registry_entries.read_all(), first_cores(options.threads)
    chosen = registry_entries.select(entries, options.backends or registry_entries.default_selection(entries))
    with tempfile.TemporaryDirectory() as folder, reserve_cores(cores) as spinners:
        rounds = [measure(chosen, number, options, Path(folder), cores, spinners) for number in range(options.rounds)]
    print("| backend | threads | without a warm-up slice / with one [95 %] |\n|---|---|---|")
    for entry, variant in chosen:
        own, without = ([each[(entry.name, variant), warm_up_slice] for each in rounds] for warm_up_slice in WAYS)
        ratio = statistics.paired_ratio(without, own)
        interval = f"{ratio.estimate:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]"
        print(f"| {entry.name}:{variant} | {options.threads} | {interval} |")


if __name__ == "__main__":
    main()
