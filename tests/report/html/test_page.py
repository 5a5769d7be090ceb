"""The page in a real browser, opened from disk with the network off: charts, table, keyboard, dark, print, phone."""

import base64
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from .browser import DESKTOP, PHONE

SECTIONS = (
    "answer table speed verdict fitness start shapes size agreement training memory source mistakes openness "
    "deployment serving notes"
)


@pytest.fixture
def phone(chromium, page):
    chromium.resize(PHONE)
    chromium.open(page)
    yield chromium
    chromium.resize(DESKTOP)
    chromium.page = None


def test_every_chart_is_drawn(browser):
    charts = browser.run(
        "return figures().map((box) => [box.dataset.chart, Number(box.dataset.drawn), box.dataset.failed ?? '',"
        " box.querySelectorAll('svg path, svg text').length])"
    )
    assert {name for name, *_ in charts} >= {
        "step_times",
        "self_test",
        "slices",
        "totals",
        "agreement",
        "arrays",
        "losses",
    }
    for name, rows, failed, marks in charts:
        assert (failed, rows > 0, marks > 5) == ("", True, True), name


def test_the_story_is_told_in_its_order(browser):
    assert (
        browser.run("return [...document.querySelectorAll('main > section')].map((each) => each.id)")
        == SECTIONS.split()
    )
    assert (
        browser.run("return [...document.querySelectorAll('nav a')].map((each) => each.hash.slice(1))")
        == SECTIONS.split()
    )
    assert all(browser.texts("h2"))


def test_nothing_is_asked_of_a_network(browser, page):
    assert browser.run("return performance.getEntriesByType('resource').map((each) => each.name)") == []
    policy = browser.find('meta[http-equiv="Content-Security-Policy"]').get_attribute("content")
    assert policy.startswith("default-src 'none'")
    assert not browser.find_all("link[rel=stylesheet], script[src], iframe, img")
    failed = browser.run("return fetch('https://example.org/').then(() => 'answered', () => 'refused')")
    assert failed == "refused"
    assert any("Content Security Policy" in each for each in browser.problems())


def test_the_table_sorts(browser):
    def values(key):
        cells = browser.run(
            "return [...document.querySelectorAll('#variants tbody tr')].map((row) =>"
            " row.querySelector(`td[data-key=${arguments[0]}]`).dataset.value)",
            key,
        )
        return [float(value) for value in cells if value]

    assert values("step_s") == sorted(values("step_s"))
    for key in ("peak_memory_bytes", "start_s", "tokens"):
        head = f'#variants thead th[data-key="{key}"]'
        browser.press(f"{head} button")
        assert values(key) == sorted(values(key))
        assert browser.find(head).get_attribute("aria-sort") == "ascending"
        browser.press(f"{head} button")
        assert values(key) == sorted(values(key), reverse=True)
        assert browser.find(head).get_attribute("aria-sort") == "descending"


def test_the_table_filters(browser):
    browser.set_value("#filter", "tensorflow xla")
    shown = [row for row in browser.find_all("#variants tbody tr") if row.is_displayed()]
    assert [row.get_attribute("data-name") for row in shown] == ["tensorflow_core:xla"]
    assert browser.texts("#table-status")[0].startswith("1 of 9 rows")
    browser.set_value("#filter", "")
    assert all(row.is_displayed() for row in browser.find_all("#variants tbody tr"))


def test_rows_are_chosen_for_the_charts(browser):
    def drawn():
        browser.wait_for_charts()
        return browser.run("return VIEWS.get('step_times').data('source_0').map((row) => row.variant)")

    everyone = drawn()
    browser.press('[data-choose="best"]')
    best = drawn()
    assert len({name.split(":")[0] for name in best}) == len(best) < len(everyone)
    browser.press('[data-choose="all"]')
    assert drawn() == everyone


@pytest.mark.parametrize("base", ["jax_pure:scan", "pytorch:eager", "jax_pure:step (second copy)"])
def test_colour_says_only_what_the_interval_allows(browser, reference, base):
    browser.set_value("#baseline", base)
    times = reference.step_times
    contestants = {f"{key[0]}:{key[1]}{' (second copy)' if key[2] else ''}": key for key in times.rounds}
    classes = browser.run(
        "return [...document.querySelectorAll('#variants tbody tr')].map((row) => {"
        " const cell = row.querySelector('td[data-key=ratio]');"
        " return [row.dataset.name, cell.className, cell.textContent]; })"
    )
    for name, kind, text in classes:
        ratio = times.contestant_ratio(contestants[name], contestants[base])
        word = "slower" if ratio.low > 1 else "faster" if ratio.high < 1 else ""
        assert kind == word, name
        assert text.endswith(word or ("baseline" if name == base else "not distinguishable")), name


def test_the_second_copy_is_the_proof(browser):
    browser.set_value("#baseline", "jax_pure:step")
    text = browser.texts('#variants tr[data-name="jax_pure:step (second copy)"] td[data-key="ratio"]')
    assert text[0].endswith("not distinguishable")


