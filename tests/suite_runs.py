"""Runs with a suite, made from the reference run: its slices again, slower by a factor for each backend."""

import json
import shutil
from pathlib import Path

from tests.paths import REFERENCE_RUN


def make_suite_run(folder, workloads, missing=()):
    """Copy the reference run to `folder`, with workloads beside its own: {name: {backend: factor}}; return the folder.

    `missing` are pairs of a workload and a backend that has no slices there.
    """
    folder = Path(shutil.copytree(REFERENCE_RUN, folder))
    header = json.loads((folder / "run.json").read_text())
    own = {"spec": header["spec"], "data": header["data"], "threads": 1, "measure": "training", "rows": 1, "about": ""}
    names = ["small", *workloads]
    header["suite"] = {
        "name": "made",
        "budget_s": 8.0,
        "workloads": [{**own, "name": name} for name in names],
        "left_out": {},
    }
    (folder / "run.json").write_text(json.dumps(header))
    records = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    rounds = [each for each in records if each["task"].startswith("round ")]
    with (folder / "records.jsonl").open("a") as file:
        for name, factors in workloads.items():
            for record in rounds:
                task = f"workload {name} {record['task']}"
                if record["figure"] == "finished":
                    file.write(json.dumps({**record, "task": task}) + "\n")
                elif record["figure"] == "slice" and (name, record["backend"]) not in missing:
                    value = record["value"] * factors.get(record["backend"], 1.0)
                    told = {**record, "task": task, "measure": "suite", "workload": name, "value": value}
                    file.write(json.dumps(told) + "\n")
    return folder
