"""The backends: reads `backends/*/backend.toml` and selects backends by name. It imports no code of a backend."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from packaging.utils import canonicalize_name

from ..common.errors import InputError
from ..common.safe_files import read_regular
from ..common.toml import nearest, read_model
from ..portable import spec as portable
from .description import FILE, Build, Description, WorkerEnvironment
from .pins import read_pins


class Entry(NamedTuple):
    """A backend: its folder and its description. Or a part of it: the variants that share one environment."""

    name: str
    folder: Path
    description: Description
    part: str = ""
    """The environment of the part; "" for the whole backend, and for a backend with one environment."""
    build_name: str = ""
    """The build of its packages that the user asked for; "" for what pip installs by itself."""

    @property
    def build(self) -> Build | None:
        """The build of its packages that the user asked for, where it declares one of that name for its environment."""
        declared = self.description.builds.get(self.build_name)
        part = self.part or (
            self.for_variant(self.description.variants[0]).part if self.description.environments else ""
        )
        return declared if declared and (declared.environment or "") == part else None

    @property
    def label(self) -> str:
        """The name of its environment: the backend's name, and that of the part if it is one."""
        return f"{self.name}-{self.part}" if self.part else self.name

    @property
    def whole(self) -> "Entry":
        """The whole backend."""
        return self._replace(part="")

    @property
    def parts(self) -> list["Entry"]:
        """The parts of the backend, one for each environment, that of the first variant first."""
        return list({each.part: each for each in map(self.for_variant, self.variants)}.values())

    def for_variant(self, variant: str) -> "Entry":
        """Return the part whose environment `variant` runs in."""
        homes = [name for name, own in self.description.environments.items() if variant in own.variants]
        return self._replace(part=homes[0]) if homes else self

    def own_models(self) -> dict[str, str]:
        """Return the model file of each variant that has one of its own."""
        described = self.description.variant
        found = {variant: described[variant].model for variant in self.variants if variant in described}
        return {variant: model for variant, model in found.items() if model and model != self.description.model}

    def unsupported(self, spec: portable.Spec) -> str:
        """Return why the backend does not support the network of `spec`, by its backend.toml; "" where it does."""
        return next((reason for each in self.description.unsupported if (reason := each.explain(spec))), "")

    @property
    def requirements(self) -> Path:
        """The file that pins its packages; for a whole backend with several environments, that of the first variant."""
        own = self.description.environments
        if self.build is not None:
            return self.folder / self.build.requirements
        if not own:
            return self.folder / "requirements.txt"
        return self.folder / own[self.part or self.for_variant(self.description.variants[0]).part].requirements

    @property
    def worker(self) -> WorkerEnvironment:
        """The environment of its worker: that of `[environment]`, with the variables of the part."""
        common = self.description.environment
        own = self.description.environments.get(self.part)
        if own is None:
            return common
        return common.model_copy(update={"variables": {**common.variables, **own.variables}})

    @property
    def outside(self) -> bool:
        """Whether this is a folder of the user, not one of the project."""
        return self.folder.parent != backends_folder()

    @property
    def default_variants(self) -> tuple[str, ...]:
        """The variants that the backend's name stands for: without those that declare `default = false`."""
        described = self.description.variant
        return tuple(each for each in self.variants if each not in described or described[each].default)

    @property
    def variants(self) -> tuple[str, ...]:
        """The ways to run its model; for a part, those that run in its environment."""
        own = self.description.environments.get(self.part)
        return own.variants if own is not None else self.description.variants


NOT_PINNED = "not pinned"
MOST_FILE_BYTES = 10_000_000
"""Of a backend.toml."""


