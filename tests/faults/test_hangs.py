"""A contestant that gives no answer costs a run its limit once, wherever it hangs, and its rival is timed."""

import json
import sys
from pathlib import Path

import pytest
from bakeoff import environments
from bakeoff.cli.app import app
from bakeoff.common import statistics
from bakeoff.environments.environment import Environment
from bakeoff.measures import VOCABULARY
from bakeoff.measures.speed import figures, rounds
from bakeoff.records import read
from bakeoff.workers import launch
from bakeoff.workload import networks
from typer.testing import CliRunner

from tests.faults import worker_faults

HANGS = "hangs and leaves a mark"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that times numpy_plain beside a copy that hangs; it returns how often, and the records."""
    marks = tmp_path / "marks"
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BAKEOFF_STATE", str(tmp_path / "state"))
    monkeypatch.setitem(worker_faults.FAULTS, HANGS, f"open({str(marks)!r}, 'a').write('x'); time.sleep(600)")
    monkeypatch.setattr(rounds, "WARM_LIMIT_S", 0.0)
    monkeypatch.setattr(statistics, "RESAMPLES", 100)
    required, place_of = networks.required_networks, launch.place_of
    monkeypatch.setattr(networks, "required_networks", lambda own=None: required()[1:2])
    monkeypatch.setattr(launch, "place_of", lambda *given, **named: place_of(*given, **named)._replace(timeout_s=4.0))
    here = Environment(Path(sys.executable), tmp_path / "numpy_plain-0123456789ab", 1.0, 2, {"numpy": "2"})
    monkeypatch.setattr(environments, "build", lambda *_: here)
    (tmp_path / "spec.toml").write_text(worker_faults.SPEC)

    def run_beside(stage):
        folder = worker_faults.write_backend(HANGS, stage, tmp_path)
        words = ["run", str(tmp_path / "spec.toml"), "--backends", f"{folder},numpy_plain", "--quick"]
        CliRunner().invoke(app, [*words, "--results", str(tmp_path / "results")])
        (header,) = (tmp_path / "results").glob("*/run.json")
        records = read.read_records(header.parent, VOCABULARY)
        finished = set(records[records["figure"].eq("finished")]["task"])
        assert read.is_complete(finished, json.loads(header.read_text()))
        slices = records[read.is_of(records, figures.SLICE)]
        assert "numpy_plain" in set(slices["backend"])
        return len(marks.read_text()), records

    return run_beside


def test_a_hang_at_import_is_waited_for_once(run):
    marks, records = run("at start")
    assert marks == 1
    failed = records[records["backend"].eq("faulty") & records["figure"].eq("failed")]
    assert [each for each in failed["value"] if "not trained, because its checks gave no answer" in str(each)]


def test_a_hang_in_timing_is_waited_for_once(run, monkeypatch):
    # Its checks and its training answer a few times each, in workers of their own.
    monkeypatch.setattr(worker_faults, "BEFORE_TIMING", 6)
    marks, records = run("in timing")
    failed = records[records["backend"].eq("faulty") & records["figure"].eq("failed")]
    failed = failed[failed["measure"].ne("ease")]  # the fault was put where a patch of its folder changes the code
    assert marks == 1, failed["value"].tolist()
    assert {str(each).split(":")[0] for each in failed["value"]} == {"hung"}
