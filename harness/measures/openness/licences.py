"""Reads licences from the metadata, classifiers and licence files of packages, as SPDX expressions where possible."""

import re
from collections.abc import Callable, Collection
from pathlib import PurePosixPath
from typing import NamedTuple

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

ALIASES = {
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "mit license": "MIT",
    "the mit license": "MIT",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "modified bsd license": "BSD-3-Clause",
    "2-clause bsd license": "BSD-2-Clause",
    "bsd 2-clause": "BSD-2-Clause",
    "simplified bsd license": "BSD-2-Clause",
    "mozilla public license 2.0": "MPL-2.0",
    "mpl 2.0": "MPL-2.0",
}
"""Common spellings, in lower case, and the SPDX identifier that each means."""

CLASSIFIERS = {
    "Apache Software License": "Apache-",
    "BSD License": "BSD-",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "GNU Affero General Public License v3": "AGPL-3.0",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Other/Proprietary License": "LicenseRef-",
    "Python Software Foundation License": "PSF-",
    "The Unlicense (Unlicense)": "Unlicense",
    "zlib/libpng License": "Zlib",
}
"""The last part of a classifier, and the prefix of the SPDX identifiers that it can mean: it is often less exact."""

APPROVED = frozenset(
    (
        *("0BSD", "AFL-3.0", "AGPL-3.0", "Apache-2.0", "Artistic-2.0", "BSD-1-Clause", "BSD-2-Clause", "BSD-3-Clause"),
        *("BSL-1.0", "CDDL-1.0", "CECILL-2.1", "CPL-1.0", "EPL-1.0", "EPL-2.0", "ECL-2.0", "EUPL-1.2", "GPL-2.0"),
        *("GPL-3.0", "HPND", "IPL-1.0", "ISC", "LGPL-2.1", "LGPL-3.0", "MIT", "MIT-0", "MPL-1.1", "MPL-2.0", "MS-PL"),
        *("MulanPSL-2.0", "NCSA", "OFL-1.1", "OSL-3.0", "PostgreSQL", "PSF-2.0", "Python-2.0", "UPL-1.0", "Unlicense"),
        *("W3C", "Zlib", "ZPL-2.1"),
    )
)
"""SPDX identifiers, without `-only` and `-or-later`, of licences that the OSI approved; the list is not complete."""

NOT_APPROVED = ("LicenseRef-", "CC-BY-NC", "BUSL-", "SSPL-", "Elastic-")
"""Prefixes of identifiers that the OSI did not approve; an identifier in neither list (CC0-1.0) is unknown."""

PHRASES = {
    "Apache-2.0": ("apache license version 2.0, january 2004", "licensed under the apache license, version 2.0"),
    "Apache-2.0 WITH LLVM-exception": ("llvm exceptions to the apache 2.0 license",),
    "MIT": (
        "permission is hereby granted, free of charge, to any person obtaining a copy of this software and associ",
    ),
    "ISC": ("permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is",),
    "Zlib": ("altered source versions must be plainly marked as such",),
    "BSL-1.0": ("boost software license - version 1.0",),
    "MPL-2.0": ("mozilla public license version 2.0 ==", "mozilla public license, version 2.0"),
    "GPL-2.0": ("gnu general public license version 2, june 1991",),
    "GPL-3.0": ("gnu general public license version 3, 29 june 2007",),
    "LGPL-2.0": ("gnu library general public license version 2, june 1991",),
    "LGPL-2.1": ("gnu lesser general public license version 2.1, february 1999",),
    "LGPL-3.0": ("gnu lesser general public license version 3, 29 june 2007",),
    "AGPL-3.0": ("gnu affero general public license version 3, 19 november 2007",),
    "PSF-2.0": ("python software foundation license version 2",),
    "CC0-1.0": ("cc0 1.0 universal",),
    "Unlicense": ("this is free and unencumbered software released into the public domain",),
}
"""SPDX identifiers, and the words in lower case that identify the text; the code has those of BSD licences."""

NOTICE = re.compile(r"(?i)^((un)?licen[cs]e|notice|copying|third.?party)")
NO_NOTICE = {".py", ".pyc", ".pyi", ".h", ".hpp", ".c", ".cc", ".cpp", ".so"}


class Component(NamedTuple):
    """A part of a package that a licence file lists with its licence."""

    name: str
    licence: str


NOT_STATED = "not stated"


class Declared(NamedTuple):
    """The licence that the metadata of a package declare."""

    words: str
    """In the package's own words, or "not stated"."""
    spdx: str | None
    """The SPDX expression that the words mean; None where they mean none or several."""
    family: str
    """The prefix of the SPDX identifier where only a classifier declares it: `BSD-`."""
    contradiction: str
    """The contradiction within the metadata; "" where there is none."""

    def covers(self, licence: str) -> bool:
        """Return whether the declaration includes, or may mean, all licences of an SPDX expression.

        `GPL-3.0` counts as `GPL-3.0-or-later`, and `BSD License` may mean any BSD licence.
        """
        wanted = identifiers(licence) or {licence}
        if self.spdx is None:
            return bool(self.family) and all(each.startswith(self.family) for each in wanted)
        return all(any(_root(each) == _root(one) for one in identifiers(self.spdx)) for each in wanted)


