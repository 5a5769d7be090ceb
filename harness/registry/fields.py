"""The types of the values in a backend.toml, and the base of its tables."""

import keyword
import re
from pathlib import Path
from typing import Annotated

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def check_identifier(word: str) -> str:
    """Return the text; raise ValueError unless it is a Python identifier."""
    if not word.isidentifier() or keyword.iskeyword(word):
        raise ValueError(f"expected a Python identifier, got {word!r}")
    return word


def check_distribution(name: str) -> str:
    """Return the text; raise ValueError unless it is the name of a distribution."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", name):
        raise ValueError(f"expected the name of a distribution as in requirements.txt, without a version, got {name!r}")
    return name


def check_specifier(text: str) -> str:
    """Return the text; raise ValueError unless it is a version specifier."""
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        raise ValueError(f'expected a version specifier such as ">=3.11,<3.14", got {text!r}') from None
    return text


def check_licence(text: str) -> str:
    """Return the text; raise ValueError unless it is an SPDX licence expression."""
    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        raise ValueError(f'expected an SPDX licence expression such as "BSD-3-Clause", got {text!r}') from None


def check_url(text: str) -> str:
    """Return the text; raise ValueError unless it is an address."""
    if not re.fullmatch(r"https?://\S+", text):
        raise ValueError(f"expected an address that begins with https:// or http://, got {text!r}")
    return text


def check_file_name(text: str) -> str:
    """Return the text; raise ValueError unless it is the name of a file."""
    if Path(text).name != text:
        raise ValueError(f"expected the name of a file in the backend's own folder, got {text!r}")
    return text


def check_variable(text: str) -> str:
    """Return the text; raise ValueError unless it is the name of an environment variable."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
        raise ValueError(f"expected the name of an environment variable, got {text!r}")
    return text


def check_dated(text: str) -> str:
    """Return the text; raise ValueError unless it is a date or "unknown"."""
    if not re.match(r"(\d{4}(-\d\d){0,2}|unknown)\b", text):
        raise ValueError(f"expected the source's date (2026, 2026-11 or 2026-11-22), or unknown, got {text!r}")
    return text


def require_unique(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words; raise ValueError where one comes twice."""
    twice = sorted({word for word in words if words.count(word) > 1})
    if twice:
        raise ValueError(f"expected each once, got {', '.join(twice)} more than once")
    return words


# strict=False takes TOML's arrays for tuples; the items are still checked strictly.
Unique = (Field(strict=False), AfterValidator(require_unique))


Text = Annotated[str, Field(min_length=1)]


Identifier = Annotated[str, AfterValidator(check_identifier)]


Variable = Annotated[str, AfterValidator(check_variable)]


Dated = Annotated[str, AfterValidator(check_dated)]


Count = Annotated[int, Field(ge=0)]


Percent = Annotated[float, Field(ge=0, le=100)]


Licence = Annotated[Text, AfterValidator(check_licence)]


FileName = Annotated[Text, AfterValidator(check_file_name)]


Url = Annotated[str, AfterValidator(check_url)]


class Table(BaseModel):
    """A table of a backend.toml: immutable, without unknown keys, and strict about types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)
