"""Jobs for the nodes of a cluster under test: they sleep, write where and when they ran, and return a result."""

import json
import os
import time
from pathlib import Path

from bakeoff.cluster.nodes import host_name

from tests.search.test_driver import pretend


def run(job):
    """Sleep as long as the environment says; note the host, the process, the start and the end."""
    folder, began = Path(os.environ["NODE_JOBS"]), time.monotonic()
    fields = json.loads(job)
    note = {"job": fields.get("trial", fields.get("name")), "host": host_name(), "process": os.getpid(), "began": began}
    name = f"{os.getpid()}-{time.monotonic_ns()}.json"
    (folder / f"start-{name}").write_text(json.dumps(note))
    time.sleep(float(os.environ.get("NODE_SLEEP", "0.3")))
    (folder / f"end-{name}").write_text(json.dumps({**note, "ended": time.monotonic()}))
    return pretend(job) if "trial" in fields else job


def warm_up(job, digest):
    """Run a job on the worker that it is sent to, before anything is measured."""
    return run(job)


def fail(job):
    """Kill the process that runs this job."""
    os.kill(os.getpid(), 9)
