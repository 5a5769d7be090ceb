"""Openness: who owns, decides and keeps up a framework, and under which licences what it installs stands.

The facts are those of backend.toml, each with its source and that source's date. Where the backend's environment is
built, the installed packages' own metadata and licence files are read again, and held against the facts and the pins.
Files are read; nothing of the environment is imported or run.
"""

import datetime
import importlib.metadata
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ... import environments
from ...common.errors import InputError
from ...registry.description import Openness
from ...registry.entries import Entry
from . import licences

LIBRARY = re.compile(r"\.(so(\.\d+)*|dylib|dll|pyd)$")
"""What the name of a shared library ends with."""

PAST = {"first_release", "first_release_date"}
"""Facts that no time can change: they are never stale."""

INSTALLERS = {"pip", "setuptools"}
"""What an interpreter puts into each of its environments: nobody pins them."""


class Stated(NamedTuple):
    """A fact of backend.toml."""

    key: str
    value: str | int | float
    source: str
    asof: str
    age: str
    """`stale` where its source is more than a year old, `undated` where its date is unknown, else ""."""


class Notice(NamedTuple):
    """A file of a package that gives a licence."""

    path: str
    of: str
    """The folder of whose content it is the licence, as far as the path tells; "" for the package itself."""
    licences: tuple[str, ...]
    """Recognised in its text: SPDX identifiers."""
    components: tuple[licences.Component, ...]
    """What the file names one by one, each with its licence."""

    @property
    def named(self) -> set[str]:
        """All licences that the file names, in one way or the other."""
        return {*self.licences, *(each.licence for each in self.components)}


class Package(NamedTuple):
    """An installed distribution, as its own metadata and files tell."""

    name: str
    version: str
    declared: licences.Declared
    notices: tuple[Notice, ...]
    libraries: tuple[str, ...]
    """Paths of the shared libraries it brings."""
    modules: tuple[str, ...]
    """Top-level modules it brings, sorted."""
    named: dict[str, int]
    """In how many of its licence files each licence was found, most often first."""
    undeclared: tuple[str, ...]
    """The licences that its files name and its metadata do not, sorted."""
    environments: tuple[str, ...] = ()
    """Names of those it is in, of a backend with several; () for a backend with one."""


class View(NamedTuple):
    """All that is known of how open one backend's framework is."""

    backend: str
    title: str
    facts: tuple[Stated, ...]
    unknown: tuple[str, ...]
    """Keys that backend.toml leaves out: not established."""
    environment: str | None
    """Why no installed package could be read; None where the environment is built, or one of several."""
    unread: dict[str, str]
    """Of a backend with several environments of which some are built, why each of the others could not be read."""
    packages: tuple[Package, ...]
    framework: tuple[str, ...]
    """Names of the packages that are the framework: the one of the headline, and those that bring its modules."""
    findings: tuple[str, ...]
    """Contradictions, a sentence each: between backend.toml, requirements.txt and what is installed."""


