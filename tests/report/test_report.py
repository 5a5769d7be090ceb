"""Tables are made of the raw records, again and again the same; what must be said stands over them.

tests/data/run is a run of `bakeoff run --backends numpy_plain --quick` with three epochs, whose checks were limited to
the stress spec in float64 and the default one in float32, for the size of the file.
"""

import json
import math
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bakeoff.common import statistics
from bakeoff.common.errors import InputError
from bakeoff.common.statistics import Interval
from bakeoff.records import read
from bakeoff.records.store import Run
from bakeoff.report.report import Report
from bakeoff.report.text import to_markdown

from tests.paths import SAVED_RUN

TURNS = 12


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 200)


@pytest.fixture
def saved(tmp_path):
    return Path(shutil.copytree(SAVED_RUN, tmp_path / "saved"))


class Written:
    """A run whose records are made up."""

    def __init__(self, parent, entries=("swift:eager", "slow:eager"), rounds=1, turns=TURNS):
        header = json.loads((SAVED_RUN / "run.json").read_text())
        entries = [entry.split(":") for entry in entries]
        plan = {**header["plan"], "entries": entries, "rounds": rounds, "turns": turns}
        backends = {name: {"title": name.title(), "version": "1.0", "source": "0" * 12} for name, _ in entries}
        self.run = Run.create(parent, {**header, "plan": plan, "backends": backends})
        self.folder = self.run.folder

    def add(self, task, *values, **more):
        with self.run.task(task) as attempt:
            attempt.add(*values, **more)

    def environment(self, backend, **quantities):
        with self.run.task(f"environment {backend}") as attempt:
            for quantity, value in quantities.items():
                attempt.add("deployment", quantity, value, "", backend=backend)

    def time(self, number=1, turns=TURNS, **step_s):
        """Write a round: seconds a step by backend, a number or one for each turn; `swift_control` is the control."""
        rng = np.random.default_rng(number)
        with self.run.task(f"round {number}") as attempt:
            for name, steps in step_s.items():
                backend, _, control = name.partition("_")
                who = {"backend": backend, "variant": "eager", "control": bool(control), "round": number}
                noise = 1 + 1e-3 * rng.standard_normal(turns)
                for turn, step in enumerate(np.broadcast_to(steps, turns) * noise, start=1):
                    attempt.add("speed", "slice", 5 * step, "s", steps=5, turn=turn, **who)

    def check(self, backend, floors, status="passes", required=True, reason=""):
        where = {"backend": backend, "variant": "eager", "check": "updates", "case": "stress-relu", "dtype": "float64"}
        with self.run.task(f"check {backend}:eager") as attempt:
            red = required and status == "fails"
            attempt.add(
                "agreement", "check", status, "", red=red, required=required, reason=reason, traceback="", **where
            )
            attempt.add(
                "agreement", "floors", floors, "floors", phase="forward", array="a", step=1, required=required, **where
            )

    def report(self):
        return Report(self.folder)


@pytest.fixture
def written(tmp_path):
    """Return a way to begin a run whose records are made up."""
    runs = []

    def begin(*arguments, **more):
        runs.append(Written(tmp_path / "results", *arguments, **more))
        return runs[-1]

    yield begin
    for each in runs:
        each.run.close()


# The same again


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_tables_can_be_deleted_and_made_again_to_the_byte(saved):
    tables = Report(saved).write()
    first = contents(tables)
    assert set(first) == {
        f"{name}.{kind}"
        for name in (
            "summary",
            "ratios",
            "agreement",
            "checks",
            "departures",
            "defaults",
            "getting-started",
            "openness",
            "speed",
        )
        for kind in ("md", "csv")
    } | {"slices.csv"}
    shutil.rmtree(tables)
    assert contents(Report(saved).write()) == first
    assert contents(Report(saved).write()) == first


def test_making_tables_leaves_the_raw_records_as_they_are(saved):
    before = [(saved / name).read_bytes() for name in ("run.json", "records.jsonl")]
    Report(saved).write()
    assert [(saved / name).read_bytes() for name in ("run.json", "records.jsonl")] == before


def test_the_saved_run_says_nothing_of_whose_machine_it_was():
    text = "".join((SAVED_RUN / name).read_text() for name in ("run.json", "records.jsonl"))
    assert not re.search(r'[:\[,]\s*"(/|~)', text), "a path"
    assert "hostname" not in text


