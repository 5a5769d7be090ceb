"""A run with a suite: every workload is timed; killed in the middle of one and resumed, it loses nothing."""

import json
from collections import Counter

import pandas as pd
import psutil
import pytest
from bakeoff.cli.run import make_request
from bakeoff.common.errors import InputError
from bakeoff.measures import VOCABULARY
from bakeoff.measures.speed import figures
from bakeoff.records import read
from bakeoff.records.query import Query
from bakeoff.runner import start as runner_start
from bakeoff.runner import suite
from bakeoff.workload.suite import read_suite

from tests.runner.test_comparison import start, wait_for

SUITE = """new_shapes = true
[[workload]]
name = "small"
data.source = "synthetic:300x6x3"
network.hidden = [8]
training.batch_size = 16
training.epochs = 2

[[workload]]
name = "wide"
data.source = "synthetic:300x6x3"
network.hidden = [64]
training.batch_size = 16

[[workload]]
name = "one-row"
data.source = "iris"
network.hidden = [8]
training.batch_size = 16
measure = "prediction"
"""
TIMED = ["workload wide round 1", "workload one-row round 1", "workload wide round 2", "workload one-row round 2"]


PLACES = ("round 1", "workload one-row round 1", "shapes numpy_plain:plain")
"""The tasks in which the run is killed: in its own spec, in a workload, and in what comes after them."""


