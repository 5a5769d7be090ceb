"""TODO: report.terminal.mistakes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from .console import print_report, say

if TYPE_CHECKING:
    import pandas as pd

    from ...measures.mistakes.judge import Finding


def print_mistakes(
    console: Console,
    findings: Mapping[str, Sequence["Finding"]],
    networks: Mapping[str, str],
    unable: Mapping[str, str],
    messages: bool,
) -> None:
    """Print what became of every mistake in every variant, and the counts; with `messages` all that was said.

    `networks` says of variants that were tried on another network than the default one on which.
    """
    from ...measures.mistakes.judge import OUTCOMES  # noqa: PLC0415  # imports NumPy
    from ...measures.mistakes.tables import tabulate_outcomes, tabulate_shares  # noqa: PLC0415  # imports pandas

    if findings:
        print_report(console, [], tabulate_outcomes(findings).T.pipe(_first_row_as_heading))
        say(console, "")
        print_report(console, [], tabulate_shares(findings))
        say(console, "")
        seen = {each.outcome for some in findings.values() for each in some}
        say(
            console,
            "; ".join(f"{word}: {meaning}" for word, meaning in OUTCOMES.items() if word in seen) + ".",
            wrap=True,
        )
        say(
            console,
            "Lines of traceback in your files : in the framework's, medians. docs/explanation/mistakes.md",
            wrap=True,
        )
    if messages:
        for name, some in findings.items():
            for each in some:
                _print_message(console, name, each)
    for name, network in networks.items():
        say(console, f"{name}: {network}")
    for name, reason in unable.items():
        say(console, f"{name}: not tried: {reason}")


def _first_row_as_heading(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the table turned: a row a variant, a column a mistake."""
    turned = table.iloc[1:].set_axis(table.iloc[0].tolist(), axis=1)
    turned.insert(0, "backend", turned.index)
    return turned


def _print_message(console: Console, name: str, finding: "Finding") -> None:
    from ...measures.mistakes.tables import describe  # noqa: PLC0415  # pandas

    say(console, "")
    console.print(Text(f"{name}  {finding.mistake}: {finding.outcome}", "bold"), highlight=False, soft_wrap=True)
    if finding.how:
        say(console, f"  {finding.how}")
    text = f"{finding.exception}: {finding.message}".removeprefix(": ") if finding.message else describe(finding)
    for line in text.splitlines():
        say(console, f"  {line}")