def look(entry: Entry, today: datetime.date, extra: Sequence[Path] = ()) -> View:
    """Return what is known of a backend on the day `today`; `extra` are interpreters to look for its environments with.

    All of the backend is looked at, also where `entry` is a part of it.

    Raises InputError for a path in `extra` that is no interpreter, and for a requirements.txt that cannot be read.
    """
    openness = entry.description.openness
    facts = tuple(
        Stated(key, fact.value, fact.source, fact.asof, age(fact.asof, today, key in PAST))
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
        packages = installed(folder)
        findings += contradictions(part, packages, _python_of(folder))
        found += [package._replace(environments=(part.part,)) if part.part else package for package in packages]
    every = joined(found)
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


def age(asof: str, today: datetime.date, past: bool = False) -> str:
    """Return `stale`, `undated` or "" for the date of a source: the newest that is named, at the latest it can mean.

    2025 may mean the last day of that year, so it is stale from 2027 on. What is `past` is never stale.
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


# What is installed


def _environment(part: Entry, extra: Sequence[Path]) -> tuple[Path | None, str]:
    """Return the folder of the environment of a backend, or of a part of it; or None and why there is none."""
    try:
        found = environments.find(part, extra)
    except environments.Missing as missing:
        return None, str(missing)
    if found is None:
        return None, f"not built: run `bakeoff setup {part.folder if part.outside else part.name}`"
    return found.folder, ""


def joined(packages: Sequence[Package]) -> tuple[Package, ...]:
    """Return each version of each package once, by name and version, with all the environments that it is in."""
    found: dict[tuple[str, str], Package] = {}
    for each in packages:
        key = (canonicalize_name(each.name), each.version)
        before = found.get(key, each._replace(environments=()))
        found[key] = before._replace(environments=(*before.environments, *each.environments))
    return tuple(found[key] for key in sorted(found))


def installed(folder: Path) -> tuple[Package, ...]:
    """Return the distributions in an environment's folder, by name."""
    paths = [str(path) for path in sorted(folder.glob("lib/python*/site-packages"))]
    found = importlib.metadata.distributions(path=paths)
    packages = [_package(each) for each in found if each.metadata["Name"]]
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
            parts = licences.components(text)
            notices.append(Notice(path, _of(path), licences.recognised(text, parts), parts))
    declared = licences.declared(
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
    """Return the folder that a licence file is in: under `licenses/` of the metadata, or in the package."""
    folder = path.rpartition("/")[0]
    return re.sub(r"^[^/]*\.dist-info(/licenses|/license_files)?/?", "", folder)


def _python_of(folder: Path | None) -> str:
    """Return the version of an environment's interpreter, from its pyvenv.cfg; "" where it does not say."""
    text = _text(folder / "pyvenv.cfg") if folder else ""
    found = re.search(r"^version(?:_info)?\s*=\s*(\d+\.\d+(?:\.\d+)?)", text, re.MULTILINE)
    return found[1] if found else ""


# What contradicts what


def contradictions(entry: Entry, packages: Sequence[Package], python: str) -> Iterator[str]:
    """Yield a sentence for each contradiction; `python` is the version of the environment's interpreter."""
    wanted = canonicalize_name(entry.description.package)
    main = next((each for each in packages if canonicalize_name(each.name) == wanted), None)
    if main is None:
        where = f" in the environment {entry.label}" if entry.part else ""
        yield f"{entry.description.package} is what backend.toml names as the package, and it is not installed{where}."
    else:
        yield from _against_the_facts(entry.description.openness, main)
    yield from _against_the_pins(entry, packages, python)
    for package in packages:
        if package.declared.contradiction:
            yield f"{package.name} {package.version} contradicts itself: {package.declared.contradiction}."


def _against_the_facts(openness: Openness, main: Package) -> Iterator[str]:
    fact, declared = openness.licence, main.declared
    here = f"{main.name} {main.version}"
    if not declared.covers(fact.value):
        unclear = " (not an SPDX expression)" if declared.spdx is None else ""
        yield (
            f"{here} declares the licence {declared.words}{unclear}; "
            f"backend.toml says {fact.value} ({fact.source}, {fact.asof})."
        )
    noted = openness.licence_declared
    if noted is not None and licences.spdx(noted.value) != declared.spdx:
        there, now = (licences.identifiers(each or "") for each in (licences.spdx(noted.value), declared.spdx))
        changes = [f"without {each}" for each in sorted(there - now)] + [f"with {each}" for each in sorted(now - there)]
        yield (
            f"{here} declares other licences than backend.toml notes of them ({noted.source}, {noted.asof}): "
            f"{', '.join(changes) or declared.words}."
        )


def _against_the_pins(entry: Entry, packages: Sequence[Package], python: str) -> Iterator[str]:
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
    for number, line in enumerate(entry.requirements.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.partition(" #")[0].strip()
        if text and not text.startswith(("-", "#")):
            try:
                requirement = Requirement(text)
            except InvalidRequirement as error:
                raise InputError(
                    f"{entry.requirements}:{number}: expected `name==version`, got {text!r}: {error}"
                ) from None
            if requirement.marker is None or requirement.marker.evaluate(environment):
                for each in requirement.specifier:
                    if each.operator == "==":
                        yield canonicalize_name(requirement.name), each.version


def _same(one: str, other: str) -> bool:
    """Whether two versions are the same, whatever build each is of: 2.13.0 and 2.13.0+cpu are."""
    try:
        return Version(one).public == Version(other).public
    except InvalidVersion:
        return one == other
