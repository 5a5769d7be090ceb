"""What the page offers for download: values with what they are made of, and pictures. A third party recomputes them."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

SCRIPT = Path(__file__).parent / "recompute.py"
COLUMNS = {
    "step_s": "step_s",
    "ratio": "ratio",
    "start_s": "first_call_s",
    "import_s": "import_s",
    "peak_memory_bytes": "peak_memory_bytes",
    "test_accuracy": "test_accuracy",
    "tokens": "tokens",
}
"""The columns with numbers of the table, and their names in the script's answer."""


def printed(browser):
    """Return the texts of the table, by row and column; words under a number are left out."""
    return browser.run(
        "return Object.fromEntries([...document.querySelectorAll('#variants tbody tr')].map((row) => [row.dataset.name,"
        " Object.fromEntries([...row.querySelectorAll('td[data-key]')].map((cell) =>"
        " [cell.dataset.key, cell.firstChild ? cell.firstChild.textContent : '']))]))"
    )


def test_a_third_party_recomputes_every_number_of_the_summary(browser, tmp_path):
    files = [browser.download(f'[data-download="csv"][data-of="{name}"]') for name in ("slices", "summary")]
    # A folder of its own, and no path to the package: nothing of Bakeoff can be imported.
    answer = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *map(str, files)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = json.loads(answer.stdout)
    shown = printed(browser)
    assert set(shown) == set(found["rows"])
    for name, cells in found["rows"].items():
        assert {column: shown[name][column] for column in COLUMNS} == {
            column: cells[theirs] for column, theirs in COLUMNS.items()
        }, name
    text = " ".join(browser.texts("#answer .lead, #answer .findings li"))
    sentences = found["sentences"]
    for sentence in (*sentences.pop("accuracy"), *sentences.values()):
        assert sentence in text


def test_a_table_says_what_it_is_made_of(browser, reference):
    path = browser.download('[data-download="csv"][data-of="step_times"]')
    head = [line for line in path.read_text().splitlines() if line.startswith("#")]
    facts = dict(line.removeprefix("# ").split(": ", 1) for line in head)
    assert facts["records"] == "speed/slice"
    assert facts["spec"] == reference.header["spec_hash"]
    assert facts["spec"] in path.name
    assert facts["machine"] == reference.header["machine"]["processor"]
    assert facts["date"] == reference.header["created"]
    assert "step_s in s" in facts["units"]
    table = pd.read_csv(path, comment="#").set_index("variant")
    for row in reference.rows:
        assert table.at[f"{row['backend']}:{row['variant']}", "step_s"] == row["step_s"]


@pytest.mark.parametrize(("kind", "begins"), [("svg", b"<svg"), ("png", b"\x89PNG")])
def test_a_chart_is_saved_as_a_picture(browser, kind, begins):
    path = browser.download(f'[data-download="{kind}"][data-of="step_times"]')
    content = path.read_bytes()
    assert content.startswith(begins)
    assert len(content) > 3000


def test_every_chart_and_table_offers_its_values(browser):
    names = browser.run("return DATA.charts.map((chart) => chart.name)")
    offered = browser.run("return [...document.querySelectorAll('[data-download=csv]')].map((each) => each.dataset.of)")
    assert sorted(names) == sorted(offered)
    for name in names:
        rows = browser.run("const chart = CHARTS.get(arguments[0]); return [writeCsv(chart), chart.rows.length]", name)
        lines = pd.read_csv(io.StringIO(rows[0]), comment="#")
        assert len(lines) == rows[1], name


def test_values_are_shown_as_a_table(browser):
    browser.press('[data-values="memory"]')
    rows = browser.texts('[data-values-of="memory"] tbody tr')
    assert len(rows) == browser.run("return CHARTS.get('memory').rows.length")
    browser.press('[data-values="memory"]')
    assert not browser.find('[data-values-of="memory"]').is_displayed()
