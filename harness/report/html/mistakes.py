"""Common mistakes, tried deliberately: what each framework does, and its messages word for word."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import pandas as pd

from ...measures import VOCABULARY
from ...measures.mistakes.catalogue import MISTAKES
from ...measures.mistakes.figures import OUTCOME
from ...measures.mistakes.judge import NOTICED, OUTCOMES, SILENT_AND_WRONG, TRIED
from ...records import read
from ...records.files import MISTAKES_FILE
from ...records.query import Query
from ..report import Report
from .chart import NAME, Chart

KINDS = {
    **dict.fromkeys(NOTICED, "noticed"),
    **dict.fromkeys(SILENT_AND_WRONG, "silent"),
    "right": "harmless",
    **dict.fromkeys((word for word in OUTCOMES if word not in TRIED), "untried"),
}
"""The class of a field, by outcome."""


class Message(NamedTuple):
    """What some variants do alike."""

    who: str
    outcome: str
    how: str
    text: str


class MistakeRow(NamedTuple):
    """A mistake, and what became of it in each variant."""

    title: str
    outcomes: dict[str, str]
    noticed: int
    tried: int
    messages: list[Message]


@dataclass(frozen=True)
class Mistakes:
    """All mistakes."""

    variants: list[str]
    rows: list[MistakeRow]
    words: dict[str, str]
    chart: Chart

    kinds: ClassVar = KINDS


def read_mistakes(report: Report) -> Mistakes | None:
    """Return what became of the mistakes; None where nobody tried them for this run."""
    found = _read_outcomes(report)
    if not len(found):
        return None
    found = found.assign(**{NAME: found["backend"] + ":" + found["variant"]})
    rows = [_make_row(name, found[found["mistake"].eq(name)]) for name in dict.fromkeys(found["mistake"])]
    seen = set(found["value"])
    columns = {"value": "outcome"}
    table = found[[NAME, "mistake", "value", "when", "exception", "message", "printed", "how"]].rename(columns=columns)
    chart = Chart("mistakes", "Common mistakes", "", table, {}, f"{OUTCOME.measure}/{OUTCOME.name}")
    words = {word: meaning for word, meaning in OUTCOMES.items() if word in seen}
    return Mistakes(list(dict.fromkeys(found[NAME])), rows, words, chart)


def _read_outcomes(report: Report) -> pd.DataFrame:
    """Return the outcomes from the file of their own command, else those of the run itself."""
    beside = read.read_records(report.folder, VOCABULARY, file=MISTAKES_FILE)
    rows = Query(beside).rows(OUTCOME) if len(beside) else report.query.rows(OUTCOME)
    return rows.fillna({"message": "", "printed": "", "how": "", "when": "", "exception": ""})


def _make_row(name: str, rows: pd.DataFrame) -> MistakeRow:
    outcomes = {str(row[NAME]): str(row["value"]) for row in rows.to_dict("records")}
    alike: dict[tuple[str, str, str], list[str]] = {}
    for row in rows.to_dict("records"):
        alike.setdefault((str(row["value"]), str(row["how"]), _write_message(row)), []).append(str(row[NAME]))
    return MistakeRow(
        MISTAKES[name].title if name in MISTAKES else name,
        outcomes,
        sum(outcome in NOTICED for outcome in outcomes.values()),
        sum(outcome in TRIED for outcome in outcomes.values()),
        [Message(", ".join(who), outcome, how, text) for (outcome, how, text), who in alike.items()],
    )


def _write_message(row: Mapping[Any, Any]) -> str:
    message = f"{row['exception']}: {row['message']}" if row["exception"] and row["message"] else str(row["message"])
    return message or str(row["printed"])
