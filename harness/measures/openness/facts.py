"""Reads the openness of a framework: its owners, governance and maintenance, and the licences of its packages.

The facts are those of backend.toml, each with its source and the source's date. Where the environment of the backend is
built, the module reads the metadata and licence files of the installed packages, and compares them with the facts and
the pinned versions. It reads files only; it imports and runs nothing of the environment.
"""

import datetime
import importlib.metadata
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ... import environments
from ...common.distributions import find_distributions
from ...common.errors import InputError
from ...environments.verify import DAMAGED
from ...registry.entries import Entry
from ...registry.facts import Openness
from ...registry.pins import read_pins
from . import licences

LIBRARY = re.compile(r"\.(so(\.\d+)*|dylib|dll|pyd)$")
"""Matches the name of a shared library."""

PAST = {"first_release", "first_release_date"}
"""Facts about the past: they do not change, so they are never stale."""

INSTALLERS = {"pip", "setuptools", "wheel"}
"""Packages that environments are made with: the harness pins them, and no requirements.txt needs to."""


class Stated(NamedTuple):
    """A fact of backend.toml."""

    key: str
    value: str | int | float
    source: str
    asof: str
    age: str
    """`stale` where its source is more than a year old, `undated` where its date is unknown, else ""."""


class Notice(NamedTuple):
    """A licence file of a package."""

    path: str
    of: str
    """The folder whose content it licenses, as far as its path shows; "" for the package itself."""
    licences: tuple[str, ...]
    """The SPDX identifiers of the licences whose wording is in its text."""
    components: tuple[licences.Component, ...]
    """The components that the file lists, each with its licence."""

    @property
    def named(self) -> set[str]:
        """All licences in the file: by their wording, and of its components."""
        return {*self.licences, *(each.licence for each in self.components)}


class Package(NamedTuple):
    """An installed distribution, as its metadata and files describe it."""

    name: str
    version: str
    declared: licences.Declared
    notices: tuple[Notice, ...]
    libraries: tuple[str, ...]
    """The paths of its shared libraries."""
    modules: tuple[str, ...]
    """Its top-level modules, sorted."""
    named: dict[str, int]
    """The number of its licence files that name each licence, the largest first."""
    undeclared: tuple[str, ...]
    """The licences in its files that its metadata do not declare, sorted."""
    environments: tuple[str, ...] = ()
    """The names of the environments that have it; () for a backend with a single environment."""


class View(NamedTuple):
    """The openness of the framework of one backend."""

    backend: str
    title: str
    facts: tuple[Stated, ...]
    unknown: tuple[str, ...]
    """The keys that backend.toml leaves out, because nobody established the fact."""
    environment: str | None
    """Why no installed package could be read; None where at least one environment is built."""
    unread: dict[str, str]
    """The environments that could not be read and why, where others of the backend are built."""
    packages: tuple[Package, ...]
    framework: tuple[str, ...]
    """The packages of the framework: the one that backend.toml names, and those that have its modules."""
    findings: tuple[str, ...]
    """The contradictions between backend.toml, requirements.txt and the installed packages, a sentence each."""


def read_openness(entry: Entry, today: datetime.date, extra: Sequence[Path] = ()) -> View:
    """Return the openness of a backend on the day `today`; `extra` has more interpreters that environments may use.

    The whole backend is read, also where `entry` is a part of it.

    Raises InputError for a path in `extra` that is not an interpreter, and for an unreadable requirements.txt.
    """
    openness = entry.description.openness
    facts = tuple(
        Stated(key, fact.value, fact.source, fact.asof, rate_age(fact.asof, today, key in PAST))
        for key, fact in openness.facts()
    )
    unknown = tuple(key for key in type(openness).model_fields if getattr(openness, key) is None)
    found: list[Package] = []
    findings: list[str] = []
    unread: dict[str, str] = {}
    parts = entry.whole.parts
    for part in parts:
        folder, reason = _environment(part, extra)
        if folder is None:
            unread[part.part] = reason
            continue
        packages = read_installed(folder)
        findings += find_contradictions(part, packages, _python_of(folder))
        found += [package._replace(environments=(part.part,)) if part.part else package for package in packages]
    every = join_packages(found)
    whole = unread[parts[0].part] if len(unread) == len(parts) else None
    framework = tuple(dict.fromkeys(each.name for each in every if _is_of_the_framework(each, entry)))
    return View(
        backend=entry.name,
        title=entry.description.title,
        facts=facts,
        unknown=unknown,
        environment=whole,
        unread={} if whole else unread,
        packages=every,
        framework=framework,
        findings=tuple(dict.fromkeys(findings)),
    )


