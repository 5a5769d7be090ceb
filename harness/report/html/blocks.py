"""The sections of the page after the table, in their order: words, charts, and what is said where a run lacks them."""

from collections.abc import Sequence
from typing import NamedTuple

from ..report import Report
from . import fitness, speed, start
from .chart import Chart


class Block(NamedTuple):
    """A section."""

    name: str
    title: str
    short: str
    """In the navigation."""
    lead: list[str]
    charts: list[Chart]
    part: str = ""
    """A template with more of it."""
    absent: str = ""
    """Said where the run has no such records."""
    tables: list[Chart] = []  # noqa: RUF012  # a default that nobody changes
    """Tables that can be downloaded, and are no charts."""


def list_blocks(runs: Sequence[Report]) -> list[Block]:
    """Return the sections of the page of the first run."""
    report = runs[0]
    return [_speed(report), _fitness(report), _start(report), _verdict()]


def _present(*charts: Chart | None) -> list[Chart]:
    return [chart for chart in charts if chart is not None]


def _speed(report: Report) -> Block:
    charts = _present(speed.chart_step_times(report))
    lead = ["The time of one training step in steady state, on this machine, with this network and these threads."]
    return Block("speed", "Time per step", "Step times", lead, charts, absent="" if charts else NOT_TIMED)


def _fitness(report: Report) -> Block:
    charts = _present(fitness.chart_self_test(report), fitness.chart_slices(report))
    return Block(
        "fitness",
        "Can this measurement be trusted?",
        "Fit to measure",
        list(fitness.describe_fitness(report)),
        charts,
        absent="" if charts else NOT_TIMED,
    )


def _start(report: Report) -> Block:
    charts = _present(start.chart_totals(report))
    lead = [
        "A compiled variant starts later and runs faster. The lines add up import, building, the first call with its "
        "compilation, and the steps: where two lines cross, compiling has paid."
    ]
    return Block("start", "First call against steady state", "First call", lead, charts, "start.html.jinja" if charts else "", "" if charts else NOT_TIMED)


def _verdict() -> Block:
    lead = ["Say how much each criterion matters to you: the ranking follows at once. 0 leaves a criterion out."]
    return Block("verdict", "Which one, by what you value", "Ranking", lead, [], "verdict.html.jinja")


NOT_TIMED = "Nothing was timed in this run."
