"""The folder that a new backend begins with: it runs, and fails its checks in the order of what is to be filled in."""

import keyword
import shlex
from importlib.metadata import version
from pathlib import Path
from string import Template

from ..common.errors import InputError
from . import entries

TEMPLATE = Path(__file__).parent / "template"
SUFFIX = ".template"
"""Of the files of TEMPLATE, which are no Python before their placeholders are filled in."""


def write(name: str, parent: Path) -> Path:
    """Write the folder `parent`/`name` of a backend that computes nothing yet; return it.

    Raises InputError where the name cannot be imported, or the folder cannot be made; one that exists is left alone.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise InputError(
            "a backend's folder is imported by its name: expected a Python identifier such as abacus_core, "
            f"got {name!r}. Where it goes is said with --folder."
        )
    if name in entries.read_all():
        raise InputError(
            f"{name} is a backend of this project, and two of one name cannot be compared: choose another."
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
            f"{error.filename} exists, and nothing is overwritten: expected a folder to be made. "
            "Choose another name, or another place with --folder."
        ) from None
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}. Choose another place with --folder.") from None
    return folder


def next_steps(folder: Path) -> str:
    """Return in words what to do with a folder that `write` made."""
    path = shlex.quote(str(folder) if len(folder.parts) > 1 else f"./{folder}")
    return f"""{path} is written: it runs, and computes nothing yet.

Check it, in the interpreter that has your framework and NumPy:
    bakeoff check {path} --python "$(which python)"
It fails, and says what departs first. Fill in the TODOs of model.py by their numbers, and check after each:
    1 predict, 2 the loss, 3 the gradients, 4 the optimiser, 5 the running statistics.
Then adapter.py, backend.toml and requirements.txt, where they say TODO.
docs/new-backend.md goes through it with an example; docs/backend.md explains every method and key."""
