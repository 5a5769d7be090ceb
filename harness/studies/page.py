"""Writes the page of a study and its pictures, from its records alone.

A picture ends with a comment that has a hash of the data drawn, so that a test can hold it to the records.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from ..search.figures import save
from . import records as study_records
from .records import Records
from .study import Picture, Study


def write(study: Study, folder: Path) -> Path:
    """Write `NAME.md` and the pictures in `NAME/` below `folder`, from `NAME/records.jsonl`; return the page."""
    found = study_records.read(folder / study.name / "records.jsonl")
    pictures = study.pictures(found)
    for picture in pictures:
        path = folder / study.name / f"{picture.name}.svg"
        save(picture.chart, path)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"<!-- data: {data_hash(picture.chart)} -->\n")
    page = folder / f"{study.name}.md"
    page.write_text(text(study, found, pictures), encoding="utf-8")
    return page


def text(study: Study, found: Records, pictures: list[Picture]) -> str:
    """Return the page."""
    header = found.header
    shown = [f"![{each.caption}]({study.name}/{each.name}.svg)\n\n{each.caption}" for each in pictures]
    failed = [f"`{name}` failed and is left out: {reason}" for name, reason in header["failures"].items()]
    parts = [
        f"# {study.title}",
        study.question,
        "## What was done",
        study.method,
        f"```toml\n{study.spec_text().strip()}\n```",
        f"Run it yourself with `bakeoff study {study.name}`, or in a short form with `--short`.",
        "## What was found",
        *study.findings(found),
        *failed,
        *shown,
        "## The records",
        describe_run(study, found),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def describe_run(study: Study, found: Records) -> str:
    """Return the paragraph that says where the numbers come from."""
    header = found.header
    versions = ", ".join(
        f"`{name}` ({' '.join(next(iter(version.items())))})" for name, version in header["versions"].items()
    )
    hashes = header["hashes"]
    data = f", its data {hashes['data']}" if hashes["data"] else ""
    machine = header["machine"]
    return (
        f"This page is written by `bakeoff study {study.name}` from [its records]({study.name}/records.jsonl): "
        f"{len(found.rows)} rows of the {header['form']} form, measured on {header['created']} on "
        f"{machine['cores']} cores of {machine['processor']}, in {versions}. It took "
        f"{describe_time(header['seconds'])}, and began at a load average of {machine['load_before']:.1f} from other "
        f"programs. The spec has the hash {hashes['spec']}{data}."
    )


def describe_time(seconds: float) -> str:
    """Return a time in words."""
    return f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.1f} minutes"


def data_hash(chart: Any) -> str:
    """Return twelve hexadecimal digits of the data that a chart draws."""
    datasets = list(chart.to_dict()["datasets"].values())
    canonical = sorted(json.dumps(each, sort_keys=True) for each in datasets)
    return hashlib.sha256("\n".join(canonical).encode()).hexdigest()[:12]


def table(columns: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [f"| {' | '.join(columns)} |", f"| {' | '.join('---' for _ in columns)} |"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def percent(value: float) -> str:
    """Return a share in per cent with one decimal."""
    return f"{100 * value:.1f} %"


def points(estimate: study_records.Estimate) -> str:
    """Return a difference of shares in percentage points, with its interval."""
    mean, low, high = (f"{100 * each:+.1f}" for each in estimate[:3])
    return f"{mean} [{low}, {high}] points"
