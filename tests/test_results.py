"""What is published is what the commands make of the published records today, and nothing else."""

import hashlib
import importlib.util
import json
import shutil
import sys
import zipfile

import pytest
from bakeoff.measures import VOCABULARY
from bakeoff.records.files import OPTIONAL, REQUIRED
from bakeoff.records.package import add, pack
from bakeoff.report.report import Report

from tests.paths import ROOT

DOCS, FIGURES = ROOT / "docs", ROOT / "docs" / "figures"
RUNS = sorted(path.parent for path in ROOT.glob("results/*/run.json"))


def load(path):
    """Return a program of docs/ as a module."""
    sys.path.insert(0, str(path.parent))
    try:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


def read_tree(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_the_committed_tables_are_those_of_the_records(run, tmp_path):
    copy = tmp_path / run.name
    copy.mkdir()
    for name in REQUIRED:
        shutil.copy(run / name, copy)
    made, committed = read_tree(Report(copy).write()), read_tree(run / "tables")
    assert sorted(made) == sorted(committed)
    assert [name for name in made if made[name] != committed[name]] == []


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_a_published_run_passes_for_a_stranger_s_and_comes_back_whole(run, tmp_path):
    added = add(pack(run, tmp_path / "run.bakeoff.zip", VOCABULARY), tmp_path / "results", VOCABULARY)
    raw = {name: (run / name).read_bytes() for name in (*REQUIRED, *OPTIONAL) if (run / name).exists()}
    assert read_tree(added) == raw
    assert {path.name for path in run.iterdir()} - {"tables"} <= set(raw)


def test_a_published_run_that_was_changed_does_not_pass(tmp_path):
    packed = pack(RUNS[0], tmp_path / "run.bakeoff.zip", VOCABULARY)
    with zipfile.ZipFile(packed) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["records.jsonl"] = members["records.jsonl"].replace(b'"value":', b'"value": ', 1)
    with zipfile.ZipFile(tmp_path / "changed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(Exception, match="its hash differs"):
        add(tmp_path / "changed.zip", tmp_path / "results", VOCABULARY)


def test_every_published_run_has_its_section():
    generated = load(DOCS / "generated.py")
    assert {run.name for run in RUNS} <= set(generated.SECTIONS)
    text = (DOCS / "results.md").read_text(encoding="utf-8")
    assert f"\n{generated.results()}\n" in text
    guide = (DOCS / "how-to" / "publish-results.md").read_text(encoding="utf-8")
    for name, section in generated.SECTIONS.items():
        assert f"| `{name}` | `{section.command}` |" in guide


def test_every_page_with_a_generated_part_is_listed():
    lines = (DOCS / "pages.txt").read_text(encoding="utf-8").splitlines()
    pages = {ROOT / line for line in lines if not line.startswith("#")}
    found = {ROOT / "README.md", *DOCS.glob("**/*.md")} - {*DOCS.glob("_build/**/*.md"), *DOCS.glob("benchmarks/*.md")}
    assert pages == {page for page in found if "[[[cog" in page.read_text(encoding="utf-8")}


def test_the_figures_are_drawn_from_the_published_runs():
    for path, content in load(FIGURES / "step_times.py").draw_all().items():
        assert path.read_text(encoding="utf-8") == content


def test_the_pictures_of_the_report_show_the_published_run():
    shown = json.loads((FIGURES / "report_pages.json").read_text())
    records = (ROOT / "results" / "reference" / "records.jsonl").read_bytes()
    assert shown["records"] == hashlib.sha256(records).hexdigest()
    assert shown["pictures"] == sorted(path.name for path in FIGURES.glob("report_*.png"))
