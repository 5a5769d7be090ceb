"""What a study is: a question, a measurement in one framework, and what is written about the records of all."""

import hashlib
from collections.abc import Callable, Iterator
from importlib import resources
from typing import Any, NamedTuple

from ..search.data import splits_of
from ..search.space import SearchFile, parse
from ..workers.session import Session
from .records import Records, Row


class Setting(NamedTuple):
    """What a measurement in one framework gets."""

    session: Session
    variant: str
    file: SearchFile
    """The spec of the study, with its space where it has one."""
    short: bool
    say: Callable[[str], None]


class Picture(NamedTuple):
    """A picture on the page."""

    name: str
    caption: str
    chart: Any
    """An Altair chart."""


class Study(NamedTuple):
    """A study. Its spec is the file `specs/NAME.toml`."""

    name: str
    title: str
    question: str
    """A paragraph: what is asked, and why."""
    method: str
    """A paragraph: what is trained, on what, how often."""
    measure: Callable[[Setting], Iterator[Row]]
    """Yields a row for each thing that is measured in one framework."""
    findings: Callable[[Records], list[str]]
    """Returns what the records show, as Markdown paragraphs and tables. It promises nothing."""
    pictures: Callable[[Records], list[Picture]]
    uses_data: bool = True
    """Whether anything is trained on the data of its spec."""

    def spec_text(self) -> str:
        """Return the text of its spec file."""
        return resources.files(__package__).joinpath("specs", f"{self.name}.toml").read_text(encoding="utf-8")

    def file(self) -> SearchFile:
        """Return its spec, with its space where it has one."""
        return parse(self.spec_text(), f"{self.name}.toml")

    def hashes(self) -> dict[str, str | None]:
        """Return what its records hold of its input: the hashes of its spec, of its whole file, and of its data.

        The data are split by the seed of the spec; None where the study uses none.
        """
        spec = self.file().spec
        whole = hashlib.sha256(self.spec_text().encode()).hexdigest()[:12]
        return {"spec": spec.hash(), "file": whole, "data": splits_of(spec).hash if self.uses_data else None}
