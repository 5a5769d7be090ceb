"""Writes a software bill of materials for the environment of a backend, in the CycloneDX format.

It lists every package with its version, its licence as far as its own files declare one, and its package URL, by which
a scanner looks up known vulnerabilities. cyclonedx-python-lib, of the extra `bakeoff[sbom]`, writes the file.
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...common.errors import InputError
from ...common.extras import describe_install
from ...common.safe_files import make_real_folder, write_replacing
from ...environments import Environment, debian
from ...environments.checksums import read_lines
from ...registry.entries import Entry, pinned_version
from . import licences, unpacked
from .facts import read_installed

if TYPE_CHECKING:
    from cyclonedx.model.component import Component
    from cyclonedx.model.license import License

NAMESPACE = uuid.UUID("7d1f8a0e-6a0b-5c1e-9b0a-0d6f2a9c4e11")
"""Serial numbers are made in it, so that one environment always has the same one."""

MOST_WORDS = 200
"""Characters of a licence in a package's own words."""


def require_writer(folder: Path) -> None:
    """Raise InputError where the extra is missing, or where the folder cannot be made."""
    try:
        import cyclonedx  # noqa: F401, PLC0415  # the extra: only to know that it is there
    except ImportError as error:
        raise InputError(f"A bill of materials needs {error.name}. {describe_install('sbom')}.") from None
    try:
        make_real_folder(folder)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror}. Choose another place.") from None


def write_sbom(entry: Entry, environment: Environment, folder: Path) -> Path:
    """Write the bill of materials of an environment into the folder; return its path, LABEL.cdx.json."""
    path = folder / f"{entry.label}.cdx.json"
    try:
        write_replacing(path, json.dumps(make_sbom(entry, environment), indent=1) + "\n")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}. Choose another place.") from None
    return path


def make_sbom(entry: Entry, environment: Environment) -> dict[str, Any]:
    """Return the bill of materials of an environment, as CycloneDX 1.6 has it in JSON."""
    from cyclonedx.model.bom import Bom  # noqa: PLC0415  # the extra
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415  # the extra
    from cyclonedx.output import make_outputter  # noqa: PLC0415  # the extra
    from cyclonedx.schema import OutputFormat, SchemaVersion  # noqa: PLC0415  # the extra

    whole = Component(name=entry.label, type=ComponentType.APPLICATION, version=pinned_version(entry), bom_ref="root")
    components = [
        *_python_packages(environment),
        *_debian_packages(entry, environment),
        *_java_libraries(entry, environment),
    ]
    bom = Bom(components=components, serial_number=uuid.uuid5(NAMESPACE, environment.folder.name))
    bom.metadata.component = whole
    bom.register_dependency(whole, components)
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string()
    made: dict[str, Any] = json.loads(text)
    return made


def _component(
    kind: str,
    name: str,
    version: str,
    stated: Sequence[str],
    sha256: str = "",
    group: str | None = None,
    qualifiers: Mapping[str, str] | None = None,
) -> "Component":
    from cyclonedx.model import HashAlgorithm, HashType  # noqa: PLC0415  # the extra
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415  # the extra
    from packageurl import PackageURL  # noqa: PLC0415  # the extra

    url = PackageURL(kind, group, name, version, {key: value for key, value in (qualifiers or {}).items() if value})
    return Component(
        group=group,
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        purl=url,
        bom_ref=url.to_string(),
        licenses=_licences(stated),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else (),
    )


def _licences(stated: Sequence[str]) -> Iterable["License"]:
    """Return the licences of a component, which all hold for parts of it: one SPDX expression where that says all."""
    from cyclonedx.contrib.license.factories import LicenseFactory  # noqa: PLC0415  # the extra

    make = LicenseFactory()
    if len(stated) == 1:
        return [make.make_from_string(stated[0][:MOST_WORDS])]
    joined = licences.to_spdx(" AND ".join(map(licences.parenthesise, stated))) if stated else None
    if joined:
        return [make.make_with_expression(joined)]
    # The format has either one expression, or identifiers and names.
    return [make.make_with_name(each[:MOST_WORDS]) for each in stated]


def _python_packages(environment: Environment) -> Iterable["Component"]:
    for each in read_installed(environment.folder):
        words = each.declared.spdx or each.declared.words
        yield _component("pypi", each.name, each.version, () if words == licences.NOT_STATED else (words,))


def _debian_packages(entry: Entry, environment: Environment) -> Iterable["Component"]:
    wanted, root = entry.worker.debian, environment.folder / "debian"
    for each in debian.read_lock(entry.folder / wanted.lock) if wanted else ():
        stated = unpacked.read_debian(root, each.name)
        where = {"arch": each.architecture, "distro": wanted.release if wanted else ""}
        yield _component("deb", each.name, each.version, stated, each.sha256, "debian", where)


def _java_libraries(entry: Entry, environment: Environment) -> Iterable["Component"]:
    """Yield the jars, by their coordinates where a project file has them; the others by the name of the file."""
    wanted = entry.worker.maven
    for sha256, name in read_lines(entry.folder / wanted.lock) if wanted else ():
        jar = unpacked.read_jar(environment.folder / "maven" / "lib" / name)
        kind, more = ("maven" if jar.group else "generic"), {"classifier": jar.classifier}
        yield _component(kind, jar.artifact, jar.version, jar.licences, sha256, jar.group, more)
