"""A run that was read from its folder."""

from __future__ import annotations

import html
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ...common.errors import InputError
from ...common.toml import nearest
from ...measures import VOCABULARY
from ...records.vocabulary import HEAD
from ..report import Report
from ..summary import RunSummary, summarise
from .frames import FRAMES, Frame
from .plots import Plots

if TYPE_CHECKING:
    from ...records.vocabulary import Figure

BY_NAME: dict[str, Frame] = {frame.name: frame for frame in FRAMES}


class LoadedRun:
    """A run: its tables as attributes (`run.summary`, `run.speed`, ...), its figures, and its answer in sentences.

    Every table is a tidy DataFrame whose columns docs/reference/python.md lists with their units; `attrs["units"]` of
    the DataFrame has them too. A table is made when it is first asked for; change a copy of it.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.report = Report(self.folder)
        """The report that the tables come from."""
        self.plot = Plots(self.report)
        """The figures: `run.plot.step_times()`, `run.plot.sweep()`, `run.plot.learning_curves()`."""
        self._tables: dict[str, pd.DataFrame] = {}

    def __getattr__(self, name: str) -> pd.DataFrame:
        """Return the table of that name."""
        if name.startswith("_") or name not in BY_NAME:
            raise AttributeError(f"a run has no `{name}`. Its tables: {', '.join(BY_NAME)}.")
        if name not in self._tables:
            self._tables[name] = BY_NAME[name].make(self.report)
        return self._tables[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *BY_NAME]

    @cached_property
    def answer(self) -> RunSummary:
        """The answer as typed values and sentences: `run.answer.fastest`, `.ties`, `.agreement`, `.scope`, ..."""
        return summarise(self.report)

    @property
    def header(self) -> dict[str, Any]:
        """What stands in run.json: the spec, the data, the machine, the plan."""
        return self.report.header

    @property
    def records(self) -> pd.DataFrame:
        """Every record of the finished tasks, as docs/reference/records.md describes them."""
        return self.report.records

    @property
    def notes(self) -> list[str]:
        """The sentences to be read before the tables; the warnings come first."""
        return self.report.notes()

    def figure(self, figure: str | Figure, **where: Any) -> pd.DataFrame:
        """Return the records of a figure, `"speed/slice"`, whose keys equal `where`: `backend="..."`.

        docs/reference/records.md lists the figures and their keys. Raises InputError for another one.
        """
        declared = _find_figure(figure) if isinstance(figure, str) else figure
        keys = [*HEAD, *declared.keys, *declared.optional]
        for key in where:
            if key not in keys:
                name = f"{declared.measure}/{declared.name}"
                raise InputError(f"figure: {name} has no key `{key}`. {nearest(key, keys)}")
        return self.report.query.rows(declared, **where)

    def __repr__(self) -> str:
        return f"LoadedRun({str(self.folder)!r}): {self.answer.answer}"

    def _repr_html_(self) -> str:
        """Return the sentences and the summary for a notebook. Text from frameworks is escaped."""
        answer = self.answer
        sentences = (*answer.warnings, answer.answer, answer.agreement, answer.trust, answer.scope)
        paragraphs = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences if sentence)
        table = self.report.readable_summary().to_html(index=False, escape=True, border=0)
        return f"<div><h4>{html.escape(str(self.folder))}</h4>{paragraphs}{table}</div>"


def _find_figure(name: str) -> Figure:
    known = {"/".join(each): figure for each, figure in VOCABULARY.figures.items()}
    if name not in known:
        raise InputError(
            f"figure: expected a declared figure such as speed/slice, got {name!r}. {nearest(name, known)} "
            "docs/reference/records.md describes them."
        )
    return known[name]


def load(run: str | os.PathLike[str]) -> LoadedRun:
    """Return the run in a folder. Raises InputError where there is none, or it is damaged."""
    return LoadedRun(run)
