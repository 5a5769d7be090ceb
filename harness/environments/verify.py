"""Compares the files of a built environment with the checksums that were written down when it was built.

Python packages have theirs in the RECORD of each, from the wheel whose hash is pinned; what is unpacked or compiled
beside them has a list of its own. It finds what was damaged or changed since. It does not find what somebody changed
together with its checksum: whoever can write the one can write the other.
"""

import base64
import csv
import fnmatch
import hashlib
import importlib.metadata
import os
from collections.abc import Iterator
from pathlib import Path

from ..common.distributions import find_distributions
from ..registry.entries import Entry
from .checksums import compute_sha256, read_lines
from .environment import Environment, read_record

UNPACKED = ("debian", "maven", "stubs")
"""The folders of an environment that no package manager of Python knows."""

OF_VENV = ("pyvenv.cfg", "bin/python*", "bin/activate*")
"""The files that make a folder an environment: they belong to no package, and `bin/python` is what is started."""

MANIFEST = "unpacked.sha256"
"""The file that lists the SHA-256 and the path of each of these files."""

DAMAGED = (ValueError, TypeError, LookupError, AttributeError, csv.Error)
"""The exceptions of the standard library for metadata of a package that were damaged."""

MADE_BY_PYTHON = "__pycache__"
"""The folders of compiled modules: Python writes them, and their checksums are nowhere."""


def write_manifest(folder: Path) -> None:
    """Write the checksums of what was unpacked and compiled in the environment, and of what venv made.

    Some wheels were published with a RECORD that is wrong about their own metadata: it has these files, too.
    """
    paths = [*_unpacked_files(folder), *_files_of_venv(folder), *_wrongly_recorded(folder)]
    lines = [f"{_sum(path)}  {path.relative_to(folder).as_posix()}" for path in paths]
    if lines:
        (folder / MANIFEST).write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogateescape")


def find_changes(entry: Entry, environment: Environment) -> tuple[int, list[str]]:
    """Return how many files were compared, and a sentence for each that is missing, changed or nobody's."""
    compared, problems = 0, []
    for of_folder in (_compare_packages, _compare_unpacked, _compare_venv, _compare_libraries):
        for path, problem in of_folder(entry, environment.folder):
            compared += 1
            if problem:
                problems.append(f"{path}: {problem}")
    return compared, problems


def describe_unverified(environment: Environment) -> str:
    """Return which files were not compared with a pinned hash when they were installed, as a sentence; "" for none."""
    record = read_record(environment.folder)
    if record is None:
        return ""
    if record.hashes is False:
        return "its pins had no hashes when it was built: whether its packages are the released ones is not known"
    named = ", ".join(f"{name} ({digest})" if digest else name for name, digest in record.unverified.items())
    return f"no pinned hash was compared when it was installed: {named}" if named else ""