def rate_age(asof: str, today: datetime.date, past: bool = False) -> str:
    """Return `stale`, `undated` or "" for the newest date of a source, read as the latest day that it can mean.

    2025 may mean the last day of that year, so it is stale from 2027 on. A fact about the `past` is never stale.
    """
    days = [day for day in map(_last_day, re.findall(r"\b(\d{4})(?:-(\d\d))?(?:-(\d\d))?\b", asof)) if day is not None]
    if not days:
        return "undated"
    return "stale" if max(days) < _a_year_before(today) and not past else ""


def _last_day(written: tuple[str, str, str]) -> datetime.date | None:
    year, month, day = (int(part) if part else None for part in written)
    try:
        if day is not None:
            return datetime.date(year or 0, month or 0, day)
        following = datetime.date(year or 0, month or 12, 28) + datetime.timedelta(days=4)
        return following - datetime.timedelta(days=following.day)
    except ValueError:
        return None


def _a_year_before(today: datetime.date) -> datetime.date:
    try:
        return today.replace(year=today.year - 1)
    except ValueError:  # 29 February
        return today.replace(year=today.year - 1, day=28)


# The installed packages


def _environment(part: Entry, extra: Sequence[Path]) -> tuple[Path | None, str]:
    """Return the folder of the environment of a backend, or of a part of it; or None and why there is none."""
    try:
        found = environments.find(part, extra)
    except environments.Missing as missing:
        return None, str(missing)
    if found is None:
        return None, f"not built: run `bakeoff setup {part.folder if part.outside else part.name}`"
    return found.folder, ""


def join_packages(packages: Sequence[Package]) -> tuple[Package, ...]:
    """Return each version of each package once, sorted, with all environments that have it."""
    found: dict[tuple[str, str], Package] = {}
    for each in packages:
        key = (canonicalize_name(each.name), each.version)
        before = found.get(key, each._replace(environments=()))
        found[key] = before._replace(environments=(*before.environments, *each.environments))
    return tuple(found[key] for key in sorted(found))


def read_installed(folder: Path) -> tuple[Package, ...]:
    """Return the distributions in the folder of an environment, sorted by name. Raises InputError for damaged ones."""
    paths = [str(path) for path in sorted(folder.glob("lib/python*/site-packages"))]
    try:
        found = find_distributions(paths)
        packages = [_package(each) for each in found if each.metadata["Name"]]
    except DAMAGED as error:
        raise InputError(
            f"{folder}: the metadata of a package cannot be read: {error}. `bakeoff setup --verify` names it."
        ) from None
    return tuple(sorted(packages, key=lambda package: canonicalize_name(package.name)))


def _package(distribution: importlib.metadata.Distribution) -> Package:
    metadata = distribution.metadata
    named = set(metadata.get_all("License-File") or [])
    notices, libraries, modules = [], [], set()
    for file in distribution.files or []:
        path = file.as_posix()
        modules |= {path.partition("/")[0].removesuffix(".py")} & {path.partition("/")[0].partition(".")[0]}
        if LIBRARY.search(file.name):
            libraries.append(path)
        elif licences.is_notice(path, named):
            text = _text(Path(str(file.locate())))
            parts = licences.read_components(text)
            notices.append(Notice(path, _of(path), licences.recognise(text, parts), parts))
    declared = licences.read_declared(
        _one(metadata, "License-Expression"),
        _one(metadata, "License"),
        tuple(each for each in metadata.get_all("Classifier") or [] if each.startswith("License ::")),
    )
    counts = Counter(licence for notice in notices for licence in notice.named)
    return Package(
        name=metadata["Name"],
        version=distribution.version,
        declared=declared,
        notices=tuple(notices),
        libraries=tuple(libraries),
        modules=tuple(sorted(modules - {""})),
        named=dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))),
        undeclared=tuple(sorted(licence for licence in counts if not declared.covers(licence))),
    )


def _one(metadata: importlib.metadata.PackageMetadata, key: str) -> str | None:
    values = metadata.get_all(key)
    return str(values[0]) if values else None