def test_a_row_is_full_of_what_was_measured(saved):
    report = Report(saved)
    (row,) = report.rows
    assert not row["failure"]
    assert row["conforms"] is True
    missing = [key for key, value in row.items() if key != "failure" and pd.isna(value)]
    assert missing == []
    records = read.read_records(saved)
    (accuracy,) = records.loc[records["quantity"] == "test accuracy", "value"]
    assert row["test_accuracy"] == accuracy
    slices = records[(records["quantity"] == "slice") & ~records["control"].eq(True)]
    assert row["step_s"] == pytest.approx(np.median(slices["value"].astype(float) / slices["steps"].astype(float)))
    assert row["examples_per_s"] == pytest.approx(64 / row["step_s"])


def test_the_validation_accuracy_shown_is_the_last_epoch_s(saved):
    records = read.read_records(saved)
    epochs = records[records["quantity"] == "validation accuracy"].set_index("epoch")["value"]
    assert Report(saved).rows[0]["validation_accuracy"] == epochs[3]


def test_csv_and_markdown_say_the_same(saved):
    tables = Report(saved).write()
    (row,) = pd.read_csv(tables / "summary.csv").to_dict("records")
    text = (tables / "summary.md").read_text()
    assert f"{row['test_accuracy']:.1%}" in text
    assert "numpy_plain:plain" in text
    assert row["licence"] in text


def test_tables_that_cannot_be_written_are_refused(saved):
    (saved / "tables").write_text("a file")
    with pytest.raises(InputError, match="tables: cannot be written: File exists"):
        Report(saved).write()


# Speed


def test_ratios_are_to_the_fastest(written):
    run = written()
    run.time(swift=1e-3, slow=2e-3, swift_control=1e-3)
    swift, slow = run.report().rows
    assert swift["ratio"] == swift["ratio_low"] == swift["ratio_high"] == 1
    assert slow["ratio"] == pytest.approx(2, rel=0.01)
    assert slow["ratio_low"] <= slow["ratio"] <= slow["ratio_high"]
    assert swift["step_s"] == pytest.approx(1e-3, rel=0.01)
    ratios = run.report().ratios()
    assert ratios["backend"].tolist() == ["slow:eager", "swift:eager"]
    assert ratios["swift:eager"][0].startswith("2.00 [")


def test_a_control_that_contains_one_is_said_to(written):
    run = written()
    run.time(swift=1e-3, slow=2e-3, swift_control=1e-3)
    report = run.report()
    assert not report.control()[1].excludes(1)
    (line,) = [line for line in report.remarks() if line.startswith("Control: ")]
    assert line.startswith("Control: swift:eager against itself came out at 1.0")
    assert not any("CONTROL FAILED" in line for line in report.remarks())


def test_a_control_that_excludes_one_is_announced_first_in_every_table(written):
    run = written()
    run.time(swift=1e-3, slow=2e-3, swift_control=0.8e-3)
    run.check("slow", 9e5, "fails", reason="norm0/running_var: 900,000 floors, allowed 128")
    report = run.report()
    assert report.control()[0] == "swift:eager"
    assert report.control()[1].excludes(1)
    first = report.remarks()[0]
    assert first.startswith("CONTROL FAILED: swift:eager against itself came out at 1.25")
    assert first.endswith("not to be trusted.")
    assert report.markdown().startswith(f"- {first}\n")
    texts = {path.name: path.read_text() for path in report.write().glob("*.md")}
    assert len(texts) == 9
    for name, text in texts.items():
        assert text.startswith(f"- {first}\n"), name


def test_the_control_is_no_row_of_its_own(written):
    run = written()
    run.time(swift=1e-3, slow=2e-3, swift_control=0.5e-3)
    report = run.report()
    assert report.fastest() == ("swift", "eager")
    assert len(report.rows) == 2
    assert report.ratios().shape == (2, 3)


def test_one_that_died_in_mid_round_has_no_speed(written):
    run = written()
    run.time(swift=1e-3, swift_control=1e-3)
    with run.run.task("round 2") as attempt:
        who = {"backend": "slow", "variant": "eager", "control": False, "round": 1}
        attempt.add("speed", "slice", 0.01, "s", steps=5, turn=1, **who)
        attempt.add("failure", "speed", "died: the worker was ended by SIGSEGV during train", traceback="", **who)
    report = run.report()
    slow = report.rows[1]
    assert math.isnan(slow["step_s"])
    assert math.isnan(slow["ratio"])
    assert slow["failure"] == "speed: died: the worker was ended by SIGSEGV during train"
    assert "slow:eager: speed: died: the worker was ended by SIGSEGV during train" in report.remarks()


