"""Makes a virtual environment and installs a backend's requirements with pip."""

import errno
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from packaging.utils import canonicalize_name

from ..common.distributions import find_distributions
from ..registry.entries import NOT_PINNED, Entry, required_version
from ..registry.pins import Line, built_from_source, is_hashed, read_pins, split_unhashed
from .commands import Commands
from .downloads import query_interpreters
from .environment import BuildFailed, BuildLog, Environment, describe_os_error

PACKAGE_SOURCES = {
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_CONFIG_FILE",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_KEYRING_PROVIDER",
    "PIP_NO_INDEX",
    "PIP_PROXY",
    "PIP_RETRIES",
    "PIP_TIMEOUT",
    "PIP_TRUSTED_HOST",
}
"""The user's settings of pip that say where packages come from; other settings could change what is installed."""

NO_CACHE = "PIP_NO_CACHE_DIR"
"""The user's setting that pip keeps no files: handed on as an option."""


INSTALLER = Path(__file__).with_name("installer.txt")
"""The pins of pip itself, for each version of Python."""

BUILDER = Path(__file__).with_name("builder.txt")
"""The pins of what builds a package that was published as source only."""

VERIFIED: list[str | Path] = ["--require-hashes", "--only-binary", ":all:"]
"""Options of an installation in which each file has a pinned hash, and no package runs code when it is installed."""


FROM_INDEX: list[str | Path] = ["--only-binary", ":all:", "--no-deps"]
"""Options of an installation from a build's own index, which nobody has hashes of: nothing else comes along."""


class Installed(NamedTuple):
    """What pip says of an installation."""

    output: Sequence[str]
    """What it printed of the requirements alone."""
    unverified: dict[str, str] | None
    """By NAME==VERSION, the hash of each file that no pinned hash was compared with; None for all files."""


def install_requirements(entry: Entry, interpreter: Path, folder: Path, log: BuildLog, commands: Commands) -> Installed:
    """Make a virtual environment of `interpreter` in `folder`, with the requirements of `entry`.

    Where they have hashes, a pinned pip installs them, from wheels but for the packages of their `--no-binary` lines.
    Of a build with an index of its own, the packages without hashes are installed last, and nothing else with them.
    Raises BuildFailed.
    """
    # pip unpacks here, not in the system's temporary folder: that may be small, and a killed pip leaves gigabytes.
    temporary = folder / "tmp"
    temporary.mkdir()
    variables = {**select_variables(os.environ), "TMPDIR": str(temporary), "PIP_USER": "0"}
    pins = read_pins(entry.requirements)

    def step(purpose: str, command: Sequence[str | Path]) -> None:
        run_step(entry, purpose, command, log, commands, variables)

    step(f"make an environment with {interpreter}", [interpreter, "-I", "-m", "venv", folder])
    install = pip_install(folder)
    checked: list[str | Path] = []
    if is_hashed(pins):
        checked = [*VERIFIED]
        step("install the pinned pip", [*install, *VERIFIED, "--no-deps", "-r", INSTALLER])
    else:
        log(f"{entry.label}: {entry.requirements.name} has no hashes: what is installed is not compared with any")
    if checked and built_from_source(pins):
        step("install what builds packages from source", [*install, *VERIFIED, "--no-deps", "-r", BUILDER])
        checked.append("--no-build-isolation")  # otherwise pip would install the newest of what builds them
    before = len(log.lines)
    index = entry.build.index if entry.build else None
    hashed, others = split_unhashed(pins)
    names = [line.text.partition(";")[0].strip() for line in others if not line.is_option]
    unverified: dict[str, str] | None = {} if checked else None
    if checked and index and names:
        path, report = _write_pins(temporary / "hashed.txt", hashed), temporary / "report.json"
        step(f"install {entry.requirements}", [*install, *checked, "-r", path])
        log(f"{entry.label}: {', '.join(names)} has no hash: what {index} sends is not compared with any")
        command = [*install, *FROM_INDEX, "--report", report, "--extra-index-url", index]
        step(f"install {', '.join(names)}", [*command, "-r", _write_pins(temporary / "others.txt", others)])
        unverified = _read_report(report)
    else:
        extra: list[str | Path] = ["--extra-index-url", index] if index else []
        step(f"install {entry.requirements}", [*install, *checked, "-r", entry.requirements.absolute(), *extra])
    shutil.rmtree(temporary)
    return Installed(log.lines[before:], unverified)


