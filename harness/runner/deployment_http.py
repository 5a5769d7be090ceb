"""Puts the networks that passed the gate of `bakeoff deploy` behind servers over HTTP, one after the other."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..common.arrays import Array
from ..common.progress import Board
from ..environments import BuildFailed, Environment, Missing
from ..measures.deployment import figures
from ..measures.deployment.http import measure_http
from ..measures.deployment.latency import Contestant
from ..measures.deployment.measure import build_environments
from ..measures.deployment.paths import ExportPath
from ..measures.deployment.records import RecordsFile
from ..measures.deployment.servers import (
    ONE_AT_A_TIME,
    Host,
    build_http,
    build_server,
    common_host,
    own_host,
    record_server,
)
from ..registry.description import Server
from .deployment_builds import Bases
from .deployment_oracle import make_training
from .deployment_stages import Recorder, Say


def http_task(path: ExportPath, server: Server | None) -> str:
    """Return the name of the task in the records; the server None is the common one."""
    return f"deploy http {path.label}" + (f" {server.name}" if server else "")


class HttpServing(NamedTuple):
    """What serving takes."""

    bases: Bases
    folder: Path
    """For what the servers write."""
    cores: tuple[int, ...] | None
    """Of the servers."""
    board: Board
    log: RecordsFile

    def measure(self, left: Sequence[tuple[Contestant, Server | None]]) -> None:
        """Put each network behind a server; None stands for the common one."""
        with self.board.job("the server's environment") as job:
            clients = build_http(job.say)
            job.outcome = "ready"
        x = make_training("float32").x
        for number, (contestant, server) in enumerate(left):
            task = http_task(contestant.path, server)
            write = Recorder(task, self.log.count_attempts(task) + 1)
            # The name is short: a server can put a socket into it, whose name has at most 107 characters.
            scratch = self.folder / f"http{number}"
            scratch.mkdir()
            behind = "the common server" if server is None else server.title
            with self.board.job(f"{contestant.path.label} behind {behind}") as job:
                try:
                    host = self._find_host(contestant, server, clients, write, job.say)
                except (Missing, BuildFailed) as failed:
                    job.outcome = str(failed)
                    by = {} if server is None else {"by": server.name}
                    write(figures.HTTP_CORRECT, False, reason=str(failed), **by, **contestant.path.keys)
                else:
                    problem = measure_http(contestant, host, clients, x, self.cores, scratch, write)
                    job.outcome = problem or "correct"
                    if problem and server is None:
                        job.outcome += f"; {self._measure_locked(contestant, clients, x, scratch, write)}"
            self.log.add(write.finish())

    def _measure_locked(
        self, contestant: Contestant, clients: Environment, x: Array, scratch: Path, write: Recorder
    ) -> str:
        """Put a network behind the common server with a lock around each call; return what came of it."""
        again = scratch / "again"
        again.mkdir()
        host = common_host(clients, contestant, ONE_AT_A_TIME)
        problem = measure_http(contestant, host, clients, x, self.cores, again, write)
        return f"one call at a time: {problem or 'correct'}"

    def _find_host(
        self, contestant: Contestant, server: Server | None, clients: Environment, write: Recorder, say: Say
    ) -> Host:
        """Return a server, built where necessary, and record what it needs. Raises Missing and BuildFailed."""
        path = contestant.path
        base = self.bases[path.entry.label]
        if server is None or not isinstance(base, Environment):
            return common_host(clients, contestant)
        below = build_environments(path, base, say).layer or base
        layer = build_server(path, server, below, say)
        record_server(path, server, layer, below, write)
        return own_host(path, server, layer)
