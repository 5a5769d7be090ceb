"""What exporting needs, against what packages declare to need: undeclared dependencies."""

import importlib.metadata
from collections.abc import Collection
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ...common.distributions import find_distributions
from ...environments import Environment


def find_undeclared(
    layer: Environment, below: Environment, converters: Collection[str], package: str, extras: Collection[str] = ()
) -> list[str]:
    """Return the packages of a layer that neither the framework's package nor a converter requires, by metadata.

    `converters` are the modules that the export's code imports; the packages that contain them are asked for by the
    user, with the `extras`. Another extra counts where a requirement names it. A package that another undeclared one
    requires is left out: the list is what a user has to find out and install by hand.
    """
    found = {**_read(below.folder), **_read(layer.folder)}
    pending = [(name, extra) for name in _providers(found, converters) for extra in ("", *extras)]
    pending.append((str(canonicalize_name(package)), ""))
    required: set[tuple[str, str]] = set()
    while pending:
        wanted = pending.pop()
        if wanted not in required and wanted[0] in found:
            required.add(wanted)
            pending += _requirements(found[wanted[0]], wanted[1])
    undeclared = set(layer.packages) - {name for name, _ in required}
    by_others = {each for name in undeclared for each, _ in _requirements(found[name], "")}
    return sorted(undeclared - by_others)


def _read(folder: Path) -> dict[str, importlib.metadata.Distribution]:
    paths = [str(path) for path in folder.glob("lib/python*/site-packages")]
    return {canonicalize_name(each.metadata["Name"]): each for each in find_distributions(paths)}


def _providers(found: dict[str, importlib.metadata.Distribution], modules: Collection[str]) -> list[str]:
    return [
        name
        for name, each in found.items()
        if {str(file).split("/")[0].removesuffix(".py") for file in each.files or ()} & set(modules)
    ]


def _requirements(distribution: importlib.metadata.Distribution, extra: str) -> list[tuple[str, str]]:
    """Return the name and the extra of each package that a distribution with this extra requires."""
    needed = map(Requirement, distribution.requires or ())
    wanted = [each for each in needed if not each.marker or each.marker.evaluate({"extra": extra})]
    return [(str(canonicalize_name(each.name)), of) for each in wanted for of in ("", *each.extras)]
