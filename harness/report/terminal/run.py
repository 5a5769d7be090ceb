"""Prints the tables of a run, and converts them for programs."""

import json
from typing import Any

import pandas as pd
from rich.console import Console

from ..report import Report
from ..text import to_markdown
from .console import print_line, print_table


def print_run(console: Console, report: Report) -> None:
    """Print everything that a run found, and where its tables are."""
    print_table(console, report.notes(), report.readable_summary())
    if len(report.framework_defaults()):
        print_table(console, [report.DEFAULTS_CAPTION], report.framework_defaults())
    _print_suite(console, report)
    _print_sweep(console, report)
    print_line(console, f"Tables: {report.folder / 'tables'}")


def print_run_table(console: Console, report: Report, speed: bool) -> None:
    """Print the summary and the sweep; with `speed`, everything that was timed."""
    print_table(console, list_notes(report, speed), _select_readable(report, speed))
    if not speed:
        _print_suite(console, report)
        _print_sweep(console, report)


def convert_run_to_json(report: Report) -> dict[str, Any]:
    """Return what `bakeoff run --json` prints."""
    return {
        "run": str(report.folder),
        "notes": report.notes(),
        "rows": _convert_rows(report.summary()),
        **_convert_suite(report),
    }


def convert_table_to_json(report: Report, speed: bool) -> dict[str, Any]:
    """Return what `bakeoff table --json` prints."""
    return {
        "run": str(report.folder),
        "notes": list_notes(report, speed),
        "rows": _convert_rows(_select_raw(report, speed)),
        "framework_defaults": _convert_rows(report.framework_defaults()),
        **_convert_suite(report),
    }


def format_markdown(report: Report, speed: bool) -> str:
    """Return the notes and the table as Markdown."""
    notes = (f"- {line}" for line in list_notes(report, speed))
    return "\n".join((*notes, "", to_markdown(_select_readable(report, speed))))


def format_csv(report: Report, speed: bool) -> str:
    """Return the table as CSV, without the notes."""
    return _select_raw(report, speed).to_csv(index=False)


def list_notes(report: Report, speed: bool) -> list[str]:
    """Return the sentences that stand over the table."""
    return [*report.notes(), report.SPEED_CAPTION] if speed else report.notes()


def _print_suite(console: Console, report: Report) -> None:
    if report.suite_results:
        print_table(console, [report.SUITE_CAPTION], report.readable_suite())
        print_table(console, [report.PROFILE_CAPTION], report.readable_profiles())


def _print_sweep(console: Console, report: Report) -> None:
    if len(report.sweep_times):
        lines = report.readable_lines()
        if len(lines):
            print_table(console, [report.SWEEP_CAPTION], lines)
        print_table(console, [], report.readable_sweep())


def _convert_suite(report: Report) -> dict[str, Any]:
    """Return the results of a suite; nothing where the run has one workload."""
    if not report.suite_results:
        return {}
    return {"suite": _convert_rows(report.suite()), "profiles": _convert_rows(report.profiles())}


def _select_raw(report: Report, speed: bool) -> pd.DataFrame:
    return report.speed() if speed else report.summary()


def _select_readable(report: Report, speed: bool) -> pd.DataFrame:
    return report.readable_speed() if speed else report.readable_summary()


def _convert_rows(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as JSON has them: NaN becomes null."""
    converted: list[dict[str, Any]] = json.loads(rows.to_json(orient="records", double_precision=15))
    return converted
