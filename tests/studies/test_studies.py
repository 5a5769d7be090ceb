"""The studies: each runs, and its page and pictures are what its records give."""

import re
import sys
from pathlib import Path

import pytest
from bakeoff.cli.search import first_variants
from bakeoff.common.errors import InputError
from bakeoff.common.progress import Board
from bakeoff.registry import entries
from bakeoff.studies import catalogue, page, records, run
from rich.console import Console

from tests.paths import ROOT

FOLDER = ROOT / "docs" / "studies"
STUDIES = list(catalogue.STUDIES.values())
studies = pytest.mark.parametrize("study", STUDIES, ids=[study.name for study in STUDIES])


def committed(study):
    return records.read(FOLDER / study.name / "records.jsonl")


@studies
def test_the_page_is_what_its_records_give(study):
    found = committed(study)
    assert (FOLDER / f"{study.name}.md").read_text(encoding="utf-8") == page.text(study, found, study.pictures(found))


@studies
def test_the_pictures_draw_the_records(study):
    for picture in study.pictures(committed(study)):
        text = (FOLDER / study.name / f"{picture.name}.svg").read_text(encoding="utf-8")
        assert re.findall(r"<!-- data: (\w+) -->", text) == [page.data_hash(picture.chart)], picture.name


@studies
def test_the_records_are_of_the_full_form_in_several_frameworks(study):
    header = committed(study).header
    assert (header["study"], header["form"], header["failures"]) == (study.name, "full", {})
    assert header["contestants"] == [f"{entry.name}:{variant}" for entry, variant in first_variants(None)]
    assert header["seconds"] < 600
    if study.name != "softmax":
        assert committed(study).rows["seed"].nunique() > 2


@studies
def test_other_records_give_another_page_and_other_pictures(study):
    found = committed(study)
    first = found.contestants[0]
    header = {**found.header, "contestants": [first]}
    without = found._replace(header=header, rows=found.rows[found.rows["contestant"] == first])
    assert study.findings(without) != study.findings(found)
    changed = [
        page.data_hash(one.chart) != page.data_hash(other.chart)
        for one, other in zip(study.pictures(without), study.pictures(found), strict=True)
    ]
    assert any(changed) or study.name == "random-or-grid"  # its picture is of the first backend alone


@studies
def test_the_short_form_runs_and_writes_its_page(study, tmp_path, monkeypatch):
    """Plain NumPy in the interpreter of the tests."""
    (pair,) = entries.select(entries.read_all(), "numpy_plain")
    monkeypatch.setattr(
        run.launch, "interpreters_of", lambda chosen, pythons, board: {"numpy_plain": Path(sys.executable)}
    )
    path = tmp_path / study.name / "records.jsonl"
    failures = run.measure(study, [pair], path, True, (), Board(Console(), quiet=True))
    assert failures == {}
    written = page.write(study, tmp_path)
    text = written.read_text(encoding="utf-8")
    assert "rows of the short form" in text
    assert "nan" not in text.partition("## What was found")[2].lower().replace("financ", "")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (tmp_path / target).exists(), target


def test_a_backend_that_fails_is_named_on_the_page(tmp_path, monkeypatch):
    study = catalogue.find("softmax")
    chosen = entries.select(entries.read_all(), "numpy_plain,sklearn_mlp")
    python = Path(sys.executable)
    made = {"numpy_plain": python, "sklearn_mlp": InputError("needs another Python")}
    monkeypatch.setattr(run.launch, "interpreters_of", lambda chosen, pythons, board: made)
    path = tmp_path / study.name / "records.jsonl"
    failures = run.measure(study, chosen, path, True, (), Board(Console(), quiet=True))
    assert list(failures.values()) == ["needs another Python"]
    text = page.write(study, tmp_path).read_text(encoding="utf-8")
    assert "failed and is left out: needs another Python" in text


