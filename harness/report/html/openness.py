"""Openness: the facts that decide most, side by side, and every fact with its source."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ...measures.openness.figures import FACTS
from ..report import Report
from ..text import ABSENT
from .chart import Chart

MAIN = {
    "licence": "licence",
    "governance": "who decides",
    "status": "status",
    "last_release_date": "last release",
    "releases_24m": "releases in 24 months",
    "authors_12m": "authors in 12 months",
    "top_author_share": "top author, % of commits",
    "top_organisation_share": "top organisation",
}
"""The facts side by side, with their headings."""
SHORT = 90
"""Characters of a fact in the table; the whole of it stands below."""


class Facts(NamedTuple):
    """The facts of one framework."""

    title: str
    cells: list[str]
    facts: list[dict[str, Any]]


@dataclass(frozen=True)
class Openness:
    """The facts of all frameworks."""

    frameworks: list[Facts]
    chart: Chart

    headings: ClassVar = list(MAIN.values())


def read_openness(report: Report) -> Openness | None:
    """Return the facts; None where the run has none."""
    table = report.openness()
    if not len(table):
        return None
    frameworks = []
    for backend in dict.fromkeys(table["backend"]):
        facts = table[table["backend"].eq(backend)].to_dict("records")
        values = {fact["fact"]: fact["value"] for fact in facts}
        cells = [_shorten(values.get(name, ABSENT)) for name in MAIN]
        frameworks.append(
            Facts(
                report.title(str(backend)), cells, [{str(key): value for key, value in fact.items()} for fact in facts]
            )
        )
    measure = next(iter(FACTS.values())).measure
    return Openness(frameworks, Chart("openness", "Openness", "", table, {}, f"{measure}/*"))


def _shorten(value: Any) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= SHORT else f"{text[:SHORT].rsplit(' ', 1)[0]} ..."
