"""Adds to an environment what pip does not install: Debian packages, a Maven project, libraries compiled from C."""

import os
import platform
import shutil
from pathlib import Path

from ..registry.entries import Entry
from . import debian, maven
from .commands import Commands
from .environment import BuildLog
from .interpreters import Missing
from .pip import run_step, select_variables

COMPILER = "gcc"


def require_tools(entry: Entry) -> None:
    """Raise Missing where this machine lacks something that the environment of `entry` is built with."""
    wanted = entry.worker
    system = f"{platform.system()} {platform.machine()}"
    if wanted.systems and system not in wanted.systems:
        raise Missing(
            f"not available here: needs {' or '.join(wanted.systems)}, and this is {system}. "
            "Run it on such a machine, or in a container."
        )
    tools: dict[str, str] = {}
    if wanted.debian:
        tools |= debian.TOOLS
    if wanted.maven:
        tools |= maven.TOOLS
    if wanted.stubs:
        tools[COMPILER] = "gcc"
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        packages = " ".join(dict.fromkeys(tools[tool] for tool in missing))
        raise Missing(
            f"not available here: needs {', '.join(missing)} on PATH. "
            f"Install {packages} with your system's package manager, on Debian `apt-get install {packages}`."
        )


def read_inputs(entry: Entry) -> list[str]:
    """Return the contents of everything, beside its requirements, that the environment of `entry` is made from."""
    wanted = entry.worker
    paths: list[Path] = []
    if wanted.debian:
        paths.append(entry.folder / wanted.debian.lock)
    if wanted.maven:
        paths += maven.list_sources(entry.folder, wanted.maven)
    paths += [entry.folder / source for source in wanted.stubs.values()]
    named = [f"{name}={source}" for name, source in wanted.stubs.items()]
    return [*named, *(f"{path.name}\0{path.read_text(encoding='utf-8')}" for path in paths)]


def add_to_environment(entry: Entry, folder: Path, log: BuildLog, commands: Commands) -> None:
    """Unpack and compile in `folder` what backend.toml asks for beside Python packages. Raises BuildFailed."""
    wanted = entry.worker
    if wanted.debian:
        debian.unpack_packages(entry, wanted.debian, folder / "debian", log, commands)
    if wanted.maven:
        maven.compile_project(entry, wanted.maven, folder / "maven", log, commands)
    for name, source in wanted.stubs.items():
        library = folder / "stubs" / name
        library.parent.mkdir(exist_ok=True)
        command: list[str | Path] = [
            COMPILER,
            "-shared",
            "-fPIC",
            "-O1",
            f"-Wl,-soname,{name}",
            "-o",
            library,
            entry.folder / source,
        ]
        run_step(entry, f"compile {source} to {name}", command, log, commands, select_variables(os.environ))