def kill_during(task, folder, *arguments):
    """Start a run, or resume it, and kill it (SIGKILL) as soon as it has recorded something in this task."""

    def in_the_task():
        files = list(folder.glob("results/*/records.jsonl"))
        return bool(files) and f'{{"task":"{task}"' in files[0].read_text()

    with start(folder, *arguments) as process:
        watched = psutil.Process(process.pid)
        wait_for(lambda: process.poll() is not None or in_the_task())
        came = process.poll() is None
        children = watched.children(recursive=True) if came else []
        process.kill()
        _, err = process.communicate()
    assert came, err
    wait_for(lambda: not any(child.is_running() for child in children), within_s=30)
    run = read.latest(folder / "results")
    return run, (run / "records.jsonl").read_bytes()


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Return the folder of a run that was killed three times and resumed, and its records after each time."""
    folder = tmp_path_factory.mktemp("suite")
    (folder / "mine.toml").write_text(SUITE)
    first, *others = PLACES
    suite_file = str(folder / "mine.toml")
    run, records = kill_during(first, folder, "--suite", suite_file, "--backends", "numpy_plain", "--quick")
    before = [records]
    before += [kill_during(task, folder, "--resume", str(run))[1] for task in others]
    with start(folder, "--resume", str(run), "--json") as process:
        out, err = process.communicate()
    assert process.returncode in (0, 3), err  # 3: the machine was too restless for the self-test
    return run, before, json.loads(out)


def test_what_was_finished_is_kept_and_nothing_is_measured_twice(killed):
    run, before, _ = killed
    after = (run / "records.jsonl").read_bytes()
    assert all(after.startswith(each[: each.rfind(b"\n") + 1]) for each in before)
    ended = [json.loads(line)["task"] for line in after.decode().splitlines() if '"figure":"finished"' in line]
    assert [task for task in ended if task.startswith(("round", "workload", "shapes"))] == [
        "round 1", "round 2", *TIMED, PLACES[-1]
    ]  # fmt: skip
    # An environment is looked for again on every start.
    assert {task for task, times in Counter(ended).items() if times > 1} == {"environment numpy_plain"}
    attempts = read.read_records(run, VOCABULARY).groupby("task")["attempt"].max()
    assert {task for task, count in attempts.items() if count > 1} - {"environment numpy_plain"} == set(PLACES)


def test_what_new_batch_sizes_cost_is_measured_with_a_suite(killed):
    run, _, printed = killed
    (row,) = printed["new_shapes"]
    assert row["new_sizes"] == 12
    assert row["slower_path"] is False
    assert not row["failure"]
    assert len(pd.read_csv(run / "tables" / "new_sizes.csv")) == 12


def test_the_rounds_of_a_workload_have_the_same_blocks(killed):
    run, _, _ = killed
    query = Query(read.read_records(run, VOCABULARY))
    slices = query.rows(figures.SUITE["slice"], self_test=False, workload="wide")
    counts = slices.groupby("round")["block"].nunique()
    assert counts.nunique() == 1
    assert counts.min() >= 16
    assert query.last(figures.SUITE["blocks"], workload="wide") == counts.iloc[0]


def test_predictions_are_timed_with_the_rows_that_the_workload_says(killed):
    run, _, _ = killed
    calls = Query(read.read_records(run, VOCABULARY)).rows(figures.SUITE["latency"], workload="one-row")
    assert set(calls["rows"]) == {1}
    assert set(calls["self_test"]) == {True, False}


def test_a_resumed_suite_ends_with_results_on_every_workload(killed):
    run, _, printed = killed
    assert [row["workload"] for row in printed["suite"]] == ["small", "wide", "one-row"]
    assert all(row["times_fastest"] == 1 for row in printed["suite"])
    assert pd.read_csv(run / "tables" / "suite.csv")["seconds"].gt(0).all()
    assert read.read_state(run).complete


def test_the_plan_stands_in_the_header(killed):
    run, _, _ = killed
    header = read.read_header(run)
    assert [each["name"] for each in header["suite"]["workloads"]] == ["small", "wide", "one-row"]
    assert header["suite"]["workloads"][0]["spec"] == header["spec"]
    assert sum(map(sum, header["data"]["class_counts"].values())) == 300


def test_a_suite_whose_data_changed_is_not_resumed(killed):
    run, _, _ = killed
    recorded = read.read_header(run)["suite"]["workloads"]
    recorded[1]["data"]["hash"] = "0" * 12
    with pytest.raises(InputError, match="the data of workload wide had the hash 000000000000, now"):
        suite.resume(recorded[1:], run)


def test_rounds_of_one_workload_are_apart():
    workloads = [suite.PlannedWorkload(name, "", None, None, 1, "training", 1) for name in ("a", "b")]
    assert [name for name, *_ in suite.list_rounds(workloads, 2)] == [
        "workload a round 1", "workload b round 1", "workload a round 2", "workload b round 2",
    ]  # fmt: skip


def test_a_workload_that_needs_more_cores_is_left_out(monkeypatch, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(SUITE + "threads = 2\n")
    monkeypatch.setattr(suite, "first_cores", lambda count: (0,))
    planned, left_out = suite.plan(read_suite(str(path))[1], threads=1)
    assert [each.name for each in planned] == ["small", "wide"]
    assert left_out == {"one-row": "needs 2 cores; this process may use 1"}


@pytest.mark.parametrize(("seconds", "left", "said"), [
    ([], 3, ""),
    ([10.0, 20.0], 2, "; about 30 s left"),
    ([30.0], 10, "; about 5 min left"),
])  # fmt: skip
def test_the_time_left_is_that_of_the_rounds_before(seconds, left, said):
    assert suite.describe_time_left(seconds, left) == said


def given(**changed):
    """Return the parameters of a command line with --suite standard."""
    names = ("spec", "backends", "data", "target", "batch_size", "rounds", "blocks", "budget", "until", "time_limit")
    defaults = {
        **dict.fromkeys((*names, "build", "deploy")),
        "suite": "standard",
        "device": "cpu",
        "threads": 1,
        "quick": False,
        "new_shapes": False,
    }
    defaults |= {"framework_defaults": False, "inherit_environment": None, "python": None, "results": "results"}
    return {**defaults, **changed}


@pytest.mark.parametrize(
    "changed",
    [{"spec": "my.toml"}, {"data": "iris"}, {"batch_size": 8}, {"framework_defaults": True}, {"until": "2%"}],
)
def test_options_of_a_single_workload_are_refused_beside_a_suite(changed):
    with pytest.raises(InputError, match="is for a run of one workload"):
        make_request(given(**changed))


def test_a_budget_is_divided_among_workloads_and_rounds():
    request = make_request(given(budget="16m"))
    _, header = runner_start._plan_suite(request)
    assert len(header["suite"]["workloads"]) == 8
    assert header["suite"]["budget_s"] == pytest.approx(16 * 60 / 8 / runner_start.ROUNDS)
    assert runner_start._plan(request, [], (0,))["budget_s"] == pytest.approx(16 * 60 / 8)
