"""TODO: environments.pip."""

import errno
import importlib.metadata
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from ..common.cache import cache_folder
from ..registry.entries import NOT_PINNED, Entry, pinned_version
from . import downloads
from .commands import Commands
from .environment import BuildFailed, Environment, _Log

REACHING_PACKAGES = {
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_CONFIG_FILE",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_KEYRING_PROVIDER",
    "PIP_NO_CACHE_DIR",
    "PIP_NO_INDEX",
    "PIP_PROXY",
    "PIP_RETRIES",
    "PIP_TIMEOUT",
    "PIP_TRUSTED_HOST",
}
"""The caller's settings of pip that say where packages come from; the others could change what is installed."""


def requires_python(environment: Environment, package: str) -> str | None:
    """Return which versions of Python a distribution in it says that it needs: ">=3.11"; None where it says nothing."""
    paths = [str(path) for path in environment.folder.glob("lib/python*/site-packages")]
    for found in importlib.metadata.distributions(name=package, path=paths):
        return found.metadata["Requires-Python"]
    return None


def _pip(folder: Path) -> list[str | Path]:
    return [
        folder / "bin" / "python",
        "-I",
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-input",
        "--no-color",
    ]


def _supported(entry: Entry, folder: Path, commands: "Commands") -> list[str] | None:
    """Ask the package index which interpreters the framework has a wheel for; None where it does not say."""

    def ask(arguments: list[str]) -> str | None:
        said: list[str] = []
        code = commands.run([*_pip(folder), *arguments], said.append, entry.folder, _clean(os.environ))
        return "\n".join(said) if code == 0 else None

    version = pinned_version(entry)
    return None if version == NOT_PINNED else downloads.supported_interpreters(entry.description.package, version, ask)


def _install(entry: Entry, interpreter: Path, aside: Path, log: _Log, commands: Commands) -> None:
    # pip unpacks here and not in the system's folder, which may be small, and where a killed pip would leave gigabytes.
    temporary = aside / "tmp"
    temporary.mkdir()
    environment = {**_clean(os.environ), "TMPDIR": str(temporary), "PIP_USER": "0"}
    steps: list[tuple[str, list[str | Path]]] = [
        (f"make an environment with {interpreter}", [interpreter, "-I", "-m", "venv", aside]),
        (
            f"install {entry.requirements}",
            [*_pip(aside), "install", "--progress-bar", "off", "-r", entry.requirements.absolute()],
        ),
    ]
    for purpose, command in steps:
        log(f"{entry.label}: {purpose}")
        code = commands.run(command, log, entry.folder, environment)
        if code != 0:
            raise BuildFailed(f"{entry.label}: could not {purpose}{_cause(log.lines, code)}", log.path, log.lines)
    shutil.rmtree(temporary)


def _clean(variables: Mapping[str, str]) -> dict[str, str]:
    """Return `variables` without those that lead Python or pip astray; index, proxies and certificates stay."""
    return {
        name: value
        for name, value in variables.items()
        if not name.startswith(("PYTHON", "PIP_", "VIRTUAL_ENV", "__PYVENV")) or name in REACHING_PACKAGES
    }


def _packages(folder: Path) -> dict[str, str]:
    paths = [str(path) for path in folder.glob("lib/python*/site-packages")]
    found = importlib.metadata.distributions(path=paths)
    return dict(sorted((canonicalize_name(each.metadata["Name"]), each.version) for each in found))


def _cause(output: Sequence[str], code: int) -> str:
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EACCES):
        if any(f"[Errno {number}]" in line for line in output):
            return f": {_in_plain_words(OSError(number, os.strerror(number)))}"
    return f" (exit code {code})"


def _in_plain_words(error: OSError) -> str:
    elsewhere = "set BAKEOFF_CACHE to a folder on another disk"
    where = error.filename or cache_folder()
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left for {cache_folder()}: make room or {elsewhere}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no permission to write {where}: change it or {elsewhere}"
    return f"{where} cannot be used ({error}): mend it or {elsewhere}"
