"""Tables of what became of the mistakes, for people to read."""

from collections.abc import Mapping, Sequence

import pandas as pd

from .catalogue import MISTAKES
from .figures import NAMED
from .judge import NOT_POSSIBLE, NOT_WRITTEN, SILENT_AND_WRONG, TRIED, Finding
from .records import measure_shares

Findings = Mapping[str, Sequence[Finding]]

WIDTH = 200
"""The most characters of a message in a table. Of a longer one, its first and its last half of these are shown."""


def tabulate_outcomes(findings: Findings) -> pd.DataFrame:
    """Return a row for each mistake and a column for each variant: the outcome in a few words."""
    names = [name for name in MISTAKES if any(each.mistake == name for some in findings.values() for each in some)]
    rows = []
    for name in names:
        row = {"mistake": MISTAKES[name].title}
        for entry, some in findings.items():
            row[entry] = next((describe_briefly(each) for each in some if each.mistake == name), "-")
        rows.append(row)
    return pd.DataFrame(rows)


def tabulate_shares(findings: Findings) -> pd.DataFrame:
    """Return a row for each variant: the number of mistakes tried, noticed and silent, and the lines of tracebacks."""
    rows = []
    for entry, some in findings.items():
        found = measure_shares(tuple(some))
        raised = [each for each in some if each.outcome == "raised"]
        rows.append(
            {
                "backend": entry,
                "tried": sum(each.outcome in TRIED for each in some),
                "noticed": sum(each.noticed for each in some),
                "silent and wrong": sum(each.outcome in SILENT_AND_WRONG for each in some),
                "silent and right": sum(each.outcome == "right" for each in some),
                "message names the fault": f"{found[NAMED]:.0%}" if NAMED in found else "-",
                "traceback lines (yours : others)": _describe_median_lines(raised),
            }
        )
    return pd.DataFrame(rows)


def tabulate_mistake(findings: Findings, name: str) -> pd.DataFrame:
    """Return a row for each variant: every finding about one mistake, and its message."""
    rows = []
    for entry, some in findings.items():
        for each in some:
            if each.mistake == name:
                lines = "-" if each.user_lines is None else f"{each.user_lines} : {each.framework_lines}"
                rows.append(
                    {
                        "backend": entry,
                        "outcome": each.outcome,
                        "when": each.when or "-",
                        "exception": each.exception or "-",
                        "names the fault": "-" if each.named is None else ", ".join(each.named) or "nothing",
                        "traceback lines (yours : others)": lines,
                        "message or result": describe(each),
                    }
                )
    return pd.DataFrame(rows)


def describe_briefly(finding: Finding) -> str:
    """Return a few words: when the mistake was noticed, or how wrong the result is."""
    if finding.noticed:
        return f"{finding.outcome}, {finding.when}"
    if finding.outcome == "wrong":
        off = "" if finding.probabilities_off is None else f" by {finding.probabilities_off:.2g}"
        return f"WRONG{off}, {_describe_accuracy(finding)}"
    return finding.outcome if finding.outcome != "NaN" else "NaN, silent"


def describe(finding: Finding) -> str:
    """Return the message, shortened if it is long, or the type of an exception that has none.

    For a silent mistake, return how the results differ from the right ones.
    """
    if finding.outcome in (NOT_POSSIBLE, NOT_WRITTEN):
        return finding.how
    if finding.exception and not finding.message:
        return f"{finding.exception}, without a message"
    if finding.message:
        flat = " ".join(finding.message.split())
        return flat if len(flat) <= WIDTH else f"{flat[: WIDTH // 2]} ... {flat[-WIDTH // 2 :]}"
    parts = []
    if finding.not_a_number:
        parts.append(f"{finding.not_a_number:.0%} of losses and probabilities are NaN")
    if finding.probabilities_off is not None:
        parts.append(f"probabilities up to {finding.probabilities_off:.2g} off")
    if finding.loss is not None and finding.right_loss is not None:
        parts.append(f"loss {finding.right_loss:.3f} -> {finding.loss:.3f}")
    parts.append(f"accuracy {_describe_accuracy(finding)}")
    return "; ".join(parts)


def _describe_accuracy(finding: Finding) -> str:
    if finding.accuracy is None or finding.right_accuracy is None:
        return "cannot be compared"
    return f"{100 * finding.right_accuracy:.1f} -> {100 * finding.accuracy:.1f} %"


def _describe_median_lines(raised: Sequence[Finding]) -> str:
    if not raised:
        return "-"
    mine = pd.Series([each.user_lines for each in raised]).median()
    others = pd.Series([each.framework_lines for each in raised]).median()
    return f"{mine:g} : {others:g}"
