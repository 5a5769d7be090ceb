"""A real browser, and the pages that it opens from disk with the network off."""

import shutil

import pytest
from bakeoff.report.html.page import write_page
from bakeoff.report.report import Report
from bakeoff.verdict.interactive import export_scoring
from bakeoff.verdict.requirements import read_support

from tests.paths import REFERENCE_RUN

from .browser import Browser

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = [
    name for name, path in (("chromium", CHROMIUM), ("chromedriver (Debian: chromium-driver)", DRIVER)) if not path
]


@pytest.fixture(scope="session")
def reference():
    return Report(REFERENCE_RUN)


@pytest.fixture(scope="session")
def scoring(reference):
    return export_scoring(reference, read_support())


@pytest.fixture(scope="session")
def page(reference, scoring, tmp_path_factory):
    """Return the page of the reference run."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_page([reference], path, scoring)
    return path


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """Return a browser for all tests."""
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)}")
    browser = Browser(CHROMIUM, DRIVER, tmp_path_factory.mktemp("downloads"))
    yield browser
    browser.quit()


@pytest.fixture
def browser(chromium, page):
    """Return the browser with the page open, as a reader first sees it, and all charts drawn."""
    if chromium.page != page:
        chromium.open(page)
    chromium.reset()
    yield chromium
    assert chromium.problems() == []
