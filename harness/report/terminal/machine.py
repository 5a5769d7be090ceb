"""Prints the findings of `bakeoff doctor`."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from ...measures.speed.ratings import DOUBTFUL, FINE, UNFIT, Finding
from .console import print_line

COLOURS = {UNFIT: "bold red", DOUBTFUL: "yellow", FINE: "green"}


def print_findings(console: Console, findings: Sequence[Finding], fit: bool) -> None:
    """Print each finding with its advice, and last whether the machine is fit for timing."""
    grades = max(len(finding.rating) for finding in findings)
    subjects = max(len(finding.subject) for finding in findings)
    for finding in findings:
        console.print(Text(f"{finding.rating:<{grades}}  ", style=COLOURS.get(finding.rating, "dim")), end="")
        print_line(console, f"{finding.subject:<{subjects}}  {finding.measured}")
        if finding.advice:
            print_line(console, f"{'':<{grades + subjects + 4}}{finding.advice}")
    print_line(console, _conclude(findings, fit))


def _conclude(findings: Sequence[Finding], fit: bool) -> str:
    named = {grade: ", ".join(each.subject for each in findings if each.rating == grade) for grade in COLOURS}
    if not fit:
        return f"This machine is NOT FIT for timing: {named[UNFIT]}. Follow the advice above, then run this again."
    if named[DOUBTFUL]:
        return f"This machine is fit for timing. Doubtful: {named[DOUBTFUL]}; expect wider intervals."
    return "This machine is fit for timing."
