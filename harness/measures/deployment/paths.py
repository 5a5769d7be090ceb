"""The ways to deploy a trained network: what the backends declare, and what serves it."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ...common.errors import InputError
from ...registry.description import FRAMEWORK, Export, Server
from ...registry.entries import Entry, backends_folder

SERVING = "_serving"
"""The folder, among the backends, of what serves without a framework: a folder for each runtime."""

SERVE = "serve.py"
"""The file with the functions that load what was exported, in a backend's folder or a runtime's."""

LOAD = "load"
"""The function in a runtime's serve.py; in a backend's it has the name of the export."""

PYTHON = ">=3.11,<3.14"
"""The interpreters that the pins of the runtimes install in."""


class ExportPath(NamedTuple):
    """One way from a trained network of a backend to a process that serves it."""

    entry: Entry
    """The part of the backend whose environment trains."""
    variant: str
    export: Export

    @property
    def label(self) -> str:
        """NAME:EXPORT, for people."""
        return f"{self.entry.name}:{self.export.name}"

    @property
    def keys(self) -> dict[str, str]:
        """The keys of its records."""
        return {"backend": self.entry.name, "path": self.export.name, "served_with": self.export.serves_with}

    @property
    def in_framework(self) -> bool:
        """Whether the framework itself serves."""
        return self.export.serves_with == FRAMEWORK

    @property
    def serve_file(self) -> Path:
        """The serve.py with its loading function."""
        return (self.entry.folder if self.in_framework else runtime_folder(self.export.serves_with)) / SERVE

    @property
    def function(self) -> str:
        """The name of its loading function."""
        return self.export.name if self.in_framework else LOAD

    @property
    def requirements(self) -> Path | None:
        """The file that pins what exporting needs beside training; None where it needs nothing."""
        return self.entry.folder / self.export.requirements if self.export.requirements else None


def runtime_folder(name: str) -> Path:
    """Return the folder of a runtime that serves without a framework. Raises InputError for an unknown one."""
    folder = backends_folder() / SERVING / name
    if not (folder / SERVE).is_file():
        known = ", ".join(sorted(path.parent.name for path in folder.parent.glob(f"*/{SERVE}")))
        raise InputError(f"serves_with = {name!r}: expected `{FRAMEWORK}` or one of {known}.")
    return folder


def list_paths(entries: Sequence[Entry]) -> list[ExportPath]:
    """Return every declared path of the backends, in their order. Raises InputError where a file is missing."""
    paths = []
    for entry in entries:
        whole = entry.whole
        for server in whole.description.server:
            for needed in (whole.folder / script_of(server), whole.folder / server.requirements):
                if not needed.is_file():
                    raise InputError(f"{needed}: `server.{server.name}` of {entry.name} needs this file.")
        for export in whole.description.export:
            variant = export.variant or whole.variants[0]
            path = ExportPath(whole.for_variant(variant), variant, export)
            for file in (whole.folder / "export.py", path.serve_file, path.requirements):
                if file is not None and not file.is_file():
                    raise InputError(f"{file}: `export.{export.name}` of {entry.name} needs this file.")
            paths.append(path)
    return paths


def script_of(server: Server) -> str:
    """Return the name of the file, in the backend's folder, that starts a server."""
    return f"server_{server.name}.py"


def add_serving_code(path: ExportPath, folder: Path) -> None:
    """Put what serving needs beside the exported files: serve.py, and model.py where it is declared."""
    shutil.copy(path.serve_file, folder / SERVE)
    if path.export.needs_model:
        shutil.copy(path.entry.folder / path.entry.description.model, folder)
