"""What runs on a host of a cluster: a job, alone on the host where it times something, and not twice.

What runs is this package, as it is installed there; a job comes with the digest of the code that it was planned with,
and a host with other code refuses it. A host keeps each result in its cache until it is asked for the same job again,
so a result is not computed twice where the scheduler or the driver was lost before it was delivered.
"""

import fcntl
import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache as remember
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..common import cache, machine
from ..common.errors import InputError
from ..registry import entries as registry_entries

Run = Callable[[str], str]
"""Runs a job: JSON in, JSON out. A function of a module that is installed on the hosts."""
KEPT = "cluster_results"
"""The folder of kept results in the cache."""


def run_on_node(run: Run, job: str, digest: str, alone: bool) -> str:
    """Run a job on the host that this is called on; return its result. Raises InputError where the code differs.

    `alone`: whether no other job of Bakeoff may run on the host meanwhile, of whatever driver.
    """
    require_same_code(digest)
    with occupy_host(alone):
        key = hashlib.sha256(f"{digest} {run.__module__}.{run.__qualname__} {job}".encode()).hexdigest()[:24]
        kept = cache.find(KEPT, key)
        if isinstance(kept, str):
            return kept
        result = run(job)
        if not names_problem(result):
            cache.keep(KEPT, key, result)
        return result


def require_same_code(digest: str) -> None:
    """Raise InputError where this host has other code than the driver."""
    if digest != code_digest():
        raise InputError(
            f"The host {host_name()} of the cluster has another version of Bakeoff or of its backends than you. "
            "Install the same one on all."
        )


def names_problem(result: str) -> bool:
    """Return whether a result says that the host could not do the job: after a repair it is to be tried again."""
    try:
        found = json.loads(result)
    except ValueError:
        return False
    return isinstance(found, dict) and bool(found.get("problem"))


@contextmanager
def occupy_host(alone: bool) -> Iterator[None]:
    """Wait until a job may run on this host. The kernel ends the occupation when the process is killed.

    Jobs that time nothing share the host; one that is `alone` waits until all others have ended. Whoever waits holds
    the door, so that jobs that come later do not overtake it for ever.
    """
    with ExitStack() as room, ExitStack() as door:
        door.enter_context(_lock("door", alone=True))
        room.enter_context(_lock("room", alone))
        door.close()
        yield


@contextmanager
def _lock(name: str, alone: bool) -> Iterator[None]:
    # Not in the cache, which hosts can share; and named after the user, because a file of another could not be opened.
    path = Path(tempfile.gettempdir()) / f"bakeoff-{os.getuid()}-{host_name()}-{name}.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


def host_name() -> str:
    """Return the address by which the cluster knows this host; its name where this is no worker of a cluster."""
    try:
        from distributed import get_worker  # noqa: PLC0415  # an extra

        return host_of(str(get_worker().address))
    except (ImportError, ValueError):  # ValueError: no worker runs in this thread
        return platform.node()


def host_of(address: str) -> str:
    """Return the host of a worker's address, such as tls://10.0.0.2:41000."""
    return urlsplit(address).hostname or address


def describe_node(_: str) -> dict[str, Any]:
    """Return what is recorded of this host: its name, and the facts of run.json."""
    return {"host": platform.node(), "machine": machine.describe()}


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
