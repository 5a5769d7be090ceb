"""A copy of the repository with one entry more, which nothing in it mentions but the entry's own folder."""

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

from tests.paths import ROOT

NAME = "zz_made_up"
"""Sorts after every other entry."""
KEPT = ("title", "package", "import_name", "python", "variants", "devices", "documentation", "openness")
"""The keys that the description of the entry has: the least that it can say."""


def copy_repository(parent: Path) -> Path:
    """Copy what git tracks or would track into `parent`, and commit it there; return the copy's root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    root = parent / "repository"
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, root / name)
    author = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
    for arguments in (["init", "-q"], ["add", "--all"], [*author, "commit", "-q", "-m", "Copy the repository"]):
        subprocess.run(["git", *arguments], cwd=root, check=True)
    return root


def add_entry(root: Path) -> Path:
    """Write an entry of the smallest kind into the copy, from plain NumPy's; return its folder."""
    source, folder = root / "backends" / "numpy_plain", root / "backends" / NAME
    folder.mkdir()
    for name in ("adapter.py", "requirements.in", "requirements.txt"):
        shutil.copyfile(source / name, folder / name)
    model = (source / "model.py").read_text(encoding="utf-8")
    (folder / "model.py").write_text(model + OWN_CODE, encoding="utf-8")
    described = tomllib.loads((source / "backend.toml").read_text(encoding="utf-8"))
    licence = described["openness"]["licence"]
    (folder / "backend.toml").write_text(DESCRIPTION.format(**licence), encoding="utf-8")
    return folder


OWN_CODE = '''

def choose(optimisers, name):
    """Return the optimiser with this name; the local variable has the name of a module of a framework."""
    optim = optimisers[name]
    return optim
'''
DESCRIPTION = """title = "Made Up"
package = "numpy"
import_name = ["numpy"]
python = ">=3.11"
variants = ["plain"]
devices = ["cpu"]
documentation = ["https://numpy.org/doc/stable/"]

[openness]
licence = {{ value = "{value}", source = "{source}", asof = "{asof}" }}
"""


def environment_for(root: Path, parent: Path) -> dict[str, str]:
    """Return the variables with which Python imports the copy's harness as `bakeoff`, and the copy's tests."""
    (parent / "packages").mkdir(exist_ok=True)
    (parent / "packages" / "bakeoff").symlink_to(root / "harness")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(parent / "packages"), str(root)])}
