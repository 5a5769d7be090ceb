"""TODO: environments.environment."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from ..common.cache import cache_folder

pass


TAIL = 30
"""How many of the last lines of output a failure shows."""


Say = Callable[[str], None]


class BuildFailed(Exception):
    """An environment could not be built: why, in pip's own words where it was pip.

    `reason` is one sentence, `errors` are the lines in which pip says ERROR, `tail` the last lines of all output, and
    `log` is the file of the whole of it. The message has them all.
    """

    def __init__(self, reason: str, log: Path, output: Sequence[str] = ()) -> None:
        self.reason = reason
        self.log = log
        self.tail = tuple(output[-TAIL:])
        self.errors = tuple(line for line in output if line.startswith("ERROR"))
        said = [*(line for line in self.errors if line not in self.tail), *self.tail]
        super().__init__("\n".join([reason, *(f"  {line}" for line in said), f"The whole output: {log}"]))


class Environment(NamedTuple):
    """A whole environment, and what building it cost."""

    python: Path
    """The interpreter to start a worker with."""
    folder: Path
    seconds: float
    """How long the build took."""
    bytes: int
    """The sum of the sizes of its files."""
    packages: dict[str, str]
    """Version by normalised name of every distribution in it."""
    download_bytes: int | None = None
    """What pip installed from, together, as pip says; None where that was not written down, or pip did not say."""
    interpreters: tuple[str, ...] | None = None
    """Versions of Python, of those asked after, that the framework's pinned version has a wheel for; None as above."""

    def in_words(self) -> str:
        """Return that it is ready, and what it cost."""
        return f"ready ({len(self.packages)} packages, {self.bytes / 1e9:.2f} GB, built in {self.seconds:.0f} s)"


def environments_folder() -> Path:
    """Return the folder that the environments are built in."""
    return cache_folder() / "environments"


class _Log:
    """The output of a build: kept in a file and in `lines`, and told to `say` as it comes."""

    def __init__(self, path: Path, say: Say) -> None:
        self.path = path
        self.lines: list[str] = []
        self._say = say
        path.write_text("", encoding="utf-8")

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        self._say(line)
