"""Writing the tables of a run: `tables/`, which can be deleted and made again at any time."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ..common.errors import InputError
from ..common.safe_files import make_real_folder, write_replacing
from .tables import code, shapes, speed, suite, sweep, training
from .text import to_bullets, to_csv, to_markdown

if TYPE_CHECKING:
    from .report import Report


def write_tables(report: "Report") -> Path:
    """Write `tables/` anew; return that folder. Raises InputError where it cannot be written."""
    folder = report.folder / "tables"
    try:
        make_real_folder(folder)
        _write_all(report, folder)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written: {error.strerror}. Copy the run to a folder that you can write to."
        ) from None
    return folder


def _write_all(report: "Report", folder: Path) -> None:
    notes = report.notes()
    _write(folder, "summary", report.summary(), notes, report.readable_summary())
    _write(folder, "speed", report.speed(), [*notes, speed.CAPTION], report.readable_speed())
    write_replacing(folder / "slices.csv", to_csv(report.slices()))
    if len(report.warm_up()):
        _write(folder, "warm_up", report.warm_up(), [*notes, speed.WARM_UP_CAPTION], report.readable_warm_up())
    if len(report.sweep_times):
        tables = (report.readable_lines(), report.readable_sweep())
        _write(folder, "sweep", report.sweep(), [*notes, sweep.CAPTION], *tables)
    if report.suite_results:
        caption = [*notes, report.suite_results.caption, suite.PROFILE_CAPTION]
        _write(folder, "suite", report.suite(), caption, report.readable_suite(), report.readable_profiles())
        write_replacing(folder / "profiles.csv", to_csv(report.profiles()))
    if report.size_costs:
        caption = [*notes, shapes.CAPTION]
        _write(folder, "new_shapes", report.new_shapes(), caption, report.readable_new_shapes())
        write_replacing(folder / "new_sizes.csv", to_csv(report.new_sizes()))
    styles = report.code()
    if len(styles):
        _write(folder, "code", styles, [*notes, code.CAPTION], report.readable_code())
    defaults = report.framework_defaults()
    _write(folder, "framework_defaults", defaults, [*notes, training.CAPTION] if len(defaults) else notes)
    deployed = report.deployment()
    if deployed:
        from ..measures.deployment import tables as deployment_tables  # noqa: PLC0415  # imports what deploys, too

        findings = [*notes, *deployment_tables.describe_failures(report.deployment_records)]
        raw = deployment_tables.list_values(report.deployment_records)
        _write(folder, "deployment", raw, [*findings, deployment_tables.NOT_THE_FRAMEWORK], *deployed.values())
    for name, table in {
        "ratios": report.ratios(),
        "agreement": report.agreement(),
        "checks": report.checks(),
        "convention_effects": report.convention_effects(),
        "openness": report.openness(),
        "installation": report.installation(),
    }.items():
        _write(folder, name, table, notes)


def _write(folder: Path, name: str, table: pd.DataFrame, notes: list[str], *readable: pd.DataFrame) -> None:
    """Write a table with raw values as CSV; its notes and its form for people, which may be the same, as Markdown."""
    write_replacing(folder / f"{name}.csv", to_csv(table))
    parts = [to_bullets(notes), *(to_markdown(each) for each in readable or (table,))]
    write_replacing(folder / f"{name}.md", "\n\n".join(parts) + "\n")
