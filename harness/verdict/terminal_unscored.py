"""What a verdict does not score, on the terminal: candidates with unknown values, excluded variants, other faults."""

import math

from rich.console import Console
from rich.text import Text

from ..measures.deployment.figures import EXPORT_TOKENS, FLOAT64, UNDECLARED
from ..records.files import CHECK_FILE, DEPLOYMENT_FILE, MISTAKES_FILE
from ..report.terminal.console import print_line
from ..report.text import join_words
from .requirements import describe_answers
from .unknown import find_rank_range
from .verdict import Verdict

RULES = "docs/explanation/verdict.md"

RECORDED_BY = {
    "mistakes/outcome": f"no record; `bakeoff mistakes --records RUN/{MISTAKES_FILE}` writes it",
    f"{CHECK_FILE}/determinism": f"no record; `bakeoff check --records RUN/{CHECK_FILE}` writes it",
    **{
        f"{figure.measure}/{figure.name}": f"no record; `bakeoff deploy --records RUN/{DEPLOYMENT_FILE}` writes it"
        for figure in (EXPORT_TOKENS, FLOAT64, UNDECLARED)
    },
}
"""What a run does not measure by itself, and the command that puts it into the run's folder."""


def describe_rivals(verdict: Verdict) -> str:
    """Return which candidates with unknown values could be ahead of the first; "" where none could."""
    names = [f"{one.title} ({one.name})" for one in verdict.rivals]
    return f"{join_words(names)} could be ahead: it depends on what is unknown." if names else ""


def print_apart(console: Console, verdict: Verdict) -> None:
    """Print the candidates with unknown values, each with the range of its score and of its rank."""
    scores = [place.score for place in verdict.ranking] if verdict.decided else []
    for one in verdict.apart:
        best, worst = find_rank_range(one.low, one.high, scores)
        ranks = f"rank {best}" if best == worst else f"rank {best} to {worst}"
        high = f"{one.high:.2f}" if one.high < math.inf else "no known bound"
        said = f"{one.name}: score {one.low:.2f} to {high}{f', {ranks}' if scores else ''}"
        print_line(console, f"Apart: {said}. Unknown: {', '.join(one.unknown)}.", wrap=True)
    if verdict.apart:
        nodes = dict.fromkeys(node for one in verdict.apart for node in one.nodes)
        without = ",".join(f"{node}=0" for node in nodes)
        print_line(console, f"To rank all without what is unknown, add --weights {without}.", wrap=True)


def print_unscored(console: Console, verdict: Verdict) -> None:
    """Print the variants and sub-measures that were not scored, and why."""
    together: dict[str, list[str]] = {}
    for each in verdict.excluded:
        together.setdefault(each.why, []).append(each.name)
    _print_answers(console, verdict)
    newer = [
        f"{verdict.title(backend)} {measured} (newest known {newest}, {asof})"
        for backend, (measured, newest, asof) in verdict.newer_releases.items()
    ]
    if newer:
        print_line(console, f"Measured, and not the newest version: {'; '.join(newer)}.", wrap=True)
    for why, names in together.items():
        console.print(Text(f"Excluded: {', '.join(names)}: {why}", "yellow"), highlight=False)
    weighted = {measure for measure, part in verdict.weighted if part > 0}
    lacking: dict[str, list[str]] = {}
    for measure, names in verdict.unknown.items():
        if measure not in weighted:
            backends = dict.fromkeys(name.partition(":")[0] for name in names)
            lacking.setdefault(", ".join(backends), []).append(measure.record)
    parts = [f"{', '.join(records)} (unknown for {who})" for who, records in lacking.items()]
    if parts:
        print_line(console, f"Unknown, and without a weight: {'; '.join(parts)}.", wrap=True)
    commands: dict[str, list[str]] = {}
    for measure in verdict.not_tried:
        commands.setdefault(RECORDED_BY[measure.record], []).append(measure.record)
    parts = [f"{', '.join(records)} ({command})" for command, records in commands.items()]
    if parts:
        print_line(
            console, f"Not counted for any candidate: {'; '.join(parts)}. {RULES} explains the rules.", wrap=True
        )
    _print_other_faults(console, verdict)


def _print_answers(console: Console, verdict: Verdict) -> None:
    """Print how many variants meet each requirement, and what the answers of those that meet it rest on."""
    for required in verdict.required:
        mine = [answer for answer in verdict.answers if answer.requirement == required.word]
        if mine:
            print_line(console, f"Required {required.word}: {describe_answers(mine)}.", wrap=True)
    together: dict[tuple[str, str, str], list[str]] = {}
    for answer in verdict.answers:
        if answer.met:
            together.setdefault((answer.requirement, answer.basis, answer.why), []).append(answer.name)
    for (requirement, basis, why), names in together.items():
        print_line(console, f"Required {requirement}: {', '.join(names)}: {basis}: {why}.", wrap=True)


def _print_other_faults(console: Console, verdict: Verdict) -> None:
    """Print what did not pass in a dtype that is not the run's."""
    together: dict[tuple[str, str], list[str]] = {}
    for name, faults in verdict.other_faults.items():
        for dtype, lines in faults.items():
            together.setdefault((dtype, "; ".join(lines)), []).append(name)
    for (dtype, said), names in together.items():
        print_line(
            console,
            f"Not counted, as this run is in {verdict.scope.dtype}: {', '.join(names)} in {dtype}: {said}.",
            wrap=True,
        )
