"""The format of a backend.toml: its tables and keys, and what each value must be."""

import keyword
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ..common.toml import nearest
from ..portable import spec as portable

FILE = "backend.toml"


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


def _unique(words: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({word for word in words if words.count(word) > 1})
    if twice:
        raise ValueError(f"expected each once, got {', '.join(twice)} more than once")
    return words


# strict=False takes TOML's arrays for tuples; the items are still checked strictly.
Unique = (Field(strict=False), AfterValidator(_unique))


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

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class Fact(Table, Generic[Value]):
    """A fact about a framework, with its source."""

    value: Value
    """The fact itself."""
    source: Text
    """Where the fact was read."""
    asof: Dated
    """The date of the source, not of the look-up."""


class Openness(Table):
    """Who owns the framework, decides about it and maintains it. A fact that is not established is left out."""

    licence: Fact[Licence]
    """The framework's own licence, an SPDX expression."""
    licence_declared: Fact[Text] | None = None
    """The licence in the metadata of the newest package read, word for word."""
    copyright: Fact[Text] | None = None
    cla_or_dco: Fact[Text] | None = None
    """The agreement that a contributor signs."""
    trademark: Fact[Text] | None = None
    governance: Fact[Text] | None = None
    governance_file: Fact[Text] | None = None
    """The file that holds the rules of its governance."""
    governance_note: Fact[Text] | None = None
    maintainers_file: Fact[Text] | None = None
    steering_body: Fact[Text] | None = None
    who_decides: Fact[Text] | None = None
    status: Fact[Text] | None = None
    status_sentence: Fact[Text] | None = None
    """The status as the project states it."""
    first_release: Fact[Text] | None = None
    first_release_date: Fact[Text] | None = None
    last_release: Fact[Text] | None = None
    last_release_date: Fact[Text] | None = None
    release_channels: Fact[Text] | None = None
    releases_24m: Fact[Count] | None = None
    """Final versions on the package index in the last 24 months."""
    contributors_per_release: Fact[Text] | None = None
    """Contributors to a release, as the project counts them."""
    snapshot: Fact[Text] | None = None
    """The commit up to which the history was counted."""
    last_commit: Fact[Text] | None = None
    """The date of the newest commit counted."""
    authors_window: Fact[Text] | None = None
    """The 12 months that the keys below cover; they end at the newest commit counted."""
    commits_12m: Fact[Count] | None = None
    """Commits in `authors_window`, without merges and bots. The keys below count the same commits."""
    bot_commits_removed_12m: Fact[Count] | None = None
    authors_12m: Fact[Count] | None = None
    top_author_share: Fact[Percent] | None = None
    """Per cent of the commits that the most active author made."""
    top_five_share: Fact[Percent] | None = None
    """Per cent of the commits that the five most active authors made."""
    top_organisation_share: Fact[Text] | None = None
    """The most frequent e-mail domain and its share of the commits, without free mail and GitHub's own addresses."""
    top_organisation_share_ever: Fact[Text] | None = None
    """The same share, counting every author who has ever used that domain."""
    top_email_share: Fact[Text] | None = None
    """The most frequent e-mail domain, free mail included."""
    commits_all: Fact[Count] | None = None
    """Commits in the whole history. The keys below cover the whole history, too."""
    authors_all: Fact[Count] | None = None
    top_author_share_all: Fact[Percent] | None = None
    top_five_share_all: Fact[Percent] | None = None
    top_organisation_share_all: Fact[Text] | None = None
    authors_note: Fact[Text] | None = None

    def facts(self) -> Iterator[tuple[str, Fact[Any]]]:
        """Yield (key, fact) for every fact that is given, in the order above."""
        for key in type(self).model_fields:
            fact = getattr(self, key)
            if fact is not None:
                yield key, fact


FileName = Annotated[Text, AfterValidator(_file_name)]


class DebianPackages(Table):
    """Packages of a Debian release that are unpacked in the environment's folder `debian`."""

    release: Identifier
    """The name of the release, such as `bullseye`: said in messages."""
    lock: FileName = "debian.lock"
    """The file that lists the packages, one a line: name, version, architecture, SHA-256, path in the archive."""


class MavenProject(Table):
    """A Java project that is compiled, with its libraries, in the environment's folder `maven`."""

    pom: FileName = "pom.xml"
    """The project's description; the Java files of the backend's folder are its sources."""
    lock: FileName = "maven.lock"
    """The file that lists its libraries, one a line: SHA-256 and the name of the jar."""


Words = Annotated[tuple[Text, ...], Field(min_length=1), *Unique]


class Supports(Table):
    """What the framework supports, by its own documentation. An ability that is not established is left out.

    These are facts about the framework, not about the adapter, which may support less: see `devices`.
    """

    gpu: Fact[bool] | None = None
    """Whether it computes on a GPU."""
    tpu: Fact[bool] | None = None
    """Whether it computes on a TPU."""
    mobile: Fact[bool] | None = None
    """Whether a trained model runs on a phone or another small device, with the project's own tools."""
    distributed: Fact[bool] | None = None
    """Whether it trains on several machines."""
    export: Fact[Words] | None = None
    """The formats that a trained model can be exported to: `onnx`, `savedmodel`, ..."""
    languages: Fact[Words] | None = None
    """The programming languages that the project has an interface for."""

    def facts(self) -> Iterator[tuple[str, Fact[Any]]]:
        """Yield (key, fact) for every fact that is given, in the order above."""
        for key in type(self).model_fields:
            fact = getattr(self, key)
            if fact is not None:
                yield key, fact


class WorkerEnvironment(Table):
    """The environment that the backend's worker needs."""

    thread_variables: Annotated[tuple[Variable, ...], *Unique] = ()
    """Variables that hold the number of threads, beyond those that every worker gets, such as OMP_NUM_THREADS."""
    thread_names: Annotated[tuple[Text, ...], *Unique] = ()
    """Names of the threads that compute, as the system shows them, without their numbers. For the record of threads."""
    variables: dict[Variable, str] = {}
    """Variables to set, and their values. `{environment}` in a value stands for the environment's folder.

    A worker inherits only a few of its caller's variables.
    """
    systems: Annotated[tuple[Text, ...], *Unique] = ()
    """The systems that it can be built on, such as "Linux x86_64"; every one where this is left out."""
    debian: DebianPackages | None = None
    maven: MavenProject | None = None
    stubs: dict[Text, FileName] = {}
    """Shared libraries to compile into the environment's folder `stubs`: the name of each, and its C file here."""
    programs: dict[Identifier, Annotated[tuple[Text, ...], Field(min_length=1), *Unique]] = {}
    """By variant, programs of which one must be on PATH: `compiled = ["c++", "g++", "clang++"]`."""


class OwnEnvironment(Table):
    """An environment for some of the variants, where their packages conflict with those of the others."""

    variants: Annotated[tuple[Identifier, ...], Field(min_length=1), *Unique]
    """The variants that run in this environment."""
    requirements: Annotated[Text, AfterValidator(_file_name)]
    """The file that pins its packages."""
    variables: dict[Variable, str] = {}
    """Variables to set, in addition to those of `[environment]`."""


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Item = TypeVar("Item")


OneOrMore = Annotated[
    tuple[Item, ...],
    BeforeValidator(_listed, json_schema_input_type=tuple[Item, ...] | Item),
    Field(strict=False),
    AfterValidator(_unique),
]


class Unsupported(Table):
    """Networks that the framework does not support: those that have one of the values of every field given here."""

    reason: Text
    """Why the framework does not support them: a sentence."""
    activation: OneOrMore[Literal["relu", "tanh", "sigmoid"]] = ()
    batch_norm: OneOrMore[bool] = ()
    optimiser: OneOrMore[Literal["sgd", "momentum", "rmsprop", "adam"]] = ()
    dtype: OneOrMore[Literal["float32", "float64"]] = ()
    classes: OneOrMore[Annotated[int, Field(ge=2)]] = ()

    @model_validator(mode="after")
    def _check_a_field_is_given(self) -> "Unsupported":
        if not self.fields():
            given = ", ".join(f"`{field}`" for field in type(self).model_fields if field != "reason")
            raise ValueError(f"expected the fields that are not supported: at least one of {given}, got a reason alone")
        return self

    def fields(self) -> dict[str, tuple[Any, ...]]:
        """Return the fields that are given, with their values."""
        values = {field: getattr(self, field) for field in type(self).model_fields if field != "reason"}
        return {field: value for field, value in values.items() if value}

    def explain(self, spec: portable.Spec) -> str:
        """Return why the network of `spec` is not supported; "" where this declaration does not apply to it."""
        asked = {**spec._asdict(), "classes": spec.sizes[-1]}
        if not all(asked[field] in values for field, values in self.fields().items()):
            return ""
        what = ", ".join(f"{field} = {asked[field]}" for field in self.fields())
        return f"does not support {what}: {self.reason}"


class Description(Table):
    """A whole backend.toml. `docs/reference/backend.md` explains each key."""

    title: Text
    """The framework's name as its project writes it."""
    package: Annotated[str, AfterValidator(_distribution)]
    """The distribution whose version stands for the framework's."""
    import_name: Annotated[tuple[Identifier, ...], Field(min_length=1), *Unique]
    """The top-level modules whose names count as framework API."""
    python: Annotated[Text, AfterValidator(_specifier)]
    """The Python versions that its pinned packages support, such as ">=3.11,<3.14"."""
    variants: Annotated[tuple[Identifier, ...], Field(min_length=1), *Unique]
    """The ways to run the model, the simplest first."""
    devices: Annotated[tuple[Identifier, ...], Field(min_length=1), *Unique] = ("cpu",)
    """The devices that the adapter supports."""
    documentation: Annotated[tuple[Annotated[str, AfterValidator(_url)], ...], Field(min_length=1), *Unique]
    """The pages of the framework's documentation that the model follows."""
    default: bool = False
    """Whether this is a default backend: one that commands use where the user names none."""
    model: Annotated[Text, AfterValidator(_file_name)] = "model.py"
    """The file whose ease of use is measured."""
    unsupported: Annotated[tuple[Unsupported, ...], Field(strict=False)] = ()
    """The networks of the common spec that the framework does not support."""
    openness: Openness
    """The facts on who owns the framework, decides about it and maintains it."""
    supports: Supports = Supports()
    """What the framework supports, whether or not this backend uses it: dated facts with their sources."""
    environment: WorkerEnvironment = WorkerEnvironment()
    environments: dict[Identifier, OwnEnvironment] = {}
    """The environments by name, where the variants need more than one; then each variant is in one of them."""

    @model_validator(mode="after")
    def _check_programs(self) -> "Description":
        for variant in self.environment.programs:
            if variant not in self.variants:
                raise ValueError(
                    f"`environment.programs.{variant}`: no such variant. {nearest(variant, self.variants)}"
                )
        return self

    @model_validator(mode="after")
    def _check_environments(self) -> "Description":
        homes: dict[str, str] = {}
        for name, own in self.environments.items():
            for variant in own.variants:
                if variant not in self.variants:
                    raise ValueError(
                        f"`environments.{name}.variants`: no variant `{variant}`. {nearest(variant, self.variants)}"
                    )
                if variant in homes:
                    raise ValueError(
                        f"`environments.{name}.variants`: `{variant}` is in `environments.{homes[variant]}` already: "
                        "a variant runs in one environment."
                    )
                homes[variant] = name
        missing = [variant for variant in self.variants if variant not in homes]
        if self.environments and missing:
            raise ValueError(f"`environments`: none of them is for {', '.join(f'`{each}`' for each in missing)}.")
        return self
