"""The figures of a loaded run, as Altair charts: a notebook shows them, and `.save(FILE)` writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...common.errors import InputError
from .. import figures

if TYPE_CHECKING:
    from ..report import Report


class Plots:
    """The figures of a run. Raises InputError where the extra `bakeoff[figures]` is not installed."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def step_times(self) -> Any:
        """Return the time per step of each variant with its interval, the fastest first, on a log scale."""
        figures.require_altair()
        return figures.describe(figures.step_chart(self._report.summary()), self._report)

    def sweep(self) -> Any:
        """Return the time per step by the size that the sweep varies."""
        figures.require_altair()
        if not len(self._report.sweep_times):
            raise InputError(f"{self._report.folder}: no sweep in this run (docs/how-to/measure-several-sizes.md).")
        return figures.describe(figures.draw_sweep(self._report), self._report)

    def learning_curves(self) -> Any:
        """Return the validation accuracy of each variant by epoch."""
        figures.require_altair()
        from .frames import FRAMES  # noqa: PLC0415  # only this figure reads a table

        training = next(frame for frame in FRAMES if frame.name == "training").make(self._report)
        return figures.describe(figures.learning_chart(training), self._report)
