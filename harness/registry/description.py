"""The format of a backend.toml: its tables and keys."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ..common.toml import nearest
from ..portable import spec as portable
from .facts import Openness, Supports
from .fields import (
    Distribution,
    Fact,
    FileName,
    Identifier,
    OneOrMore,
    Table,
    Text,
    Unique,
    Url,
    Variable,
    Versions,
    Words,
    require_unique,
)

FILE = "backend.toml"
FRAMEWORK = "framework"
"""The value of `serves_with` where the framework itself serves."""


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


class WorkerEnvironment(Table):
    """The environment that the backend's worker needs."""

    thread_variables: Annotated[tuple[Variable, ...], *Unique] = ()
    """Variables that hold the number of threads, beyond those that every worker gets, such as OMP_NUM_THREADS."""
    thread_names: Annotated[tuple[Text, ...], *Unique] = ()
    """Names of the threads that compute, as the system shows them, without their numbers. For the record of threads."""
    variables: dict[Variable, str] = Field(default_factory=dict)
    """Variables to set, and their values. `{environment}` in a value stands for the environment's folder.

    `{home}` stands for the folder that is HOME for every worker.
    A worker inherits only a few of its caller's variables.
    """
    systems: Annotated[tuple[Text, ...], *Unique] = ()
    """The systems that it can be built on, such as "Linux x86_64"; every one where this is left out."""
    debian: DebianPackages | None = None
    maven: MavenProject | None = None
    stubs: dict[Text, FileName] = Field(default_factory=dict)
    """Shared libraries to compile into the environment's folder `stubs`: the name of each, and its C file here."""
    programs: dict[Identifier, Annotated[tuple[Text, ...], Field(min_length=1), *Unique]] = Field(default_factory=dict)
    """By variant, programs of which one must be on PATH: `compiled = ["c++", "g++", "clang++"]`."""


class TextEdit(Table):
    """One small change: `right`, which the export's function or the whole file has exactly once, becomes `wrong`."""

    right: Text
    wrong: str
    file: Literal["export.py", "serve.py"] = "export.py"


class OwnEnvironment(Table):
    """An environment for some of the variants, where their packages conflict with those of the others."""

    variants: Annotated[tuple[Identifier, ...], Field(min_length=1), *Unique]
    """The variants that run in this environment."""
    requirements: FileName
    """The file that pins its packages."""
    variables: dict[Variable, str] = Field(default_factory=dict)
    """Variables to set, in addition to those of `[environment]`."""


class Build(Table):
    """Another build of the same versions, which a user asks for by `--build NAME`, such as one without GPU support."""

    requirements: FileName
    """The file that pins its packages."""
    index: Url | None = None
    """The framework's own package index that has them, as its documentation gives it; asked beside pip's."""
    documentation: Url
    """The page of the documentation that offers it."""
    environment: Identifier | None = None
    """The table of `[environments]` that it replaces, where the backend has several."""


class Membership(Table):
    """How the backend takes part in a named group of backends, which `--backends` takes for all of them."""

    variants: Words
    """The variants that the group stands for."""
    stands_for: str = ""
    """The framework that the group means, where that is another; the report says so."""
    reason: str = ""
    """Why this one stands for it: a sentence."""

    @model_validator(mode="after")
    def _check_reason(self) -> "Membership":
        if bool(self.stands_for) != bool(self.reason):
            raise ValueError("expected `stands_for` and `reason` together, got one of them alone")
        return self


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


class VariantDescription(Table):
    """What kind of code a variant is, and its model file where it has one of its own."""

    style: Literal["idiomatic", "tuned"]
    """`idiomatic`: as the linked documentation teaches; `tuned`: changed to be faster."""
    by: Text = "this project"
    """Who wrote or tuned it."""
    how: str = ""
    """What a tuned variant does otherwise than the documentation."""
    model: FileName | None = None
    """The file whose ease of use is measured for this variant, where it is not that of the backend."""
    default: bool = True
    """Whether the backend's name stands for it too; otherwise it runs where it is named: `NAME:VARIANT`."""

    @model_validator(mode="after")
    def _check_tuning_is_described(self) -> "VariantDescription":
        if self.style == "tuned" and not self.how.strip():
            raise ValueError('expected `how` beside `style = "tuned"`: what it does otherwise than the documentation')
        return self