def test_a_turn_is_not_passed_over_because_everybody_missed_it(written):
    """Alone and dead after three turns of twelve: those three are no measurement of the plan."""
    run = written(["swift:eager"])
    run.time(swift=1e-3, swift_control=1e-3, turns=3)
    report = run.report()
    assert report.step_times == {}
    assert math.isnan(report.rows[0]["step_s"])
    assert report.control() is None


def test_one_that_missed_a_whole_round_has_no_speed(written):
    run = written(rounds=2)
    run.time(1, swift=1e-3, slow=2e-3, swift_control=1e-3)
    run.time(2, swift=1e-3, swift_control=1e-3)
    assert {key[0] for key in run.report().step_times} == {"swift"}


def test_a_run_that_is_not_yet_over_shows_the_rounds_that_are(written):
    run = written(rounds=2)
    run.time(1, swift=1e-3, slow=2e-3, swift_control=1e-3)
    slow = run.report().rows[1]
    assert slow["ratio"] == pytest.approx(2, rel=0.01)


def test_rounds_are_taken_together(written):
    run = written(rounds=2)
    run.time(1, swift=1e-3, slow=2e-3, swift_control=1e-3)
    run.time(2, swift=1e-3, slow=4e-3, swift_control=1e-3)
    slow = run.report().rows[1]
    assert slow["ratio_low"] < 2.02
    assert slow["ratio_high"] > 3.98


def test_what_processes_differ_by_is_in_every_interval_but_that_of_a_variant_to_itself(written):
    run = written(rounds=2)
    run.time(1, swift=1e-3, slow=2e-3, swift_control=1e-3)
    run.time(2, swift=1e-3, slow=2e-3, swift_control=1.1e-3)
    report = run.report()
    swift, slow = report.rows
    assert (swift["ratio_low"], swift["ratio_high"]) == (1, 1)
    assert slow["ratio_low"] < 1.9
    assert swift["step_s_low"] < 0.95e-3
    assert report.control()[1].low < 0.9
    assert not [line for line in report.remarks() if "two processes of one program" in line]


def test_one_round_says_that_it_knows_nothing_of_processes(written):
    run = written(rounds=1)
    run.time(1, swift=1e-3, slow=2e-3, swift_control=1e-3)
    assert [line for line in run.report().remarks() if "two processes of one program differ" in line]


def test_a_run_without_records_has_a_table_all_the_same(written):
    report = written().report()
    assert [row["conforms"] for row in report.rows] == [None, None]
    assert report.control() is None
    text = (report.write() / "summary.md").read_text()
    assert "| swift:eager | 1.0" in text
    assert "not checked" in text
    assert (report.folder / "tables" / "ratios.md").read_text().endswith("Nothing to show.\n")


# Agreement, failures


@pytest.mark.parametrize(
    ("floors", "status", "gated", "shown"),
    [
        (1.24, "passes", True, "yes (1.2)"),
        (17.0, "loses precision", True, "loses precision (17.0)"),
        (200.0, "fails", True, "no (200.0)"),
        (float("inf"), "fails", True, "no (inf)"),
    ],
)
def test_conformance_is_shown_with_its_worst_floors(written, floors, status, gated, shown):
    run = written(["swift:eager"])
    run.check("swift", floors, status, gated)
    report = run.report()
    assert report.readable()["conforms (worst floors)"].tolist() == [shown]
    assert report.rows[0]["conforms"] is (status != "fails")


def test_a_red_check_is_the_row_s_failure_in_the_check_s_own_words(written):
    run = written()
    run.check("slow", 9e5, "fails", reason="norm0/running_var after 1 step: 9.6e-03 off, 38,000 floors, allowed 128")
    report = run.report()
    expected = "updates on stress-relu float64: norm0/running_var after 1 step: 9.6e-03 off, 38,000 floors, allowed 128"
    assert report.rows[1]["failure"] == expected
    assert f"slow:eager: {expected}" in report.remarks()
    assert report.rows[0]["failure"] == ""
    assert report.checks()["status"].tolist() == ["fails"]


def test_a_known_failure_is_told_with_its_reason_and_its_floors_are_not_the_backend_s(written):
    run = written(entries=("swift:eager",))
    run.check("swift", 1e8, status="known failure", reason="abacus#7: its beads are float32's")
    with run.run.task("another check") as attempt:
        where = {"backend": "swift", "variant": "eager", "check": "updates", "case": "stress-relu", "dtype": "float32"}
        attempt.add("agreement", "check", "passes", "", red=False, required=True, reason="", traceback="", **where)
        attempt.add("agreement", "floors", 3.0, "floors", phase="forward", array="a", step=1, required=True, **where)
    report = run.report()
    assert report.readable()["conforms (worst floors)"].tolist() == ["yes (3.0), known failures in float64"]
    assert "swift:eager: known failures in float64: abacus#7: its beads are float32's" in report.remarks()
    assert report.rows[0]["worst_floors"] == 3.0