def _is_of_the_framework(package: Package, entry: Entry) -> bool:
    named = canonicalize_name(package.name) == canonicalize_name(entry.description.package)
    return named or not set(entry.description.import_name).isdisjoint(package.modules)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _of(path: str) -> str:
    """Return the folder of a licence file: under `licenses/` of the metadata, or in the package."""
    folder = path.rpartition("/")[0]
    return re.sub(r"^[^/]*\.dist-info(/licenses|/license_files)?/?", "", folder)


def _python_of(folder: Path | None) -> str:
    """Return the version of the interpreter of an environment, from its pyvenv.cfg; "" where that has none."""
    text = _text(folder / "pyvenv.cfg") if folder else ""
    found = re.search(r"^version(?:_info)?\s*=\s*(\d+\.\d+(?:\.\d+)?)", text, re.MULTILINE)
    return found[1] if found else ""


# Contradictions


def find_contradictions(entry: Entry, packages: Sequence[Package], python: str) -> Iterator[str]:
    """Yield a sentence for each contradiction; `python` is the version of the interpreter of the environment."""
    wanted = canonicalize_name(entry.description.package)
    main = next((each for each in packages if canonicalize_name(each.name) == wanted), None)
    if main is None:
        where = f" in the environment {entry.label}" if entry.part else ""
        yield f"backend.toml names the package {entry.description.package}, which is not installed{where}."
    else:
        yield from _compare_with_facts(entry.description.openness, main)
    yield from _compare_with_pins(entry, packages, python)
    for package in packages:
        if package.declared.contradiction:
            yield f"{package.name} {package.version} contradicts itself: {package.declared.contradiction}."


def _compare_with_facts(openness: Openness, main: Package) -> Iterator[str]:
    fact, declared = openness.licence, main.declared
    here = f"{main.name} {main.version}"
    if not declared.covers(fact.value):
        unclear = " (not an SPDX expression)" if declared.spdx is None else ""
        yield (
            f"{here} declares the licence {declared.words}{unclear}; "
            f"backend.toml says {fact.value} ({fact.source}, {fact.asof})."
        )
    noted = openness.licence_declared
    if noted is not None and licences.to_spdx(noted.value) != declared.spdx:
        there, now = (licences.identifiers(each or "") for each in (licences.to_spdx(noted.value), declared.spdx))
        changes = [f"without {each}" for each in sorted(there - now)] + [f"with {each}" for each in sorted(now - there)]
        yield (
            f"{here} declares other licences than backend.toml records ({noted.source}, {noted.asof}): "
            f"{', '.join(changes) or declared.words}."
        )


def _compare_with_pins(entry: Entry, packages: Sequence[Package], python: str) -> Iterator[str]:
    versions = {str(canonicalize_name(each.name)): each.version for each in packages}
    pins = dict(_pins(entry, python))
    for name, pinned in pins.items():
        if name not in versions:
            yield f"{entry.requirements.name} pins {name} {pinned}, and it is not installed."
        elif not _same(versions[name], pinned):
            yield f"{entry.requirements.name} pins {name} {pinned}, and {versions[name]} is installed."
    for name in sorted(set(versions) - set(pins) - INSTALLERS):
        yield f"{name} {versions[name]} is installed, and {entry.requirements.name} does not pin it."


def _pins(entry: Entry, python: str) -> Iterator[tuple[str, str]]:
    """Yield (normalised name, version) of every pin that holds for this interpreter."""
    environment = {key: str(value) for key, value in default_environment().items()}
    if python:
        environment |= {"python_version": ".".join(python.split(".")[:2]), "python_full_version": python}
    for line in read_pins(entry.requirements):
        if line.is_option:
            continue
        try:
            requirement = line.requirement
        except InvalidRequirement as error:
            raise InputError(
                f"{entry.requirements}:{line.number}: expected `name==version`, got {line.text!r}: {error}"
            ) from None
        if line.version and (requirement.marker is None or requirement.marker.evaluate(environment)):
            yield canonicalize_name(requirement.name), line.version


def _same(one: str, other: str) -> bool:
    """Return whether two versions are the same apart from their builds, as 2.13.0 and 2.13.0+cpu are."""
    try:
        return Version(one).public == Version(other).public
    except InvalidVersion:
        return one == other
