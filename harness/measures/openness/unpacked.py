"""Reads the licences of Debian packages and Java libraries from the files that they bring along.

A Debian package has `usr/share/doc/PACKAGE/copyright`, most in the machine-readable form of Debian
(https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/), which names the licence of each group of files of
the source package. A jar has a project file of Maven (`pom.xml`, which may inherit from others), the line
`Bundle-License` of its manifest, or a licence file, whose wording counts. Where one names none, the next is asked.
Nothing is asked of a network.
"""

import re
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from . import licences

MOST_ANCESTORS = 20
"""Of a project file of Maven, which inherits licences."""

MOST_BYTES = 2_000_000
"""Of a file that is read: a licence is shorter, and a file in a jar may unpack to terabytes."""

COMMON = re.compile(r"/usr/share/common-licenses/([A-Z][\w.-]*\w)")
"""A reference to the text of a licence that Debian has once for all packages."""

_VERSIONED = re.compile(r"(A?L?GPL|GFDL)(-NIV)?-(\d)(\.\d)?(\+?)", re.IGNORECASE)
_OF_DEBIAN = {
    "apache-2": "Apache-2.0",
    "apache-2-llvm-exceptions": "Apache-2.0 WITH LLVM-exception",
    "apache-2.0 with llvm exception": "Apache-2.0 WITH LLVM-exception",
    "expat": "MIT",
}
"""Short names of Debian, in lower case, and the SPDX identifiers of the same licences; many others are SPDX's own."""

_OF_JAVA = {
    "apache license, 2.0": "Apache-2.0",
    "apache license v2.0": "Apache-2.0",
    "the apache license, version 2.0": "Apache-2.0",
    "the apache software license, version 2.0": "Apache-2.0",
    "apache software license, version 2.0": "Apache-2.0",
    "eclipse public license 1.0": "EPL-1.0",
    "eclipse public license - v 1.0": "EPL-1.0",
    "eclipse public license - v 2.0": "EPL-2.0",
    "gplv2 with classpath exception": "GPL-2.0-only WITH Classpath-exception-2.0",
    "gnu general public license (gpl) version 2, with classpath exception": (
        "GPL-2.0-only WITH Classpath-exception-2.0"
    ),
    "gnu general public license (gpl) version 2": "GPL-2.0-only",
    "gnu general public license (gpl) version 2, or any later version": "GPL-2.0-or-later",
    "lgpl, version 2.1": "LGPL-2.1-only",
    "mit license, the": "MIT",
    'bsd 3-clause "new" or "revised" license': "BSD-3-Clause",
}
"""Names of licences in the files of Maven, in lower case, and the SPDX expressions that they mean."""

_ADDRESSES = {
    r"apache\.org/licenses/LICENSE-2\.0": "Apache-2.0",
    r"eclipse\.org/legal/epl-v10": "EPL-1.0",
    r"eclipse\.org/legal/epl-(2\.0|v20)": "EPL-2.0",
    r"opensource\.org/licenses/(mit-license|MIT)": "MIT",
    r"opensource\.org/licenses/BSD-2-Clause": "BSD-2-Clause",
    r"opensource\.org/licenses/BSD-3-Clause": "BSD-3-Clause",
}
"""Addresses of licences, as regular expressions, and the SPDX identifiers of what lies there."""


class Library(NamedTuple):
    """A Java library."""

    group: str | None
    """Of its coordinates in Maven; None where no project file names it."""
    artifact: str
    version: str
    classifier: str
    """Which of several files of that version it is, such as linux-x86_64; mostly ""."""
    licences: tuple[str, ...]
    """SPDX expressions, or words where they are none."""


class Pom(NamedTuple):
    """A project file of Maven."""

    group: str
    artifact: str
    version: str
    parent: str
    """The project that it inherits from, as ARTIFACT-VERSION."""
    licences: tuple[str, ...]


