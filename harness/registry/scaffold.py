"""Writes the folder of a new backend. It runs, and its checks fail in the order of the steps to fill in."""

import keyword
import shlex
import sys
from importlib.metadata import packages_distributions, version
from pathlib import Path
from string import Template

from ..common.errors import InputError
from . import entries

TEMPLATE = Path(__file__).parent / "template"
SUFFIX = ".template"
"""The suffix of the files in TEMPLATE: they are not Python until their placeholders are replaced."""


def write(name: str, parent: Path) -> Path:
    """Write the folder `parent`/`name` of a backend that computes nothing yet; return the folder.

    Raises InputError where the name cannot be imported or is that of a module, and where the folder exists or cannot be
    made.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise InputError(
            "a backend's folder is imported by its name: expected a Python identifier such as abacus_core, "
            f"got {name!r}. The option --folder says where to put it."
        )
    if name in entries.read_all():
        raise InputError(
            f"{name} is a backend of this project, and two of one name cannot be compared: choose another."
        )
    if is_import_name(name):
        raise InputError(
            f"{name} is the name of a module that can be imported, and the folder would stand in its place: choose "
            f"another, such as {name}_core."
        )
    values = {"name": name, "numpy": version("numpy")}
    folder = parent / name
    try:
        folder.mkdir(parents=True)
        for path in sorted(TEMPLATE.glob(f"*{SUFFIX}")):
            text = Template(path.read_text(encoding="utf-8")).substitute(values)
            (folder / path.name.removesuffix(SUFFIX)).write_text(text, encoding="utf-8")
    except FileExistsError as error:
        raise InputError(
            f"{error.filename} exists, and nothing is overwritten. Choose another name, or another place with --folder."
        ) from None
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}. Choose another place with --folder.") from None
    return folder


def is_import_name(name: str) -> bool:
    """Return whether a backend imports its framework by this name, or this interpreter has a module of the name."""
    described = {module for entry in entries.read_all().values() for module in entry.description.import_name}
    return name in described or name in sys.stdlib_module_names or _is_installed(name)


def _is_installed(name: str) -> bool:
    """Return whether a distribution of this interpreter has a top-level module of the name."""
    return name in packages_distributions()


def next_steps(folder: Path) -> str:
    """Return the instructions for a folder that `write` made."""
    path = shlex.quote(str(folder) if len(folder.parts) > 1 else f"./{folder}")
    return f"""{path} is written. It runs, and computes nothing yet.

Check it, in the interpreter that has your framework and NumPy:
    bakeoff check {path} --python "$(which python)"
The check fails and names the first deviation. Fill in the TODOs of model.py in order, and check after each:
    1 predict, 2 the loss, 3 the gradients, 4 the optimiser, 5 the running statistics.
Then fill in the TODOs of adapter.py, backend.toml and requirements.txt.
docs/how-to/add-a-backend.md shows it with an example; docs/reference/backend.md explains every method and key."""