def pinned_version(entry: Entry) -> str:
    """Return the version of the backend's package that its requirements or its lock files pin, or NOT_PINNED."""
    package, wanted = entry.description.package, entry.worker
    version = required_version(entry)
    if version == NOT_PINNED and wanted.debian:
        for line in _lines(entry.folder / wanted.debian.lock):
            name, _, rest = line.partition(" ")
            version = rest.partition(" ")[0] if name == package else version
    if version == NOT_PINNED and wanted.maven:
        for line in _lines(entry.folder / wanted.maven.lock):
            name = line.rpartition(" ")[2].removesuffix(".jar")
            version = name.removeprefix(f"{package}-") if name.startswith(f"{package}-") else version
    return version


def _lines(path: Path) -> list[str]:
    """Return the lines of a file of pins; what is no UTF-8 in it, pip reports when it is installed."""
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []


def required_version(entry: Entry) -> str:
    """Return the version of the backend's package that its requirements.txt pins, or NOT_PINNED."""
    wanted = canonicalize_name(entry.description.package)
    for line in read_pins(entry.requirements):
        version = None if line.is_option else line.version
        if version and canonicalize_name(line.requirement.name) == wanted:
            return version
    return NOT_PINNED


def backends_folder() -> Path:
    """Return the folder `backends` inside an installed package, or beside harness/ in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "backends"
    return inside if inside.is_dir() else package.parent / "backends"


def read_all(folder: Path | None = None) -> dict[str, Entry]:
    """Return every backend in `folder` (by default the project's own) by name, in alphabetical order.

    Folders without a backend.toml, and those whose name begins with `_` or `.`, are left out. Raises InputError.
    """
    folder = backends_folder() if folder is None else folder
    if not folder.is_dir():
        raise InputError(f"{folder}: expected the folder of the backends, found none.")
    described = (path.parent for path in folder.glob(f"*/{FILE}") if not path.parent.name.startswith(("_", ".")))
    return {path.name: read_entry(path) for path in sorted(described)}


def read_entry(folder: Path) -> Entry:
    """Return the backend in `folder`.

    Raises InputError where its name cannot be imported, it lacks one of its files, or its backend.toml is wrong.
    """
    if not folder.name.isidentifier():
        raise InputError(f"{folder}: a backend's folder is imported by its name: expected a Python identifier.")
    path = folder / FILE
    try:
        text = read_regular(path, MOST_FILE_BYTES, follow=True).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text: {error}") from None
    entry = Entry(folder.name, folder, read_model(Description, text, str(path)))
    pins = [part.requirements.name for part in entry.parts]
    pins += [each.requirements for each in entry.description.builds.values()]
    for name in ("adapter.py", entry.description.model, *pins):
        if not (folder / name).is_file():
            raise InputError(f"{folder / name}: every backend has this file, and {folder.name} lacks it.")
    return entry


def select(entries: Mapping[str, Entry], wanted: str | None) -> list[tuple[Entry, str]]:
    """Return the backends and variants that `wanted` names: `a,b:variant`, where `a` stands for its default variants.

    Those are all but the ones that declare `default = false`. None and the name `all` select every backend. A name with
    a path separator is the folder of a backend outside the project. The name of a group stands for what its members
    declare. The order is that of `wanted`; each variant comes once, with the part of the backend that runs it. Raises
    InputError for an unknown backend or variant, and for two backends with the same name.
    """
    names = [name for word in _words(wanted) for name in _expand(word, entries)]
    pairs = [pair for name in names for pair in _named(entries, name)]
    folders: dict[str, Path] = {}
    for entry, _ in pairs:
        if folders.setdefault(entry.name, entry.folder) != entry.folder:
            raise InputError(
                f"{folders[entry.name]} and {entry.folder} have the same name: choose one, or rename its folder."
            )
    return list({(entry.name, variant): (entry, variant) for entry, variant in pairs}.values())


def _words(wanted: str | None) -> list[str]:
    return ["all"] if wanted is None else [word.strip() for word in wanted.split(",")]


def _expand(word: str, entries: Mapping[str, Entry]) -> list[str]:
    """Return the names that `word` stands for: every backend, the members of a group, or itself."""
    if word == "all":
        return list(entries)
    if word in entries:
        return [word]
    return [
        f"{entry.name}:{variant}"
        for entry in entries.values()
        if word in entry.description.groups
        for variant in entry.description.groups[word].variants
    ] or [word]


def stand_ins(entries: Mapping[str, Entry], wanted: str | None) -> dict[str, tuple[str, str]]:
    """Return by backend which other framework it stands for in a group that `wanted` names, and why."""
    words = [word for word in _words(wanted) if word not in entries]
    memberships = [(entry.name, entry.description.groups.get(word)) for word in words for entry in entries.values()]
    return {name: (own.stands_for, own.reason) for name, own in memberships if own and own.stands_for}


def default_selection(entries: Mapping[str, Entry]) -> str:
    """Return the default backends in the form that `select` takes: those that declare `default = true`, or all."""
    return ",".join(name for name, entry in entries.items() if entry.description.default) or "all"


def require_device(chosen: Sequence[tuple[Entry, str]], device: str) -> None:
    """Raise InputError where one of the chosen backends does not support `device`."""
    for entry, variant in chosen:
        if device not in entry.description.devices:
            raise InputError(
                f"{entry.name}:{variant} does not support the device `{device}`: this backend declares "
                f"{', '.join(entry.description.devices)}. Choose one of these, or other backends."
            )


def with_build(chosen: Sequence[tuple[Entry, str]], build: str | None) -> list[tuple[Entry, str]]:
    """Return the chosen variants with the build of their packages that has this name, where they declare it.

    The others keep what pip installs. Raises InputError where none of them declares it.
    """
    if build is None:
        return list(chosen)
    asked = [(entry._replace(build_name=build), variant) for entry, variant in chosen]
    able = [(entry if entry.build else entry._replace(build_name=""), variant) for entry, variant in asked]
    if not any(entry.build for entry, _ in able):
        declared = dict.fromkeys(f"{e.name}: {name}" for e, _ in chosen for name in e.description.builds)
        there = f"There are: {'; '.join(declared)}." if declared else "They have none beside what pip installs."
        raise InputError(f"--build {build}: no chosen backend has a build of that name. {there}")
    return able


def _named(entries: Mapping[str, Entry], wanted: str) -> list[tuple[Entry, str]]:
    name, colon, variant = wanted.partition(":")
    if name not in entries and os.sep not in name:
        folder = f" For a folder of your own, give a path: .{os.sep}{name}." if name and Path(name).is_dir() else ""
        groups = dict.fromkeys(group for entry in entries.values() for group in entry.description.groups)
        raise InputError(f"no backend `{name}`. {_choice(name, (*entries, *groups))}{folder}")
    entry = entries[name] if name in entries else _outside(Path(name))
    if colon and variant not in entry.variants:
        raise InputError(f"backend {name} has no variant `{variant}`. {_choice(variant, entry.variants)}")
    return [(entry.for_variant(each), each) for each in ([variant] if colon else entry.default_variants)]


def require_backend(folder: Path) -> None:
    """Raise InputError where a folder that the user names holds no backend."""
    if not (folder / FILE).is_file():
        raise InputError(f"{folder}: expected the folder of a backend, with a {FILE} in it. `bakeoff new` writes one.")


def _outside(folder: Path) -> Entry:
    require_backend(folder)
    return read_entry(folder.resolve())


def _choice(wrong: str, valid: Mapping[str, Entry] | tuple[str, ...]) -> str:
    """Return a sentence that suggests the nearest valid word, and lists all of them."""
    if not valid:
        return "There are none."
    guess = nearest(wrong, valid)
    return guess if guess.startswith("Valid") else f"{guess} There are: {', '.join(valid)}."


def source_files(entry: Entry) -> list[Path]:
    """Return the files of the backend, in order, without those that Python writes when it runs them."""
    return [path for path in sorted(entry.folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