def read_debian(root: Path, package: str) -> tuple[str, ...]:
    """Return the licences of an unpacked Debian package: SPDX expressions, or Debian's own words where they are none.

    `root` is the folder that it was unpacked in. The packaging alone (`debian/*`) does not count. () where the package
    brings no copyright file, or one that names no licence.
    """
    path = root / "usr" / "share" / "doc" / package / "copyright"
    # Some packages have a link to the folder of another, which need not be unpacked. None may lead out of the folder.
    inside = path.is_file() and path.resolve().is_relative_to(root.resolve())
    text = _read_text(path) if inside else ""
    if not re.match(r"\s*Format(-Specification)?:", text, re.IGNORECASE):
        return tuple(dict.fromkeys((*licences.recognise(text), *COMMON.findall(text))))
    found: list[str] = []
    for paragraph in re.split(r"\n[ \t]*\n", text):
        files = _field(paragraph, "Files").split()
        if files and not all(each.startswith("debian/") for each in files):
            name, _, wording = _field(paragraph, "License").partition("\n")
            found += [_translate(name.strip())] if name.strip() else licences.recognise(wording)
    return tuple(dict.fromkeys(found))


def read_jar(path: Path) -> Library:
    """Return what a jar says of itself, and what its project files say: beside it, as Maven copied them, or within."""
    copied = [each for each in path.parent.glob("*.pom") if f"{path.stem}-".startswith(f"{each.stem}-")]
    pom = _read_copied_pom(max(copied, key=lambda each: len(each.stem))) if copied else None
    found: tuple[str, ...] = ()
    try:
        with zipfile.ZipFile(path) as jar:
            pom = pom or _read_inner_pom(jar, path.name)
            found = _inherit_licences(pom, path.parent) or _read_manifest(jar) or _read_notices(jar)
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):
        found = _inherit_licences(pom, path.parent)  # no archive, a damaged one, or one that is encrypted
    return _name_library(path.stem, pom, found)


def _name_library(stem: str, pom: Pom | None, found: tuple[str, ...]) -> Library:
    """Return a library by its project file, or else by the name of the jar."""
    if pom is not None and stem.startswith(f"{pom.artifact}-"):
        rest = stem.removeprefix(f"{pom.artifact}-")
        if f"{rest}-".startswith(f"{pom.version}-"):
            return Library(pom.group, pom.artifact, pom.version, rest[len(pom.version) + 1 :], found)
        return Library(pom.group, pom.artifact, rest, "", found)
    named = re.fullmatch(r"(.+?)-(\d.*)", stem)
    artifact, version = (named[1], named[2]) if named else (stem, "")
    return Library(None, artifact, version, "", found)


