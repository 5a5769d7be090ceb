"""Jobs for the nodes of a cluster under test: they sleep, write where they ran, and return a result."""

import json
import os
import time
from pathlib import Path

from tests.search.test_driver import pretend

SLEEP_S = 0.3


def run(job: str, digest: str) -> str:
    """Sleep, and note the start and the end of the job with the process that ran it."""
    folder = Path(os.environ["NODE_JOBS"])
    name = f"{json.loads(job)['trial']}-{json.loads(job)['backend']}-{os.getpid()}-{time.monotonic_ns()}"
    (folder / f"start-{name}").touch()
    time.sleep(SLEEP_S)
    (folder / f"end-{name}").touch()
    return pretend(job)
