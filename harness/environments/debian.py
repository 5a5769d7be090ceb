"""Unpacks pinned Debian packages in an environment; installs nothing in the system.

The packages come from the mirrors in the machine's own apt configuration. Each file is verified by the SHA-256 in
the backend's lock file, so it does not matter which mirror sends it.
"""

import os
from pathlib import Path
from typing import NamedTuple

from ..common.errors import InputError
from ..registry.description import DebianPackages
from ..registry.entries import Entry
from .checksums import read_lines, require_sha256
from .commands import Commands
from .environment import BuildFailed, BuildLog
from .pip import run_step, select_variables

TOOLS = {"apt-get": "apt", "dpkg-deb": "dpkg"}
"""Programs that unpacking needs, and the package that each comes with."""

DOWNLOADER = Path("/usr/lib/apt/apt-helper")
"""apt's own program to download one file, with apt's settings of proxies and time limits. It is not on PATH."""


class Package(NamedTuple):
    """A line of a lock file."""

    name: str
    version: str
    architecture: str
    sha256: str
    path: str
    """The file's path in the archive, beginning with pool/."""


def read_lock(path: Path) -> list[Package]:
    """Return the packages that a lock file lists. Raises InputError for a line with another number of words."""
    packages = []
    for words in read_lines(path):
        if len(words) != len(Package._fields):
            raise InputError(f"{path}: expected {', '.join(Package._fields)} on each line, got {' '.join(words)!r}.")
        packages.append(Package(*words))
    return packages


def unpack_packages(entry: Entry, wanted: DebianPackages, folder: Path, log: BuildLog, commands: Commands) -> None:
    """Download, verify and unpack the packages in `folder`. Raises BuildFailed."""
    packages = read_lock(entry.folder / wanted.lock)
    variables = select_variables(os.environ)
    mirrors = _list_mirrors(entry, log, commands)
    folder.mkdir()
    for number, package in enumerate(packages, 1):
        file = folder / Path(package.path).name
        log(f"{entry.label}: download {package.name} {package.version} of {wanted.release} ({number}/{len(packages)})")
        for mirror in mirrors:
            source = f"{mirror.rstrip('/')}/{package.path}"
            command: list[str | Path] = [DOWNLOADER, "-qq", "download-file", source, file, f"SHA256:{package.sha256}"]
            if commands.run(command, log, folder, variables) == 0:
                break
        else:
            reason = (
                f"{entry.label}: no mirror of this machine's apt configuration has {package.name} {package.version} "
                f"of Debian {wanted.release}: add one of this release"
            )
            raise BuildFailed(reason, log.path, log.lines)
        require_sha256(entry, file, package.sha256, log)
        run_step(entry, f"unpack {package.name}", ["dpkg-deb", "-x", file, folder], log, commands, variables)
        file.unlink()


def _list_mirrors(entry: Entry, log: BuildLog, commands: Commands) -> list[str]:
    """Return the addresses of the archives that apt is configured with, Debian's own first where apt knows them."""
    output: list[str] = []
    command = ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(REPO_URI)"]
    code = commands.run(command, output.append, entry.folder, select_variables(os.environ))
    rows = [line.partition("|") for line in output if "://" in line]
    known = [address for origin, _, address in rows if origin == "Debian"]
    mirrors = list(dict.fromkeys(known or [address for _, _, address in rows]))
    if code != 0 or not mirrors:
        reason = f"{entry.label}: apt is configured with no archive: add one to its sources"
        raise BuildFailed(reason, log.path, [*log.lines, *output])
    return mirrors