def test_the_keyboard_reaches_everything(browser):
    slider = browser.find("#weight-speed")
    slider.send_keys(Keys.ARROW_RIGHT)
    assert browser.run("return state.weights.speed") == 1.5
    head = browser.find('#variants thead th[data-key="version"] button')
    head.send_keys(Keys.ENTER)
    assert browser.run("return state.sort") == "version"
    unreachable = browser.run(
        "return [...document.querySelectorAll('button, select, input, .scroll')]"
        ".filter((each) => each.tabIndex < 0).map((each) => each.outerHTML.slice(0, 80))"
    )
    assert unreachable == []


def test_the_navigation_keeps_the_state(browser):
    browser.set_value("#weight-speed", 3)
    browser.press('nav a[href="#memory"]')
    assert browser.run("return document.activeElement.id") == "memory"
    assert "w.speed=3" in browser.run("return location.hash")


def test_two_model_files_stand_side_by_side(browser):
    browser.set_value("#source-left", "jax_pure")
    browser.set_value("#source-right", "pytorch")
    left, right = browser.texts("#pane-left pre")[0], browser.texts("#pane-right pre")[0]
    assert "jax" in left
    assert "torch" in right
    assert browser.run("return document.querySelectorAll('#pane-left pre .k, #pane-left pre .kn').length") > 3
    assert browser.run("return document.querySelectorAll('#pane-right .line[title]').length") > 3


def test_dark_mode_follows_the_system_and_the_button(chromium, page):
    def ground():
        return chromium.run("return getComputedStyle(document.body).backgroundColor")

    def chart_ground():
        return chromium.run("return getComputedStyle(document.querySelector('#figure-memory svg')).backgroundColor")

    chromium.prefer("dark")
    try:
        chromium.open(page)
        assert ground() == "rgb(20, 23, 27)"
        assert chart_ground() == "rgb(20, 23, 27)"
        chromium.press("#theme")
        assert ground() == "rgb(255, 255, 255)"
        assert chart_ground() == "rgb(255, 255, 255)"
    finally:
        chromium.prefer("light")
    assert chromium.problems() == []


def test_it_prints(browser, tmp_path):
    answer = browser.command("Page.printToPDF", {"printBackground": True})
    path = tmp_path / "report.pdf"
    path.write_bytes(base64.b64decode(answer["data"]))
    assert path.read_bytes().startswith(b"%PDF")
    assert path.stat().st_size > 50_000
    browser.prefer("light", "print")
    try:
        assert not browser.find("nav").is_displayed()
        assert browser.find("#answer").is_displayed()
        assert browser.run("return getComputedStyle(document.querySelector('.scroll')).overflowX") == "visible"
    finally:
        browser.prefer("light")


@pytest.mark.parametrize("way", ["system", "button"])
def test_a_dark_page_prints_dark_words_on_white(chromium, page, way):
    def colours():
        words, chart, code = "svg .role-axis-label text", "#figure-memory svg", "#pane-left pre"
        fills = f"[...document.querySelectorAll('{words}')].map((each) => getComputedStyle(each).fill)"
        return chromium.run(
            f"return [[...new Set({fills})], getComputedStyle(document.querySelector('{chart}')).backgroundColor,"
            f" getComputedStyle(document.querySelector('{code} .k')).color]"
        )

    scheme = "dark" if way == "system" else "light"
    chromium.prefer(scheme)
    try:
        chromium.open(page)
        if way == "button":
            chromium.press("#theme")
        words, ground, keyword = colours()
        assert (words, ground) == (["rgb(232, 234, 237)"], "rgb(20, 23, 27)")
        chromium.prefer(scheme, "print")
        printed = colours()
        assert printed[:2] == [["rgb(27, 31, 36)"], "rgb(255, 255, 255)"]
        assert printed[2] != keyword
        chromium.prefer(scheme)
        assert colours() == [words, ground, keyword]
    finally:
        chromium.prefer("light")
        chromium.page = None
    assert chromium.problems() == []


def test_a_phone_shows_it_without_moving_sideways(phone):
    assert phone.run("return document.documentElement.scrollWidth") <= PHONE[0]
    wide = phone.run(
        "return figures().filter((box) => box.querySelector('.picture').scrollWidth > innerWidth).map((box) => box.id)"
    )
    assert wide == []
    assert phone.problems() == []


def axe_script():
    """Return the script of axe-core, which comes with a package of the group `browser`."""
    package = pytest.importorskip(
        "axe_playwright_python", reason="axe-core is not installed: the group `browser` has it"
    )
    return (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_fault_of_accessibility(chromium, page, scheme, size):
    script = axe_script()
    chromium.prefer(scheme)
    chromium.resize(size)
    try:
        chromium.open(page)
        # One of each kind: the others are made by the same lines of the template.
        chromium.run("for (const each of document.querySelectorAll('details:first-of-type')) each.open = true")
        chromium.run(script)
        found = chromium.driver.execute_async_script(
            "const done = arguments[0];"
            "const nodes = (each) => each.nodes.slice(0, 3).map((node) => node.html.slice(0, 200));"
            "axe.run({ exclude: [['.picture > *']] }, { resultTypes: ['violations'] })"  # drawings: images to a reader
            ".then((found) => done(found.violations.map((each) => [each.impact, each.id, nodes(each)])))"
        )
    finally:
        chromium.prefer("light")
        chromium.resize(DESKTOP)
    assert [each for each in found if each[0] in ("serious", "critical")] == []
