"""What a study has measured so far: a line for each framework that is done, kept until the study ends.

A study that was interrupted is continued from it. The first line says what was measured; the lines of another form, of
another spec or of another version of Bakeoff are not taken over.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..common.errors import InputError
from .records import Row

FILE = "unfinished.jsonl"


class Measured(NamedTuple):
    """What one framework came to."""

    rows: list[Row]
    versions: dict[str, str]
    failure: str


class Unfinished:
    """The file of a study that is under way, open for writing."""

    def __init__(self, folder: Path, what: Mapping[str, Any], resume: bool) -> None:
        """Open the file; take over what it has where `resume` and it is of the same. Raises InputError."""
        self._path = folder / FILE
        self.found: dict[str, Measured] = {}
        self.seconds = 0.0
        """What the frameworks took that were taken over, from the start of the study to the end of the last of them."""
        lines = _read(self._path) if resume else []
        if lines and lines[0] != what:
            raise InputError(f"{self._path}: of another form, spec or version. Run the study without --resume.")
        for line in lines[1:]:
            self.found[line["contestant"]] = Measured(line["rows"], line["versions"], "")
            self.seconds = line["seconds"]
        if not lines:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                self._path.write_text(json.dumps(what) + "\n", encoding="utf-8")
            except OSError as error:
                raise InputError(f"{self._path}: cannot be written: {error.strerror}. Pass --output FOLDER.") from None

    def add(self, contestant: str, measured: Measured, seconds: float) -> None:
        """Keep what a framework came to; one that failed is measured again."""
        if measured.failure:
            return
        line = {"contestant": contestant, "seconds": self.seconds + seconds, **measured._asdict()}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n")

    def remove(self) -> None:
        """Remove the file: the study has its records."""
        self._path.unlink(missing_ok=True)


def _read(path: Path) -> list[Any]:
    """Return the whole lines of the file; none where there is no file."""
    try:
        text = path.read_text(encoding="utf-8")
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}. Run the study without --resume.") from None
