"""Sends jobs to an existing Dask scheduler and its workers."""

import contextlib
import gc
import queue
import time
import traceback
from collections import deque
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..common.errors import InputError
from ..common.extras import describe_install
from .nodes import Run, code_digest, describe_node, host_of, require_same_code, run_on_node

POLL_S = 2.0
"""How often a waiting driver looks whether the scheduler and the hosts are still there."""
DEATHS = 3
"""How often a job is sent whose node died, before it counts as failed: it may be what kills the nodes."""
RETURN_S = 60.0
"""How long a driver waits for a host that is lost and that no other can stand in for: a nanny starts a worker again."""
DESCRIBE_S = 120.0
"""How long all hosts together may take to describe themselves."""

Failed = Callable[[str, str], str]
"""Returns the result of a job that is given up, from the job and the reason."""


class ClusterLost(Exception):
    """The machines that run the jobs can no longer be reached. What was committed is kept."""


class Tls(NamedTuple):
    """The files of mutual TLS: the authority that signed all certificates, and the driver's own."""

    ca: Path
    certificate: Path
    key: Path


def import_distributed() -> Any:
    """Return the module. Raises InputError where the extra is not installed."""
    try:
        import distributed  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise InputError(f"A cluster needs {error.name}. {describe_install('cluster')}.") from None
    return distributed


class Cluster:
    """A connection to a scheduler."""

    def __init__(self, address: str, tls: Tls | None = None, timeout_s: float = 15) -> None:
        """Connect. Raises InputError where the scheduler does not answer or refuses, and where it has no worker."""
        distributed = import_distributed()
        self.digest = code_digest()
        self.deaths: dict[str, int] = {}
        reason = ""
        try:
            self.client = distributed.Client(
                address, security=_security(distributed, tls), timeout=timeout_s, set_as_default=False
            )
        except (OSError, TypeError, ValueError) as error:  # a refused handshake is an OSError
            reason = str(error).splitlines()[0]
            traceback.clear_frames(error.__traceback__)
        if reason:
            # A half-made client stops Dask's event loop when it is collected. In the middle of the start of another
            # client that would wait for ever, so it is collected here.
            gc.collect()
            raise InputError(f"--cluster {address}: no connection to a Dask scheduler: {reason}")
        if not self.hosts():
            self.close()
            raise InputError(f"--cluster {address}: the scheduler has no worker. Start `dask worker {address}`.")

    def hosts(self) -> dict[str, str]:
        """Return by host the address of one of its workers. Raises ClusterLost."""
        return {host_of(worker): worker for worker in sorted(self.workers(), reverse=True)}

    def workers(self) -> dict[str, int]:
        """Return by address the threads of each worker. Raises ClusterLost."""
        self.require_scheduler()
        try:
            return dict(self.client.nthreads())
        except (OSError, RuntimeError):  # the connection broke in between
            raise ClusterLost("The scheduler of the cluster is lost.") from None

    def describe_hosts(self) -> dict[str, dict[str, Any]]:
        """Return by host its name and the facts of its machine. Raises InputError where it has other code."""
        futures = {host: self.send(_describe, "{}", [worker]) for host, worker in sorted(self.hosts().items())}
        found = {}
        for host, future in futures.items():
            try:
                found[host] = dict(future.result(timeout=DESCRIBE_S))
            except TimeoutError:
                raise InputError(f"The host {host} of the cluster does not answer. Restart its worker.") from None
        return found

    def send(self, function: Callable[..., Any], job: str, workers: Sequence[str] | None = None, *more: Any) -> Any:
        """Send a call to the cluster, or to these workers alone; return its future."""
        return self.client.submit(function, job, self.digest, *more, pure=False, workers=workers)

    def read(self, job: str, future: Any, failed: Failed) -> str | None:
        """Return the result of a job that ended; None where its node died and it is to be sent again.

        Raises what a job raised, and ClusterLost where the scheduler is gone.
        """
        error = None
        if future.status == "finished":
            try:
                return str(future.result())
            except OSError as gone:  # the node or the scheduler went away before it handed the result over
                error = gone
        self.require_scheduler()
        if error is None and future.status not in ("cancelled", "lost"):
            error = future.exception()
        if error is not None and type(error).__name__ not in ("KilledWorker", "CommClosedError"):
            raise error
        return self.count_death(job, failed, str(error or future.status))

    def count_death(self, job: str, failed: Failed, reason: str) -> str | None:
        """Return the result of a job that took its node with it too often; None where it is to be sent again."""
        self.deaths[job] = self.deaths.get(job, 0) + 1
        return failed(job, f"the node died {DEATHS} times: {reason}") if self.deaths[job] >= DEATHS else None

    def require_scheduler(self) -> None:
        """Raise ClusterLost where the scheduler is gone."""
        if self.client.status != "running":
            raise ClusterLost("The scheduler of the cluster is lost.")

    def close(self) -> None:
        """Let go of the cluster. Jobs that run on it end by themselves."""
        with contextlib.suppress(TimeoutError):  # a scheduler that is lost does not say goodbye
            self.client.close(timeout=2)