def _compare_packages(entry: Entry, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each file of the Python packages, and what is wrong with it."""
    known = _read_manifest(folder)
    for packages in sorted(folder.glob("lib/python*/site-packages")):
        listed: set[Path] = set()
        for distribution in find_distributions([str(packages)]):
            name, files, problem = _list_files(distribution)
            if problem:
                yield name, problem
            for file in files:
                path = Path(os.path.normpath(str(file.locate())))
                listed.add(path)
                result = _compare_file(file, path, known.get(_name(path, folder)), name)
                if result is not None:
                    yield _name(path, folder), result
        for path in sorted(packages.rglob("*")):
            if path not in listed and not path.is_dir() and MADE_BY_PYTHON not in path.parts:
                yield _name(path, folder), "belongs to no package"


def _list_files(distribution: importlib.metadata.Distribution) -> tuple[str, list[importlib.metadata.PackagePath], str]:
    """Return the name of a package, the files that its RECORD lists, and what is wrong with that."""
    name = str(getattr(distribution, "_path", "a package"))
    try:
        name = distribution.metadata["Name"] or name
        files = distribution.files
    except DAMAGED:
        return name, [], "has metadata that cannot be read"
    return name, files or [], "" if files is not None else "has no list of its files"


def _compare_file(file: importlib.metadata.PackagePath, path: Path, known: str | None, package: str) -> str | None:
    """Return what is wrong with a file of a package: "" for nothing, None where it is there and has no checksum."""
    try:
        if known is not None:
            return _judge(_sum(path) if path.is_file() else None, known, MANIFEST)
        if file.hash is not None:
            return _judge(_digest(path, file.hash.mode), file.hash.value, f"the RECORD of {package}")
        return "is missing" if not path.exists() and MADE_BY_PYTHON not in path.parts else None
    except DAMAGED:
        return f"is described in the RECORD of {package} by what cannot be read"


def _compare_unpacked(entry: Entry, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each file of Debian packages, of a Maven project and of compiled libraries, and what is wrong with it."""
    every = _read_manifest(folder)
    pinned = {name: digest for name, digest in every.items() if name.partition("/")[0] in UNPACKED}
    found = {path.relative_to(folder).as_posix(): path for path in _unpacked_files(folder)}
    for name in sorted(pinned.keys() | found.keys()):
        if name not in pinned:
            yield name, "was not there when it was built"
        else:
            yield name, _judge(_sum(found[name]) if name in found else None, pinned[name], MANIFEST)


def _compare_venv(entry: Entry, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each file that venv made, and what is wrong with it; older environments have no checksums of them."""
    pinned = {
        name: digest
        for name, digest in _read_manifest(folder).items()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in OF_VENV)
    }
    found = {path.relative_to(folder).as_posix(): path for path in _files_of_venv(folder)}
    for name, digest in sorted(pinned.items()):
        yield name, _judge(_sum(found[name]) if name in found else None, digest, MANIFEST)


def _compare_libraries(entry: Entry, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each Java library, and whether it is the one that the backend pins."""
    wanted = entry.worker.maven
    if wanted is None:
        return
    for sha256, name in read_lines(entry.folder / wanted.lock):
        path = folder / "maven" / "lib" / name
        yield _name(path, folder), _judge(compute_sha256(path) if path.is_file() else None, sha256, wanted.lock)


def _read_manifest(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of the manifest, by its path."""
    manifest = folder / MANIFEST
    text = manifest.read_text(encoding="utf-8", errors="surrogateescape") if manifest.is_file() else ""
    return {name: digest for digest, _, name in (line.partition("  ") for line in text.splitlines())}


def _wrongly_recorded(folder: Path) -> Iterator[Path]:
    """Yield the metadata files of Python packages that differ from their RECORD."""
    for packages in sorted(folder.glob("lib/python*/site-packages")):
        for distribution in find_distributions([str(packages)]):
            for file in distribution.files or ():
                path = Path(str(file.locate()))
                metadata = file.hash is not None and file.parts[0].endswith(".dist-info")
                if metadata and file.hash and _digest(path, file.hash.mode) not in (None, file.hash.value):
                    yield path


def _judge(found: str | None, expected: str, where: str) -> str:
    if found is None:
        return "is missing"
    return "" if found == expected else f"is not the file of {where}"


def _digest(path: Path, algorithm: str) -> str | None:
    """Return a checksum in the form of RECORD; None where there is no such file."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, algorithm).digest()
    except OSError:
        return None
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _sum(path: Path) -> str:
    """Return the SHA-256 of a file, or of where a link leads."""
    return hashlib.sha256(os.fsencode(os.readlink(path))).hexdigest() if path.is_symlink() else compute_sha256(path)


def _unpacked_files(folder: Path) -> list[Path]:
    paths = (path for name in UNPACKED for path in (folder / name).rglob("*"))
    return sorted(path for path in paths if path.is_symlink() or path.is_file())


def _files_of_venv(folder: Path) -> list[Path]:
    paths = (path for pattern in OF_VENV for path in folder.glob(pattern))
    return sorted(path for path in paths if path.is_symlink() or path.is_file())


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
