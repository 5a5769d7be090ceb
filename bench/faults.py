"""Injects every fault and reads every damaged input of tests/faults, and counts what was survived.

    python bench/faults.py workers --stage "in training"
    python bench/faults.py specs --first 0 --count 1000
    python bench/faults.py            all of it: hours

Survived means: one clear message with exit code 2, or a row of the faulty backend; no traceback, no hang, nothing
written elsewhere, nothing left behind. The counts are kept in bench/faults.json, from which the table of
docs/explanation/hardening.md is made. What was survived is not tried again but with --again: an interrupted command
is continued by giving it once more. Exit code 1 where something was not survived.
"""

import argparse
import fcntl
import json
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "bench" / "faults.json"
COUNTS = {"specs": 1000, "backends": 500, "data": 500, "runs": 550, "caches": 200, "kills": 10, "builds": 5}
KINDS = ("workers", *COUNTS, "surroundings")
SAVE_S = 10
"""Seconds after which what was tried is written."""
MOST_MEMORY = {"specs": 8 << 30, "backends": 8 << 30, "data": 8 << 30}
"""Bytes of address space for those that read files in this process: more is a failure. A report reserves far more."""
MOST_SHOWN = 500
"""Characters of a failure that is kept."""


def list_cases(kind, first, count, stage):
    """Yield the name of each case with a function that returns what is wrong, "" where nothing is."""
    sys.path.insert(0, str(ROOT))
    from bakeoff.measures.speed import rounds

    from tests.faults import caches, input_files, kills, run_folders, surroundings, worker_faults

    rounds.WARM_LIMIT_S = 0.0
    if kind == "workers":
        for name in worker_faults.STAGES if stage is None else [stage]:
            for fault in worker_faults.FAULTS:
                yield (
                    f"{name}: {fault}",
                    lambda folder, fault=fault, name=name: worker_faults.inject(fault, name, folder),
                )
        return
    if kind == "surroundings":
        for command in surroundings.COMMANDS:  # the last of them takes longest
            for odd in surroundings.CIRCUMSTANCES:
                yield (
                    f"{odd}: {command}",
                    lambda folder, command=command, odd=odd: surroundings.run_case(command, odd, folder),
                )
        return
    if kind == "runs":
        for seed in range(first, first + count):
            yield from list_commands(run_folders, seed)
        return
    work = {
        "specs": lambda seed, folder: input_files.read_a_spec(input_files.make_spec(folder, random.Random(seed))[0]),
        "backends": lambda seed, folder: input_files.read_backend(
            input_files.make_backend(folder, random.Random(seed))[0]
        ),
        "data": lambda seed, folder: input_files.read_data(input_files.make_data(folder, random.Random(seed))[0]),
        "caches": caches.use_damaged,
        "kills": kills.kill_run,
        "builds": kills.kill_build,
    }[kind]
    for seed in range(first, first + count):
        yield str(seed), lambda folder, seed=seed: work(seed, folder)


def list_commands(run_folders, seed):
    """Yield the eight commands on one mutated run, each on a fresh copy: a command can write into it."""
    for command in run_folders.COMMANDS:

        def work(folder, command=command):
            return run_folders.read_run(command, run_folders.mutate(folder, seed)[0])

        yield f"{seed}: {command}", work


def try_cases(kind, given):
    """Try the cases of a kind that are left, as many as fit into the limit; keep each few; return how many."""
    kept = read_kept().get(kind, {"tried": [], "failed": {}})
    done = set() if given.again else {*kept["tried"]} - {*kept["failed"]}
    results, tried, started, saved = {}, 0, time.monotonic(), time.monotonic()
    usual, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY.get(kind, usual), most))
    for name, work in list_cases(kind, given.first, given.count or COUNTS.get(kind, 0), given.stage):
        if name in done:
            continue
        if time.monotonic() - started > given.limit:
            break
        with tempfile.TemporaryDirectory() as folder:
            os.environ["BAKEOFF_STATE"] = folder
            results[name] = work(Path(folder))[-MOST_SHOWN:]
        tried += 1
        if results[name]:
            print(f"{kind}: {name}: {results[name]}", flush=True)
        if time.monotonic() - saved > SAVE_S:
            keep(kind, results)
            results, saved = {}, time.monotonic()
    keep(kind, results)
    resource.setrlimit(resource.RLIMIT_AS, (usual, most))
    return tried


def read_kept():
    return json.loads(KEPT.read_text()) if KEPT.is_file() else {}


def keep(kind, results):
    """Add the results to those that are kept: the names of what was tried, and why a case failed."""
    # Two commands may run at a time.
    with (Path(tempfile.gettempdir()) / "bakeoff-faults.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = read_kept()
        section = kept.setdefault(kind, {"tried": [], "failed": {}})
        section["tried"] = sorted({*section["tried"], *results})
        section["failed"] = {name: said for name, said in {**section["failed"], **results}.items() if said}
        lines = [f"{json.dumps(name)}: {json.dumps(kept[name], sort_keys=True)}" for name in sorted(kept)]
        KEPT.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    return section


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", nargs="?", choices=KINDS)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int)
    parser.add_argument("--stage")
    parser.add_argument("--limit", type=float, default=1e9, help="Seconds after which no case begins.")
    parser.add_argument("--again", action="store_true", help="Try what was survived as well.")
    given = parser.parse_args()
    failed = 0
    for kind in [given.kind] if given.kind else KINDS:
        tried = try_cases(kind, given)
        section = keep(kind, {})
        failed += len(section["failed"])
        print(f"{kind}: {tried} tried now, {len(section['tried'])} in all, {len(section['failed'])} not survived")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
