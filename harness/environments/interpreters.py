"""Finding a Python interpreter that a backend's pins can be installed in."""

import functools
import logging
import os
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

# A candidate that is no usable interpreter is no news: without a handler its warnings would go to the terminal.
logging.getLogger("python_discovery").addHandler(logging.NullHandler())


class Missing(Exception):
    """No interpreter for a backend: the message says what was looked for, what was found, and what to do."""


class Interpreter(NamedTuple):
    """What an interpreter says of itself."""

    path: Path
    version: str
    implementation: str
    machine: str


def find_interpreter(specifier: str, extra: Sequence[Path] = ()) -> Path:
    """Return an interpreter that satisfies the PEP 440 `specifier` and can make an environment with pip.

    The first that does: those in `extra`, as given; the one that runs this (the base of its environment); then the
    newest of those on PATH, of uv's and of pyenv's, active or not. Only CPython is looked for, as it is what the wheels
    are built for; another one can be given in `extra`.
    Raises InputError for a path in `extra` that is no interpreter, Missing where none will do.
    """
    wanted = SpecifierSet(specifier)
    others, unable = [], []
    for interpreter in _candidates(extra):
        if not wanted.contains(interpreter.version, prereleases=True):
            others.append(interpreter.version)
        elif not _makes_environments(interpreter.path):
            unable.append(f"{interpreter.path} ({interpreter.version}, lacks venv or ensurepip)")
        else:
            return interpreter.path
    example = _example(wanted)
    raise Missing(
        f"needs Python {specifier} with venv and ensurepip: looked at --python, the running interpreter, PATH, uv and "
        f"pyenv, and found {', '.join(dict.fromkeys(unable + others))}. Install one (`pyenv install {example}`, "
        f"`uv python install {example}`, or the package python3-venv of a system's own), or pass --python PATH."
    )


def _candidates(extra: Sequence[Path]) -> Iterator[Interpreter]:
    """Yield interpreters in the order of preference; those that cost a search only when they are asked for."""
    yield from given(extra)
    running = interrogate(Path(sys.executable))
    if running is not None:
        yield running
    pyenv = Path(os.environ.get("PYENV_ROOT") or "~/.pyenv").expanduser()
    yield from _installed(os.environ.get("PATH", os.defpath), pyenv)


def given(extra: Sequence[Path]) -> Iterator[Interpreter]:
    """Yield the interpreters at the paths in `extra`. Raises InputError for a path that is none."""
    for path in extra:
        interpreter = interrogate(path)
        if interpreter is None:
            raise InputError(f"--python {path}: expected a Python interpreter, 3.6 or newer: it does not run as one.")
        yield interpreter


_SEARCH = threading.Lock()
"""One thread searches, the others use what it found."""


def _installed(search_path: str, pyenv: Path) -> tuple[Interpreter, ...]:
    with _SEARCH:
        return _search(search_path, pyenv)


@functools.cache
def _search(search_path: str, pyenv: Path) -> tuple[Interpreter, ...]:
    """Return the released CPythons of this machine, the newest first.

    python-discovery knows PATH and uv's, but of pyenv's only the active ones, through its shims: slow shell scripts,
    left out here as every version is looked at directly.
    """
    folders = [folder for folder in search_path.split(os.pathsep) if Path(folder) != pyenv / "shims"]
    environment = {**os.environ, "PATH": os.pathsep.join(folders)}
    found = list(iter_interpreters("cpython", cache=_interpreter_cache(), env=environment))
    for path in sorted(pyenv.glob("versions/*/bin/python")):
        info = PythonInfo.from_exe(str(path), _interpreter_cache(), raise_on_error=False)
        found += [info] if info is not None and info.implementation == "CPython" else []
    released = [info for info in found if info.version_info.releaselevel == "final" and not info.free_threaded]
    unique = {interpreter.path.resolve(): interpreter for interpreter in map(_identity, released)}
    return tuple(sorted(unique.values(), key=lambda interpreter: Version(interpreter.version), reverse=True))


def interrogate(path: Path) -> Interpreter | None:
    """Return what the interpreter at `path`, or the base of its environment, says of itself; None if it won't run."""
    info = PythonInfo.from_exe(os.path.abspath(path.expanduser()), _interpreter_cache(), raise_on_error=False)
    return None if info is None else _identity(info)


def _identity(info: PythonInfo) -> Interpreter:
    version = ".".join(str(part) for part in info.version_info[:3])
    path = Path(info.system_executable or info.executable)
    return Interpreter(path, version, info.implementation, info.machine)


def _interpreter_cache() -> DiskCache:
    return DiskCache(cache_folder() / "interpreters")


@functools.cache
def _makes_environments(interpreter: Path) -> bool:
    command: list[str | Path] = [interpreter, "-I", "-c", "import venv, ensurepip"]
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False).returncode == 0


def _example(wanted: SpecifierSet) -> str:
    """Return the lowest version of Python 3, without its patch level, that is `wanted`."""
    versions = (f"3.{minor}.{patch}" for minor in range(100) for patch in range(30))
    return next(wanted.filter(versions), "VERSION.").rpartition(".")[0]