def test_the_worked_example_is_the_lectures():
    from bakeoff.studies.softmax import LOGITS, exact

    assert [round(each, 3) for each in exact(LOGITS)] == [0.842, 0.042, 0.002, 0.114]


def test_a_panda_whose_rate_never_fell_is_said_to_be_one():
    study = catalogue.find("panda-or-caviar")
    found = committed(study)
    assert any("The rule reduced the panda's learning rate" in each for each in study.findings(found))
    alone = found._replace(rows=found.rows.assign(rate=1.0))
    assert any("The rule never reduced the panda's learning rate" in each for each in study.findings(alone))


def test_the_short_form_of_normalising_inputs_says_how_many_rates_it_tried():
    study = catalogue.find("normalising-inputs")
    found = committed(study)
    short = found._replace(header={**found.header, "form": "short"})
    assert "is the best of 11, " in study.findings(found)[0]
    assert "is the best of 5, " in study.findings(short)[0]


def test_an_interval_is_students():
    found = records.estimate([1.0, 2.0, 3.0])
    assert found.mean == 2
    assert found.high - found.mean == pytest.approx(4.3027 / 3**0.5, rel=1e-4)
    assert records.estimate([1.0]).low == float("-inf")
    assert not found._replace(low=-1).excludes_zero


def test_an_unknown_study_is_a_sentence():
    with pytest.raises(InputError, match="no study `softmaxx`"):
        catalogue.find("softmaxx")


def test_missing_records_are_a_sentence(tmp_path):
    with pytest.raises(InputError, match="no records of a study"):
        records.read(tmp_path / "records.jsonl")


@studies
def test_the_header_has_the_hashes_of_the_spec_and_of_the_data(study):
    """Records of a spec that has changed since are out of date."""
    assert committed(study).header["hashes"] == study.hashes()
    assert (study.hashes()["data"] is None) == (study.name == "softmax")


def stopped_after_one(study, path, monkeypatch):
    """Interrupt a study of two frameworks after the first; return the calls of its measurement."""
    chosen = entries.select(entries.read_all(), "numpy_plain,autograd_numpy")
    python = Path(sys.executable)
    made = {"numpy_plain": python, "autograd_numpy": python}
    monkeypatch.setattr(run.launch, "interpreters_of", lambda chosen, pythons, board: made)
    calls = []

    def measure_in(study, entry, variant, python, short, job):
        calls.append(entry.name)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return run.Measured([{"kind": "probabilities", "seed": 1}], {"numpy": "1"}, "")

    monkeypatch.setattr(run, "_measure_in", measure_in)
    monkeypatch.setattr(run.launch, "JOBS", 1)
    with pytest.raises(KeyboardInterrupt):
        run.measure(study, chosen, path, True, (), Board(Console(), quiet=True))
    assert calls == ["numpy_plain", "autograd_numpy"]
    return chosen, calls


def test_an_interrupted_study_keeps_the_frameworks_that_were_measured(tmp_path, monkeypatch):
    study, path = catalogue.find("softmax"), tmp_path / "softmax" / "records.jsonl"
    chosen, calls = stopped_after_one(study, path, monkeypatch)
    assert not path.exists()
    assert run.measure(study, chosen, path, True, (), Board(Console(), quiet=True), resume=True) == {}
    assert calls == ["numpy_plain", "autograd_numpy", "autograd_numpy"]
    assert list(records.read(path).rows["contestant"]) == ["numpy_plain:plain", "autograd_numpy:plain"]
    assert list(path.parent.iterdir()) == [path]


def test_a_study_of_another_form_is_not_continued(tmp_path, monkeypatch):
    study, path = catalogue.find("softmax"), tmp_path / "softmax" / "records.jsonl"
    chosen, _ = stopped_after_one(study, path, monkeypatch)
    with pytest.raises(InputError, match="another form, spec or version"):
        run.measure(study, chosen, path, False, (), Board(Console(), quiet=True), resume=True)
