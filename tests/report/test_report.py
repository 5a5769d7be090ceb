"""The report makes the same tables from the same records every time, with the notes above them.

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
from bakeoff.measures import VOCABULARY
from bakeoff.measures.agreement.figures import CHECK, CONVENTION_EFFECT, FLOORS
from bakeoff.measures.deployment import figures as deployment
from bakeoff.measures.speed import figures as speed
from bakeoff.measures.training.figures import EPOCH_TIME
from bakeoff.portable.spec import CONVENTIONS
from bakeoff.records import read
from bakeoff.records.store import Run
from bakeoff.report import notes
from bakeoff.report.notes import CHOICES
from bakeoff.report.report import Report
from bakeoff.report.text import format_number, shorten_floors, to_markdown

from tests.paths import SAVED_RUN

BLOCKS = 12


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 200)


@pytest.fixture
def saved(tmp_path):
    return Path(shutil.copytree(SAVED_RUN, tmp_path / "saved"))


def contestant(backend="swift", variant="eager", self_test=False, number=1):
    return {"backend": backend, "variant": variant, "self_test": self_test, "round": number}


CHECKED = {
    "variant": "eager",
    "check": "updates",
    "case": "stress-relu",
    "dtype": "float64",
    "checked_at": "2026-11-22T00:00:00Z",
}


class Written:
    """A run with invented records."""

    def __init__(self, parent, entries=("swift:eager", "slow:eager"), rounds=1, blocks=BLOCKS):
        header = json.loads((SAVED_RUN / "run.json").read_text())
        entries = [entry.split(":") for entry in entries]
        plan = {**header["plan"], "entries": entries, "rounds": rounds, "blocks": blocks}
        backends = {name: {"title": name.title(), "version": "1.0", "source": "0" * 12} for name, _ in entries}
        self.run = Run.create(parent, {**header, "plan": plan, "backends": backends}, VOCABULARY)
        self.folder = self.run.folder

    def add(self, task, figure, value, **keys):
        with self.run.task(task) as attempt:
            attempt.add(figure, value, **keys)

    def environment(self, backend, figures):
        with self.run.task(f"environment {backend}") as attempt:
            for figure, value in figures.items():
                attempt.add(figure, value, backend=backend, **({"installed": {}} if "installed" in figure.keys else {}))

    def time(self, number=1, blocks=BLOCKS, **step_s):
        """Write a round: seconds a step by backend, one number or one for each block; `swift_copy` is the self-test."""
        rng = np.random.default_rng(number)
        with self.run.task(f"round {number}") as attempt:
            for name, steps in step_s.items():
                backend, _, copy = name.partition("_")
                noise = 1 + 1e-3 * rng.standard_normal(blocks)
                for block, step in enumerate(np.broadcast_to(steps, blocks) * noise, start=1):
                    who = contestant(backend, self_test=bool(copy), number=number)
                    attempt.add(speed.SLICE, 5 * step, cpu_s=5 * step, steps=5, block=block, position=0, **who)

    def check(self, backend, floors, status="passes", required=True, reason="", dtype="float64", task="check"):
        where = {**CHECKED, "backend": backend, "dtype": dtype, "required": required}
        with self.run.task(f"{task} {backend}:eager") as attempt:
            failed = required and status == "fails"
            attempt.add(CHECK, status, failed=failed, reason=reason, traceback="", **where)
            attempt.add(FLOORS, floors, phase="forward", array="a", step=1, error=floors, floor=1.0, **where)

    def report(self):
        return Report(self.folder)


@pytest.fixture
def written(tmp_path):
    """Return a function that begins a run with invented records."""
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


def test_deleted_tables_are_made_again_to_the_byte(saved):
    tables = Report(saved).write()
    first = contents(tables)
    assert set(first) == {
        f"{name}.{kind}"
        for name in (
            "summary",
            "ratios",
            "agreement",
            "checks",
            "convention_effects",
            "framework_defaults",
            "installation",
            "openness",
            "speed",
            "warm_up",
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


def test_the_saved_run_does_not_identify_its_machine():
    text = "".join((SAVED_RUN / name).read_text() for name in ("run.json", "records.jsonl"))
    assert not re.search(r'[:\[,]\s*"(/|~)', text), "a path"
    assert "hostname" not in text


def test_a_row_has_every_measured_value(saved):
    report = Report(saved)
    (row,) = report.rows
    assert not row["failure"]
    assert row["correct"] == "yes"
    missing = [key for key, value in row.items() if key != "failure" and pd.isna(value)]
    assert missing == []
    records = read.read_records(saved, VOCABULARY)
    (accuracy,) = records.loc[records["figure"] == "test_accuracy", "value"]
    assert row["test_accuracy"] == accuracy
    slices = records[(records["figure"] == "slice") & ~records["self_test"].eq(True)]
    assert row["step_s"] == pytest.approx(np.median(slices["value"].astype(float) / slices["steps"].astype(float)))
    assert row["examples_per_s"] == pytest.approx(64 / row["step_s"])


def test_the_validation_accuracy_is_that_of_the_last_epoch(saved):
    records = read.read_records(saved, VOCABULARY)
    epochs = records[records["figure"] == "validation_accuracy"].set_index("epoch")["value"]
    assert Report(saved).rows[0]["validation_accuracy"] == epochs[3]


def test_csv_and_markdown_agree(saved):
    tables = Report(saved).write()
    (row,) = pd.read_csv(tables / "summary.csv").to_dict("records")
    text = (tables / "summary.md").read_text()
    assert f"{row['test_accuracy']:.1%}" in text
    assert "numpy_plain:plain" in text
    assert row["licence"] in text


def test_an_unwritable_folder_is_an_input_error(saved):
    (saved / "tables").write_text("a file")
    with pytest.raises(InputError, match="tables: expected a folder, got a file"):
        Report(saved).write()


# Speed


def test_ratios_are_relative_to_the_fastest_variant(written):
    run = written()
    run.time(swift=1e-3, slow=2e-3, swift_copy=1e-3)
    swift, slow = run.report().rows
    assert swift["times_fastest"] == swift["times_fastest_low"] == swift["times_fastest_high"] == 1
    assert slow["times_fastest"] == pytest.approx(2, rel=0.01)
    assert slow["times_fastest_low"] <= slow["times_fastest"] <= slow["times_fastest_high"]
    assert swift["step_s"] == pytest.approx(1e-3, rel=0.01)
    ratios = run.report().ratios()
    assert ratios["backend"].tolist() == ["slow:eager", "swift:eager"]
    assert ratios["swift:eager"][0].startswith("2.00 [")


def test_a_note_says_that_the_self_test_passed(written):
    run = written()
    run.time(swift=1e-3, slow=2e-3, swift_copy=1e-3)
    report = run.report()
    assert not report.self_test()[1].excludes(1)
    (line,) = [line for line in report.notes() if "self-test" in line]
    assert line.startswith("The timing passed its self-test (swift:eager against itself: 1.0")


def test_a_failed_self_test_is_the_first_note_of_every_table(written):
    run = written()
    run.time(swift=1e-3, slow=2e-3, swift_copy=0.8e-3)
    run.check("slow", 9e5, "fails", reason="norm0/running_var: 900,000 floors, allowed 128")
    report = run.report()
    assert report.self_test()[0] == "swift:eager"
    assert report.self_test()[1].excludes(1)
    first = report.notes()[0]
    assert re.match(r"The timing failed its self-test by 2\d\.\d % \(swift:eager against itself: 1\.2", first)
    assert "% cannot be believed" in first
    assert report.markdown().startswith(f"- {first}\n")
    texts = {path.name: path.read_text() for path in report.write().glob("*.md")}
    assert len(texts) == 9
    for name, text in texts.items():
        assert text.startswith(f"- {first}\n"), name


def test_a_failed_self_test_says_which_differences_can_be_believed(written):
    run = written()
    run.time(swift=1e-3, slow=2e-3, swift_copy=0.8e-3)
    report = run.report()
    assert report.failed_self_test
    interval = report.self_test()[1]
    (percent,) = re.findall(r"Differences below ([\d.]+) % cannot be believed; larger ones can\.", report.notes()[0])
    assert 0 <= float(percent) - (max(interval.high, 1 / interval.low) - 1) * 100 < 0.11
    assert "repeat the run on a quieter machine (`bakeoff doctor`)" in report.notes()[0]


@pytest.mark.parametrize(
    ("interval", "sentence"),
    [
        (Interval(1.01, 1.004, 1.016), "Differences below 1.6 % cannot be believed; larger ones can."),
        (Interval(0.95, 0.90, 0.99), "Differences below 11.2 % cannot be believed; larger ones can."),
        (Interval(1.2, 1.1, math.inf), "No difference of this run can be believed."),
    ],
)
def test_what_a_failed_self_test_leaves_believable_follows_from_its_interval(interval, sentence):
    assert notes.describe_resolution(interval) == sentence


def test_the_self_test_has_no_row(written):
    run = written()
    run.time(swift=1e-3, slow=2e-3, swift_copy=0.5e-3)
    report = run.report()
    assert report.step_times.fastest == ("swift", "eager")
    assert len(report.rows) == 2
    assert report.ratios().shape == (2, 3)


def test_a_variant_whose_worker_died_has_no_step_time(written):
    run = written()
    run.time(swift=1e-3, swift_copy=1e-3)
    with run.run.task("round 2") as attempt:
        slice_ = {"cpu_s": 0.01, "steps": 5, "block": 1, "position": 0}
        attempt.add(speed.SLICE, 0.01, **slice_, **contestant("slow"))
        reason = "died: the worker was ended by SIGSEGV during train"
        attempt.add(speed.FAILED, reason, traceback="", **contestant("slow"))
    report = run.report()
    slow = report.rows[1]
    assert math.isnan(slow["step_s"])
    assert math.isnan(slow["times_fastest"])
    assert slow["failure"] == "timing failed: died: the worker was ended by SIGSEGV during train"
    assert "slow:eager: timing failed: died: the worker was ended by SIGSEGV during train" in report.notes()


def test_missing_blocks_are_missing_even_if_no_variant_has_them(written):
    """The only variant died after three of twelve blocks: they are not the planned measurement."""
    run = written(["swift:eager"])
    run.time(swift=1e-3, swift_copy=1e-3, blocks=3)
    report = run.report()
    assert report.step_times.rounds == {}
    assert math.isnan(report.rows[0]["step_s"])
    assert report.self_test() is None


def test_a_variant_that_missed_a_round_has_no_step_time(written):
    run = written(rounds=2)
    run.time(1, swift=1e-3, slow=2e-3, swift_copy=1e-3)
    run.time(2, swift=1e-3, swift_copy=1e-3)
    assert {key[0] for key in run.report().step_times.rounds} == {"swift"}


def test_an_unfinished_run_shows_its_finished_rounds(written):
    run = written(rounds=2)
    run.time(1, swift=1e-3, slow=2e-3, swift_copy=1e-3)
    slow = run.report().rows[1]
    assert slow["times_fastest"] == pytest.approx(2, rel=0.01)


def test_intervals_pool_all_rounds(written):
    run = written(rounds=2)
    run.time(1, swift=1e-3, slow=2e-3, swift_copy=1e-3)
    run.time(2, swift=1e-3, slow=4e-3, swift_copy=1e-3)
    slow = run.report().rows[1]
    assert slow["times_fastest_low"] < 2.02
    assert slow["times_fastest_high"] > 3.98


def test_intervals_include_the_variation_between_processes(written):
    run = written(rounds=2)
    run.time(1, swift=1e-3, slow=2e-3, swift_copy=1e-3)
    run.time(2, swift=1e-3, slow=2e-3, swift_copy=1.1e-3)
    report = run.report()
    swift, slow = report.rows
    assert (swift["times_fastest_low"], swift["times_fastest_high"]) == (1, 1)
    assert slow["times_fastest_low"] < 1.9
    assert swift["step_s_low"] < 0.95e-3
    assert report.self_test()[1].low < 0.9
    assert not [line for line in report.notes() if "variation between processes" in line]


def test_a_note_says_that_one_round_omits_variation_between_processes(written):
    run = written(rounds=1)
    run.time(1, swift=1e-3, slow=2e-3, swift_copy=1e-3)
    assert [line for line in run.report().notes() if "variation between processes" in line]


def test_a_run_without_records_has_a_table(written):
    report = written().report()
    assert [row["correct"] for row in report.rows] == [None, None]
    assert report.self_test() is None
    text = (report.write() / "summary.md").read_text()
    assert "| swift:eager | 1.0" in text
    assert "not checked" in text
    assert (report.folder / "tables" / "ratios.md").read_text().endswith("Nothing to show.\n")


# Agreement, failures


@pytest.mark.parametrize(
    ("floors", "status", "required", "shown"),
    [
        (1.24, "passes", True, "yes (1.2)"),
        (17.0, "loses precision", True, "reduced precision (17.0)"),
        (200.0, "fails", True, "no (200.0)"),
        (float("inf"), "fails", True, "no (> 10,000)"),
        (0.6, "fails", True, "no"),  # It broke the contract: the floors beside it say nothing.
    ],
)
def test_the_summary_shows_correctness_with_the_rounding_error(written, floors, status, required, shown):
    run = written(["swift:eager"])
    run.check("swift", floors, status, required)
    report = run.report()
    assert report.readable_summary()["correct (rounding error, x NumPy's)"].tolist() == [shown]
    assert (report.rows[0]["correct"] == "no") is (status == "fails")


def test_a_failed_check_is_the_failure_of_its_row(written):
    run = written()
    run.check("slow", 9e5, "fails", reason="norm0/running_var after 1 step: 9.6e-03 off, 38,000 floors, allowed 128")
    report = run.report()
    expected = "updates on stress-relu float64: norm0/running_var after 1 step: 9.6e-03 off, 38,000 floors, allowed 128"
    assert report.rows[1]["failure"] == expected
    assert f"slow:eager: {expected.replace('38,000', '> 10,000')}" in report.notes()
    assert report.rows[0]["failure"] == ""
    assert report.checks()["status"].tolist() == ["fails"]


def test_a_worker_that_computed_something_else_while_it_was_timed_has_a_reason_and_no_speed(written):
    run = written()
    run.time(swift=1e-3, swift_copy=1e-3, slow=1e-8)
    run.check("slow", 1.0)
    reason = "loss of the timed steps after 10 steps: 3.0e-01 off, 9,000,000.0 floors, allowed 128"
    with run.run.task("later") as attempt:
        attempt.add(speed.FIRST_CALL, 1e-8, steps=5, **contestant("slow"))
        attempt.add(speed.TIMED_CHECK, "passed", when="before the first slice", floors=1.0, **contestant("swift"))
        attempt.add(speed.TIMED_CHECK, reason, when="after the last slice", floors=9e6, **contestant("slow"))
        attempt.add(speed.FAILED, f"computes something else: {reason}", traceback="", **contestant("slow"))
    report = run.report()
    swift, slow = report.rows
    assert swift["times_fastest"] == 1.0
    assert swift["step_s"] == pytest.approx(1e-3, rel=0.01)
    for value in ("step_s", "times_fastest", "first_call_s", "examples_per_s"):
        assert pd.isna(slow[value]), value
    assert slow["failure"] == f"timing failed: computes something else: {reason}"


def test_the_rounding_errors_of_a_known_failure_do_not_count(written):
    run = written(entries=("swift:eager",))
    run.check("swift", 1e8, status="known failure", reason="abacus#7: its beads are float32's")
    run.check("swift", 3.0, dtype="float32", task="another check")
    report = run.report()
    assert report.readable_summary()["correct (rounding error, x NumPy's)"].tolist() == [
        "yes (3.0), known failures in float64"
    ]
    assert "swift:eager: known failures in float64: abacus#7: its beads are float32's" in report.notes()
    assert report.rows[0]["worst_floors"] == 3.0


def test_a_variant_has_the_size_of_its_own_environment(written):
    run = written(entries=("swift:eager", "swift:compiled", "slow:eager"))
    run.add("a", deployment.INSTALL_SIZE, 5, backend="swift", variant="eager")
    run.add("b", deployment.INSTALL_SIZE, 7, backend="swift", variant="compiled")
    run.add("c", deployment.INSTALL_SIZE, 9, backend="slow")
    assert [row["install_bytes"] for row in run.report().rows] == [5, 7, 9]


def test_a_check_that_is_not_required_is_no_failure(written):
    run = written(["swift:eager"])
    run.check("swift", 300.0, "fails", required=False, reason="300 floors")
    report = run.report()
    assert report.rows[0]["failure"] == ""
    assert report.checks()["status"].tolist() == ["fails"]
    assert report.agreement()["required"].tolist() == ["no"]


def test_a_failed_environment_fails_every_variant(written):
    run = written(["swift:eager", "swift:graph", "slow:eager"])
    reason = "swift: could not install (exit code 1)\n  ERROR: No matching distribution found for swift==9\nmore"
    run.add("environment swift", deployment.FAILED, reason, backend="swift")
    report = run.report()
    assert [row["failure"].splitlines()[:1] for row in report.rows] == [
        ["no environment: swift: could not install (exit code 1)"],
        ["no environment: swift: could not install (exit code 1)"],
        [],
    ]
    assert sum("could not install" in line for line in report.notes()) == 1
    assert "No matching distribution" in report.summary()["failure"][0]


def test_what_is_not_available_here_has_its_row_and_is_no_failure(written):
    run = written(["swift:eager", "slow:eager"])
    reason = "not available here: needs gcc on PATH. Install gcc."
    run.add("environment swift", deployment.UNAVAILABLE, reason, backend="swift")
    report = run.report()
    assert [row["failure"] for row in report.rows] == [reason, ""]
    assert f"swift:eager: {reason}" in report.notes()
    assert not report.failed


def test_a_run_in_which_nothing_is_available_fails(written):
    run = written(["swift:eager"])
    run.add("environment swift", deployment.UNAVAILABLE, "needs gcc", backend="swift")
    assert run.report().failed


def test_the_table_and_a_note_say_which_framework_a_backend_stands_for(written):
    run = written(["swift:eager", "slow:eager"])
    report = run.report()
    report.header["plan"]["stands_for"] = {"slow": ["Sloth", "It is the heir of Sloth."]}
    assert report.readable_summary()["backend"].tolist() == ["swift:eager", "slow:eager (for Sloth)"]
    assert f"{report.title('slow')} stands for Sloth: It is the heir of Sloth." in report.notes()


def test_the_agreement_table_has_the_worst_of_each_phase(written):
    run = written()
    run.check("swift", 1.5)
    run.check("slow", 3.25)
    table = run.report().agreement()
    assert table[["case", "dtype", "required", "phase"]].values.tolist() == [
        ["stress-relu", "float64", "yes", "forward"]
    ]
    assert (table["swift:eager"][0], table["slow:eager"][0]) == (1.5, 3.2)


def test_the_openness_table_has_sources_and_dates(saved):
    table = Report(saved).openness()
    licence = table[table["fact"] == "licence"].iloc[0]
    assert licence["value"] == "BSD-3-Clause"
    assert licence["source"]
    assert licence["asof"]


# The wording


def test_the_first_note_gives_date_machine_data_and_spec(saved):
    header = read.read_header(saved)
    first = Report(saved).notes()[0]
    for part in (header["created"][:10], header["machine"]["processor"], "1 thread in use", "cpu", "digits", "float32"):
        assert part in first
    assert header["data"]["hash"] in first
    assert header["spec_hash"] in first


def add_to_sweep(run, figure, value, axis="width", point=512, **more):
    """Write a record at a point of the sweep, with a value for every key of the figure."""
    keys = {**contestant(), "axis": axis, "point": point, "operations": 1_000_000, **more}
    keys |= {key: 1 for key in figure.keys if key not in keys}
    run.add(f"sweep {axis}={point}", figure, value, **{key: keys[key] for key in figure.keys})


def test_a_sweep_leaves_the_values_of_the_run_unchanged(written):
    run = written(["swift:eager"])
    figures = (speed.FIRST_CALL, speed.PEAK_MEMORY, speed.IMPORT, speed.TRANSFER, speed.COLD_START)
    with run.run.task("round 1") as attempt:
        for value, figure in enumerate(figures, start=1):
            attempt.add(figure, value, **contestant(), **({"steps": 1} if "steps" in figure.keys else {}))
    before = run.report()
    for figure in figures:
        add_to_sweep(run, speed.SWEEP[figure.name], 99.0)
    after = run.report()
    pd.testing.assert_frame_equal(after.summary(), before.summary())
    pd.testing.assert_frame_equal(after.installation(), before.installation())
    assert after.summary()["first_call_s"].tolist() == [1.0]


def test_notes_name_the_doubtful_points_of_a_sweep(written):
    run = written(["swift:eager"])
    add_to_sweep(run, speed.SWEEP["steady"], False, slices=9, since=None)
    add_to_sweep(run, speed.SWEEP["threads"], 3, "threads", 2, of="pool", source="itself")
    add_to_sweep(run, speed.SWEEP_UNSUPPORTED, "does not support dtype = float64: none", "dtype", "float64")
    lines = run.report().notes()
    assert "swift:eager at width 512 did not reach steady state." in lines
    assert "swift:eager at threads 2 used more threads than the 2 requested: pool 3." in lines
    assert "swift:eager at dtype float64: does not support dtype = float64: none" in lines


@pytest.mark.parametrize(("step_s", "noted"), [(1.4, False), (1.6, True)])
def test_a_note_says_that_a_step_takes_longer_in_slices_than_in_training(written, step_s, noted):
    run = written(["swift:eager"])
    run.time(swift=step_s, swift_copy=step_s)
    with run.run.task("train swift:eager") as attempt:
        for epoch, seconds in ((1, 40.0), (2, 16.0)):
            attempt.add(EPOCH_TIME, seconds, backend="swift", variant="eager", epoch=epoch, steps=16)
    run.add("steps", speed.SLICE_STEPS, 5, **contestant())
    expected = "when timed 5 steps at a time, 1 s in whole epochs. Either a call of `train` has a fixed cost"
    assert any(expected in line for line in run.report().notes()) is noted


@pytest.mark.parametrize(
    ("convention", "chosen", "changed", "note"),
    [
        (
            "running_variance",
            "unbiased",
            0.0,
            "Swift's batch norm keeps the unbiased running variance. No prediction changes; "
            "probabilities change by at most 0.014.",
        ),
        (
            "adam",
            "epsilon-hat",
            0.25,
            "Swift's Adam adds epsilon before the bias correction. 25.0% of the predictions change, and accuracy from "
            "90.0% to 80.0%; probabilities change by at most 0.014.",
        ),
    ],
)
def test_a_note_describes_each_convention_and_its_effect(written, convention, chosen, changed, note):
    run = written()
    effect = {"largest": 0.01357, "mean": 1e-4, "changed_predictions": changed}
    accuracies = {"accuracy": 0.8, "common_accuracy": 0.9}
    who = {"backend": "swift", "convention": convention, "chosen": chosen}
    run.add("convention effects swift", CONVENTION_EFFECT, 0.01357, **who, **effect, **accuracies)
    assert note in run.report().notes()


def test_every_convention_has_a_description():
    others = {(name, value) for name, values in CONVENTIONS.items() for value in values[1:]}
    assert others == set(CHOICES)


def test_variants_with_the_same_failure_share_a_note(written):
    run = written(["swift:eager", "swift:graph"])
    run.add("environment swift", deployment.FAILED, "no compiler", backend="swift")
    assert "swift:eager, swift:graph: no environment: no compiler" in run.report().notes()


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.4749, "1.47"), (15.24, "15.2"), (155.3, "155"), (402157.8, "402,000"), (0.98, "0.980"), (0.0, "0")],
)
def test_a_number_has_three_significant_digits(value, text):
    assert format_number(value) == text


def test_a_sentence_says_that_there_are_many_floors_and_not_how_many():
    assert (
        shorten_floors("9.6e-03 off, 457,035,159.3 floors, allowed 128") == "9.6e-03 off, > 10,000 floors, allowed 128"
    )
    assert shorten_floors("1.0e-06 off, 9,000 floors, allowed 128") == "1.0e-06 off, 9,000 floors, allowed 128"
    assert shorten_floors("nan, inf floors") == "nan, > 10,000 floors"


def test_markdown_shows_bars_and_gaps_as_they_are():
    table = pd.DataFrame({"a": ["x|y", None], "b": ["1.50", "002"]})
    rows = [[cell.strip() for cell in line.split(" | ")] for line in to_markdown(table).splitlines()]
    assert rows[2:] == [["| x\\|y", "1.50 |"], ["|", "002  |"]]


@pytest.mark.parametrize(
    ("seconds", "shown"), [(2.0, "2 s"), (0.01234, "12.3 ms"), (1.5e-3, "1.5 ms"), (9.99e-4, "999 us"), (3e-8, "30 ns")]
)
def test_a_step_time_has_a_suitable_unit(written, seconds, shown):
    run = written(["swift:eager"], blocks=16)
    with run.run.task("round 1") as attempt:
        for block in range(1, 17):
            timed = {"cpu_s": seconds, "steps": 1, "block": block, "position": 0}
            attempt.add(speed.SLICE, seconds, **timed, **contestant())
    assert run.report().readable_summary()["time per step [95 %]"].tolist() == [f"{shown} [{shown}, {shown}]"]


def test_the_self_test_is_judged_by_its_interval(written):
    run = written()
    run.time(swift=1e-3, slow=2e-3, swift_copy=1.02e-3)
    name, ratio = run.report().self_test()
    assert isinstance(ratio, Interval)
    assert (name, ratio.excludes(1)) == ("swift:eager", True)


def test_the_first_note_of_an_interrupted_run_says_how_to_finish_it(tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(SAVED_RUN, folder)
    records = folder / "records.jsonl"
    lines = records.read_text().splitlines(keepends=True)
    assert not any(line.startswith("UNFINISHED") for line in Report(folder).notes())
    records.write_text("".join(line for line in lines if '"task":"round 1"' not in line))
    assert Report(folder).notes()[0].startswith("UNFINISHED: this run was interrupted")
    assert f"`bakeoff run --resume {folder}`" in Report(folder).notes()[0]


# Getting started


def test_the_installation_table_says_unknown_where_a_value_is_not_known(written):
    run = written(("swift:eager", "slow:eager"))
    known = {deployment.INSTALL_SIZE: 2.5e8, deployment.INSTALL_TIME: 12.4, deployment.PACKAGES: 7}
    more = {deployment.DOWNLOAD_SIZE: 98.7e6, deployment.INTERPRETERS: "3.11 3.12"}
    run.environment("swift", {**known, **more, deployment.REQUIRES_PYTHON: ">=3.11"})
    run.environment("slow", {**known, **dict.fromkeys(more)})
    with run.run.task("deployment swift:eager") as task:
        for seconds in (1.5, 2.5, 9.0):
            task.add(speed.COLD_START, seconds, steps=1, **contestant())
    swift, slow = run.report().installation().to_dict("records")
    assert swift == {
        "backend": "swift:eager",
        "download": "99 MB",
        "installed": "250 MB",
        "packages": "7",
        "install time": "12 s",
        "requires Python": ">=3.11",
        "has wheels for": "3.11 3.12",
        "import": "-",
        "cold start": "2.50 s",
    }
    assert (slow["download"], slow["has wheels for"]) == ("unknown", "unknown")
    assert (slow["requires Python"], slow["cold start"]) == ("-", "-")


def test_a_run_without_a_recorded_download_shows_a_dash(saved):
    (row,) = Report(saved).installation().to_dict("records")
    assert (row["download"], row["cold start"]) == ("-", "-")
    assert row["installed"].endswith(" MB")
