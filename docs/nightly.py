"""Write docs/nightly.md, a page of what `bakeoff check --records FILE` found: the nightly workflow publishes it.

    bakeoff check all --records conformance.csv.gz
    python docs/nightly.py conformance.csv.gz
    tox run -e docs

The page is not part of the repository: the site has it only where it was made.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from bakeoff.common.machine import commit, processor
from bakeoff.measures.agreement.records import summary
from bakeoff.report.text import count_things, to_markdown

PAGE = Path(__file__).parent / "nightly.md"


def describe(records: pd.DataFrame, day: str) -> str:
    """Return the page: who is correct, and what failed with its reason."""
    table = summary(records)
    failed = records[records["failed"].eq(True)]
    wrong = table.loc[table["correct"].eq("no"), "backend"]
    answer = f"All {len(table)} variants are correct." if wrong.empty else f"Not correct: {', '.join(wrong)}."
    parts = [
        "# The nightly conformance run",
        f"`bakeoff check all` on {day}, commit {commit() or 'unknown'}, on one {processor()}. {answer} "
        "A backend that needs what that machine lacks is not in the table.",
        to_markdown(table),
        f"## What failed\n\n{count_things(len(failed), 'required value')} failed.",
    ]
    if len(failed):
        first = failed.drop_duplicates(["backend", "variant", "check", "case", "dtype"])
        parts.append(to_markdown(first[["backend", "variant", "check", "case", "dtype", "reason"]]))
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", type=Path, help="what `bakeoff check --records` wrote, as .csv or .csv.gz")
    records = pd.read_csv(parser.parse_args().records)
    PAGE.write_text(describe(records, datetime.now(UTC).date().isoformat()), encoding="utf-8")


if __name__ == "__main__":
    main()
