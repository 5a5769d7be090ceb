"""Reads the licences of Debian packages and Java libraries from the files that they bring along.

A Debian package has `usr/share/doc/PACKAGE/copyright`, most in the machine-readable form of Debian
(https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/), which names the licence of each group of files of
the source package. A jar has its own `pom.xml` of Maven, the line `Bundle-License` of its manifest, or a licence file
beside the manifest. Where one declares none, the next is asked; where no declaration is found, the wording of a licence
file counts. Nothing is asked of a network.
"""

import re
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from . import licences

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


def read_jar(path: Path) -> tuple[str, ...]:
    """Return the licences of a jar: an SPDX expression, or its own words where they are none; () where it has none."""
    try:
        with zipfile.ZipFile(path) as jar:
            return _read_pom(jar, path.name) or _read_manifest(jar) or _read_notices(jar)
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return ()  # no archive, a damaged one, or one that is encrypted


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


def _read_pom(jar: zipfile.ZipFile, name: str) -> tuple[str, ...]:
    """Return the licences of the pom.xml of the library itself: a jar may contain others, with theirs."""
    for place in jar.namelist():
        found = re.fullmatch(r"META-INF/maven/[^/]+/([^/]+)/pom\.xml", place)
        if found and re.match(rf"{re.escape(found[1])}-\d", name):
            text = _read_member(jar, place)
            return () if "<!DOCTYPE" in text else _licences_of(text)
    return ()


def _licences_of(pom: str) -> tuple[str, ...]:
    try:
        root = ElementTree.fromstring(pom)
    except ElementTree.ParseError:
        return ()
    words = []
    for each in root.iterfind("{*}licenses/{*}license"):
        name, url = (" ".join((each.findtext(f"{{*}}{tag}") or "").split()) for tag in ("name", "url"))
        words.append(_recognise(name, url))
    # Of several licences in a pom.xml the user may choose one (https://maven.apache.org/pom.html#Licenses).
    joined = licences.to_spdx(" OR ".join(map(licences.parenthesise, words))) if words else None
    return (joined,) if joined else tuple(dict.fromkeys(filter(None, words)))


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