class ConceptWords(Table):
    """Words of the framework that stand for a concept of `bakeoff ease`, beside those of its own rules."""

    names: Annotated[tuple[Text, ...], *Unique] = ()
    """Last parts of dotted names of the framework."""
    attributes: Annotated[tuple[Text, ...], *Unique] = ()
    """Names after a dot on a value."""
    keywords: Annotated[tuple[Text, ...], *Unique] = ()
    """Keywords in a call of a function that the file does not define."""
    documentation: Url
    """The page of the framework's documentation that says what they are."""


class Export(Table):
    """A documented way from a trained network to one that serves: a row of `bakeoff deploy`."""

    name: Identifier
    """The name of its function in export.py and, where the framework serves it, in serve.py."""
    title: Text
    """What people call it, such as "ONNX file, ONNX Runtime"."""
    documentation: Url
    """The page of the documentation that its code follows."""
    serves_with: Text = FRAMEWORK
    """`framework`, or the runtime that serves it without the framework: a folder of backends/_serving."""
    variant: Identifier | None = None
    """The variant whose worker trains and exports the network; the first where this is left out."""
    requirements: FileName | None = None
    """The file that pins, with hashes, what exporting needs beside the backend's own requirements.

    Where the framework serves, serving has these packages, too.
    """
    converters: Annotated[tuple[Identifier, ...], *Unique] = ()
    """The modules, beside the framework, that its code imports."""
    needs_model: bool = False
    """Whether serving needs model.py: the file holds arrays and not the network."""
    compiler: Annotated[tuple[Text, ...], *Unique] = ()
    """Programs of which one must be on PATH for the export."""
    float64: Literal["exact", "reduced", "refused", "wrong"]
    """What is claimed of a network in float64; `bakeoff deploy` measures it."""
    dynamic_batch: bool
    """What is claimed: whether one file serves any number of rows."""
    training_mode: TextEdit | None = None
    """The edit that forgets to leave the training mode; nothing where it cannot be forgotten."""
    static_batch: TextEdit | None = None
    """The edit by which the export takes its number of rows from the example; nothing where it does so unasked."""


class Server(Table):
    """A server that the framework's documentation names: a row of `bakeoff deploy --http`."""

    name: Identifier
    """server_NAME.py starts it."""
    title: Text
    """What its project calls it."""
    documentation: Url
    """The page that its code follows."""
    exports: Annotated[tuple[Identifier, ...], Field(min_length=1), *Unique]
    """The exports that it serves, by name."""
    requirements: FileName
    """The file that pins, with hashes, what it needs beside the backend's own requirements."""
    imports: Annotated[tuple[Identifier, ...], Field(min_length=1), *Unique]
    """The modules of it that server_NAME.py names; the user asks for the packages that contain them."""
    extras: Annotated[tuple[Text, ...], *Unique] = ()
    """The extras that the user asks for with them, as the documentation says."""
    programs: Annotated[tuple[Text, ...], *Unique] = ()
    """Programs of which one must be on PATH."""


