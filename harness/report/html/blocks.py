"""The sections of the page after the table, in their order: words, charts, and what is said where a run lacks them."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from ...measures.deployment import tables as deployment_tables
from ...measures.deployment.latency import judge_self_test
from ..compare import Pair, require_comparable
from ..report import Report
from . import agreement, comparison, fitness, speed, start, suite, training
from .chart import Chart
from .mistakes import Mistakes
from .openness import Openness
from .sources import Source

NOT_TIMED = "Nothing was timed in this run."
NOT_CHECKED = "The agreement was not checked in this run."


class PlainTable(NamedTuple):
    """A table as it stands."""

    title: str
    headings: list[str]
    rows: list[list[str]]
    chart: str
    """The name of its download; "" for none."""


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
    downloads: tuple[Chart, ...] = ()
    """Tables that can be downloaded, and are no charts."""
    tables: tuple[PlainTable, ...] = ()


class Parts(NamedTuple):
    """What several sections and the template need."""

    sources: list[Source]
    mistakes: Mistakes | None
    openness: Openness | None


def list_blocks(runs: Sequence[Report], parts: Parts) -> list[Block]:
    """Return the sections of the page of the first run."""
    report = runs[0]
    return [
        _speed(report),
        _verdict(),
        _fitness(report),
        *([_suite(report)] if report.suite_results else []),
        _start(report),
        _new_sizes(report),
        _size(report),
        _agreement(report),
        _training(report),
        _memory(report),
        _source(parts),
        _mistakes(parts),
        _openness(parts),
        _installation(report),
        _deployment(report),
        *([_comparison(runs)] if len(runs) > 1 else []),
    ]


def _present(*charts: Chart | None) -> list[Chart]:
    return [chart for chart in charts if chart is not None]


def _speed(report: Report) -> Block:
    charts = _present(speed.chart_step_times(report))
    lead = ["The time of one training step in steady state, on this machine, with this network and these threads."]
    return Block("speed", "Time per step", "Step times", lead, charts, absent="" if charts else NOT_TIMED)


def _verdict() -> Block:
    lead = ["Say how much each criterion matters to you: the ranking follows at once. 0 leaves a criterion out."]
    return Block("verdict", "Which one, by what you value", "Ranking", lead, [], "verdict.html.jinja")


def _fitness(report: Report) -> Block:
    charts = _present(fitness.chart_self_test(report), fitness.chart_slices(report))
    lead = list(fitness.describe_fitness(report))
    absent = "" if charts else NOT_TIMED
    return Block("fitness", "Can this measurement be trusted?", "Measurement", lead, charts, absent=absent)


def _start(report: Report) -> Block:
    charts = _present(start.chart_totals(report))
    lead = [
        "A compiled variant starts later and runs faster. A line begins with the cold start, from the start of the "
        "process to the end of the first steps with their compilation, and adds steps in steady state: where two lines "
        "cross, compiling has paid."
    ]
    part, absent = ("start.html.jinja", "") if charts else ("", NOT_TIMED)
    return Block("start", "First call against steady state", "First call", lead, charts, part, absent)


def _suite(report: Report) -> Block:
    charts = _present(suite.chart_profiles(report))
    tables = (make_table("Times the fastest, by workload", report.readable_suite()),)
    lead = [report.suite_results.caption]
    return Block("suite", "Workloads", "Workloads", lead, charts, "plain.html.jinja", tables=tables)


def _new_sizes(report: Report) -> Block:
    title = "The cost of a new batch size"
    charts = _present(suite.chart_new_sizes(report))
    if not report.size_costs:
        absent = "This run did not measure it: `bakeoff run --new-shapes` does, and the suite `full`."
        return Block("shapes", title, "New sizes", [], [], absent=absent)
    tables = (make_table(title, report.readable_new_shapes()),)
    return Block("shapes", title, "New sizes", [report.SHAPES_CAPTION], charts, "plain.html.jinja", tables=tables)


def _size(report: Report) -> Block:
    charts = _present(suite.chart_suite(report), *speed.chart_sweep(report))
    lead = ["At small sizes a step is overhead of the framework; at large ones it is arithmetic."] if charts else []
    absent = (
        "This run has one size. `bakeoff run --suite standard` times several workloads, and [sweep] in the spec "
        "several sizes: docs/how-to/measure-several-sizes.md."
    )
    return Block("size", "Cost against size", "Size", lead, charts, absent="" if charts else absent)


def _agreement(report: Report) -> Block:
    charts = _present(agreement.chart_overview(report), agreement.chart_arrays(report))
    lead = list(agreement.describe_agreement(report))
    absent = "" if charts else NOT_CHECKED
    return Block("agreement", "Do all compute the same?", "Agreement", lead, charts, absent=absent)


def _training(report: Report) -> Block:
    charts = _present(training.chart_losses(report), training.chart_accuracy(report))
    absent = "" if charts else "No training was recorded in this run."
    return Block("training", "Training", "Training", list(training.describe_training(report)), charts, absent=absent)


def _memory(report: Report) -> Block:
    charts = _present(speed.chart_memory(report))
    lead = ["The most memory that the process held while it trained: interpreter, libraries, compiler and data."]
    return Block("memory", "Memory", "Memory", lead, charts, absent="" if charts else NOT_TIMED)


def _source(parts: Parts) -> Block:
    lead = [
        "The same network, as users of each framework write it. The number before a line counts its tokens; a marked "
        "line uses a concept of the framework or overrides a default, and says which when you point at it."
    ]
    absent = "" if parts.sources else "The model files of this run are not here."
    return Block("source", "The code, side by side", "Code", lead, [], "source.html.jinja", absent)


def _mistakes(parts: Parts) -> Block:
    found = parts.mistakes
    lead = ["Mistakes that everybody makes, made on purpose: does the framework notice, and what does it say?"]
    absent = "" if found else "Nobody tried the mistakes for this run: `bakeoff mistakes --records` does."
    charts = (found.chart,) if found else ()
    return Block("mistakes", "Common mistakes", "Mistakes", lead, [], "mistakes.html.jinja", absent, charts)


def _openness(parts: Parts) -> Block:
    found = parts.openness
    lead = ["Who owns it, who decides, who writes it: facts that were read at the stated date, each with its source."]
    absent = "" if found else "This run has no facts of openness."
    charts = (found.chart,) if found else ()
    return Block("openness", "Openness", "Openness", lead, [], "openness.html.jinja", absent, charts)


def _installation(report: Report) -> Block:
    table = report.installation()
    known = len(table) and (table.drop(columns="backend").to_numpy() != "-").any()
    if not known:
        return Block("deployment", "Installation", "Installation", [], [], absent="This run has no such records.")
    chart = Chart("installation", "Installation", "", table.rename(columns={"backend": "variant"}), {}, "deployment/*")
    lead = [
        "What it takes to get started: download, disk, time, and the cold start, from the start of the process to the "
        "end of the first steps."
    ]
    plain = make_table("Installation", table, chart.name)
    return Block("deployment", "Installation", "Installation", lead, [], "plain.html.jinja", "", (chart,), (plain,))


def _deployment(report: Report) -> Block:
    """Return what became of the exports: a table for each question, and a line for each surprise."""
    title, short = "From training to serving", "Deployment"
    tables, rows = report.deployment(), report.deployment_records
    if not rows:
        absent = "Nothing was deployed in this run: `bakeoff run --deploy 10m`, or `bakeoff deploy --records`, does it."
        return Block("serving", title, short, [], [], absent=absent)
    chart = Chart("serving", title, "", deployment_tables.list_values(rows), {}, "deployment/*")
    lead = [
        "Each trained network is exported, loaded in a clean process, and compared with the oracle on all rows before "
        "anything is timed.",
        deployment_tables.NOT_THE_FRAMEWORK,
    ]
    self_test = judge_self_test(rows)
    if self_test:
        lead.insert(0, f"The self-test of the latencies failed: {self_test}. Do not compare latencies.")
    found = deployment_tables.describe_failures(rows)
    if found:
        tables["What failed, or was silent"] = pd.DataFrame(
            {"number": range(1, len(found) + 1), "finding": found}  # a heading of the row would not be broken
        )
    plain = [make_table(heading, table) for heading, table in tables.items()]
    plain[0] = plain[0]._replace(chart=chart.name)
    return Block("serving", title, short, lead, [], "plain.html.jinja", "", (chart,), tuple(plain))


def _comparison(runs: Sequence[Report]) -> Block:
    """Return the comparison of the other runs with the first."""
    lead: list[str] = []
    tables: list[PlainTable] = []
    charts: list[Chart] = []
    for number, other in enumerate(runs[1:], start=1):
        require_comparable(runs[0], other)
        pair, name = Pair(runs[0], other), comparison.name_run(other)
        lead += comparison.describe_pair(pair)
        charts += _present(comparison.chart_changes(pair, number))
        tables.append(make_table(f"{name}: what changed", pair.readable()))
        differences = pd.DataFrame(pair.differences(), columns=["difference", "baseline", name])
        if len(differences):
            tables.append(make_table(f"{name}: what else differs", differences))
    title = "Compared with other runs"
    return Block("comparison", title, "Other runs", lead, charts, "plain.html.jinja", tables=tuple(tables))


def make_table(title: str, table: pd.DataFrame, chart: str = "") -> PlainTable:
    """Return a table of text as the template writes it."""
    rows = [[str(cell) for cell in row] for row in table.fillna("-").to_numpy().tolist()]
    return PlainTable(title, [str(heading) for heading in table.columns], rows, chart)
