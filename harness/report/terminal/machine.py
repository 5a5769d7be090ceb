"""TODO: report.terminal.machine."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from .console import _print

if TYPE_CHECKING:
    from ...measures.speed.doctor import Finding


def print_findings(console: Console, findings: "Sequence[Finding]", fit: bool) -> None:
    """Print what `bakeoff doctor` found: a line each, its advice below it, and the verdict last."""
    colours = {"unfit": "bold red", "doubtful": "yellow", "fine": "green"}
    verdicts = max(len(finding.verdict) for finding in findings)
    subjects = max(len(finding.subject) for finding in findings)
    for finding in findings:
        verdict = Text(f"{finding.verdict:<{verdicts}}  ", style=colours.get(finding.verdict, "dim"))
        console.print(verdict, end="")
        _print(console, f"{finding.subject:<{subjects}}  {finding.measured}")
        if finding.advice:
            _print(console, f"{'':<{verdicts + subjects + 4}}{finding.advice}")
    named = {each: ", ".join(finding.subject for finding in findings if finding.verdict == each) for each in colours}
    doubts = f", but doubtful: {named['doubtful']}" if named["doubtful"] else ""
    _print(console, f"Fit to measure{doubts}." if fit else f"NOT FIT to measure: {named['unfit']}.")
