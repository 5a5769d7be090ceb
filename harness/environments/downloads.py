"""What installing a backend brings down the wire, and which interpreters its framework has a wheel for: as pip says."""

import re
from collections.abc import Callable, Sequence
from urllib.parse import unquote

from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename

INTERPRETERS = tuple(f"3.{minor}" for minor in range(9, 15))
"""The versions of Python that are asked after."""

UNITS = {"bytes": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9}

_FILE = re.compile(r"\s*(?:Downloading|Using cached) (\S+) \(([\d.]+) ?(bytes|kB|MB|GB)\)")
_INSTALLED = "Successfully installed "


def downloaded_bytes(output: Sequence[str]) -> int | None:
    """Return the size of all files that pip installed from, by the lines it printed; None where one is not told.

    pip rounds: a file of megabytes to 0.1 MB. The size is the file's own, whether it came over the network or was found
    in pip's cache. What was there before, as pip itself, is not counted.
    """
    sizes: dict[str, int] = {}
    for line in output:
        found = _FILE.match(line)
        name = distribution_of(found[1]) if found else None
        if found and name:
            sizes[name] = round(float(found[2]) * UNITS[found[3]])
    words = [line.removeprefix(_INSTALLED).split() for line in output if line.startswith(_INSTALLED)]
    installed = {str(canonicalize_name(word.rpartition("-")[0])) for line in words for word in line}
    if not installed or not installed <= sizes.keys():
        return None
    return sum(sizes[name] for name in installed)


def distribution_of(address: str) -> str | None:
    """Return the normalised name of the distribution in a file, given its name or address; None where it has none."""
    file = unquote(address.partition("#")[0].rpartition("/")[2])
    if file.endswith(".whl"):
        return str(canonicalize_name(file.partition("-")[0]))
    try:
        return str(parse_sdist_filename(file)[0])
    except InvalidSdistFilename:
        return None  # metadata that pip looked at, or an older form: then the whole is not known


def supported_interpreters(package: str, version: str, ask: Callable[[list[str]], str | None]) -> list[str] | None:
    """Return those of INTERPRETERS that `package` has a wheel of this version for, on this system.

    `ask` runs pip with these arguments and returns what it printed, None where it failed. None where pip cannot say:
    it knows the version not even for one of them.
    """
    found = []
    for python in INTERPRETERS:
        said = ask(["index", "versions", package, "--python-version", python, "--only-binary", ":all:", "--pre"])
        versions = re.search(r"^Available versions: (.*)$", said or "", re.MULTILINE)
        if versions and version in versions[1].split(", "):
            found.append(python)
    return found or None