class Description(Table):
    """A whole backend.toml. `docs/reference/backend.md` explains each key."""

    title: Text
    """The framework's name as its project writes it."""
    package: Distribution
    """The distribution whose version stands for the framework's."""
    import_name: Annotated[tuple[Identifier, ...], Field(min_length=1), *Unique]
    """The top-level modules whose names count as framework API."""
    python: Versions
    """The Python versions that its pinned packages support, such as ">=3.11,<3.14"."""
    variants: Annotated[tuple[Identifier, ...], Field(min_length=1), *Unique]
    """The ways to run the model, the simplest first."""
    devices: Annotated[tuple[Identifier, ...], Field(min_length=1), *Unique] = ("cpu",)
    """The devices that the adapter supports."""
    documentation: Annotated[tuple[Url, ...], Field(min_length=1), *Unique]
    """The pages of the framework's documentation that the model follows."""
    default: bool = False
    """Whether this is a default backend: one that commands use where the user names none."""
    determinism: Text | None = None
    """What a user sets to get the same bits again: a call or a variable, with its page. The checks do not set it."""
    model: FileName = "model.py"
    """The file whose ease of use is measured."""
    groups: dict[Identifier, Membership] = Field(default_factory=dict)
    """The groups of backends that it belongs to, by name."""
    variant: dict[Identifier, VariantDescription] = Field(default_factory=dict)
    """By variant: whether its code is idiomatic or tuned, and its model file where it has one of its own."""
    unsupported: Annotated[tuple[Unsupported, ...], Field(strict=False)] = ()
    """The networks of the common spec that the framework does not support."""
    concepts: dict[Text, ConceptWords] = Field(default_factory=dict)
    """By concept of `bakeoff ease`, the framework's own words for it, which whoever reviews the backend checks."""
    openness: Openness
    """The facts on who owns the framework, decides about it and maintains it."""
    supports: Supports = Supports()
    """What the framework supports, whether or not this backend uses it: dated facts with their sources."""
    environment: WorkerEnvironment = WorkerEnvironment()
    export: Annotated[tuple[Export, ...], Field(strict=False)] = ()
    """The documented ways to deploy a trained network."""
    no_documented_export: Fact[Text] | None = None
    """Why there is none: what was looked for, and where. A backend has this or `[[export]]`, or neither yet."""
    server: Annotated[tuple[Server, ...], Field(strict=False)] = ()
    """The servers that the framework's documentation names and that can be installed."""
    documented_server: Fact[Text] | None = None
    """What became of looking for such a server: why `bakeoff deploy` measures none, or what to know of it."""
    environments: dict[Identifier, OwnEnvironment] = Field(default_factory=dict)
    """The environments by name, where the variants need more than one; then each variant is in one of them."""
    builds: dict[Identifier, Build] = Field(default_factory=dict)
    """By name, other builds of its packages than the one that pip installs by itself."""

    @model_validator(mode="after")
    def _check_variants(self) -> "Description":
        named = [(f"environment.programs.{variant}", variant) for variant in self.environment.programs]
        named += [(f"variant.{variant}", variant) for variant in self.variant]
        named += [(f"groups.{name}", variant) for name, own in self.groups.items() for variant in own.variants]
        for place, variant in named:
            if variant not in self.variants:
                raise ValueError(f"`{place}`: no such variant. {nearest(variant, self.variants)}")
        return self

    @model_validator(mode="after")
    def _check_exports(self) -> "Description":
        names = [each.name for each in self.export]
        require_unique(tuple(names))
        for each in self.export:
            if each.variant is not None and each.variant not in self.variants:
                raise ValueError(f"`export.{each.name}.variant`: {nearest(each.variant, self.variants)}")
        require_unique(tuple(each.name for each in self.server))
        for server in self.server:
            for name in server.exports:
                if name not in names:
                    raise ValueError(f"`server.{server.name}.exports`: {nearest(name, names)}")
        if self.export and self.no_documented_export is not None:
            raise ValueError("`no_documented_export`: expected this or `[[export]]`, got both.")
        return self

    @model_validator(mode="after")
    def _check_builds(self) -> "Description":
        places = list(self.environments) or [""]
        for name, each in self.builds.items():
            if (each.environment or "") not in places:
                wanted = nearest(each.environment or "", self.environments) if self.environments else "Leave it out."
                raise ValueError(f"`builds.{name}.environment`: expected one of `[environments]`. {wanted}")
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
