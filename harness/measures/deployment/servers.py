"""Servers over HTTP: the common one, and those that frameworks document. How each starts, is found ready, and ends.

Each is a script that is started as `python SCRIPT CONFIG` in an empty folder: docs/reference/backend.md says what
CONFIG holds. All take {"rows": [[...], ...]} and answer {"probabilities": [[...], ...]}, so the same clients ask them.
"""

import contextlib
import http.client
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from ...common.arrays import Array
from ...environments import Environment, Missing
from ...environments.layers import build_layer, build_runtime
from ...registry.description import Server
from ...registry.entries import backends_folder
from ...workers.place import worker_environment
from ...workers.session import WorkerFailed
from . import figures, guard
from .latency import Contestant
from .paths import PYTHON, SERVING, ExportPath, script_of
from .requirements import find_undeclared

START_LIMIT_S = 120.0
STOP_LIMIT_S = 20.0
"""How long a server may take to end the programs that it has started."""
KILL_LIMIT_S = 10.0
ANSWER_LIMIT_S = 30.0
LOG = "server.log"
HTTP = "http"
ONE_AT_A_TIME = "common, one call at a time"
"""The common server with a lock around each call: for what is not safe to call from several threads."""

Write = Callable[..., None]


class Host(NamedTuple):
    """A server, before it is started."""

    by: str | None
    """Its name in backend.toml, or ONE_AT_A_TIME; None for the common one."""
    python: Path
    script: Path
    packages: tuple[Path, ...] = ()
    """Folders with packages that the script adds to those of its interpreter."""

    @property
    def keys(self) -> dict[str, str]:
        """The keys of its records beside those of the path."""
        return {} if self.by is None else {"by": self.by}


def http_folder() -> Path:
    """Return the folder of the common server and its clients."""
    return backends_folder() / SERVING / HTTP


def build_http(say: Callable[[str], None]) -> Environment:
    """Return the environment of the common server and its clients. Raises Missing and BuildFailed."""
    return build_runtime(f"serving-{HTTP}", http_folder() / "requirements.txt", PYTHON, say)


def common_host(environment: Environment, contestant: Contestant, by: str | None = None) -> Host:
    """Return the common server: it runs in the interpreter of what it serves, with the packages of its environment.

    `by` is None or ONE_AT_A_TIME.
    """
    folders = tuple(sorted(environment.folder.glob("lib/python*/site-packages")))
    return Host(by, contestant.place.python, http_folder() / "app.py", folders)


def list_servers(path: ExportPath) -> list[Server]:
    """Return the servers that the framework documents for a path."""
    return [server for server in path.entry.description.server if path.export.name in server.exports]


def build_server(path: ExportPath, server: Server, base: Environment, say: Callable[[str], None]) -> Environment:
    """Return the environment of a server over that of the framework. Raises Missing and BuildFailed."""
    if server.programs and not any(shutil.which(program) for program in server.programs):
        raise Missing(
            f"{server.title} needs one of these programs on PATH, and found none: {', '.join(server.programs)}"
        )
    pins = path.entry.folder / server.requirements
    return build_layer(f"{path.entry.label}-{pins.stem}", pins, base, say)


def own_host(path: ExportPath, server: Server, environment: Environment) -> Host:
    """Return a server that the framework documents."""
    return Host(server.name, environment.python, path.entry.folder / script_of(server))


def record_server(path: ExportPath, server: Server, layer: Environment, base: Environment, write: Write) -> None:
    """Record what a server needs beside the framework."""
    keys = {**path.keys, "by": server.name}
    undeclared = find_undeclared(layer, base, server.imports, path.entry.description.package, server.extras)
    write(figures.SERVER_PACKAGES, len(layer.packages), **keys)
    write(figures.SERVER_SIZE, layer.bytes, **keys)
    write(figures.SERVER_UNDECLARED, len(undeclared), names=undeclared, **keys)


class Running(NamedTuple):
    """A server that has answered."""

    url: str
    start_s: float
    """From its start to its first answer."""


@contextlib.contextmanager
def running_server(
    contestant: Contestant, host: Host, cores: Sequence[int] | None, scratch: Path, x: Array
) -> Iterator[Running]:
    """Run a server in the empty folder `scratch` until it has answered for the first of the rows, and until the end.

    Raises WorkerFailed where it does not start.
    """
    address, log = scratch / "address", scratch / LOG
    config = {
        "folder": str(contestant.exported.folder),
        "function": contestant.path.function,
        "dtype": str(x.dtype),
        "packages": [str(folder) for folder in host.packages],
        "one_at_a_time": host.by == ONE_AT_A_TIME,
        "cores": None if cores is None else list(cores),
        "address": str(address),
    }
    command = [str(host.python), "-s", str(host.script), json.dumps(config)]
    temporary = scratch / "tmp"
    temporary.mkdir()
    started = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-I", guard.__file__, str(STOP_LIMIT_S), *command],
            cwd=scratch,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={**worker_environment(contestant.place), "TMPDIR": str(temporary)},
        )
    try:
        url = _wait_for_answer(process, address, log, x)
        yield Running(url, time.monotonic() - started)
    finally:
        _stop(process)


def _wait_for_answer(process: "subprocess.Popen[bytes]", address: Path, log: Path, x: Array) -> str:
    body = json.dumps({"rows": x[:1].tolist()}).encode()
    ends = time.monotonic() + START_LIMIT_S
    # The script writes the address before its server listens, where the server takes a port and no socket.
    while not (address.is_file() and (url := address.read_text()) and _answers(url, body)):
        if process.poll() is not None:
            raise WorkerFailed("died", f"the server ended itself: {log.read_text(errors='replace')[-300:].strip()}")
        if time.monotonic() > ends:
            raise WorkerFailed("hung", f"the server did not answer within {START_LIMIT_S:g} s")
        time.sleep(0.05)
    return url


def _answers(url: str, body: bytes) -> bool:
    """Return whether a request is answered with success."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=ANSWER_LIMIT_S)
    try:
        connection.request("POST", parts.path or "/", body, {"Content-Type": "application/json"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End the guard's standard input: it ends the server, and what is left of that."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(timeout=STOP_LIMIT_S + KILL_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
