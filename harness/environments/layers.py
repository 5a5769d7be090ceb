"""Builds the environments of deployment: a runtime alone, or packages laid over a backend's own environment.

A layer is a virtual environment of the same interpreter. Its own packages come first on the path, and then those of the
environment below it, which stays as it is: to export from a framework of gigabytes takes the few packages that the
exporter needs beside it. Both kinds are installed without dependencies from a file that pins each package
with its hashes.
"""

import hashlib
import json
import os
import shutil
import time
from pathlib import Path

from ..common.cache import cache_folder
from .build import hold_lock, lock_path, read_environment
from .commands import Commands
from .environment import RECORD, BuildFailed, BuildLog, Environment, Say, describe_os_error, environments_folder
from .interpreters import Missing, find_interpreter, query_interpreter
from .pip import INSTALLER, VERIFIED, describe_failure, list_packages, pip_install, select_variables
from .sources import read_sources

BELOW = "below.pth"
"""The file, in the layer's own packages, that puts those of the environment below on the path."""


def build_runtime(
    name: str, requirements: Path, python: str, say: Say, commands: Commands | None = None
) -> Environment:
    """Return the environment of a runtime, such as `serving-NAME`, building it first where necessary.

    `python` says which interpreters its pins install in. Raises Missing, BuildFailed and InputError.
    """
    return _build(name, requirements, find_interpreter(python), None, say, commands or Commands())


def build_layer(
    name: str, requirements: Path, below: Environment, say: Say, commands: Commands | None = None
) -> Environment:
    """Return the environment of the packages in `requirements` over those of `below`, building it where necessary.

    Its size and its packages are those of the layer alone. Raises Missing and BuildFailed.
    """
    return _build(name, requirements, below.python, below, say, commands or Commands())


def _build(
    name: str, requirements: Path, python: Path, below: Environment | None, say: Say, commands: Commands
) -> Environment:
    identity = query_interpreter(python)
    if identity is None:
        raise Missing(f"{python} is no longer a working Python interpreter.")
    parts = [requirements.read_text(encoding="utf-8"), *identity[1:], str(identity.path.resolve())]
    parts += [str(below.folder)] if below else [INSTALLER.read_text(encoding="utf-8")]
    parts.append(read_sources(os.environ)["sha256"])
    folder = environments_folder() / f"{name}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:12]}"
    log = cache_folder() / "logs" / f"{folder.name}.log"
    try:
        for parent in (folder.parent, log.parent, lock_path(folder).parent):
            parent.mkdir(parents=True, exist_ok=True)
        with hold_lock(lock_path(folder), say, commands):
            found = read_environment(folder)
            return found or _install(requirements, identity.path, below, folder, BuildLog(log, say), commands)
    except OSError as error:
        raise BuildFailed(describe_os_error(error), log) from error


def _install(
    requirements: Path, interpreter: Path, below: Environment | None, folder: Path, log: BuildLog, commands: Commands
) -> Environment:
    """Build in a temporary folder, then rename it to `folder`."""
    temporary = folder.with_name(f"{folder.name}.building-{os.getpid()}")
    try:
        started = time.perf_counter()
        temporary.mkdir()
        # pip of the environment below installs the layer, so that no pip stands in the layer itself.
        bare: list[str | Path] = ["--without-pip"] if below else []
        install = pip_install(below.folder if below else temporary)
        if below:  # an option of pip, not of its command
            place = install.index("pip") + 1
            install[place:place] = ["--python", temporary / "bin" / "python"]
        steps = [(f"make an environment with {interpreter}", [interpreter, "-I", "-m", "venv", *bare, temporary])]
        if not below:
            steps.append(("install the pinned pip", [*install, *VERIFIED, "--no-deps", "-r", INSTALLER]))
        steps.append(
            (f"install {requirements}", [*install, *VERIFIED, "--no-deps", "-r", requirements.absolute()]),
        )
        for purpose, command in steps:
            log(f"{folder.name}: {purpose}")
            code = commands.run(command, log, requirements.parent, select_variables(os.environ))
            if code != 0:
                reason = f"{folder.name}: could not {purpose}{describe_failure(log.lines, code)}"
                raise BuildFailed(reason, log.path, log.lines)
        if below:
            _put_on_the_path(temporary, below)
        record = {
            "interpreter": str(interpreter),
            "seconds": round(time.perf_counter() - started, 3),
            "bytes": sum(path.lstat().st_size for path in temporary.rglob("*") if not path.is_dir()),
            "packages": list_packages(temporary),
        }
        (temporary / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    environment = read_environment(folder)
    if environment is None:
        raise BuildFailed(f"{folder} was built, but cannot be read", log.path, log.lines)
    return environment


def _put_on_the_path(folder: Path, below: Environment) -> None:
    """Write the file that puts the packages of the environment below on the layer's path, after the layer's own."""
    packages = sorted(below.folder.glob("lib/python*/site-packages"))
    for own in folder.glob("lib/python*/site-packages"):
        # addsitedir, and not the bare path: it also reads the .pth files of the environment below.
        lines = [f"import site; site.addsitedir({str(path)!r})" for path in packages]
        (own / BELOW).write_text("\n".join(lines) + "\n", encoding="utf-8")
