"""The options that send work to a Dask cluster."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..common.errors import InputError

if TYPE_CHECKING:
    from ..cluster.dask import Cluster

ClusterAddress = Annotated[
    str | None,
    typer.Option("--cluster", metavar="ADDRESS", help="Dask scheduler to send the work to. Default: this machine."),
]
TlsFiles = Annotated[
    str | None, typer.Option("--tls", metavar="CA,CERT,KEY", help="Files of mutual TLS for --cluster. Default: none.")
]


def connect(address: str | None, tls: str | None) -> "Cluster | None":
    """Return the connection to the cluster of --cluster and --tls; None where there is none. Raises InputError."""
    if address is None:
        if tls is not None:
            raise InputError("--tls secures the connection to a cluster. Add --cluster tls://HOST:PORT.")
        return None
    from ..cluster.dask import Cluster, Tls

    files = None if tls is None else [Path(word.strip()) for word in tls.split(",")]
    if files is not None and len(files) != 3:
        raise InputError(f"--tls: expected three files, CA,CERT,KEY, got {tls!r}.")
    return Cluster(address, None if files is None else Tls(*files))
