"""Finds a Python interpreter that a backend's requirements can be installed in."""

import functools
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.version import Version
from python_discovery import DiskCache, PythonInfo, iter_interpreters

from ..common.cache import cache_folder
from ..common.errors import InputError

# Candidates that are not usable interpreters are expected: without a handler, warnings about them reach the terminal.
logging.getLogger("python_discovery").addHandler(logging.NullHandler())


class Missing(Exception):
    """A backend needs something that this machine lacks: the message says what it needs, and what to do."""


class Interpreter(NamedTuple):
    """What an interpreter reports about itself."""

    path: Path
    version: str
    implementation: str
    machine: str


def find_interpreter(specifier: str, extra: Sequence[Path] = ()) -> Path:
    """Return an interpreter that satisfies the PEP 440 `specifier` and can make an environment with pip.

    In order of preference: those in `extra`; the running one (the base of its environment); then the newest on PATH, of
    uv and of pyenv, whether active or not. Only CPython is searched for, because the wheels are built for it; any other
    interpreter can be passed in `extra`.
    Raises InputError for a path in `extra` that is not an interpreter, Missing where no interpreter is suitable.
    """
    wanted = SpecifierSet(specifier)
    others, incomplete = [], []
    for interpreter in _list_candidates(extra):
        if not wanted.contains(interpreter.version, prereleases=True):
            others.append(interpreter.version)
        elif not _can_make_environments(interpreter.path):
            incomplete.append(f"{interpreter.path} ({interpreter.version}, lacks venv or ensurepip)")
        else:
            return interpreter.path
    example = _lowest_version(wanted)
    found = ", ".join(dict.fromkeys(incomplete + others))
    raise Missing(
        f"not available here: needs Python {specifier} with venv and ensurepip: searched --python, the running "
        f"interpreter, PATH, uv and pyenv, and found {found}. Install one (`pyenv install {example}`, "
        f"`uv python install {example}`, or your system's package python3-venv), or pass --python PATH."
    )


def _list_candidates(extra: Sequence[Path]) -> Iterator[Interpreter]:
    """Yield interpreters in the order of preference; search for more only when these are not enough."""
    yield from require_interpreters(extra)
    running = query_interpreter(Path(sys.executable))
    if running is not None:
        yield running
    pyenv = Path(os.path.expanduser(os.environ.get("PYENV_ROOT") or "~/.pyenv"))
    yield from _find_installed(os.environ.get("PATH", os.defpath), pyenv)


def locate_python(path: Path) -> Path:
    """Return the interpreter that a user means: by its path, by its name on PATH, or by its environment's folder."""
    given = Path(os.path.expanduser(path))
    if given.is_dir():
        inside = given / "bin" / "python"
        return inside if inside.exists() else given
    found = shutil.which(str(path)) if not given.exists() and os.sep not in str(path) else None
    return Path(found) if found else given


def require_interpreters(paths: Sequence[Path]) -> list[Interpreter]:
    """Return the interpreters at `paths`. Raises InputError for a path that is not an interpreter."""
    interpreters = []
    for path in paths:
        interpreter = query_interpreter(path)
        if interpreter is None:
            missing = not Path(os.path.expanduser(path)).exists()
            why = "no file and no program on PATH has that name" if missing else "it does not run as one"
            raise InputError(
                f"--python {path}: expected a Python interpreter, 3.6 or newer: {why}. Give its path, its name on PATH "
                f"(such as python3.11), or the folder of an environment."
            )
        interpreters.append(interpreter)
    return interpreters


_SEARCH = threading.Lock()
"""One thread searches, and the others use its result."""


def _find_installed(search_path: str, pyenv: Path) -> tuple[Interpreter, ...]:
    with _SEARCH:
        return _search_once(search_path, pyenv)


@functools.cache
def _search_once(search_path: str, pyenv: Path) -> tuple[Interpreter, ...]:
    """Return the released CPython interpreters of this machine, newest first.

    python-discovery finds those on PATH and of uv, but of pyenv only the active ones, through its shims. Those are slow
    shell scripts: they are left out here, and every version of pyenv is queried directly.
    """
    folders = [folder for folder in search_path.split(os.pathsep) if Path(folder) != pyenv / "shims"]
    environment = {**os.environ, "PATH": os.pathsep.join(folders)}
    found = list(iter_interpreters("cpython", cache=_interpreter_cache(), env=environment))
    for path in sorted(pyenv.glob("versions/*/bin/python")):
        info = PythonInfo.from_exe(str(path), _interpreter_cache(), raise_on_error=False)
        found += [info] if info is not None and info.implementation == "CPython" else []
    released = [info for info in found if info.version_info.releaselevel == "final" and not info.free_threaded]
    unique = {interpreter.path.resolve(): interpreter for interpreter in map(_read_identity, released)}
    return tuple(sorted(unique.values(), key=lambda interpreter: Version(interpreter.version), reverse=True))


def query_interpreter(path: Path) -> Interpreter | None:
    """Return what the interpreter at `path`, or the base of its environment, reports; None where it does not run."""
    info = PythonInfo.from_exe(os.path.abspath(os.path.expanduser(path)), _interpreter_cache(), raise_on_error=False)
    return None if info is None else _read_identity(info)


def _read_identity(info: PythonInfo) -> Interpreter:
    version = ".".join(str(part) for part in info.version_info[:3])
    path = Path(info.system_executable or info.executable)
    return Interpreter(path, version, info.implementation, info.machine)


def _interpreter_cache() -> DiskCache:
    return DiskCache(cache_folder() / "interpreters")


@functools.cache
def _can_make_environments(interpreter: Path) -> bool:
    command: list[str | Path] = [interpreter, "-I", "-c", "import venv, ensurepip"]
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False).returncode == 0


def _lowest_version(wanted: SpecifierSet) -> str:
    """Return the lowest version of Python 3, without its patch level, that satisfies `wanted`."""
    versions = (f"3.{minor}.{patch}" for minor in range(100) for patch in range(30))
    return next(wanted.filter(versions), "VERSION.").rpartition(".")[0]