def test_what_an_environment_of_its_own_cost_is_the_variant_s(written):
    run = written(entries=("swift:eager", "swift:compiled", "slow:eager"))
    run.add("a", "deployment", "install size", 5, "bytes", backend="swift", variant="eager")
    run.add("b", "deployment", "install size", 7, "bytes", backend="swift", variant="compiled")
    run.add("c", "deployment", "install size", 9, "bytes", backend="slow")
    assert [row["install_bytes"] for row in run.report().rows] == [5, 7, 9]


def test_what_is_a_result_and_no_gate_is_no_failure(written):
    run = written(["swift:eager"])
    run.check("swift", 300.0, "fails", required=False, reason="300 floors")
    report = run.report()
    assert report.rows[0]["failure"] == ""
    assert report.checks()["status"].tolist() == ["fails"]
    assert report.agreement()["gate"].tolist() == ["result"]


def test_a_failure_of_the_environment_is_every_variant_s(written):
    run = written(["swift:eager", "swift:graph", "slow:eager"])
    reason = "swift: could not install (exit code 1)\n  ERROR: No matching distribution found for swift==9\nmore"
    run.add("environment swift", "failure", "environment", reason, backend="swift")
    report = run.report()
    assert [row["failure"].splitlines()[:1] for row in report.rows] == [
        ["environment: swift: could not install (exit code 1)"],
        ["environment: swift: could not install (exit code 1)"],
        [],
    ]
    assert sum("could not install" in line for line in report.remarks()) == 2
    assert "No matching distribution" in report.summary()["failure"][0]


def test_the_agreement_table_has_the_worst_of_each_phase(written):
    run = written()
    run.check("swift", 1.5)
    run.check("slow", 3.25)
    table = run.report().agreement()
    assert table[["case", "dtype", "gate", "phase"]].values.tolist() == [["stress-relu", "float64", "gate", "forward"]]
    assert (table["swift:eager"][0], table["slow:eager"][0]) == (1.5, 3.2)


def test_the_openness_table_has_sources_and_their_dates(saved):
    table = Report(saved).openness()
    licence = table[table["fact"] == "licence"].iloc[0]
    assert licence["value"] == "BSD-3-Clause"
    assert licence["source"]
    assert licence["asof"]


# The wording


def test_the_first_remark_says_when_where_and_on_what(saved):
    header = read.read_header(saved)
    first = Report(saved).remarks()[0]
    for part in (header["created"][:10], header["machine"]["processor"], "1 thread in use", "cpu", "digits", "float32"):
        assert part in first
    assert header["data"]["hash"] in first
    assert header["spec_hash"] in first


def swept(run, quantity, value, axis="width", at=512, **more):
    who = {"backend": "swift", "variant": "eager", "control": False, "round": 1, "axis": axis, "at": at}
    run.add(f"sweep {axis}={at}", "sweep", quantity, value, "", operations=1e6, **who, **more)


def test_a_sweep_leaves_the_run_s_own_figures_as_they_are(written):
    run = written(["swift:eager"])
    who = {"backend": "swift", "variant": "eager", "control": False, "round": 1}
    with run.run.task("round 1") as attempt:
        for quantity, value in (("first call", 1.0), ("peak memory", 1e6), ("import", 2.0), ("transfer", 3.0)):
            attempt.add("speed", quantity, value, "", **who)
        attempt.add("deployment", "cold start", 4.0, "s", **who)
    before = run.report()
    for quantity in ("first call", "peak memory", "import", "transfer", "cold start"):
        swept(run, quantity, 99.0)
    after = run.report()
    pd.testing.assert_frame_equal(after.summary(), before.summary())
    pd.testing.assert_frame_equal(after.getting_started(), before.getting_started())
    assert after.summary()["first_call_s"].tolist() == [1.0]


def test_doubts_about_points_of_a_sweep_are_said(written):
    run = written(["swift:eager"])
    swept(run, "steady", False)
    swept(run, "threads", 3, "threads", 2, of="pool")
    swept(run, "cannot", "cannot do dtype = float64: none", "dtype", "float64")
    lines = run.report().remarks()
    assert "swift:eager at width 512 was never steady." in lines
    assert "swift:eager at threads 2 had more threads in force than the 2 asked for: pool 3." in lines
    assert "swift:eager at dtype float64: cannot do dtype = float64: none" in lines


