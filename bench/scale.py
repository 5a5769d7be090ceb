"""Measure how long the tables and the report of a run of a million records take, and how much memory.

usage: python bench/scale.py make FOLDER [RECORDS]
       python bench/scale.py measure FOLDER

`make` writes a run that is as large as asked for (a million records by default) into FOLDER. It is results/all with 8
times its rounds, 4 times its blocks, and as many times its conformance cases and epochs of training as it takes.

`measure` does what a user does, each in a fresh process and with a cache folder of its own: `bakeoff table` for the
first time, which reads records.jsonl; `bakeoff table` again, which finds the columns in the cache; and `bakeoff
report`. It prints the wall-clock seconds and the peak memory of each. The aim for the second is 5 s and 1 GB. Python
keeps the compiled form of modules, as it does for anybody who installed the packages with pip.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "results" / "all"
ROUNDS, BLOCKS = 8, 4
"""How many times the rounds, and the blocks of each round, of SOURCE."""
CASES = ("check", "floors")
EPOCHS = ("loss", "epoch_time", "validation_accuracy")


def make(folder, records):
    """Write the run: copies of real records that differ in the number of their round, block, epoch or case."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    header = json.loads((SOURCE / "run.json").read_text(encoding="utf-8"))
    rounds, blocks = header["plan"]["rounds"], header["plan"]["blocks"]
    header["plan"] |= {"rounds": rounds * ROUNDS, "blocks": blocks * BLOCKS}
    (folder / "run.json").write_text(json.dumps(header, indent=2) + "\n", encoding="utf-8")
    lines = [json.loads(line) for line in (SOURCE / "records.jsonl").read_text(encoding="utf-8").splitlines()]
    timed = [record for record in lines if record["task"].startswith("round ")]
    others = [record for record in lines if not record["task"].startswith("round ")]
    grown = [record for record in others if record["figure"] in (*CASES, *EPOCHS)]
    blocked = sum("block" in record for record in timed)
    of_rounds = ROUNDS * (len(timed) + (BLOCKS - 1) * blocked)
    copies = 1 + max(0, (records - of_rounds - len(others)) // len(grown))
    written = 0
    with (folder / "records.jsonl").open("w", encoding="utf-8") as file:
        for record in [*grow_others(others, copies), *grow_rounds(timed, rounds, blocks)]:
            file.write(json.dumps(record, separators=(",", ":")) + "\n")
            written += 1
    size = (folder / "records.jsonl").stat().st_size
    print(f"{written:,} records, {size / 1e6:,.0f} MB: {rounds * ROUNDS} rounds of {blocks * BLOCKS} blocks, ", end="")
    print(f"{copies} times the conformance cases and epochs of {SOURCE.parent.name}/{SOURCE.name}")


def grow_others(records, copies):
    """Yield the records outside the rounds, those of a task together: it ends with the record that says so."""
    tasks = {}
    for record in records:
        tasks.setdefault(record["task"], []).append(record)
    for mine in tasks.values():
        last = max((record["epoch"] for record in mine if "epoch" in record), default=0)
        for copy in range(copies):
            for record in mine[:-1]:
                if record["figure"] in CASES:
                    yield {**record, "case": f"{record['case']} {copy + 1}"} if copy else record
                elif record["figure"] in EPOCHS:
                    yield {**record, "epoch": record["epoch"] + copy * (last + 1)}
                elif not copy:
                    yield record
        yield mine[-1]


def grow_rounds(records, rounds, blocks):
    """Yield the records of the rounds, round after round."""
    for copy in range(ROUNDS):
        for record in records:
            number = int(re.fullmatch(r"round (\d+)", record["task"])[1]) + copy * rounds
            here = {**record, "task": f"round {number}"} | ({"round": number} if "round" in record else {})
            if "block" not in record:
                yield here
                continue
            # The blocks of the warm-up and of latency have numbers of their own, fewer than the slices have.
            for more in range(BLOCKS):
                yield {**here, "block": record["block"] + more * blocks}


def measure(folder):
    """Print the time and the memory of each command, in a fresh process."""
    with tempfile.TemporaryDirectory() as temporary:
        run = Path(temporary) / "run"
        run.mkdir()
        for name in ("run.json", "records.jsonl"):
            shutil.copy(Path(folder) / name, run)
        environment = {**os.environ, "BAKEOFF_CACHE": str(Path(temporary) / "cache")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        program = str(Path(sys.executable).with_name("bakeoff"))
        modules = "bakeoff.report.export, bakeoff.report.html.page, bakeoff.verdict.terminal"
        subprocess.run([sys.executable, "-c", f"import {modules}"], check=True, env=environment)
        for what, *command in (
            ("table, the first time", "table", run),
            ("table, from the cache", "table", run),
            ("report, from the cache", "report", run, "-o", Path(temporary) / "report.html"),
        ):
            start = time.perf_counter()
            # Standard output is long; errors are shown.
            process = subprocess.Popen([program, *map(str, command)], stdout=subprocess.DEVNULL, env=environment)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            used = usage.ru_utime + usage.ru_stime
            if os.waitstatus_to_exitcode(status):
                sys.exit(f"bakeoff {command[0]} failed")
            print(f"{what}: {seconds:.1f} s ({used:.1f} s of processor time), {usage.ru_maxrss * 1024 / 1e6:,.0f} MB")
        kept = sum(each.stat().st_size for each in (Path(temporary) / "cache" / "records").iterdir())
        print(f"cache: {kept / 1e6:,.0f} MB")
    print(f"load average: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("make", "measure"))
    parser.add_argument("folder")
    parser.add_argument("records", type=int, nargs="?", default=1_000_000)
    chosen = parser.parse_args()
    if chosen.what == "make":
        make(chosen.folder, chosen.records)
    else:
        measure(chosen.folder)
