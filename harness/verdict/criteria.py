"""The criteria of a verdict: the sub-measures that count, each read from a run's records as a cost above 0.

Sub-measures form a tree, and the children of a node share its weight. A sub-measure is read as an amount, which becomes
a cost by a rule: an amount enters as it is, or, where more is better, as its inverse; a count, which can be 0, enters
as the count plus one; a step of an ordered scale as a factor of 2. docs/explanation/verdict.md lists them all.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..measures.agreement.figures import CHECK, CONVENTION_EFFECT, FLOORS
from ..measures.deployment.figures import INSTALL_SIZE, INSTALL_TIME, PACKAGES
from ..measures.ease import figures as ease
from ..measures.mistakes.figures import OUTCOME
from ..measures.openness.figures import FACTS
from ..measures.speed.figures import BUILD, FIRST_CALL, IMPORT, PEAK_MEMORY, SLICE, TRANSFER
from ..records.vocabulary import Figure
from ..report.text import format_seconds, format_size, format_whole_seconds
from . import readings
from .readings import OUTDATED, Reader
from .run_records import CHECK_FILE, Key, RunRecords

CRITERIA = ("ease", "speed", "agreement", "open")

SHARES = {"ease.writing": 4.0, "ease.setup": 1.0, "speed.step": 8.0, "speed.start": 1.0, "speed.memory": 1.0}
"""The share of a node among its siblings, where it is not 1. The main part of a criterion has four fifths of it."""

CHANGES = "ease.writing.changes"
"""The node of the sub-measures `ease/change: ...`, one for each change that was asked of every backend."""

AMOUNT, INVERSE, COUNT, SCALE = "as it is", "its inverse", "plus one", f"a factor of {OUTDATED:g} a step"
"""The rules by which an amount becomes a cost."""

START = (IMPORT, BUILD, TRANSFER, FIRST_CALL)
"""The time before the second call: one after the other, in seconds."""

CODE = {
    "size": (ease.LOGICAL_LINES, ease.TOKENS, ease.NODES),
    "complexity": (ease.CYCLOMATIC_COMPLEXITY, ease.COGNITIVE_COMPLEXITY),
    "vocabulary": (ease.API_NAMES, ease.ATTRIBUTES, ease.CONCEPTS),
}
"""The figures of ease that count, by part of the code. Overriding arguments do not: an author who computes everything
by hand passes none, and that is no easier."""


class SubMeasure(NamedTuple):
    """A part of a criterion, read from one kind of record."""

    record: str
    """`measure/figure`, as in records.jsonl; figures joined by + where their sum counts."""
    title: str
    node: str
    """Its node of the tree: `ease.writing.code.size`."""
    rule: str
    """How an amount becomes a cost."""
    read: Reader
    """Reads one variant; None where there is no record."""

    @property
    def criterion(self) -> str:
        """The root of its node."""
        return self.node.partition(".")[0]

    @property
    def path(self) -> str:
        """Its node and itself: unique."""
        return f"{self.node}.{self.record.rpartition('/')[2]}"


def _name(figure: Figure) -> str:
    return f"{figure.measure}/{figure.name}"


def _count_code() -> Iterator[SubMeasure]:
    for part, figures in CODE.items():
        for figure in figures:
            title = figure.name.replace("_", " ")
            yield SubMeasure(_name(figure), title, f"ease.writing.code.{part}", COUNT, readings.read_count(figure))


def _judge_facts() -> Iterator[SubMeasure]:
    for key, title, node, rule, judge in (
        ("licence", "licence", "open.licence", SCALE, readings.judge_licence),
        ("governance", "governance", "open.governance", SCALE, readings.judge_governance),
        ("releases_24m", "releases", "open.upkeep", INVERSE, readings.judge_releases),
        ("last_release_date", "last release", "open.upkeep", SCALE, readings.judge_last_release),
        ("top_author_share", "top author", "open.concentration", COUNT, readings.judge_share),
        ("top_organisation_share", "top organisation", "open.concentration", COUNT, readings.judge_share),
    ):
        yield SubMeasure(_name(FACTS[key]), title, node, rule, readings.read_fact(FACTS[key], judge))


SUB_MEASURES = (
    *_count_code(),
    SubMeasure(_name(INSTALL_SIZE), "installed", "ease.setup", AMOUNT, readings.read_amount(INSTALL_SIZE, format_size)),
    SubMeasure(
        _name(INSTALL_TIME),
        "install time",
        "ease.setup",
        AMOUNT,
        readings.read_amount(INSTALL_TIME, format_whole_seconds),
    ),
    SubMeasure(_name(PACKAGES), "packages", "ease.setup", COUNT, readings.read_count(PACKAGES)),
    SubMeasure(_name(OUTCOME), "unnoticed mistakes", "ease.writing.mistakes", COUNT, readings.read_unnoticed_mistakes),
    SubMeasure(_name(SLICE), "time per step", "speed.step", AMOUNT, readings.read_step),
    SubMeasure(
        f"{START[0].measure}/{' + '.join(figure.name for figure in START)}",
        "start",
        "speed.start",
        AMOUNT,
        readings.read_sum(START, format_seconds),
    ),
    SubMeasure(
        _name(PEAK_MEMORY), "peak memory", "speed.memory", AMOUNT, readings.read_sum([PEAK_MEMORY], format_size)
    ),
    SubMeasure(_name(FLOORS), "rounding error", "agreement.rounding", AMOUNT, readings.read_floors),
    SubMeasure(_name(CHECK), "known failures", "agreement.checks", COUNT, readings.read_known_failures),
    SubMeasure(_name(CONVENTION_EFFECT), "own conventions", "agreement.conventions", COUNT, readings.read_conventions),
    SubMeasure(f"{CHECK_FILE}/determinism", "other bits", "agreement.determinism", COUNT, readings.read_determinism),
    *_judge_facts(),
)
"""The sub-measures that every run can have."""


def list_sub_measures(records: RunRecords, keys: Sequence[Key]) -> list[SubMeasure]:
    """Return the sub-measures of a run: those above, and changes.

    The costs of those changes that all of `keys` can make are summed; each other change is a sub-measure of its own.
    """
    names = [str(name) for name in dict.fromkeys(records.query.rows(ease.CHANGE)["change"])]
    common = [name for name in names if all(readings.read_changes([name])(records, key) is not None for key in keys)]
    summed = [_count_changes(common, "changes")] if common else []
    alone = [_count_changes([name], f"change: {name}") for name in names if name not in common]
    return [*SUB_MEASURES, *summed, *alone]


def _count_changes(names: Sequence[str], title: str) -> SubMeasure:
    record = f"{_name(ease.CHANGE)}: {' + '.join(names)}"
    return SubMeasure(record, title, CHANGES, COUNT, readings.read_changes(names))


def compute_shares(measures: Sequence[SubMeasure], own: Mapping[str, float]) -> list[float]:
    """Return the part of its criterion that each decides: the children of a node divide its share.

    `own` are shares by node, which go before SHARES; a node without any share of its own has 1.
    """
    children: dict[str, list[str]] = {}
    for measure in measures:
        for parent, child in _split_path(measure.path):
            if child not in children.setdefault(parent, []):
                children[parent].append(child)

    def share(node: str) -> float:
        return own.get(node, SHARES.get(node, 1.0))

    result = []
    for measure in measures:
        part = 1.0
        for parent, child in _split_path(measure.path):
            whole = sum(share(each) for each in children[parent])
            part *= share(child) / whole if whole else 0.0
        result.append(part)
    return result


def _split_path(path: str) -> Iterator[tuple[str, str]]:
    """Yield (parent, child) from the criterion down: `a.b.c` has (a, a.b) and (a.b, a.b.c)."""
    parts = path.split(".")
    for length in range(1, len(parts)):
        yield ".".join(parts[:length]), ".".join(parts[: length + 1])
