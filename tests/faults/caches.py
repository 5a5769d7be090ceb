"""A damaged cache: mutations of a small whole one, and the commands that read it.

`mutate(parent, rng)` makes a damaged copy of a cache and returns it with what was done. `use_cache(command, folder)`
carries a command out with that cache and returns what is wrong with its end: "" where it did its work, or said in one
message why it cannot.
"""

import contextlib
import functools
import importlib
import json
import random
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

import pytest
from bakeoff.cli.app import app
from bakeoff.common.errors import InputError
from bakeoff.environments.pip import Installed
from bakeoff.measures.agreement import floors
from bakeoff.records import columns
from bakeoff.workload import networks
from typer.testing import CliRunner

from tests.paths import SAVED_RUN

from .input_files import put_no_file
from .run_folders import ODD, change, time_limit

build = importlib.import_module("bakeoff.environments.build")  # the package has a function of that name

COMMANDS = {
    "backends": ["backends"],
    "setup": ["setup", "numpy_plain", "--no-check"],
    "setup --verify": ["setup", "numpy_plain", "--verify"],
    "openness": ["openness", "numpy_plain"],
    "table": ["table", "RUN"],
    "check": ["check", "numpy_plain"],
}
"""Six commands that read the cache."""

LIMIT_S = 10
"""For a command."""
CHECK_LIMIT_S = 60
"""For one that has to check the backend again."""


def install(entry, interpreter, folder, log, commands) -> Installed:
    """Make an environment without pip: the running interpreter, by a script, and a package without content."""
    (folder / "bin").mkdir()
    (folder / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (folder / "bin" / "python").chmod(0o755)
    info = folder / "lib" / "python3.11" / "site-packages" / "numpy-2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: numpy\nVersion: 2.0\nLicense-Expression: BSD-3-Clause\n"
    )
    (info / "RECORD").write_text("numpy-2.0.dist-info/METADATA,,\nnumpy-2.0.dist-info/RECORD,,\n")
    log("installed")
    return Installed([], {})


@contextlib.contextmanager
def prepare(folder: Path):
    """Use the folder as cache; build without pip, check one network, and keep the columns of small runs as well."""
    required = networks.required_networks
    floors._floors.cache_clear()  # what an earlier command has read of another cache
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAKEOFF_CACHE", str(folder))
        patch.setenv("COLUMNS", "120")
        patch.setattr(build, "install_requirements", install)
        patch.setattr(build, "query_supported_interpreters", lambda *_: None)
        patch.setattr(columns, "WORTH_KEEPING_BYTES", 0)
        patch.setattr(networks, "required_networks", lambda own=None: required()[1:2])
        yield


@functools.cache
def whole_cache() -> tempfile.TemporaryDirectory:
    """Return the folder with a cache that each command has filled, and the run that `table` reads."""
    folder = tempfile.TemporaryDirectory()
    shutil.copytree(SAVED_RUN, Path(folder.name) / "run")
    (Path(folder.name) / "cache").mkdir()
    for command in COMMANDS:
        problem = use_cache(command, Path(folder.name) / "cache")
        assert problem == "", f"{command}: {problem}"
    return folder


def mutate(parent: Path, rng: random.Random) -> tuple[Path, str]:
    """Make a damaged cache in the folder `parent`; return it, and what was done."""
    folder = Path(shutil.copytree(whole_cache().name, parent, symlinks=True, dirs_exist_ok=True)) / "cache"
    done = []
    for _ in range(rng.choice([1, 1, 1, 3])):
        paths = sorted(path for path in folder.rglob("*") if "home" not in path.parts)
        # Each kind of content as often as the others, of which there are more or fewer files.
        kind = rng.choice(sorted({path.relative_to(folder).parts[0] for path in paths}))
        path = rng.choice([path for path in paths if path.relative_to(folder).parts[0] == kind])
        done.append(f"{path.relative_to(folder)}: {damage(path, rng)}")
    return folder, "; ".join(done)


def damage(path: Path, rng: random.Random) -> str:
    """Damage a file or a folder of a cache; return what was done."""
    metadata = "site-packages" in path.parts
    kinds = ["remove", "cut", "bytes", "json", "json", "json"]
    # Who puts a pipe among the metadata of a package, in a user's own folder, could change the package as well.
    kind = rng.choice(kinds if metadata else [*kinds, "fifo", "zero", "folder", "loop", "file"])
    if kind in ("cut", "bytes", "json") and path.is_file():
        content = path.read_bytes()
        if kind == "cut":
            content = content[: rng.randrange(len(content) + 1)]
        elif kind == "json" and path.suffix == ".json":
            return damage_json(path, rng)
        else:
            content = bytearray(content or b"\0")
            for _ in range(rng.choice([1, 20])):
                content[rng.randrange(len(content))] = rng.randrange(256)
        path.write_bytes(bytes(content))
        return kind
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    put_no_file(path, kind)
    if kind in ("file", "bytes", "json"):
        path.write_text("no folder\n")
    return kind


def damage_json(path: Path, rng: random.Random) -> str:
    """Replace a value in a JSON file, or all of it."""
    if rng.random() < 0.1:
        path.write_text(rng.choice(["[" * 100_000, "9" * 5000, "", json.dumps(rng.choice(ODD))]))
        return "other JSON"
    try:
        value, done = change(json.loads(path.read_text()), rng)
    except ValueError:  # it was damaged before
        return "nothing"
    path.write_text(json.dumps(value))
    return done


def use_damaged(seed: int, parent: Path) -> str:
    """Use a damaged cache by one of the commands; return what is wrong with how it ended, "" where nothing is."""
    rng = random.Random(seed)
    folder, done = mutate(parent, rng)
    problem = use_cache(rng.choice(list(COMMANDS)), folder)
    return f"{done}: {problem}" if problem else ""


def use_cache(command: str, folder: Path) -> str:
    """Carry out a command with the cache in the folder; return what is wrong with how it ended, "" where nothing is."""
    words = [word.replace("RUN", str(folder.parent / "run")) for word in COMMANDS[command]]
    with prepare(folder), time_limit(CHECK_LIMIT_S if command == "check" else LIMIT_S):
        result = CliRunner().invoke(app, words, catch_exceptions=True)
    error = result.exception
    if isinstance(error, InputError):
        return "" if 10 < len(str(error)) < 5000 else f"a message of {len(str(error))} characters"
    if isinstance(error, OSError):
        return ""  # caught at the edge, with its path
    if error is not None and not isinstance(error, SystemExit):
        return "".join(traceback.format_exception(error)[-4:])
    if "Traceback" in result.output:
        return result.output[-500:]
    return "" if result.exit_code in (0, 1, 2) else f"exit code {result.exit_code}: {result.output[-300:]}"
