"""What mistakes came to, as tables for people."""

from collections.abc import Mapping, Sequence

import pandas as pd

from .catalogue import MISTAKES
from .judge import Finding
from .records import shares_of

Findings = Mapping[str, Sequence[Finding]]

WIDTH = 200
"""Characters of a message in a table: half of them its beginning, half its end, where it is longer."""


def outcomes(findings: Findings) -> pd.DataFrame:
    """Return one row a mistake and one column a variant: what became of it, in a few words."""
    names = [name for name in MISTAKES if any(each.mistake == name for some in findings.values() for each in some)]
    rows = []
    for name in names:
        row = {"mistake": MISTAKES[name].title}
        for entry, some in findings.items():
            row[entry] = next((brief(each) for each in some if each.mistake == name), "-")
        rows.append(row)
    return pd.DataFrame(rows)


def shares(findings: Findings) -> pd.DataFrame:
    """Return one row a variant: how many mistakes were noticed, named, and silently wrong; the traceback's lines."""
    rows = []
    for entry, some in findings.items():
        found = shares_of(tuple(some))
        raised = [each for each in some if each.outcome == "raised"]
        rows.append(
            {
                "backend": entry,
                "tried": sum(each.outcome not in ("cannot", "not written") for each in some),
                "noticed": sum(each.noticed for each in some),
                "silent and wrong": sum(each.outcome in ("NaN", "wrong", "hung") for each in some),
                "silent and right": sum(each.outcome == "right" for each in some),
                "message names it": f"{found['named']:.0%}" if "named" in found else "-",
                "yours : theirs": _median_lines(raised),
            }
        )
    return pd.DataFrame(rows)


def by_mistake(findings: Findings, name: str) -> pd.DataFrame:
    """Return one row a variant: everything that was found of one mistake, and its message."""
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
                        "names": "-" if each.named is None else ", ".join(each.named) or "nothing",
                        "yours : theirs": lines,
                        "message, or the result": in_words(each),
                    }
                )
    return pd.DataFrame(rows)


def brief(finding: Finding) -> str:
    """Return a few words: when it was noticed, or how wrong the result is."""
    if finding.noticed:
        return f"{finding.outcome}, {finding.when}"
    if finding.outcome == "wrong":
        off = "" if finding.probabilities_off is None else f" by {finding.probabilities_off:.2g}"
        return f"WRONG{off}, {_accuracies(finding)}"
    return finding.outcome if finding.outcome != "NaN" else "NaN, silent"


def in_words(finding: Finding) -> str:
    """Return its message, its beginning and end if it is long; for a silent one, how far it is from the right code."""
    if finding.outcome in ("cannot", "not written"):
        return finding.how
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
    parts.append(f"accuracy {_accuracies(finding)}")
    return "; ".join(parts)


def _accuracies(finding: Finding) -> str:
    if finding.accuracy is None or finding.right_accuracy is None:
        return "not to be compared"
    return f"{100 * finding.right_accuracy:.1f} -> {100 * finding.accuracy:.1f} %"


def _median_lines(raised: Sequence[Finding]) -> str:
    if not raised:
        return "-"
    mine = pd.Series([each.user_lines for each in raised]).median()
    others = pd.Series([each.framework_lines for each in raised]).median()
    return f"{mine:g} : {others:g}"
