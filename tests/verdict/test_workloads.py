"""A verdict on a suite rests on all of its workloads, and says which of them would change it."""

import io

import pytest
from bakeoff.common import statistics
from bakeoff.verdict.terminal import print_verdict
from bakeoff.verdict.verdict import Verdict
from bakeoff.verdict.weights import parse_weights
from rich.console import Console

from tests.paths import REFERENCE_RUN
from tests.suite_runs import make_suite_run

# By the reference run, NumPy leads by the time of a step.
ALL_BUT_TORCH = dict.fromkeys(("numpy_plain", "jax_pure", "tensorflow_core"), 1000.0)


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 200)


def said(verdict):
    console = Console(file=io.StringIO(), width=100)
    print_verdict(console, verdict)
    return " ".join(console.file.getvalue().split())


def test_a_verdict_without_a_suite_rests_on_its_run():
    verdict = Verdict(REFERENCE_RUN, parse_weights("speed=1"))
    assert verdict.workload_effects == []
    text = said(verdict)
    assert "Speed rests on one workload: digits, layers 64-128-64-10, batch 64." in text
    assert "Whether another one would change the ranking is unknown: `bakeoff run --suite standard`" in text


def test_a_verdict_without_speed_rests_on_no_workload(tmp_path):
    folder = make_suite_run(tmp_path / "run", {"wide": {}})
    for run in (REFERENCE_RUN, folder):
        assert "Speed rests on" not in said(Verdict(run, parse_weights("ease=1")))


def test_the_workload_that_decides_is_named(tmp_path):
    """On one workload of three all but PyTorch take 1,000 times as long: PyTorch leads there, and over all."""
    folder = make_suite_run(tmp_path / "run", {"odd": ALL_BUT_TORCH, "same": {}})
    verdict = Verdict(folder, parse_weights("speed=1"))
    before = Verdict(REFERENCE_RUN, parse_weights("speed=1")).ranking[0].name.partition(":")[0]
    assert before != "pytorch"
    assert verdict.ranking[0].name.startswith("pytorch")
    effects = {each.workload: each for each in verdict.workload_effects}
    assert {name: each.without == "pytorch" for name, each in effects.items()} == {
        "small": True, "odd": False, "same": True,
    }  # fmt: skip
    assert effects["odd"].without == before
    assert effects["odd"].alone == "pytorch"
    text = said(verdict)
    assert "Speed rests on 3 workloads, each with the same weight: small, odd and same." in text
    assert "One workload decides: without odd, " in text
    assert "speed over 3 workloads" in text
    assert verdict.as_json()["workloads"][1]["alone"] == "pytorch"


def test_where_no_workload_decides_that_is_said(tmp_path):
    folder = make_suite_run(tmp_path / "run", {"again": {}, "same": {}})
    verdict = Verdict(folder, parse_weights("speed=1"))
    assert {each.without for each in verdict.workload_effects} == {verdict.ranking[0].name.partition(":")[0]}
    assert "No single workload decides" in said(verdict)


def test_a_variant_that_lacks_a_workload_is_ranked_apart(tmp_path):
    folder = make_suite_run(tmp_path / "run", {"wide": {}}, missing={("wide", "numpy_plain")})
    verdict = Verdict(folder, parse_weights("speed=1"))
    assert "numpy_plain:plain" in [one.name for one in verdict.apart]