def read_declared(expression: str | None, text: str | None, classifiers: Collection[str] = ()) -> Declared:
    """Return the licence that License-Expression, License and the classifiers of a package declare together."""
    last = [each.rpartition("::")[2].strip() for each in classifiers]
    families = [CLASSIFIERS[each] for each in last if each in CLASSIFIERS]
    text = (text or "").strip()
    words = (expression or "").strip() or ("" if "\n" in text or text == "UNKNOWN" else text)
    meant = to_spdx(words) if words else None
    if meant is not None and families and not any(_begins(meant, family) for family in families):
        contradiction = f"it declares {words}, and its classifier says {', '.join(last)}"
    else:
        contradiction = ""
    if words:
        return Declared(words, meant, families[0] if meant is None and len(families) == 1 else "", contradiction)
    if last:
        # Some classifiers name exactly one licence.
        exact = [to_spdx(family) for family in families] if len(families) == len(last) == 1 else []
        return Declared(", ".join(last), exact[0] if exact else None, families[0] if len(families) == 1 else "", "")
    return Declared("the text of a licence" if text and text != "UNKNOWN" else NOT_STATED, None, "", "")


def to_spdx(words: str) -> str | None:
    """Return the SPDX expression that words mean, in canonical form; None where they mean none."""
    plain = ALIASES.get(words.strip().lower(), words)
    try:
        return str(canonicalize_license_expression(plain))
    except InvalidLicenseExpression:
        return None


def identifiers(expression: str) -> set[str]:
    """Return the licences in an SPDX expression, each with its exception where it has one."""
    parts = re.split(r"\b(?:AND|OR)\b", re.sub(r"[()]", " ", expression))
    return {" ".join(part.split()) for part in parts if part.strip()}


def parenthesise(expression: str) -> str:
    """Return an SPDX expression as a part of another: in parentheses where it has several licences."""
    return f"({expression})" if re.search(r"\b(AND|OR)\b", expression) else expression


def is_allowed(expression: str, allowed: Callable[[str], bool | None]) -> bool | None:
    """Return whether allowed licences satisfy an SPDX expression: one side of `OR`, and both sides of `AND`.

    `allowed` decides on each licence with its exception; it returns None where the answer is unknown.
    """
    words = re.findall(r"[()]|[^\s()]+", expression)

    def either() -> bool | None:
        answers = [both()]
        while words and words[0] == "OR":
            words.pop(0)
            answers.append(both())
        return True if True in answers else None if None in answers else False

    def both() -> bool | None:
        answers = [one()]
        while words and words[0] == "AND":
            words.pop(0)
            answers.append(one())
        return False if False in answers else None if None in answers else True

    def one() -> bool | None:
        if words[0] == "(":
            words.pop(0)
            answer = either()
            words.pop(0)
            return answer
        name = words.pop(0)
        if words and words[0] == "WITH":
            name += f" {words.pop(0)} {words.pop(0)}"
        return allowed(name)

    return either()


def is_approved(words: str) -> bool | None:
    """Return whether the Open Source Initiative approved a licence; None where this module does not know.

    An exception (`WITH`) only adds a permission, so it does not matter here.
    """

    def one(name: str) -> bool | None:
        root = _root(name).partition(" WITH ")[0]
        if root in APPROVED:
            return True
        return False if root.startswith(NOT_APPROVED) else None

    expression = to_spdx(words)
    return None if expression is None else is_allowed(expression, one)


def is_notice(path: str, named: Collection[str] = ()) -> bool:
    """Return whether a file is a licence file: by its place in the metadata, its name, or its presence in `named`."""
    file = PurePosixPath(path)
    if file.suffix.lower() in NO_NOTICE:
        return False
    if re.search(r"\.dist-info/(licenses|license_files)/", path) or NOTICE.match(file.name):
        return True
    return ".dist-info/" in path and path.partition(".dist-info/")[2] in named


def recognise(text: str, named: Collection[Component] = ()) -> tuple[str, ...]:
    """Return the licences whose wording is in a text, or that its SPDX tags name, sorted.

    A licence without exception is left out where a component in `named` has it with an exception.
    """
    words = " ".join(re.sub(r"[*#/|;]+", " ", text).lower().split())
    found = {name for name, phrases in PHRASES.items() if any(phrase in words for phrase in phrases)}
    if "redistribution and use in source and binary forms" in words:
        three = re.search(r"(endorse or promote|advertising materials)", words)
        found.add("BSD-3-Clause" if three else "BSD-2-Clause")
    if "Apache-2.0 WITH LLVM-exception" in found:
        found.discard("Apache-2.0")
    for tag in re.findall(r"SPDX-License-Identifier:\s*([^\n*]+)", text):
        meant = to_spdx(tag.strip())
        found |= identifiers(meant) if meant else set()
    excepted = {_root(each.licence).partition(" WITH ")[0] for each in named if " WITH " in each.licence}
    return tuple(sorted(found - excepted))


def read_components(text: str) -> tuple[Component, ...]:
    """Return the components that a text lists by lines `Name:` and `License:`, in their order."""
    found = []
    for part in re.split(r"^Name:", text, flags=re.MULTILINE)[1:]:
        licence = re.search(r"^License:[ \t]*(\S.*)$", part, re.MULTILINE)
        if licence:
            found.append(Component(part.partition("\n")[0].strip(), licence[1].strip()))
    return tuple(found)


def _root(identifier: str) -> str:
    """Return an identifier without `-only` or `-or-later`, its exception kept."""
    licence, with_, exception = identifier.partition(" WITH ")
    return re.sub(r"(-only|-or-later|\+)$", "", licence) + with_ + exception


def _begins(expression: str, family: str) -> bool:
    return any(each.startswith(family) for each in identifiers(expression))
