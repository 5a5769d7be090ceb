"""Serving over HTTP: each exported network behind a server, asked by 1, 8 and 64 clients on the loopback.

Every answer is compared with the oracle's row: a server that mixes up concurrent answers, or loses some, is no
faster for it. Server and clients run on different cores where there are two.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...common.arrays import Array
from ...environments import Environment
from ...workers.session import WorkerFailed
from . import figures
from .attempt import LIMIT, Truth
from .latency import PERCENTILES, Contestant
from .servers import LOG, Host, http_folder, running_server

CLIENTS = (1, 8, 64)
SECONDS = 2.0
"""How long the clients of one number send requests."""
ERROR = re.compile(r"^[\w.]*(?:Error|Exception)\b.*$", re.MULTILINE)
"""A line of a server's log that ends a traceback."""

Write = Callable[..., None]


class Load(NamedTuple):
    """What the clients of one number saw."""

    seconds: Array
    """(requests,), of each"""
    rows: Array
    """(requests,), the number of the row sent"""
    probabilities: Array
    """(requests, classes); NaN where a request failed"""
    took_s: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.seconds) / self.took_s


def measure_http(
    contestant: Contestant,
    host: Host,
    clients_of: Environment,
    x: Array,
    cores: Sequence[int] | None,
    scratch: Path,
    write: Write,
) -> str:
    """Serve, ask, compare and record; return why the answers are wrong, or why there are none; "" if all is well.

    `clients_of` is the environment of the clients, and `scratch` an empty folder.
    """
    keys = {**contestant.path.keys, **host.keys}
    loads: dict[int, Load] = {}
    classes = contestant.exported.truth.probabilities.shape[1]
    try:
        with running_server(contestant, host, cores, scratch, x) as server:
            for clients in CLIENTS:
                loads[clients] = run_clients(clients_of, server.url, x, classes, clients, _other_cores(cores), scratch)
    except WorkerFailed as failed:
        write(figures.HTTP_CORRECT, False, reason=failed.message, **keys)
        return failed.message
    wrong = {clients: problem for clients, load in loads.items() if (problem := judge(load, contestant.exported.truth))}
    if wrong:
        clients, problem = next(iter(wrong.items()))
        reason = f"with {clients} clients {problem}{_find_error(loads[clients], scratch)}"
        write(figures.HTTP_CORRECT, False, reason=reason, **keys)
        return reason
    write(figures.HTTP_CORRECT, True, **keys)
    write(figures.HTTP_START, server.start_s, **keys)
    for clients, load in loads.items():
        write(figures.HTTP_RATE, load.rate, clients=clients, **keys)
        for percentile in PERCENTILES:
            latency = float(np.percentile(load.seconds, percentile))
            write(figures.HTTP_LATENCY, latency, clients=clients, of=f"p{percentile}", **keys)
    return ""


def _find_error(load: Load, scratch: Path) -> str:
    """Return the last error in the server's log where requests failed, as the end of a sentence; "" where none is."""
    if not np.isnan(load.probabilities).any():
        return ""
    errors = ERROR.findall((scratch / LOG).read_text(encoding="utf-8", errors="replace"))
    return f": {errors[-1].strip()}" if errors else ""


def judge(load: Load, truth: Truth) -> str:
    """Return what is wrong with the answers, as the end of a sentence; "" where each is within rounding of its row's.

    An answer that is another row's is named so: that is a server that mixes up concurrent requests.
    """
    if not len(load.seconds):
        return "no request was answered"
    failed = np.isnan(load.probabilities).any(axis=1)
    if failed.any():
        return f"{int(np.sum(failed))} of {len(load.rows)} requests failed"
    allowed = LIMIT * truth.floor * np.abs(truth.probabilities).max()
    off: Array = np.abs(load.probabilities - truth.probabilities[load.rows]).max(axis=1)
    wrong = np.flatnonzero(off > allowed)
    if wrong.size == 0:
        return ""
    others = np.abs(truth.probabilities - load.probabilities[wrong[0]]).max(axis=1)
    of_another = f"; the first is the answer to row {int(others.argmin())}" if others.min() <= allowed else ""
    return f"{wrong.size} of {len(load.rows)} answers are wrong, by up to {off.max():.2g}{of_another}"


def run_clients(
    environment: Environment,
    url: str,
    x: Array,
    classes: int,
    clients: int,
    cores: Sequence[int] | None,
    scratch: Path,
) -> Load:
    """Let the clients send rows for SECONDS. Raises WorkerFailed where they end in an error."""
    rows, out = scratch / "rows.npy", scratch / "answers.npz"
    np.save(rows, x)
    config = {
        "url": url,
        "rows": str(rows),
        "classes": classes,
        "clients": clients,
        "seconds": SECONDS,
        "cores": None if cores is None else list(cores),
        "out": str(out),
    }
    command = [str(environment.python), "-s", str(http_folder() / "clients.py"), json.dumps(config)]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        raise WorkerFailed("hung", "the clients did not end within 120 s") from None
    if ended.returncode:
        raise WorkerFailed("died", f"the clients ended with exit code {ended.returncode}: {ended.stderr[-300:]}")
    with np.load(out) as answers:
        return Load(answers["seconds"], answers["row"], answers["probabilities"], float(answers["took"]))


def _other_cores(cores: Sequence[int] | None) -> list[int] | None:
    """Return the cores that the server does not use; all where it uses all."""
    if cores is None:
        return None
    usable = os.sched_getaffinity(0)
    return sorted(usable - set(cores)) or sorted(usable)
