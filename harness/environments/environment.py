"""The environment of a backend, the log of its build, and the exception for a failed build."""

import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..common.cache import cache_folder
from ..common.errors import InputError
from ..common.safe_files import read_regular

OUTPUT_LINES = 30
"""How many of the last lines of output a failure shows."""

RECORD = "built.json"
"""The file of an environment that says what building it took; an incomplete one has none."""

MOST_RECORD_BYTES = 10_000_000

Say = Callable[[str], None]
"""Receives each line of progress or output."""


class BuildFailed(Exception):
    """An environment could not be built.

    `reason` is one sentence, `errors` are the lines of output that begin with ERROR, `tail` the last lines of all
    output, and `log` is the file with the whole output. The message contains them all.
    """

    def __init__(self, reason: str, log: Path, output: Sequence[str] = ()) -> None:
        self.reason = reason
        self.log = log
        self.tail = tuple(output[-OUTPUT_LINES:])
        self.errors = tuple(line for line in output if line.startswith("ERROR"))
        lines = [*(line for line in self.errors if line not in self.tail), *self.tail]
        super().__init__("\n".join([reason, *(f"  {line}" for line in lines), f"The whole output: {log}"]))


class BuildRecord(BaseModel):
    """What is read from the record of a build; the rest of it is for people."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True)
    seconds: Annotated[float, Field(ge=0, le=1e9)]
    bytes: Annotated[int, Field(ge=0, le=2**63)]
    packages: dict[str, str]
    download_bytes: Annotated[int, Field(ge=0, le=2**63)] | None = None
    interpreters: tuple[str, ...] | None = None
    """None in older records."""
    hashes: bool | None = None
    """Whether pip required a hash of each file; None in older records."""
    unverified: dict[str, str] = {}
    """By NAME==VERSION, the hash of each file that had no pinned one all the same."""


def read_record(folder: Path) -> BuildRecord | None:
    """Return the record of the build in `folder`; None where there is none, or it is damaged."""
    try:
        return BuildRecord.model_validate_json(read_regular(folder / RECORD, MOST_RECORD_BYTES, follow=True))
    except (OSError, InputError, ValidationError):
        return None


class Environment(NamedTuple):
    """A complete environment, and what building it took."""

    python: Path
    """The interpreter to start a worker with."""
    folder: Path
    seconds: float
    """The duration of the build."""
    bytes: int
    """The sum of the sizes of its files."""
    packages: dict[str, str]
    """The version of every distribution in it, by normalised name."""
    download_bytes: int | None = None
    """The total size of the files that pip installed from, as pip reports it; None where it is unknown."""
    interpreters: tuple[str, ...] | None = None
    """The Python versions that the framework's pinned version has a wheel for; None where it is unknown."""

    def describe(self) -> str:
        """Return a line that says that the environment is ready, and what building it took."""
        return f"ready ({len(self.packages)} packages, {self.bytes / 1e9:.2f} GB, built in {self.seconds:.0f} s)"


class BuildLog:
    """The output of a build: appended to a file and to `lines`, and passed on to `say`."""

    def __init__(self, path: Path, say: Say) -> None:
        self.path = path
        self.lines: list[str] = []
        self._say = say
        path.write_text("", encoding="utf-8")

    def __call__(self, line: str) -> None:
        """Record a line of output."""
        self.lines.append(line)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        self._say(line)


def environments_folder() -> Path:
    """Return the folder that contains the environments."""
    return cache_folder() / "environments"


def describe_os_error(error: OSError) -> str:
    """Return what a failed file operation means for a build, and what to do about it."""
    elsewhere = "set BAKEOFF_CACHE to a folder on another disk"
    path = error.filename or cache_folder()
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left for {cache_folder()}: free some, or {elsewhere}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no permission to write {path}: change it, or {elsewhere}"
    return f"{path} cannot be used ({error}): repair it, or {elsewhere}"