def _write_pins(path: Path, lines: Sequence[Line]) -> Path:
    path.write_text("".join(f"{line.written}\n" for line in lines), encoding="utf-8")
    return path


def _read_report(path: Path) -> dict[str, str]:
    """Return the hash of each file that pip reports to have installed, by NAME==VERSION."""
    report = json.loads(path.read_text(encoding="utf-8"))
    return {
        f"{each['metadata']['name']}=={each['metadata']['version']}": ", ".join(
            f"{kind}:{digest}"
            for kind, digest in each["download_info"].get("archive_info", {}).get("hashes", {}).items()
        )
        for each in report["install"]
    }


def pip_install(folder: Path) -> list[str | Path]:
    """Return the beginning of a command that installs with the pip of the environment in `folder`."""
    # As an option: pip before 19 ends in an error of its own where the variable is set.
    cache: list[str | Path] = ["--no-cache-dir"] if os.environ.get(NO_CACHE) else []
    return [*_pip_command(folder), "install", "--progress-bar", "off", *cache]


def run_step(
    entry: Entry,
    purpose: str,
    command: Sequence[str | Path],
    log: BuildLog,
    commands: Commands,
    variables: Mapping[str, str],
) -> None:
    """Run one command of a build in the backend's folder. Raises BuildFailed where its exit code is not 0."""
    log(f"{entry.label}: {purpose}")
    code = commands.run(command, log, entry.folder, variables)
    if code != 0:
        raise BuildFailed(f"{entry.label}: could not {purpose}{describe_failure(log.lines, code)}", log.path, log.lines)


def query_supported_interpreters(entry: Entry, folder: Path, commands: Commands) -> list[str] | None:
    """Return the Python versions that the framework has a wheel for; None where the package index does not say."""

    def run_pip(arguments: list[str]) -> str | None:
        output: list[str] = []
        command = [*_pip_command(folder), *arguments]
        code = commands.run(command, output.append, entry.folder, select_variables(os.environ))
        return "\n".join(output) if code == 0 else None

    version = required_version(entry).partition("+")[0]
    return None if version == NOT_PINNED else query_interpreters(entry.description.package, version, run_pip)


def read_requires_python(environment: Environment, package: str) -> str | None:
    """Return the Python versions that an installed distribution requires, such as ">=3.11"; None where it has none."""
    paths = [str(path) for path in environment.folder.glob("lib/python*/site-packages")]
    for found in find_distributions(paths, package):
        return next(iter(found.metadata.get_all("Requires-Python") or ()), None)
    return None


def list_packages(folder: Path) -> dict[str, str]:
    """Return the version of every distribution in the environment at `folder`, by normalised name, in order."""
    paths = [str(path) for path in folder.glob("lib/python*/site-packages")]
    found = find_distributions(paths)
    return dict(sorted((canonicalize_name(each.metadata["Name"]), each.version) for each in found))


def select_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return `variables` without those that misdirect Python or pip; index, proxies and certificates stay."""
    return {
        name: value
        for name, value in variables.items()
        if not name.startswith(("PYTHON", "PIP_", "VIRTUAL_ENV", "__PYVENV")) or name in PACKAGE_SOURCES
    }


def describe_failure(output: Sequence[str], code: int) -> str:
    """Return the cause of a failed command as the end of a sentence: a full disk where the output says so."""
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EACCES):
        if any(f"[Errno {number}]" in line for line in output):
            return f": {describe_os_error(OSError(number, os.strerror(number)))}"
    return f" (exit code {code})"


def _pip_command(folder: Path) -> list[str | Path]:
    options = ["--disable-pip-version-check", "--no-input", "--no-color"]
    return [folder / "bin" / "python", "-I", "-m", "pip", *options]
