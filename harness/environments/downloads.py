"""Reads pip's output: how much an installation downloads, and which interpreters a framework has a wheel for."""

import re
from collections.abc import Callable, Sequence
from urllib.parse import unquote

from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename

INTERPRETERS = tuple(f"3.{minor}" for minor in range(9, 15))
"""The versions of Python that the package index is queried for."""

UNITS = {"bytes": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}

_FILE = re.compile(r"\s*(?:Downloading|Using cached) (\S+) \(([\d.]+) ?(bytes|kB|MB|GB)\)")
_INSTALLED = "Successfully installed "


def sum_downloads(output: Sequence[str]) -> int | None:
    """Return the total size in bytes of the files that pip installed from; None where the size of one is unknown.

    `output` is what pip printed. pip rounds: a file of megabytes to 0.1 MB. The size is the file's own, whether it came
    over the network or from pip's cache. Packages that were there before, such as pip itself, do not count.
    """
    sizes: dict[str, int] = {}
    for line in output:
        found = _FILE.match(line)
        name = parse_distribution_name(found[1]) if found else None
        if found and name:
            sizes[name] = round(float(found[2]) * UNITS[found[3]])
    words = [line.removeprefix(_INSTALLED).split() for line in output if line.startswith(_INSTALLED)]
    installed = {str(canonicalize_name(word.rpartition("-")[0])) for line in words for word in line}
    if not installed or not installed <= sizes.keys():
        return None
    return sum(sizes[name] for name in installed)


def parse_distribution_name(address: str) -> str | None:
    """Return the normalised name of the distribution in a file, from its name or address; None where it has none."""
    file = unquote(address.partition("#")[0].rpartition("/")[2])
    if file.endswith(".whl"):
        return str(canonicalize_name(file.partition("-")[0]))
    try:
        return str(parse_sdist_filename(file)[0])
    except InvalidSdistFilename:
        return None  # pip read its metadata only, or its name has an older form: the total is unknown then


def query_interpreters(package: str, version: str, run_pip: Callable[[list[str]], str | None]) -> list[str] | None:
    """Return those of INTERPRETERS that the package index has a wheel of this version for, on this system.

    `run_pip` runs pip with the given arguments and returns its output, None where it failed. Returns None where the
    index has the version for none of them, or does not answer.
    """
    found = []
    for python in INTERPRETERS:
        output = run_pip(["index", "versions", package, "--python-version", python, "--only-binary", ":all:", "--pre"])
        versions = re.search(r"^Available versions: (.*)$", output or "", re.MULTILINE)
        if versions and version in versions[1].split(", "):
            found.append(python)
    return found or None
