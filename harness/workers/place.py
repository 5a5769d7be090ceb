"""TODO: workers.place."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

pass
pass


THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""What the libraries below every framework read; a backend adds its own in backend.toml."""


FORGOTTEN = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
"""Variables of the caller's own Python that would lead a worker astray."""


class Place(NamedTuple):
    """Where and how a worker runs: all that is the same for every worker of one backend."""

    python: Path
    """The interpreter of the backend's environment."""
    folder: Path
    """The backend's folder."""
    log: Path
    """File that the worker's standard output and error are added to."""
    cores: tuple[int, ...] | None = None
    threads: int = 1
    thread_variables: tuple[str, ...] = ()
    variables: Mapping[str, str] = {}
    timeout_s: float = 300.0
    """How long one answer may take."""


def worker_environment(variables: Mapping[str, str], environment: Path = Path()) -> dict[str, str]:
    """Return the environment variables of a worker: the caller's, less its Python's own, plus the backend's.

    `environment` is the folder of the backend's environment: it replaces `{environment}` in the backend's values.
    """
    variables = {name: value.replace("{environment}", str(environment)) for name, value in variables.items()}
    inherited = {name: value for name, value in os.environ.items() if name not in FORGOTTEN}
    return {**inherited, "PYTHONDONTWRITEBYTECODE": "1", **variables}