class DaskEngine:
    """Runs as many jobs at a time as the workers have threads. They share their hosts."""

    def __init__(self, cluster: Cluster, run: Run, failed: Failed) -> None:
        self._cluster, self._run, self._failed = cluster, run, failed
        self._results: queue.Queue[tuple[str, Any]] = queue.Queue()
        workers = cluster.workers()
        self.slots = sum(workers.values()) + len(workers)
        """A job for every thread, and one more for every worker, so that it need not wait for the driver."""

    def submit(self, job: str) -> None:
        """Send a job to the cluster."""
        future = self._cluster.send(_call, job, None, self._run, False)
        future.add_done_callback(lambda done: self._results.put((job, done)))

    def next_result(self) -> str:
        """Wait for the next result. Raises what a job raised, and ClusterLost where the scheduler is gone."""
        while True:
            try:
                job, future = self._results.get(timeout=POLL_S)
            except queue.Empty:
                self._cluster.require_scheduler()
                continue
            found = self._cluster.read(job, future, self._failed)
            if found is not None:
                return found
            self.submit(job)

    def close(self) -> None:
        """Let go of the cluster."""
        self._cluster.close()


class Waiting(NamedTuple):
    """A job that waits for a host."""

    job: str
    hosts: Collection[str] | None
    """The hosts that may run it; None for all."""


class HostEngine:
    """Runs one job on a host at a time, and nothing else of Bakeoff beside it: jobs that time something."""

    def __init__(self, cluster: Cluster, run: Run, failed: Failed) -> None:
        self._cluster, self._run, self._failed = cluster, run, failed
        self._results: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._waiting: deque[Waiting] = deque()
        self._running: dict[str, tuple[str, Waiting, Any]] = {}
        """By host: the worker, what it runs, and the future of that."""
        self._lost_since: float | None = None

    def submit(self, job: str, hosts: Collection[str] | None = None) -> None:
        """Run a job on one of these hosts, or on any, as soon as one is free."""
        self._waiting.append(Waiting(job, hosts))

    def next_result(self) -> str:
        """Wait for the next result. Raises what a job raised, and ClusterLost where no host can run what waits."""
        while True:
            self._start()
            try:
                host, future = self._results.get(timeout=POLL_S)
            except queue.Empty:
                found = self._look_for_the_dead()
            else:
                if host not in self._running or self._running[host][2] is not future:
                    continue  # of a host that was given up meanwhile
                waiting = self._running.pop(host)[1]
                found = self._cluster.read(waiting.job, future, self._failed)
                if found is None:
                    self._waiting.appendleft(waiting)
            if found is not None:
                return found

    def _start(self) -> None:
        """Send what waits to hosts that are free. Raises ClusterLost where none is left that could ever run it."""
        alive = self._cluster.hosts()
        for waiting in tuple(self._waiting):
            free = [host for host in sorted(alive) if host not in self._running]
            able = [host for host in free if waiting.hosts is None or host in waiting.hosts]
            if able:
                self._waiting.remove(waiting)
                self._send(able[0], alive[able[0]], waiting)
        if self._running or not self._waiting:
            self._lost_since = None
            return
        now = time.monotonic()
        self._lost_since = self._lost_since or now
        if now - self._lost_since > RETURN_S:
            raise ClusterLost("No host of the cluster is left that can run the next job.")

    def _send(self, host: str, worker: str, waiting: Waiting) -> None:
        future = self._cluster.send(_call, waiting.job, [worker], self._run, True)
        self._running[host] = worker, waiting, future
        future.add_done_callback(lambda done: self._results.put((host, done)))

    def _look_for_the_dead(self) -> str | None:
        """Take back a job whose worker is gone; the scheduler would keep it until that very worker returns."""
        workers = self._cluster.workers()
        for host, (worker, waiting, future) in tuple(self._running.items()):
            if worker not in workers:
                del self._running[host]
                future.cancel()
                found = self._cluster.count_death(waiting.job, self._failed, f"the worker on {host} is gone")
                if found is not None:
                    return found
                self._waiting.appendleft(waiting)
        return None

    def close(self) -> None:
        """Let go of the cluster."""
        self._cluster.close()


def _call(job: str, digest: str, run: Run, alone: bool) -> str:
    return run_on_node(run, job, digest, alone)


def _describe(job: str, digest: str) -> dict[str, Any]:
    require_same_code(digest)
    return describe_node(job)


def _security(distributed: Any, tls: Tls | None) -> Any:
    if tls is None:
        return None
    for path in tls:
        if not path.is_file():
            raise InputError(
                f"{path}: no such file. Mutual TLS needs the files of an authority, a certificate and a key."
            )
    return distributed.Security(
        tls_ca_file=str(tls.ca),
        tls_client_cert=str(tls.certificate),
        tls_client_key=str(tls.key),
        require_encryption=True,
    )