def _field(paragraph: str, name: str) -> str:
    """Return the value of a field of a paragraph, with the lines that go on with it; "" where it has none."""
    found = re.search(rf"^{name}:[ \t]*(.*(?:\n[ \t].*)*)", paragraph, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


def _translate(words: str) -> str:
    """Return the SPDX expression that a licence in Debian's form means; the words themselves where it means none."""
    # A comma binds less than `and` and `or` without one: "A or B, and C" is "(A or B) and C".
    parts = re.split(r",\s+(and|or)\s+", words)
    groups = [part.upper() if place % 2 else _join(part) for place, part in enumerate(parts)]
    if len(parts) > 1:
        groups = [part if place % 2 else licences.parenthesise(part) for place, part in enumerate(groups)]
    return licences.to_spdx(" ".join(groups)) or words


def _join(words: str) -> str:
    """Return the SPDX expression of licences with `and` and `or` between them, and no comma."""
    parts = re.split(r"\s+(and|or)\s+", words.strip())
    return " ".join(part.upper() if place % 2 else _rename(part) for place, part in enumerate(parts))


def _rename(name: str) -> str:
    """Return the SPDX identifier of a licence that has a short name of Debian."""
    found = _VERSIONED.fullmatch(name)
    if found is None:
        return _OF_DEBIAN.get(name.lower(), name)
    invariants = "-no-invariants" if found[2] else ""
    return f"{found[1].upper()}-{found[3]}{found[4] or '.0'}{invariants}-{'or-later' if found[5] else 'only'}"


def _read_copied_pom(path: Path) -> Pom | None:
    """Return the project file that Maven copied; its name has the version, which its text may have as a variable."""
    pom = _parse_pom(_read_text(path))
    named = pom is not None and path.stem.startswith(f"{pom.artifact}-")
    return pom._replace(version=path.stem.removeprefix(f"{pom.artifact}-")) if pom and named else pom


def _read_inner_pom(jar: zipfile.ZipFile, name: str) -> Pom | None:
    """Return the project file of the library itself: a jar may contain others, with theirs."""
    for place in jar.namelist():
        found = re.fullmatch(r"META-INF/maven/[^/]+/([^/]+)/pom\.xml", place)
        if found and re.match(rf"{re.escape(found[1])}-\d", name):
            return _parse_pom(_read_member(jar, place))
    return None


def _parse_pom(text: str) -> Pom | None:
    """Return what a project file of Maven says; None where it is none."""
    try:
        root = ElementTree.fromstring("" if "<!DOCTYPE" in text else text)
    except ElementTree.ParseError:
        return None

    def find(tag: str) -> str:
        return " ".join((root.findtext("/".join(f"{{*}}{part}" for part in tag.split("/"))) or "").split())

    named = [
        [" ".join((each.findtext(f"{{*}}{tag}") or "").split()) for tag in ("name", "url")]
        for each in root.iterfind("{*}licenses/{*}license")
    ]
    words = [_recognise(name, url) for name, url in named]
    # Of several licences in a project file the user may choose one (https://maven.apache.org/pom.html#Licenses).
    joined = licences.to_spdx(" OR ".join(map(licences.parenthesise, words))) if words else None
    parent = f"{find('parent/artifactId')}-{find('parent/version')}"
    return Pom(
        find("groupId") or find("parent/groupId"),
        find("artifactId"),
        find("version") or find("parent/version"),
        parent,
        (joined,) if joined else tuple(dict.fromkeys(filter(None, words))),
    )


def _inherit_licences(pom: Pom | None, folder: Path) -> tuple[str, ...]:
    """Return the licences of a project file, or those of the nearest ancestor in the folder that names some."""
    for _ in range(MOST_ANCESTORS):
        if pom is None or pom.licences:
            break
        pom = _parse_pom(_read_text(folder / f"{pom.parent}.pom")) if "/" not in pom.parent else None
    return pom.licences if pom else ()


def _read_manifest(jar: zipfile.ZipFile) -> tuple[str, ...]:
    """Return the licences of `Bundle-License`: names or addresses with a comma between them, of which all hold."""
    if "META-INF/MANIFEST.MF" not in jar.namelist():
        return ()
    text = re.sub(r"\r?\n ", "", _read_member(jar, "META-INF/MANIFEST.MF"))  # a long line goes on after a space
    found = re.search(r"^Bundle-License:[ \t]*(.*\S)", text, re.MULTILINE)
    clauses = [clause.partition(";")[0].strip(' "') for clause in found[1].split(",")] if found else []
    return tuple(dict.fromkeys(_recognise(clause, clause) for clause in clauses if clause))


def _read_notices(jar: zipfile.ZipFile) -> tuple[str, ...]:
    """Return the licences whose wording is in the licence files of a jar: its own lie at its top or in META-INF."""
    texts = (
        _read_member(jar, place)
        for place in jar.namelist()
        if re.fullmatch(r"(META-INF/)?(licen[cs]e|copying)[^/]*", place, re.IGNORECASE)
    )
    return _sorted(licence for text in texts for licence in licences.recognise(text))


def _sorted(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(found)))


def _recognise(name: str, url: str) -> str:
    """Return the SPDX expression that a name or else an address means; the name, or else the address, otherwise."""
    known = _OF_JAVA.get(name.lower()) or licences.to_spdx(name)
    address = next((meant for pattern, meant in _ADDRESSES.items() if re.search(pattern, url)), None)
    return known or address or name or url


def _read_member(jar: zipfile.ZipFile, place: str) -> str:
    with jar.open(place) as file:
        return file.read(MOST_BYTES).decode("utf-8", "replace")


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
