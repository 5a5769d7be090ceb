"""Photograph the report of results/reference for README.md and docs/how-to/read-a-report.md.

    python docs/figures/report_pages.py

Chromium shows the page, so two machines with other fonts make other pictures. Beside them stands report_pages.json:
the hash of the records that they show, by which a test knows whether they are of the published run.
"""

import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

from bakeoff.report.html.page import write_page
from bakeoff.report.report import Report
from bakeoff.verdict.interactive import export_scoring
from bakeoff.verdict.requirements import read_support

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RUN = ROOT / "results" / "reference"
SHOWN = HERE / "report_pages.json"


def hash_records() -> str:
    """Return the SHA-256 of the records of the published run."""
    return hashlib.sha256((RUN / "records.jsonl").read_bytes()).hexdigest()


def take_all() -> None:
    """Write the pictures, where Chromium is installed; otherwise say that they are not made."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        print("The pictures of the report stay as they are: chromium and chromedriver are not installed.")
        return
    sys.path.insert(0, str(ROOT))
    from tests.report.html.browser import Browser  # noqa: PLC0415  # the path is set just above

    with tempfile.TemporaryDirectory() as temporary:
        page = Path(temporary) / "report.html"
        report = Report(RUN)
        write_page([report], page, export_scoring(report, read_support()))
        browser = Browser(chromium, driver, Path(temporary))
        try:
            browser.resize((1100, 1640))
            browser.open(page)
            browser.screenshot(HERE / "report_answer.png")
            browser.resize((1100, 1140))
            browser.run("document.querySelector('#verdict').scrollIntoView()")
            browser.screenshot(HERE / "report_ranking.png")
            browser.resize((390, 1500))
            browser.prefer("dark")
            browser.open(page)
            browser.screenshot(HERE / "report_phone.png")
        finally:
            browser.quit()
    names = sorted(path.name for path in HERE.glob("report_*.png"))
    SHOWN.write_text(json.dumps({"records": hash_records(), "pictures": names}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    take_all()
