"""The page of the nightly workflow: who is correct, and what failed."""

import re

import pandas as pd
import pytest

from tests.paths import ROOT
from tests.test_results import load

DAY = "2026-11-29"


@pytest.fixture(scope="module")
def records():
    return pd.read_csv(ROOT / "results" / "reference" / "check.csv.gz")


@pytest.fixture(scope="module")
def describe():
    return load(ROOT / "docs" / "nightly.py").describe


def test_a_night_without_a_failure(describe, records):
    page = describe(records, DAY)
    variants = len(records[["backend", "variant"]].drop_duplicates())
    assert f"All {variants} variants are correct." in page
    assert "0 required values failed." in page
    assert DAY in page


def test_a_failure_is_named_with_its_reason(describe, records):
    broken = records.astype({"reason": object})
    row = broken.index[broken["check"].eq("updates") & broken["required"].eq(True)][0]
    broken.loc[row, ["failed", "reason"]] = [True, "the moon was full"]
    page = describe(broken, DAY)
    assert f"Not correct: {broken.loc[row, 'backend']}:{broken.loc[row, 'variant']}." in page
    assert re.search(r"1 required value failed\.\n\n.*the moon was full", page, re.DOTALL)


def test_the_workflow_makes_the_page_with_the_commands_of_its_program():
    workflow = (ROOT / ".github" / "workflows" / "nightly.yml").read_text(encoding="utf-8")
    program = (ROOT / "docs" / "nightly.py").read_text(encoding="utf-8")
    documented = re.findall(r"^    (bakeoff check .*|python docs/.*|tox run .*)$", program, re.MULTILINE)
    assert len(documented) == 3
    assert [command for command in documented if command not in workflow] == []
