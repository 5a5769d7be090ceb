"""Prints the results of `bakeoff mistakes`."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import Console
from rich.text import Text

from ...measures.mistakes.judge import OUTCOMES, Finding
from ...measures.mistakes.records import VariantFindings
from ...measures.mistakes.tables import describe, tabulate_outcomes, tabulate_shares
from .console import convert_to_json, print_comparison, print_line, print_lines, print_table

TRACEBACK_LEGEND = (
    "yours : others: median lines of the traceback in your files and in other files. docs/explanation/mistakes.md"
)


def print_mistakes(
    console: Console, measured: Mapping[str, VariantFindings], unable: Mapping[str, str], messages: bool, full: bool
) -> None:
    """Print how many mistakes every variant noticed, and which were noticed by how many variants.

    With `full`, print the outcome of every mistake in every variant; with `messages`, every message.
    """
    findings = {name: each.findings for name, each in measured.items()}
    if findings:
        print_comparison(console, tabulate_shares(findings), "add --full, or --messages")
        print_line(console, "")
        if full:
            print_table(console, [], _transpose(tabulate_outcomes(findings)))
        else:
            print_comparison(console, _count_variants(findings), "add --full")
        print_line(console, "")
        print_line(console, _explain_outcomes(findings), wrap=True)
        print_line(console, TRACEBACK_LEGEND, wrap=True)
    if messages:
        for name, some in findings.items():
            for each in some:
                _print_message(console, name, each)
    print_lines(console, (f"{name}: {each.network}" for name, each in measured.items() if each.network))
    print_lines(console, (f"{name}: not tried: {reason}" for name, reason in unable.items()))


def convert_mistakes_to_json(measured: Mapping[str, VariantFindings], unable: Mapping[str, str]) -> dict[str, Any]:
    """Return what `bakeoff mistakes --json` prints."""
    return {
        "findings": {name: convert_to_json(each.findings) for name, each in measured.items()},
        "networks": {name: each.network for name, each in measured.items() if each.network},
        "not_tried": dict(unable),
    }


def _explain_outcomes(findings: Mapping[str, Sequence[Finding]]) -> str:
    """Return what each outcome that occurs means."""
    seen = {each.outcome for some in findings.values() for each in some}
    return "; ".join(f"{word}: {meaning}" for word, meaning in OUTCOMES.items() if word in seen) + "."


def _count_variants(findings: Mapping[str, Sequence[Finding]]) -> pd.DataFrame:
    """Return a row for each mistake: how many variants noticed it, and in how many it was silent and wrong."""
    by_mistake: dict[str, list[Finding]] = {}
    for some in findings.values():
        for each in some:
            by_mistake.setdefault(each.mistake, []).append(each)
    return pd.DataFrame(
        {
            "mistake": mistake,
            "noticed by": f"{sum(each.noticed for each in some)} of {len(some)}",
            "silent and wrong in": str(sum(each.outcome == "wrong" for each in some)),
        }
        for mistake, some in by_mistake.items()
    )


def _transpose(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with a row for each variant and a column for each mistake."""
    transposed = table.T
    transposed = transposed.iloc[1:].set_axis(transposed.iloc[0].tolist(), axis=1)
    transposed.insert(0, "backend", transposed.index)
    return transposed


def _print_message(console: Console, name: str, finding: Finding) -> None:
    print_line(console, "")
    console.print(Text(f"{name}  {finding.mistake}: {finding.outcome}", "bold"), highlight=False, soft_wrap=True)
    if finding.how:
        print_line(console, f"  {finding.how}")
    text = f"{finding.exception}: {finding.message}".removeprefix(": ") if finding.message else describe(finding)
    print_lines(console, (f"  {line}" for line in text.splitlines()))
