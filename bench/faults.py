"""Injects every fault and reads every damaged input of tests/faults, and counts what was survived.

    python bench/faults.py workers --stage "in training"
    python bench/faults.py specs --first 0 --count 1000
    python bench/faults.py            all of it: about two hours

Survived means: one clear message with exit code 2, or a row of the faulty backend; no traceback, no hang, nothing
written elsewhere, nothing left behind. The counts are kept in bench/faults.json, from which the table of
docs/explanation/hardening.md is made: a case that is tried again replaces its earlier result. Exit code 1 where
something was not survived.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "bench" / "faults.json"
COUNTS = {"specs": 1000, "backends": 500, "data": 500, "runs": 500}
MOST_SHOWN = 500
"""Characters of a failure that is kept."""


def list_cases(kind, first, count, stage):
    """Yield the name of each case with a function that returns what is wrong, "" where nothing is."""
    sys.path.insert(0, str(ROOT))
    from bakeoff.measures.speed import rounds

    from tests.faults import input_files, run_folders, worker_faults

    rounds.WARM_LIMIT_S = 0.0
    if kind == "workers":
        for name in worker_faults.STAGES if stage is None else [stage]:
            for fault in worker_faults.FAULTS:
                yield (
                    f"{name}: {fault}",
                    lambda folder, fault=fault, name=name: worker_faults.inject(fault, name, folder),
                )
        return
    if kind == "runs":
        for seed in range(first, first + count):
            yield from list_commands(run_folders, seed)
        return
    make, read = {
        "specs": (input_files.make_spec, input_files.read_a_spec),
        "backends": (input_files.make_backend, input_files.read_backend),
        "data": (input_files.make_data, input_files.read_data),
    }[kind]
    for seed in range(first, first + count):
        yield str(seed), lambda folder, seed=seed: read(make(folder, random.Random(seed))[0])


def list_commands(run_folders, seed):
    """Yield the eight commands on one mutated run, each on a fresh copy: a command can write into it."""
    for command in run_folders.COMMANDS:

        def work(folder, command=command):
            return run_folders.read_run(command, run_folders.mutate(folder, random.Random(seed))[0])

        yield f"{seed}: {command}", work


def try_cases(kind, first, count, stage, limit_s):
    """Try the cases of a kind, as many as fit into the limit; return the results by name."""
    results, started = {}, time.monotonic()
    for name, work in list_cases(kind, first, count, stage):
        if time.monotonic() - started > limit_s:
            break
        with tempfile.TemporaryDirectory() as folder:
            os.environ["BAKEOFF_STATE"] = folder
            results[name] = work(Path(folder))[-MOST_SHOWN:]
        if results[name]:
            print(f"{kind}: {name}: {results[name]}", flush=True)
    return results


def keep(kind, results):
    """Add the results to those that are kept: the names of what was tried, and why a case failed."""
    kept = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
    section = kept.setdefault(kind, {"tried": [], "failed": {}})
    section["tried"] = sorted({*section["tried"], *results})
    section["failed"] = {
        name: said for name, said in {**section["failed"], **results}.items() if said and name in section["tried"]
    }
    KEPT.write_text(json.dumps(kept, indent=0, sort_keys=True) + "\n")
    return section


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", nargs="?", choices=["workers", *COUNTS])
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int)
    parser.add_argument("--stage")
    parser.add_argument("--limit", type=float, default=1e9, help="Seconds after which no case begins.")
    given = parser.parse_args()
    failed = 0
    for kind in [given.kind] if given.kind else ["workers", *COUNTS]:
        count = given.count or COUNTS.get(kind, 0)
        results = try_cases(kind, given.first, count, given.stage, given.limit)
        section = keep(kind, results)
        failed += len(section["failed"])
        print(
            f"{kind}: {len(results)} tried now, {len(section['tried'])} in all, {len(section['failed'])} not survived"
        )
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
