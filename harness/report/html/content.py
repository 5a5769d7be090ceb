"""What the page holds: its words, tables and charts, and the data for its scripts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from ..report import Report
from .answer import describe_answer
from .blocks import Block, Parts, list_blocks
from .chart import Chart
from .mistakes import Mistakes, read_mistakes
from .openness import Openness, read_openness
from .ratios import export_ratios
from .rows import COLUMNS, WORDS, TableRow, list_rows
from .sources import Source, list_sources
from .start import export_starts

CRITERIA = {
    "ease": "little code, few concepts, quick to install, mistakes that are noticed",
    "speed": "time per step (8 parts of 10), cold start (1) and memory (1)",
    "agreement": "computes what the others compute, the same every time",
    "open": "openness: licence, governance, releases, who writes it",
}
"""What each criterion of the verdict is about."""


@dataclass(frozen=True)
class Page:
    """Everything that the template writes."""

    title: str
    heading: str
    facts: dict[str, str]
    """Heading and value, of the run as a whole."""
    answer: list[str]
    """Sentences, the most important first."""
    warnings: list[str]
    notes: list[str]
    scope: str
    limits: str
    rows: list[TableRow]
    blocks: list[Block]
    parts: Parts
    scoring: Mapping[str, Any]
    data: dict[str, Any]
    """For the scripts."""

    columns: ClassVar = COLUMNS
    words: ClassVar = WORDS
    criteria: ClassVar = CRITERIA

    @property
    def self_test(self) -> str:
        """The name of the second copy of the self-tested variant; "" where there is none."""
        return next((row.name for row in self.rows if row.copy), "")

    @property
    def charts(self) -> list[Chart]:
        """Everything that can be downloaded."""
        return [
            _chart_summary(self.rows),
            *(chart for block in self.blocks for chart in (*block.charts, *block.downloads)),
        ]

    @property
    def chart(self) -> dict[str, Chart]:
        """The charts by name."""
        return {chart.name: chart for chart in self.charts}

    @property
    def sources(self) -> list[Source]:
        """The model files."""
        return self.parts.sources

    @property
    def mistakes(self) -> Mistakes | None:
        """What became of common mistakes."""
        return self.parts.mistakes

    @property
    def openness(self) -> Openness | None:
        """The facts of openness."""
        return self.parts.openness

    @property
    def sections(self) -> dict[str, str]:
        """The name of each section and its words in the navigation."""
        blocks = {block.name: block.short for block in self.blocks}
        return {"answer": "Answer", "table": "Table", **blocks, "notes": "Notes"}


def collect(runs: Sequence[Report], scoring: Mapping[str, Any]) -> Page:
    """Return what the page holds: of the first run, and its comparison with the others."""
    report = runs[0]
    header, warnings = report.header, report.warnings()
    rows = list_rows(report)
    parts = Parts(list_sources(report), read_mistakes(report), read_openness(report))
    facts = {
        "run": report.folder.resolve().name,
        "date": str(header["created"]),
        "machine": str(header["machine"]["processor"]),
        "data": f"{header['data']['name']} ({header['data']['hash']})",
        "spec": str(header["spec_hash"]),
        "bakeoff": str(header["bakeoff"]),
    }
    return Page(
        title=f"{header['data']['name']}, {header['created'][:10]}",
        heading=f"{len(header['backends'])} frameworks on {_count_workloads(report)}: which one, and how sure is that?",
        facts=facts,
        answer=list(describe_answer(report)),
        warnings=warnings,
        notes=[note for note in report.notes() if note not in warnings],
        scope=str(scoring["scope"]),
        limits=str(scoring["limits"]),
        rows=rows,
        blocks=list_blocks(runs, parts),
        parts=parts,
        scoring=scoring,
        data={
            "facts": facts,
            "variants": [row.data for row in rows],
            "ratios": export_ratios(report),
            "starts": export_starts(report),
            "scoring": dict(scoring),
        },
    )


def _count_workloads(report: Report) -> str:
    return f"{len(report.suite_results.names)} workloads" if report.suite_results else "one network"


def _chart_summary(rows: Sequence[TableRow]) -> Chart:
    """Return the rows of the table for its download: raw values, as in `summary.csv`."""
    table = pd.DataFrame([row.data for row in rows]).drop(columns="title")
    units = {str(name): unit for name in table for end, unit in UNITS.items() if str(name).endswith(end)}
    return Chart("summary", "All variants", "", table, {}, "all of the run", units)


UNITS = {"_s": "s", "_s_low": "s", "_s_high": "s", "_bytes": "bytes", "_accuracy": "share", "_floors": "floors"}
"""The unit of a column, by the end of its name."""
