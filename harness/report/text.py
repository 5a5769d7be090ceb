"""Figures as people read them: in units, with intervals, under headings; and tables as Markdown."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..common.statistics import Interval
from ..measures.agreement.case import LOSES_PRECISION, format_floors
from ..measures.speed import analysis
from ..measures.training.defaults import TARGET

HEADINGS = {
    "backend": "backend",
    "version": "version",
    "conforms": "conforms (worst floors)",
    "validation": "validation",
    "test": "test",
    "first_call": "first call",
    "step": "step [95 %]",
    "ratio": "to fastest [95 %]",
    "examples": "examples/s",
    "memory": "memory",
    "import": "import",
    "tokens": "tokens",
    "names": "names",
    "licence": "licence",
}
"""Of the summary for people, in their order."""


def to_markdown(table: pd.DataFrame) -> str:
    """Return the table as Markdown, its text as it stands."""
    cells = table.astype(object).where(table.notna(), "").map(lambda value: str(value).replace("|", "\\|"))
    return str(cells.to_markdown(index=False, disable_numparse=True))


def summary_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the summary written out."""
    floors: str = format_floors(row["worst_floors"]) if pd.notna(row["worst_floors"]) else "?"
    conforms = {None: "not checked", True: f"yes ({floors})", False: f"no ({floors})"}[row["conforms"]]
    if row["conforms"] and row["worst_floors"] > LOSES_PRECISION:
        conforms = f"loses precision ({floors})"
    if row["known_failures"]:
        conforms = f"{conforms}, known failures {row['known_failures'].partition(':')[0]}"
    step = Interval(row["step_s"], row["step_s_low"], row["step_s_high"])
    ratio = Interval(row["ratio"], row["ratio_low"], row["ratio_high"])
    return {
        "backend": f"{row['backend']}:{row['variant']}",
        "version": row["version"],
        "conforms": conforms,
        "validation": shown(row["validation_accuracy"], lambda value: f"{value:.1%}"),
        "test": shown(row["test_accuracy"], lambda value: f"{value:.1%}"),
        "first_call": shown(row["first_call_s"], lambda value: f"{value:.2f} s"),
        "step": shown(row["step_s"], lambda _: f"{in_time(step.estimate)} [{in_time(step.low)}, {in_time(step.high)}]"),
        "ratio": shown(row["ratio"], lambda _: in_brackets(ratio)),
        "examples": shown(row["examples_per_s"], lambda value: f"{value:,.0f}"),
        "memory": shown(row["peak_memory_bytes"], lambda value: f"{value / 1e6:,.0f} MB"),
        "import": shown(row["import_s"], lambda value: f"{value:.2f} s"),
        "tokens": shown(row["tokens"], lambda value: f"{value:,.0f}"),
        "names": shown(row["names"], lambda value: f"{value:.0f}"),
        "licence": shown(row["licence"], str),
    }


def size(value: Any) -> str:
    """Return bytes in megabytes; a word as it is."""
    return shown(value, lambda known: known if isinstance(known, str) else f"{known / 1e6:,.0f} MB")


def speed_row(row: Mapping[Any, Any], batch: int) -> dict[str, Any]:
    """Return a row of the speeds written out."""

    def times(*names: str) -> str:
        return " / ".join(shown(row.get(name, np.nan), in_time) for name in names)

    warm = "never" if row["never_steady"] else shown(row["steady_since"], "{:.0f} slices".format)
    return {
        "backend": row["backend"],
        "step: quick / median / slow": times("quick_step_s", "step_s", "slow_step_s"),
        "outliers": f"{row['outliers']} of {row['slices']}",
        "warm after": warm,
        "cores busy": f"{row['cores_busy']:.2f}",
        "threads": _threads(row["threads"]) or "-",
        "GFLOP/s": shown(row["flop_rate"], lambda rate: f"{rate / 1e9:.3g}"),
        "of peak": shown(row["of_peak"], "{:.0%}".format),
        "transfer": shown(row["transfer_s"], in_time),
        **({} if pd.isna(row["device_bytes"]) else {"on the device": size(row["device_bytes"])}),
        "predict 1 row": times(*(f"latency_1_p{quantile}_s" for quantile in analysis.QUANTILES)),
        f"predict {batch} rows": times(*(f"latency_{batch}_p{quantile}_s" for quantile in analysis.QUANTILES)),
        f"to {TARGET:.0%}": "never"
        if pd.isna(row["epochs_to_target"])
        else f"{row['epochs_to_target']:.0f} epochs, {shown(row['time_to_target_s'], in_time)}",
    }


def _threads(counts: Mapping[str, int] | None) -> str:
    return ", ".join(f"{name} {count}" for name, count in (counts or {}).items())


def shown(value: Any, show: Callable[[Any], str]) -> str:
    """Return the value as `show` writes it, a dash where there is none."""
    return "-" if pd.isna(value) else show(value)


def in_brackets(ratio: Interval, digits: int = 2) -> str:
    """Return the estimate with its interval in brackets."""
    return f"{ratio.estimate:.{digits}f} [{ratio.low:.{digits}f}, {ratio.high:.{digits}f}]"


def departure(row: Mapping[Any, Any]) -> str:
    """Return in a sentence how far a declared convention moves a backend."""
    who = f"{row['backend']}'s {row['convention']} {row['chosen']}"
    if pd.isna(row["largest"]):
        return f"{who} cannot be told: a training did not stay finite"
    return (
        f"{who} moves test probabilities by up to {row['largest']:.1e}, {row['flips']:.1%} of the predicted classes, "
        f"and accuracy from {row['common_accuracy']:.1%} to {row['accuracy']:.1%}"
    )


def in_time(seconds: float) -> str:
    """Return a time with three digits, in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
