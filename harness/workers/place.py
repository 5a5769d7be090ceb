"""Where and how a worker runs, and the environment variables that it gets.

A worker does not inherit its caller's environment: variables such as OPENBLAS_CORETYPE or XLA_FLAGS change what a
library computes, and how fast, without a trace in the results. It gets the variables of INHERITED, a home folder that
is not the user's, those that the user passes on by name, those that backend.toml sets, and the thread counts.
"""

import os
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from ..common.cache import cache_folder

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""The variables that the libraries below every framework read. A backend adds its own in backend.toml."""

INHERITED = {
    "PATH": "frameworks that compile start a compiler that they find on it",
    "USER": "frameworks name their cache folders after the user",
    "LOGNAME": "as USER",
    "TMPDIR": "the private folder for temporary files that each worker gets is made there, on a disk that has room",
    "LANG": "the encoding of text and of file names",
    "LC_*": "as LANG",
    "TZ": "the time in log files",
    "XDG_CACHE_HOME": "the user's cache folder, where it is not below the home folder",
    "CUDA_VISIBLE_DEVICES": "the GPUs that this process may use: a scheduler sets it, and to use others is an error",
}
"""Variables, or patterns of their names, that a worker inherits, with the reason.

No NVIDIA_* variable is among them: the runtime of a container reads NVIDIA_VISIBLE_DEVICES before the harness starts,
and others, such as NVIDIA_TF32_OVERRIDE, change the arithmetic. LD_LIBRARY_PATH and LD_PRELOAD exchange libraries.
"""

PERSONAL = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_*")
"""Inherited variables that name the user and their folders. A record leaves them out."""

FIXED = {"PYTHONDONTWRITEBYTECODE": "1"}
"""Variables that every worker gets: a backend's folder stays as it is."""


ANSWER_LIMIT_S = 300.0
"""Seconds that one answer of a worker may take."""


class Place(NamedTuple):
    """Where and how a worker runs: everything that is the same for every worker of one variant."""

    python: Path
    """The interpreter of the backend's environment."""
    folder: Path
    """The backend's folder."""
    log: Path
    """The file that the worker's standard output and standard error are appended to."""
    cores: tuple[int, ...] | None = None
    """The cores that the worker runs on; None for all that the harness may use."""
    threads: int = 1
    thread_variables: tuple[str, ...] = ()
    """The variables that hold a thread count, beyond THREAD_VARIABLES."""
    variables: Mapping[str, str] = {}
    """The variables that backend.toml sets."""
    timeout_s: float = ANSWER_LIMIT_S
    """How long one answer may take."""
    inherit: tuple[str, ...] = ()
    """The names of further variables that the user passes on from the caller's environment."""


def worker_environment(place: Place, caller: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return every environment variable of a worker. It depends on the arguments and on the folder of the cache alone.

    A later source wins: inherited variables, those that the user passes on, backend.toml, the thread counts.
    """
    patterns = (*INHERITED, *place.inherit)
    inherited = {name: value for name, value in caller.items() if _matches(name, patterns)}
    inherited = {"HOME": str(home_folder()), **inherited}
    counts = dict.fromkeys((*THREAD_VARIABLES, *place.thread_variables), str(place.threads))
    folders = {"{environment}": str(place.python.parent.parent), "{home}": str(home_folder())}
    declared = {name: _fill_in(value, folders) for name, value in place.variables.items()}
    return {**inherited, **FIXED, **declared, **counts}


def home_folder() -> Path:
    """Return the folder that is HOME for every worker. It need not exist yet.

    Frameworks read settings below the user's own (hidden files, `.config`), which change what is measured as a variable
    does. Compiled code that they keep below it is still found the next time.
    """
    return cache_folder() / "home"


def variables_in_force(place: Place, caller: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables of a worker that may change what it computes or how fast, for the record, by name.

    They are all of `worker_environment` but those of PERSONAL; a personal variable that backend.toml sets, or that the
    user passes on by name, stays.
    """
    deliberate = {*place.variables, *place.inherit}
    # As backend.toml writes them: the folder of the environment names the user.
    environment = {**worker_environment(place, caller), **place.variables}
    return {
        name: environment[name] for name in sorted(environment) if name in deliberate or not _matches(name, PERSONAL)
    }


def sets_variable(place: Place, name: str) -> bool:
    """Return whether backend.toml sets this variable, or the user passes it on by name."""
    return name in place.variables or _matches(name, place.inherit)


def _fill_in(value: str, folders: Mapping[str, str]) -> str:
    for mark, folder in folders.items():
        value = value.replace(mark, folder)
    return value


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
