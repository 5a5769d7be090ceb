"""The types of the values in a backend.toml, and what each must be."""

import keyword
import re
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _identifier(word: str) -> str:
    if not word.isidentifier() or keyword.iskeyword(word):
        raise ValueError(f"expected a Python identifier, got {word!r}")
    return word


def _distribution(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", name):
        raise ValueError(f"expected the name of a distribution as in requirements.txt, without a version, got {name!r}")
    return name


def _specifier(text: str) -> str:
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        raise ValueError(f'expected a version specifier such as ">=3.11,<3.14", got {text!r}') from None
    return text


def _licence(text: str) -> str:
    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        raise ValueError(f'expected an SPDX licence expression such as "BSD-3-Clause", got {text!r}') from None


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://\S+", text):
        raise ValueError(f"expected an address that begins with https:// or http://, got {text!r}")
    return text


def _file_name(text: str) -> str:
    if Path(text).name != text:
        raise ValueError(f"expected the name of a file in the backend's own folder, got {text!r}")
    return text


def _variable(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
        raise ValueError(f"expected the name of an environment variable, got {text!r}")
    return text


def _dated(text: str) -> str:
    if not re.match(r"(\d{4}(-\d\d){0,2}|unknown)\b", text):
        raise ValueError(f"expected the source's date (2026, 2026-11 or 2026-11-22), or unknown, got {text!r}")
    return text


def require_unique(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words. Raises ValueError where one comes twice."""
    twice = sorted({word for word in words if words.count(word) > 1})
    if twice:
        raise ValueError(f"expected each once, got {', '.join(twice)} more than once")
    return words


# strict=False takes TOML's arrays for tuples; the items are still checked strictly.
Unique = (Field(strict=False), AfterValidator(require_unique))


Text = Annotated[str, Field(min_length=1)]


Identifier = Annotated[str, AfterValidator(_identifier)]


Variable = Annotated[str, AfterValidator(_variable)]


Dated = Annotated[str, AfterValidator(_dated)]


Count = Annotated[int, Field(ge=0)]


Percent = Annotated[float, Field(ge=0, le=100)]


Licence = Annotated[Text, AfterValidator(_licence)]


Value = TypeVar("Value")


class Table(BaseModel):
    """A table of a backend.toml: immutable, without unknown keys, and strict about types."""

    # Built when a file is first read: whoever reads records needs the names of the facts alone.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True, defer_build=True)


class Fact(Table, Generic[Value]):
    """A fact about a framework, with its source."""

    # For each type of a value, pydantic would search the docstrings anew, in vain: that took a fifth of a second.
    model_config = ConfigDict(use_attribute_docstrings=False)

    value: Value = Field(description="The fact itself.")
    source: Text = Field(description="Where the fact was read.")
    asof: Dated = Field(description="The date of the source, not of the look-up.")


Distribution = Annotated[str, AfterValidator(_distribution)]


Versions = Annotated[Text, AfterValidator(_specifier)]


Url = Annotated[str, AfterValidator(_url)]


FileName = Annotated[Text, AfterValidator(_file_name)]


Words = Annotated[tuple[Text, ...], Field(min_length=1), *Unique]


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Item = TypeVar("Item")
OneOrMore = Annotated[
    tuple[Item, ...],
    BeforeValidator(_listed, json_schema_input_type=tuple[Item, ...] | Item),
    Field(strict=False),
    AfterValidator(require_unique),
]
