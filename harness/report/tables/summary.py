"""The summary: one row for each variant, with a few values from every measure."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ...common.statistics import Interval
from ...measures.agreement.figures import CHECK
from ...measures.deployment import figures as deployment
from ...measures.ease.figures import API_NAMES, TOKENS
from ...measures.openness.figures import FACTS
from ...measures.speed import figures as speed
from ...measures.training import figures as training
from ...records.query import Query
from ..text import (
    format_count,
    format_floors,
    format_interval,
    format_number,
    format_or_dash,
    format_seconds,
    format_share,
    format_size,
    format_time,
)
from .agreement import read_correctness
from .speed import StepTimes

Row = dict[str, Any]

HEADINGS = {
    "backend": "backend",
    "version": "version",
    "correct": "correct (rounding error, x NumPy's)",
    "validation": "validation accuracy",
    "test": "test accuracy",
    "first_call": "first call",
    "step": "time per step [95 %]",
    "times_fastest": "times the fastest [95 %]",
    "examples": "examples/s",
    "memory": "peak memory",
    "import": "import",
    "tokens": "tokens",
    "api_names": "framework API names used",
    "licence": "licence",
}
"""The headings of the summary for people, in their order."""

FAILED = {
    deployment.FAILED: "no environment: ",
    deployment.UNAVAILABLE: "",
    training.UNSUPPORTED: "",
    training.FAILED: "training failed: ",
    speed.FAILED: "timing failed: ",
    speed.SWEEP["failed"]: "timing failed in the sweep: ",
    speed.SUITE["failed"]: "timing failed in the suite: ",
}
"""The figures that say why a variant has no values, each with the words before the recorded reason."""

NO_FAILURE = (deployment.UNAVAILABLE, training.UNSUPPORTED)
"""Those of them by which a run does not fail: nothing of the backend was run."""


def read_summary(
    header: Mapping[str, Any], query: Query, times: StepTimes, entries: Sequence[tuple[str, str]]
) -> list[Row]:
    """Return a row for each variant, with raw values: seconds, bytes, floors; NaN where there is no value."""
    return [_read_row(header, query, times, backend, variant) for backend, variant in entries]


def _read_row(header: Mapping[str, Any], query: Query, times: StepTimes, backend: str, variant: str) -> Row:
    who = {"backend": backend, "variant": variant}
    timed = {**who, "self_test": False}
    correctness = read_correctness(query, backend, variant)
    refuted = any(query.values(speed.TIMED_CHECK, **who).ne(speed.PASSED))
    step, ratio = times.step((backend, variant)), times.times_fastest((backend, variant))
    return {
        "backend": backend,
        "variant": variant,
        "version": header["backends"][backend]["version"],
        "correct": correctness.word,
        "worst_floors": correctness.worst_floors,
        "known_failures": correctness.known_failures,
        "validation_accuracy": query.last(training.VALIDATION_ACCURACY, **who),
        "test_accuracy": query.last(training.TEST_ACCURACY, **who),
        "first_call_s": float("nan") if refuted else query.last(speed.FIRST_CALL, round=1, **timed),
        "step_s": step.estimate,
        "step_s_low": step.low,
        "step_s_high": step.high,
        "times_fastest": ratio.estimate,
        "times_fastest_low": ratio.low,
        "times_fastest_high": ratio.high,
        "examples_per_s": header["spec"]["training"]["batch_size"] / step.estimate,
        "peak_memory_bytes": query.last(speed.PEAK_MEMORY, **timed),
        "import_s": query.values(speed.IMPORT, **timed).median(),
        "install_s": query.value_of(deployment.INSTALL_TIME, backend, variant),
        "install_bytes": query.value_of(deployment.INSTALL_SIZE, backend, variant),
        "tokens": query.value_of(TOKENS, backend, variant),
        "api_names": query.value_of(API_NAMES, backend, variant),
        "licence": query.last(FACTS["licence"], backend=backend),
        "failure": read_failure(query, backend, variant),
    }


def any_failed(query: Query) -> bool:
    """Return whether a backend or a required check failed. What is not available or not supported is no failure."""
    figures = [figure for figure in FAILED if figure not in NO_FAILURE]
    checks = query.columns(CHECK, ["failed"])
    return any(figure in query for figure in figures) or bool(checks["failed"].eq(True).any())


def read_failure(query: Query, backend: str, variant: str, dtype: str | None = None) -> str:
    """Return the first reason why a variant has no values, or the first required check that failed; "" for none.

    With `dtype`, checks in another dtype do not count.
    """
    failures = []
    for figure, words in FAILED.items():
        if figure not in query:
            continue
        rows = query.rows(figure, backend=backend)
        if "variant" in rows:
            rows = rows[rows["variant"].isna() | rows["variant"].eq(variant)]
        failures += [(index, f"{words}{value}") for index, value in rows["value"].items()]
    if failures:
        return min(failures)[1]
    where = {} if dtype is None else {"dtype": dtype}
    names = ["check", "case", "dtype", "reason"]
    for row in query.columns(CHECK, names, backend=backend, variant=variant, failed=True, **where).to_dict("records"):
        return f"{row['check']} on {row['case']} {row['dtype']}: {row['reason']}"
    return ""


def format_summary(rows: Sequence[Mapping[str, Any]], stands_for: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return the rows of `read_summary` written out for people; `stands_for` as in the plan of run.json."""
    return pd.DataFrame([_format_row(row, stands_for) for row in rows]).rename(columns=HEADINGS)


def _format_row(row: Mapping[str, Any], stands_for: Mapping[str, Sequence[str]]) -> Row:
    framework = stands_for[row["backend"]][0] if row["backend"] in stands_for else ""
    step = Interval(row["step_s"], row["step_s_low"], row["step_s_high"])
    ratio = Interval(row["times_fastest"], row["times_fastest_low"], row["times_fastest_high"])
    return {
        "backend": f"{row['backend']}:{row['variant']}" + (f" (for {framework})" if framework else ""),
        "version": row["version"],
        "correct": _format_correctness(row),
        "validation": format_or_dash(row["validation_accuracy"], format_share),
        "test": format_or_dash(row["test_accuracy"], format_share),
        "first_call": format_or_dash(row["first_call_s"], format_seconds),
        "step": format_or_dash(row["step_s"], lambda _: format_interval(step, format_time)),
        "times_fastest": format_or_dash(row["times_fastest"], lambda _: format_interval(ratio)),
        "examples": format_or_dash(row["examples_per_s"], format_number),
        "memory": format_or_dash(row["peak_memory_bytes"], format_size),
        "import": format_or_dash(row["import_s"], format_seconds),
        "tokens": format_or_dash(row["tokens"], format_count),
        "api_names": format_or_dash(row["api_names"], format_count),
        "licence": format_or_dash(row["licence"], str),
    }


def _format_correctness(row: Mapping[str, Any]) -> str:
    if row["correct"] is None:
        text = "not checked"
    elif row["correct"] == "no" and pd.isna(row["worst_floors"]):
        text = "no"  # It failed without a number: see read_correctness.
    else:
        floors = row["worst_floors"]
        text = f"{row['correct']} ({'unknown' if pd.isna(floors) else format_floors(floors)})"
    if row["known_failures"]:
        text += f", known failures {row['known_failures'].partition(':')[0]}"
    return text
