"""The gallery: each page asks one question, and its answers are what its own Python makes of the published records."""

import io
import re
from contextlib import redirect_stdout

import bakeoff
import pandas as pd
import pytest
from cogapp import Cog

from tests.paths import ROOT

PAGES = sorted((ROOT / "docs" / "gallery").glob("*.md"))
BLOCK = re.compile(r"```python\n(.*?)```\n\n<!-- \[\[\[cog\n.*?\]\]\] -->\n(.*?)<!-- \[\[\[end\]\]\] -->", re.DOTALL)


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOT / "docs"))


def test_the_gallery_has_eight_questions():
    titles = [page.read_text(encoding="utf-8").splitlines()[0] for page in PAGES]
    assert len(titles) == 8
    assert [title for title in titles if not re.fullmatch(r"# .+\?", title)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_answers_are_those_of_the_records(page):
    printed = io.StringIO()
    with redirect_stdout(printed):
        code = Cog().main(["cog", "--check", "--diff", str(page)])
    assert code == 0, f"run `cog -r @docs/pages.txt`:\n{printed.getvalue()}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_python_is_executed_and_shows_something(page):
    text = page.read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    assert len(blocks) == text.count("```python\n") == text.count("executed.run(cog)")
    assert [source for source, output in blocks if not output.strip()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_measured_value_is_typed_by_hand(page):
    """What stands outside the code and its output has no time, size or ratio."""
    prose = re.sub(
        r"```.*?```|<!-- \[\[\[cog.*?\[\[\[end\]\]\] -->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert re.findall(r"\b\d[\d.,]*\s(?:ns|us|ms|s|MB|GB|times|tokens|steps)\b", prose) == []


def shown(page: str) -> str:
    return (ROOT / "docs" / "gallery" / f"{page}.md").read_text(encoding="utf-8")


def test_batch_1_names_the_variant_with_the_shortest_prediction():
    """Judged by the medians of the raw records of the run of the suite."""
    suite = pd.read_csv(ROOT / "results" / "suite" / "tables" / "suite.csv")
    rows = suite[suite["workload"].eq("one-row")].dropna(subset=["seconds"])
    best = rows.loc[rows["seconds"].idxmin()]
    assert f"**`{best['backend']}:{best['variant']}`**" in shown("fastest-at-batch-1")


def test_float64_is_said_to_hold_only_where_every_check_passes():
    run = bakeoff.load(ROOT / "results" / "all")
    double = run.checks[run.checks["dtype"].eq("float64")]
    lines = {
        line.split("|")[1].strip(): line.split("|")[2].strip()
        for line in shown("will-float64-hold").splitlines()
        if line.startswith("| ")
    }
    for (backend, variant), found in double.groupby(["backend", "variant"]):
        assert (lines[f"{backend}:{variant}"] == "yes") == bool(found["status"].eq("passes").all())


def test_compiling_is_said_to_pay_only_where_the_interval_is_below_one():
    run = bakeoff.load(ROOT / "results" / "reference")
    for backend, plain in (("pytorch", "eager"), ("tensorflow_core", "eager")):
        pairs = run.ratios[run.ratios["backend"].eq(backend) & run.ratios["other_backend"].eq(backend)]
        for row in pairs[pairs["other_variant"].eq(plain) & pairs["variant"].ne(plain)].itertuples():
            pays = f"`{backend}:{row.variant}` pays after" in shown("when-compiling-pays")
            assert pays == (row.ratio_high < 1), row.variant


def test_a_difference_is_said_to_be_real_only_where_one_is_outside_the_interval():
    run = bakeoff.load(ROOT / "results" / "reference")
    outside = (run.ratios["ratio_low"] > 1) | (run.ratios["ratio_high"] < 1)
    pairs = (
        run.ratios["backend"] + ":" + run.ratios["variant"]
        < run.ratios["other_backend"] + ":" + run.ratios["other_variant"]
    )
    assert f"**{(outside & pairs).sum()} of {pairs.sum()} pairs" in shown("is-the-difference-real")


def test_a_block_shows_what_it_prints_and_then_its_last_expression():
    import executed

    assert executed.execute("x = 2\nprint('two')\nx + 1", {}) == "two\n\n3"
    assert executed.execute("import pandas as pd\npd.DataFrame({'a': [1]})", {}).splitlines()[0] == "| a   |"
    assert executed.execute("x = 2", {}) == ""


def test_a_cog_block_without_python_above_it_is_an_error(tmp_path):
    import executed

    page = tmp_path / "page.md"
    page.write_text("# Page\n\nNo Python.\n", encoding="utf-8")
    with pytest.raises(ValueError, match="expected a block of Python above line 3"):
        executed.run(type("Cog", (), {"inFile": str(page), "firstLineNum": 3})())
