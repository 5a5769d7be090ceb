"""Text from frameworks is data: whatever stands in names, messages and facts, the page shows it and does not run it."""

import json
import shutil

import pytest
from bakeoff.report.html.links import link_addresses
from bakeoff.report.html.page import write_json, write_page
from bakeoff.report.report import Report
from bakeoff.verdict.interactive import export_scoring

from tests.paths import SAVED_RUN

SCRIPT = "<script>window.hacked = 1</script>"
END = '</script><img src="x" onerror="window.hacked = 2">'
CONTROL = "a\u0000b\u001b[31mred\u0007 \u2028 \u2029 <!-- \ufffe"
FORMULA = '=HYPERLINK("http://example.org")'
MISTAKE = {
    **{"task": "mistakes numpy_plain:plain", "attempt": 1, "time": 1.0, "measure": "mistakes", "figure": "outcome"},
    **{"value": "raised", "unit": "", "backend": "numpy_plain", "variant": "plain", "version": "1"},
    **{"mistake": "wrong_width", "how": SCRIPT, "when": "first call", "exception": f"Error{END}"},
    **{"message": f"{END}{CONTROL}", "printed": "", "traceback": "", "seconds": 1.0},
}
FINISHED = {
    **{"task": "mistakes numpy_plain:plain", "attempt": 1, "time": 2.0, "measure": "task", "figure": "finished"},
    **{"value": 1.0, "unit": "s"},
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Return the page of a run in which every free text tries to be markup."""
    folder = tmp_path_factory.mktemp("hostile") / "run"
    shutil.copytree(SAVED_RUN, folder)
    header = json.loads((folder / "run.json").read_text())
    header["backends"]["numpy_plain"]["title"] = f"Num{SCRIPT}Py"
    header["machine"]["processor"] = f"{END} processor {CONTROL}"
    header["data"]["notes"] = [END, FORMULA]
    (folder / "run.json").write_text(json.dumps(header))
    records = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    for record in records:
        if record["figure"] in ("governance", "who_decides"):
            record["value"], record["source"] = f"{SCRIPT}{CONTROL}", f"javascript:alert(1) {END} https://example.org/a"
    (folder / "records.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    (folder / "mistakes.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in (MISTAKE, FINISHED)))
    report = Report(folder)
    path = folder / "report.html"
    write_page([report], path, export_scoring(report))
    return path


def test_nothing_in_the_records_is_run(chromium, hostile):
    chromium.open(hostile)
    assert chromium.problems() == []
    assert chromium.run("return window.hacked ?? null") is None
    assert chromium.run("return [document.scripts.length, document.images.length]") == [3, 0]
    text = chromium.run("return document.body.textContent")
    assert f"Num{SCRIPT}Py" in text
    assert END in text
    assert "\\u2028" in text  # made visible when the records were read
    links = chromium.run("return [...document.querySelectorAll('a')].map((each) => each.getAttribute('href'))")
    assert "https://example.org/a" in links
    assert all(link.startswith(("#", "https://")) for link in links)


def test_the_download_holds_hostile_text_as_data(chromium, hostile):
    if chromium.page != hostile:
        chromium.open(hostile)
    csv = chromium.run("return writeCsv(CHARTS.get('mistakes'))")
    assert END.replace('"', '""') in csv


@pytest.mark.parametrize("text", [SCRIPT, END, CONTROL, "<!--<script>", "\u2028\u2029", "&lt;"])
def test_json_in_a_script_element_ends_nothing(text):
    written = write_json({"text": text, text: [text]})
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == {"text": text, text: [text]}


def test_what_json_lacks_becomes_null():
    assert json.loads(write_json([float("nan"), float("inf"), 1.5, True, None])) == [None, None, 1.5, True, None]


def test_only_addresses_become_links():
    linked = link_addresses("see https://example.org/a?b=1&c=2, <b> javascript:alert(1)")
    assert linked.count("<a ") == 1
    assert 'href="https://example.org/a?b=1&amp;c=2"' in linked
    assert "&lt;b&gt; javascript:alert(1)" in linked
