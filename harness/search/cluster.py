"""An engine on many machines: an existing Dask scheduler and its workers.

A job is sent as JSON and comes back as JSON. What runs on a node is this package, as it is installed there; a job names
the digest of the code that it was planned with, and a node with other code refuses it. A node keeps each result in its
cache until it is asked for the same job of the same search again, so a result is not computed twice where the scheduler
was lost before it was delivered.
"""

import contextlib
import gc
import hashlib
import queue
import traceback
from collections.abc import Callable
from functools import cache as remember
from pathlib import Path
from typing import Any, NamedTuple

from ..common import cache
from ..common.errors import InputError
from ..registry import entries as registry_entries
from .engine import EngineLost
from .jobs import Job, Result, run_job
from .trial import FAILED

POLL_S = 2.0
"""How often a waiting driver looks whether the scheduler is still there."""
DEATHS = 3
"""How often a job is sent whose node died, before it counts as failed: it may be what kills the nodes."""


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
        raise InputError(f"A cluster needs {error.name}: pip install 'bakeoff[cluster]'.") from None
    return distributed


class DaskEngine:
    """The workers of a Dask scheduler, each with as many slots as it has threads."""

    def __init__(
        self, address: str, tls: Tls | None = None, run: Callable[[str, str], str] | None = None, timeout_s: float = 15
    ) -> None:
        """Connect. Raises InputError where the scheduler does not answer or refuses, and where it has no worker."""
        distributed = import_distributed()
        self._run = run or run_on_node
        self._digest = code_digest()
        self._results: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._deaths: dict[str, int] = {}
        reason = ""
        try:
            self._client = distributed.Client(
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
        self.slots = sum(self._client.nthreads().values())
        if not self.slots:
            self.close()
            raise InputError(f"--cluster {address}: the scheduler has no worker. Start `dask worker {address}`.")

    def submit(self, job: str) -> None:
        """Send a job to the cluster."""
        future = self._client.submit(self._run, job, self._digest, pure=False)
        future.add_done_callback(lambda done: self._results.put((job, done)))

    def next_result(self) -> str:
        """Wait for the next result. Raises what a job raised, and EngineLost where the scheduler is gone."""
        while True:
            try:
                job, future = self._results.get(timeout=POLL_S)
            except queue.Empty:
                self._require_scheduler()
                continue
            error = None
            if future.status == "finished":
                try:
                    return str(future.result())
                except OSError as gone:  # the node or the scheduler went away before it handed the result over
                    error = gone
            self._require_scheduler()
            if error is None and future.status not in ("cancelled", "lost"):
                error = future.exception()
            if error is not None and type(error).__name__ not in ("KilledWorker", "CommClosedError"):
                raise error
            self._deaths[job] = self._deaths.get(job, 0) + 1
            if self._deaths[job] >= DEATHS:
                return _failed(job, f"the node died {DEATHS} times: {error or future.status}")
            self.submit(job)

    def close(self) -> None:
        """Let go of the cluster. Jobs that run on it end by themselves."""
        with contextlib.suppress(TimeoutError):  # a scheduler that is lost does not say goodbye
            self._client.close(timeout=2)

    def _require_scheduler(self) -> None:
        if self._client.status != "running":
            raise EngineLost("The scheduler of the cluster is lost.")


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


def _failed(text: str, reason: str) -> str:
    job = Job.model_validate_json(text)
    found = Result(trial=job.trial, backend=job.backend, variant=job.variant, outcome=FAILED, value=None, reason=reason)
    return found.model_dump_json()


def run_on_node(job: str, digest: str) -> str:
    """Run a job on the node that this is called on; return its result. Raises RuntimeError where the code differs."""
    if digest != code_digest():
        raise RuntimeError(
            "This node has another version of Bakeoff or of its backends than the driver. Install the same one on both."
        )
    key = hashlib.sha256(f"{digest} {job}".encode()).hexdigest()[:24]
    kept = cache.find("search_results", key)
    if kept is not None:
        return str(kept)
    result = run_job(job)
    cache.keep("search_results", key, result)
    return result


@remember
def code_digest() -> str:
    """Return a hash of the code of Bakeoff and of all backends, with their pins."""
    package = Path(__file__).resolve().parent.parent
    backends = registry_entries.backends_folder()
    found = hashlib.sha256()
    for folder in (package, backends):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix in (".py", ".toml", ".txt", ".lock"):
                found.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:24]