@pytest.mark.parametrize(("step_s", "said"), [(1.4, False), (1.6, True)])
def test_a_step_that_takes_longer_in_slices_than_in_training_is_said_to(written, step_s, said):
    run = written(["swift:eager"])
    run.time(swift=step_s, swift_control=step_s)
    with run.run.task("train swift:eager") as attempt:
        for epoch, seconds in ((1, 40.0), (2, 16.0)):
            who = {"backend": "swift", "variant": "eager", "epoch": epoch, "steps": 16}
            attempt.add("training", "epoch time", seconds, "s", **who)
    who = {"backend": "swift", "variant": "eager", "control": False}
    run.add("steps", "speed", "slice steps", 5, "steps", **who)
    assert any("in slices of 5 steps, and 1 s in epochs of 16" in line for line in run.report().remarks()) is said


def test_markdown_shows_bars_and_gaps_as_they_are():
    table = pd.DataFrame({"a": ["x|y", None], "b": ["1.50", "002"]})
    rows = [[cell.strip() for cell in line.split(" | ")] for line in to_markdown(table).splitlines()]
    assert rows[2:] == [["| x\\|y", "1.50 |"], ["|", "002  |"]]


@pytest.mark.parametrize(
    ("seconds", "shown"), [(2.0, "2 s"), (0.01234, "12.3 ms"), (1.5e-3, "1.5 ms"), (9.99e-4, "999 us"), (3e-8, "30 ns")]
)
def test_a_step_is_shown_in_the_unit_that_suits_it(written, seconds, shown):
    run = written(["swift:eager"], turns=16)
    with run.run.task("round 1") as attempt:
        who = {"backend": "swift", "variant": "eager", "control": False, "round": 1}
        for turn in range(1, 17):
            attempt.add("speed", "slice", seconds, "s", steps=1, turn=turn, **who)
    assert run.report().readable()["step [95 %]"].tolist() == [f"{shown} [{shown}, {shown}]"]


def test_an_interval_is_what_the_control_is_judged_by(written):
    run = written()
    run.time(swift=1e-3, slow=2e-3, swift_control=1.02e-3)
    name, ratio = run.report().control()
    assert isinstance(ratio, Interval)
    assert (name, ratio.excludes(1)) == ("swift:eager", True)


def test_a_run_that_was_interrupted_says_so_first_and_how_to_go_on(tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(SAVED_RUN, folder)
    records = folder / "records.jsonl"
    lines = records.read_text().splitlines(keepends=True)
    assert not any(line.startswith("UNFINISHED") for line in Report(folder).remarks())
    records.write_text("".join(line for line in lines if '"task":"round 1"' not in line))
    assert Report(folder).remarks()[0].startswith("UNFINISHED: this run was interrupted")
    assert f"`bakeoff run --resume {folder}`" in Report(folder).remarks()[0]


# Getting started


def test_getting_started_has_what_was_told_and_says_unknown_of_what_was_not(written):
    run = written(("swift:eager", "slow:eager"))
    told = {"install size": 2.5e8, "install time": 12.4, "packages": 7, "download size": 98.7e6}
    run.environment("swift", **{**told, "requires python": ">=3.11", "interpreters": "3.11 3.12"})
    run.environment("slow", **{**told, "download size": "unknown", "interpreters": "unknown"})
    with run.run.task("deployment swift:eager") as task:
        for seconds in (1.5, 2.5, 9.0):
            task.add("deployment", "cold start", seconds, "s", backend="swift", variant="eager")
    swift, slow = run.report().getting_started().to_dict("records")
    assert swift == {
        "backend": "swift:eager",
        "download": "99 MB",
        "installed": "250 MB",
        "packages": "7",
        "install": "12 s",
        "needs Python": ">=3.11",
        "has wheels for": "3.11 3.12",
        "import": "-",
        "cold start to the first steps": "2.50 s",
    }
    assert (slow["download"], slow["has wheels for"]) == ("unknown", "unknown")
    assert (slow["needs Python"], slow["cold start to the first steps"]) == ("-", "-")


def test_a_run_of_before_it_was_measured_shows_no_download(saved):
    (row,) = Report(saved).getting_started().to_dict("records")
    assert (row["download"], row["cold start to the first steps"]) == ("-", "-")
    assert row["installed"].endswith(" MB")
