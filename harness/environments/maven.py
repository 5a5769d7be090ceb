"""Compiles a backend's Java files with Maven, and brings the libraries that they need into its environment.

Maven works in a copy of the project; beside that it touches only its own cache. The pom.xml pins the versions, and the
lock file the checksum of each library.
"""

import os
import shutil
from pathlib import Path

from ..registry.description import MavenProject
from ..registry.entries import Entry
from .checksums import read_lines, require_sha256
from .commands import Commands
from .environment import BuildFailed, BuildLog
from .pip import run_step, select_variables

TOOLS = {"mvn": "maven", "javac": "default-jdk"}
"""Programs that compiling needs, and the package that each comes with."""

CLASSES = Path("target", "classes")
"""Where the compiled classes are, in the environment's folder `maven`."""

LIBRARIES = Path("lib")
"""Where the libraries are, in the environment's folder `maven`."""


PROJECT_FILES = ("-Dmdep.copyPom=true", "-Dmdep.addParentPoms=true")
"""Options that also copy the project file of each library, and those that it inherits from: they name licences."""


def list_sources(folder: Path, wanted: MavenProject) -> list[Path]:
    """Return the files of a backend that its Maven project is made from."""
    return [folder / wanted.pom, folder / wanted.lock, *sorted(folder.glob("*.java"))]


def compile_project(entry: Entry, wanted: MavenProject, folder: Path, log: BuildLog, commands: Commands) -> None:
    """Compile the project in `folder`, with its libraries, and verify these. Raises BuildFailed."""
    folder.mkdir()
    for path in list_sources(entry.folder, wanted):
        shutil.copy(path, folder / (path.name if path.name != wanted.pom else "pom.xml"))
    command: list[str | Path] = ["mvn", "-q", "-B", "-f", folder / "pom.xml", "compile", "dependency:copy-dependencies"]
    command += [f"-DoutputDirectory={folder / LIBRARIES}", *PROJECT_FILES]
    purpose = f"compile {wanted.pom} with Maven"
    run_step(entry, purpose, command, log, commands, select_variables(os.environ))
    pinned = {name: sha256 for sha256, name in read_lines(entry.folder / wanted.lock)}
    found = {path.name: path for path in (folder / LIBRARIES).glob("*.jar")}
    if found.keys() != pinned.keys():
        names = ", ".join(sorted(found.keys() ^ pinned.keys()))
        reason = f"{entry.label}: {wanted.lock} and the libraries of {wanted.pom} differ in {names}"
        raise BuildFailed(reason, log.path, log.lines)
    for name, path in found.items():
        require_sha256(entry, path, pinned[name], log)
