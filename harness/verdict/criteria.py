"""The criteria of a verdict: the sub-measures that count, each read from a run's records as a cost above 0.

Sub-measures form a tree, and the children of a node share its weight. A sub-measure is read as an amount, which becomes
a cost by a rule: an amount enters as it is, or, where more is better, as its inverse; a count, which can be 0, enters
as the count plus one; a step of an ordered scale as a factor of 2. docs/explanation/verdict.md lists them all.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..measures.agreement.figures import CHECK, CONVENTION_EFFECT, FLOORS
from ..measures.deployment.figures import (
    EXPORT_TOKENS,
    FLOAT64,
    INSTALL_SIZE,
    INSTALL_TIME,
    PACKAGES,
    UNDECLARED,
)
from ..measures.ease import figures as ease
from ..measures.ease.changes import CHANGES as ASKED_CHANGES
from ..measures.mistakes.figures import OUTCOME
from ..measures.openness.figures import FACTS
from ..measures.speed.figures import COLD_START, PEAK_MEMORY, SLICE
from ..records.files import CHECK_FILE
from ..records.vocabulary import Figure
from ..report.text import format_seconds, format_size, format_whole_seconds
from . import deployment, readings
from .readings import OUTDATED, Reader
from .run_records import RunRecords

CRITERIA = ("ease", "speed", "agreement", "open")

SHARES = {"ease.writing": 4.0, "ease.setup": 1.0, "speed.step": 8.0, "speed.start": 1.0, "speed.memory": 1.0}
"""The share of a node among its siblings, where it is not 1. The main part of a criterion has four fifths of it."""

CHANGES = "ease.writing.changes"
"""The node of the sub-measures `ease/change: ...`, one for each change that is asked of every backend."""

AMOUNT, INVERSE, COUNT, SCALE = "as it is", "its inverse", "plus one", f"a factor of {OUTDATED:g} a step"
"""The rules by which an amount becomes a cost."""

REFERENCES = {
    "logical_lines": 101.0,
    "tokens": 1001.0,
    "nodes": 1001.0,
    "cyclomatic_complexity": 21.0,
    "cognitive_complexity": 21.0,
    "api_names": 21.0,
    "attributes": 11.0,
    "concepts": 11.0,
}
"""The cost at which a count of the code scores 1: 100 lines, 1,000 tokens, 20 paths, 10 concepts."""

MIB_256 = float(2**28)

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
    reference: float = 1.0
    """The cost that scores 1. It is fixed, so that a score does not depend on which other backends are in the run."""
    least: float = 1.0
    """The smallest cost that is possible: what an unknown value can be at best."""
    most: float = np.inf
    """The largest cost that is possible: what an unknown value can be at worst."""

    @property
    def criterion(self) -> str:
        """The root of its node."""
        return self.node.partition(".")[0]

    @property
    def has_ratio(self) -> bool:
        """Whether "twice as bad" means something: for an amount it does, for a step of a scale it does not."""
        return self.rule == AMOUNT

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
            node, read = f"ease.writing.code.{part}", readings.read_count(figure)
            yield SubMeasure(_name(figure), title, node, COUNT, read, REFERENCES[figure.name])


def _judge_facts() -> Iterator[SubMeasure]:
    step, releases = readings.OUTDATED, readings.MOST_RELEASES
    share = (26.0, 1.0, 101.0)
    for key, title, node, rule, judge, (reference, least, most) in (
        ("licence", "licence", "open.licence", SCALE, readings.judge_licence, (1.0, 1.0, step)),
        ("governance", "governance", "open.governance", SCALE, readings.judge_governance, (1.0, 1.0, step)),
        (
            "releases_24m",
            "releases",
            "open.upkeep",
            INVERSE,
            readings.judge_releases,
            (1 / 13, 1 / (releases + 1), 1.0),
        ),
        ("last_release_date", "last release", "open.upkeep", SCALE, readings.judge_last_release, (1.0, 1.0, step**2)),
        ("top_author_share", "top author", "open.concentration", COUNT, readings.judge_share, share),
        ("top_organisation_share", "top organisation", "open.concentration", COUNT, readings.judge_share, share),
    ):
        read = readings.read_fact(FACTS[key], judge)
        yield SubMeasure(_name(FACTS[key]), title, node, rule, read, reference, least, most)


def _ask_changes() -> Iterator[SubMeasure]:
    for name in ASKED_CHANGES:
        record = f"{_name(ease.CHANGE)}: {name}"
        yield SubMeasure(record, f"change: {name}", CHANGES, COUNT, readings.read_change(name), 51.0)


INSTALLED = readings.read_amount(INSTALL_SIZE, format_size)
INSTALLING = readings.read_amount(INSTALL_TIME, format_whole_seconds)
STARTING = readings.read_rounds(COLD_START, format_seconds)
MEMORY = readings.read_rounds(PEAK_MEMORY, format_size)

UNNOTICED = SubMeasure(
    _name(OUTCOME), "unnoticed mistakes", "ease.writing.mistakes", COUNT, readings.read_unnoticed_mistakes, 6.0
)
OTHER_BITS = SubMeasure(
    f"{CHECK_FILE}/determinism", "other bits", "agreement.determinism", COUNT, readings.read_determinism, most=4.0
)
DEPLOYMENT = (
    SubMeasure(_name(EXPORT_TOKENS), "export", "ease.deployment.code", COUNT, deployment.read_export_tokens, 51.0),
    SubMeasure(_name(FLOAT64), "wrong exports", "ease.deployment.faults", COUNT, deployment.read_faults, 2.0),
    SubMeasure(_name(UNDECLARED), "undeclared", "ease.deployment.packages", COUNT, deployment.read_undeclared, 2.0),
)
SUB_MEASURES = (
    *_count_code(),
    SubMeasure(_name(INSTALL_SIZE), "installed", "ease.setup", AMOUNT, INSTALLED, MIB_256, 0.0),
    SubMeasure(_name(INSTALL_TIME), "install time", "ease.setup", AMOUNT, INSTALLING, 30.0, 0.0),
    SubMeasure(_name(PACKAGES), "packages", "ease.setup", COUNT, readings.read_count(PACKAGES), 11.0),
    UNNOTICED,
    *_ask_changes(),
    *DEPLOYMENT,
    SubMeasure(_name(SLICE), "time per step", "speed.step", AMOUNT, readings.read_step, 1e-3, 0.0),
    SubMeasure(_name(COLD_START), "cold start", "speed.start", AMOUNT, STARTING, 1.0, 0.0),
    SubMeasure(_name(PEAK_MEMORY), "peak memory", "speed.memory", AMOUNT, MEMORY, MIB_256, 0.0),
    SubMeasure(_name(FLOORS), "rounding error", "agreement.rounding", AMOUNT, readings.read_floors, 16.0, 16.0),
    SubMeasure(_name(CHECK), "known failures", "agreement.checks", COUNT, readings.read_known_failures),
    SubMeasure(_name(CONVENTION_EFFECT), "own conventions", "agreement.conventions", COUNT, readings.read_conventions),
    OTHER_BITS,
    *_judge_facts(),
)
"""All sub-measures. The list is fixed: which backends a run has decides nothing about it."""


def select_sub_measures(records: RunRecords) -> tuple[list[SubMeasure], list[SubMeasure]]:
    """Return the sub-measures that a run is asked for, and those whose command nobody has run for it.

    A run measures the others by itself. Those below count where their own command left its file in the run's folder.
    """
    missing = [
        measure
        for measure, tried in (
            (UNNOTICED, records.mistakes_tried),
            (OTHER_BITS, records.determinism_tried),
            *((each, bool(records.report.deployment_records)) for each in DEPLOYMENT),
        )
        if not tried
    ]
    return [measure for measure in SUB_MEASURES if measure not in missing], missing


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
