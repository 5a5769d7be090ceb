"""Tests of whole runs: a failure is named and the rest continues; a killed run resumes where it stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import psutil
import pytest
from bakeoff import environments
from bakeoff.cli import app
from bakeoff.common import statistics
from bakeoff.common.errors import InputError
from bakeoff.common.progress import Board
from bakeoff.environments.environment import Environment
from bakeoff.measures import VOCABULARY
from bakeoff.measures.agreement import cached_results
from bakeoff.measures.ease.changes import CHANGES
from bakeoff.measures.speed import figures as speed
from bakeoff.measures.speed import rounds as speed_rounds
from bakeoff.measures.speed import stopping
from bakeoff.measures.training import figures as training
from bakeoff.records import read
from bakeoff.registry import entries
from bakeoff.report.report import Report
from bakeoff.runner import schedule, timing
from bakeoff.runner import start as runner_start
from bakeoff.workers.place import Place
from bakeoff.workload import networks
from bakeoff.workload.spec import Spec, parse
from rich.console import Console
from typer.testing import CliRunner

SMALL = """
[data]
source = "synthetic:300x6x3"

[network]
hidden = [8]

[training]
batch_size = 16
epochs = 2
"""

# The harness without the parts that take long and have tests of their own: the backend runs in this interpreter, one
# case is checked, and a worker that does not reach steady state is given up soon.
DRIVER = """
import sys
from pathlib import Path
from bakeoff import cli
from bakeoff.common import statistics
from bakeoff import environments
from bakeoff.environments.environment import Environment
from bakeoff.measures.speed import rounds
from bakeoff.workload import networks

rounds.WARM_LIMIT_S = 0.2
statistics.RESAMPLES = 200
required = networks.required_networks
networks.required_networks = lambda own=None: required()[1:2]
environments.build = lambda entry, *_: Environment(
    Path(sys.executable), Path("numpy_plain-0123456789ab"), 1.0, 2, {"numpy": "2"}
)
cli.main()
"""


def copy_backend(folder, name, **changed):
    """Copy numpy_plain under another name; `changed` maps a file's stem to (old text, new text)."""
    shutil.copytree(entries.backends_folder() / "numpy_plain", folder / name)
    for stem, (old, new) in changed.items():
        path = folder / name / f"{stem}{'.txt' if stem == 'requirements' else '.py'}"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


# One correct backend, and five that fail


class Ended(NamedTuple):
    """A run that ended: its exit code, what it printed, and its folder."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def records(self):
        return read.read_records(self.folder, VOCABULARY)

    @property
    def rows(self):
        summary = pd.read_csv(self.folder / "tables" / "summary.csv", keep_default_na=False, na_values=[""])
        return {row["backend"]: row for row in summary.to_dict("records")}


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    tmp = tmp_path_factory.mktemp("four")
    backends = tmp / "backends"
    copy_backend(backends, "right")
    copy_backend(backends, "not_installable", requirements=("numpy==", "--no-index\nabacus=="))
    copy_backend(backends, "wrong_epsilon", model=("np.sqrt(var + self.epsilon)", "(np.sqrt(var) + self.epsilon)"))
    (backends / "wrong_epsilon" / "changes" / "layer.after.patch").unlink()
    copy_backend(
        backends, "gives_nan", model=("    return losses\n", "    return losses if len(x) > 900 else losses * np.nan\n")
    )
    copy_backend(backends, "not_python", model=("def train(", "def (:"))
    copy_backend(backends, "too_long", model=("def train(", f"x = {' + '.join(['1'] * 50_000)}\ndef train("))
    (tmp / "small.toml").write_text(SMALL)
    real_build, real_cases = environments.build, networks.required_networks

    def build(entry, *arguments):
        if entry.name == "not_installable":
            return real_build(entry, *arguments)
        return Environment(Path(sys.executable), Path(f"{entry.name}-0123456789ab"), 1.0, 2, {"numpy": "2"})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entries, "backends_folder", lambda: backends)
        patch.setattr(speed_rounds, "WARM_LIMIT_S", 0.2)
        patch.setattr(statistics, "RESAMPLES", 200)
        patch.setattr(environments, "build", build)
        patch.setattr(networks, "required_networks", lambda own=None: real_cases()[1:2])
        patch.setenv("BAKEOFF_CACHE", str(tmp / "cache"))
        arguments = ["run", str(tmp / "small.toml"), "--quick", "--results", str(tmp / "results")]
        result = CliRunner().invoke(app.app, arguments)
    assert isinstance(result.exception, SystemExit), result.output
    return Ended(result.exit_code, result.stdout, result.stderr, read.latest(tmp / "results"))


def test_a_run_with_a_failure_in_it_ends_with_exit_code_1(ended):
    assert ended.code == 1


def test_a_correct_backend_has_a_full_row(ended):
    row = ended.rows["right"]
    missing = [name for name, value in row.items() if name not in ("failure", "known_failures") and pd.isna(value)]
    assert missing == []
    assert pd.isna(row["failure"])
    assert row["correct"] == "yes"
    assert 0 < row["test_accuracy"] <= 1


def test_pip_s_message_is_recorded_and_printed_where_an_installation_fails(ended):
    records = ended.records
    (said,) = records.loc[(records["figure"] == "failed") & (records["backend"] == "not_installable"), "value"]
    pip = "ERROR: No matching distribution found for abacus=="
    assert pip in said
    assert pip in ended.err
    row = ended.rows["not_installable"]
    assert row["failure"].startswith("no environment: not_installable: could not install")
    assert pip in row["failure"]
    assert pd.isna(row["correct"])
    assert pd.isna(row["step_s"])


def test_a_backend_that_fails_a_check_is_trained_but_not_timed(ended):
    row = ended.rows["wrong_epsilon"]
    assert row["correct"] == "no"
    assert row["worst_floors"] > 128
    assert pd.isna(row["step_s"])
    assert pd.isna(row["times_fastest"])
    assert "stress-relu-adam float64" in row["failure"]
    records = ended.records
    assert not len(records[(records["measure"] == "speed") & (records["backend"] == "wrong_epsilon")])
    assert row["test_accuracy"] > 0  # a failed check does not prevent the training


@pytest.mark.parametrize(("name", "said"), [("not_python", "SyntaxError"), ("too_long", "RecursionError")])
def test_a_fault_in_the_files_of_a_backend_is_its_row(ended, name, said):
    row = ended.rows[name]
    assert said in row["failure"]
    assert row["correct"] == "no"
    assert pd.isna(row["step_s"])
    assert f"{name}: its code was not counted, or not all of it: " in ended.err


@pytest.mark.parametrize(
    ("name", "said"),
    [("not_python", "invalid syntax"), ("too_long", "recursion"), ("wrong_epsilon", "neither layer.before.patch nor")],
)
def test_why_code_was_not_counted_is_recorded_and_stands_above_the_tables(ended, name, said):
    records = ended.records[ended.records["measure"].eq("ease") & ended.records["backend"].eq(name)]
    (reason,) = records.loc[records["figure"].eq("failed"), "value"]
    assert said in reason
    text = (ended.folder / "tables" / "summary.md").read_text()
    assert f"- {name}: its code was not counted, or not all of it: " in text
    # What could be counted before the fault, is.
    assert records["figure"].eq("tokens").any() == (name == "wrong_epsilon")


def test_a_nan_in_training_is_reported_with_its_place(ended):
    row = ended.rows["gives_nan"]
    assert row["failure"].startswith("training failed: not finite: train: losses[0] is nan")
    assert row["correct"] == "yes"
    assert pd.isna(row["test_accuracy"])
    assert pd.isna(row["step_s"])
    records = ended.records
    assert not len(records[(records["measure"] == "speed") & (records["backend"] == "gives_nan")])


def test_every_failure_is_named_above_the_table_and_on_the_terminal(ended):
    text = (ended.folder / "tables" / "summary.md").read_text()
    for sentence in (
        "not_installable:plain: no environment: not_installable: could not install",
        "wrong_epsilon:plain: ",
        "gives_nan:plain: training failed: not finite: train: losses[0] is nan",
    ):
        assert f"- {sentence}" in text
        assert sentence in ended.out
    # Background load can add a note on the correct backend's time per step, which is no failure.
    notes = [line for line in ended.out.splitlines() if line.startswith("right:plain: ")]
    assert [line for line in notes if " per step when timed " not in line] == []


def test_every_backend_has_a_row_even_where_it_fails(ended):
    assert list(ended.rows) == ["gives_nan", "not_installable", "not_python", "right", "too_long", "wrong_epsilon"]


def test_the_correct_backend_is_timed_against_itself(ended):
    slices = ended.records[ended.records["figure"] == "slice"]
    assert slices.groupby(["backend", "self_test"])["block"].nunique().to_dict() == {
        ("right", False): runner_start.QUICK_BLOCKS,
        ("right", True): runner_start.QUICK_BLOCKS,
    }


def test_nothing_else_runs_during_the_timing(ended):
    records = ended.records
    timing = records[records["task"] == "round 1"]["time"].min()
    assert records[~records["task"].isin(["round 1", "round 2", read.LAST])]["time"].max() <= timing


def test_progress_goes_to_standard_error_as_plain_lines(ended):
    assert "right:plain: conformance: correct: yes; rounding error at most " in ended.err
    assert "right:plain: training: test accuracy " in ended.err
    assert "gives_nan:plain: training: not finite" in ended.err
    assert "\x1b" not in ended.out + ended.err


def test_the_worker_s_output_is_kept(ended):
    logs = {path.name for path in (ended.folder / "logs").iterdir()}
    assert {"right-plain.log", "wrong_epsilon-plain.log", "gives_nan-plain.log"} <= logs


# Every backend fails


def test_a_run_in_which_nothing_can_be_installed_still_has_a_table(tmp_path, monkeypatch):
    backends = tmp_path / "backends"
    copy_backend(backends, "lost")
    (tmp_path / "small.toml").write_text(SMALL)

    def build(entry, *_):
        raise environments.Missing("needs Python ==2.7: found 3.11")

    monkeypatch.setattr(entries, "backends_folder", lambda: backends)
    monkeypatch.setattr(environments, "build", build)
    result = CliRunner().invoke(app.app, ["run", str(tmp_path / "small.toml"), "--results", str(tmp_path), "--json"])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    (row,) = json.loads(result.stdout)["rows"]
    assert row["failure"] == "needs Python ==2.7: found 3.11"
    assert row["step_s"] is None


# A killed run is resumed


SELF_TEST_FAILED = "The timing failed its self-test"
KILLS = ("environment", "check", "train", "round")


class Killed(NamedTuple):
    """What stood in the run folder, and which workers still ran, after a kill."""

    records: bytes
    """The content of records.jsonl, incomplete last line included."""
    survivors: list[int]


class Chain(NamedTuple):
    """A run that was killed and resumed several times, to its end."""

    kills: dict[str, Killed]
    code: int
    out: str
    err: str
    folder: Path


def start(folder, *arguments):
    command = [sys.executable, "-c", DRIVER, "run", *arguments, "--results", str(folder / "results")]
    variables = {**os.environ, "BAKEOFF_CACHE": str(folder / "cache"), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables)


def has_ended(process):
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def wait_for(condition, within_s=400):
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def workers_of(process):
    return [child for child in process.children(recursive=True) if is_worker(child)]


def is_worker(process):
    # By the end of its path: the driver may import a checkout where this test imports the installed package.
    try:
        return any(part.endswith("/portable/worker.py") for part in process.cmdline())
    except psutil.NoSuchProcess:
        return False  # It ended after its parent's children were listed.


def reached(moment, folder, process):
    """Return whether the run has reached the middle of the task in which it is to be killed."""
    files = list(folder.glob("results/*/records.jsonl"))
    text = files[0].read_text() if files else ""
    ends = text.rpartition('"figure":"finished"')[0].rpartition("\n")[2]
    if moment == "environment":
        return ends.startswith('{"task":"environment')
    if moment == "check":
        return '{"task":"environment' in text and len(workers_of(process)) > 0
    return {"train": '"figure":"validation_accuracy"', "round": '"figure":"slice"'}[moment] in text


def start_and_kill(moment, folder, arguments):
    """Start bakeoff, kill it at the moment, and return what remains."""
    with start(folder, *arguments) as process:
        watched = psutil.Process(process.pid)
        wait_for(lambda: process.poll() is not None or reached(moment, folder, watched))
        came = process.poll() is None and reached(moment, folder, watched)
        workers = workers_of(watched) if came else []
        process.kill()
        _, err = process.communicate()
    assert came, f"the run did not reach {moment}: {err}"
    wait_for(lambda: all(has_ended(each) for each in workers), within_s=30)
    records = read.latest(folder / "results") / "records.jsonl"
    return Killed(records.read_bytes(), [each.pid for each in workers if not has_ended(each)])


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    (folder / "long.toml").write_text(SMALL.replace("epochs = 2", "epochs = 100"))
    kills = {}
    arguments = [str(folder / "long.toml"), "--backends", "numpy_plain", "--quick"]
    for moment in KILLS:
        kills[moment] = start_and_kill(moment, folder, arguments)
        arguments = ["--resume", str(read.latest(folder / "results"))]
    with start(folder, *arguments) as process:
        out, err = process.communicate()
    return Chain(kills, process.returncode, out, err, read.latest(folder / "results"))


def finished_tasks(text):
    tasks = [json.loads(line) for line in text.decode().splitlines() if '"figure":"finished"' in line]
    return [each["task"].split()[0] for each in tasks]


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: prctl")
def test_a_killed_run_leaves_no_worker_behind(chain):
    assert {moment: kill.survivors for moment, kill in chain.kills.items()} == {moment: [] for moment in KILLS}


def test_a_resumed_run_keeps_every_record_of_the_killed_run(chain):
    final = (chain.folder / "records.jsonl").read_bytes()
    for moment, kill in chain.kills.items():
        whole = kill.records[: kill.records.rfind(b"\n") + 1]
        assert whole, moment
        assert final.startswith(whole), moment


def test_each_kill_came_in_the_middle_of_a_task(chain):
    """Otherwise the other tests of killed runs would test less than their names say."""
    unfinished = {moment: finished_tasks(kill.records) for moment, kill in chain.kills.items()}
    assert "check" not in unfinished["check"]
    assert "train" not in unfinished["train"]
    assert "round" not in unfinished["round"]


def test_a_resumed_run_does_not_repeat_finished_tasks(chain):
    text = (chain.folder / "records.jsonl").read_bytes()
    tasks = finished_tasks(text)
    assert sorted(set(tasks)) == ["check", "complete", "describe", "environment", "round", "train"]
    assert [tasks.count(task) for task in ("describe", "check", "train")] == [1, 1, 1]
    assert tasks.count("round") == runner_start.QUICK_ROUNDS
    attempts = read.read_records(chain.folder, VOCABULARY).groupby("task")["attempt"].max()
    assert attempts["describe"] == 1
    assert attempts["train numpy_plain:plain"] == 2
    assert attempts["round 1"] == 2


def test_a_run_has_the_cost_of_every_change(chain):
    records = read.read_records(chain.folder, VOCABULARY)
    costs = records[records["figure"] == "change"].set_index("change")
    assert list(costs.index) == list(CHANGES)
    assert costs["answer"]["gpu"] == "not possible"
    assert pd.isna(costs["value"]["gpu"])
    assert costs["value"]["layer"] > 0


def test_a_resumed_run_ends_with_a_complete_table(chain):
    assert chain.code == (1 if SELF_TEST_FAILED in chain.out else 0), chain.err
    (row,) = pd.read_csv(chain.folder / "tables" / "summary.csv").to_dict("records")
    assert [name for name, value in row.items() if name not in ("failure", "known_failures") and pd.isna(value)] == []
    slices = read.read_records(chain.folder, VOCABULARY).query("figure == 'slice'")
    blocks = slices.groupby("self_test")["block"].apply(list).tolist()
    assert blocks == [list(range(1, runner_start.QUICK_BLOCKS + 1)) * runner_start.QUICK_ROUNDS] * 2
    epochs = read.read_records(chain.folder, VOCABULARY).query("figure == 'loss'")["epoch"]
    assert epochs.tolist() == list(range(1, 101))


def test_resuming_a_complete_run_writes_no_record(chain):
    before = (chain.folder / "records.jsonl").read_bytes()
    with start(chain.folder.parent.parent, "--resume", chain.folder.name, "--json") as process:
        out, err = process.communicate()
    assert process.returncode == chain.code, err
    assert json.loads(out)["rows"][0]["backend"] == "numpy_plain"
    assert (chain.folder / "records.jsonl").read_bytes() == before
    assert "is complete: nothing is left to do." in " ".join(err.split())


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: prctl")
def test_an_interrupted_run_ends_at_once_and_says_how_to_continue(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    with start(tmp_path, str(tmp_path / "small.toml"), "--backends", "numpy_plain", "--quick") as process:
        watched = psutil.Process(process.pid)
        assert wait_for(lambda: reached("check", tmp_path, watched))
        workers = workers_of(watched)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    folder = read.latest(tmp_path / "results")
    assert process.returncode == 130
    assert f"interrupted. Finished tasks are kept. Continue with `bakeoff run --resume {folder}`" in err
    assert "Traceback" not in err
    assert wait_for(lambda: all(has_ended(each) for each in workers), within_s=30)
    assert "round" not in finished_tasks((folder / "records.jsonl").read_bytes())


# Runs that cannot be resumed


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """Return the folder of a run on tmp_path/data.csv with a copy of numpy_plain, of which no task has begun."""
    copy_backend(tmp_path / "backends", "own")
    monkeypatch.setattr(entries, "backends_folder", lambda: tmp_path / "backends")
    rows = "\n".join(f"{n},{n % 7},{'ab'[n % 2]}" for n in range(40))
    (tmp_path / "data.csv").write_text(f"x,z,kind\n{rows}\n")
    text = SMALL.replace('"synthetic:300x6x3"', f'"{tmp_path / "data.csv"}"\ntarget = "kind"')
    work = runner_start.begin(request_for(parse(text, "spec"), tmp_path))
    work.run.close()
    return work.run.folder


def request_for(spec, tmp_path, **fields):
    defaults = {"wanted": None, "device": "cpu", "threads": 1, "quick": True, "pythons": ()}
    defaults |= {"rounds": None, "blocks": None, "budget_s": None}
    return runner_start.Request(spec=spec, parent=tmp_path / "results", **{**defaults, **fields})


def test_a_run_that_was_begun_can_be_resumed(begun):
    work = runner_start.resume(begun)
    with work.run:
        assert [(entry.name, variant) for entry, variant in work.chosen] == [("own", "plain")]
        assert work.network.sizes == (2, 8, 2)


def test_a_run_whose_data_changed_is_rejected(begun, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(path.read_text().replace("\n3,", "\n4,"))
    with pytest.raises(InputError, match=r"its data had the hash \w+, now \w+. Start a new run"):
        runner_start.resume(begun)


def test_a_run_whose_data_is_missing_is_rejected(begun, tmp_path):
    (tmp_path / "data.csv").unlink()
    with pytest.raises(InputError, match=r"data.csv: no such file"):
        runner_start.resume(begun)


@pytest.mark.parametrize("name", ["model.py", "adapter.py", "requirements.txt", "backend.toml"])
def test_a_run_whose_backend_changed_is_rejected(begun, tmp_path, name):
    with (tmp_path / "backends" / "own" / name).open("a") as file:
        file.write("\n")
    with pytest.raises(InputError, match=r"backend own has changed since it began\. Start a new run"):
        runner_start.resume(begun)


def test_a_run_whose_backend_is_missing_is_rejected(begun, tmp_path):
    (tmp_path / "backends" / "own").rename(tmp_path / "backends" / "other")
    with pytest.raises(InputError, match="backend own has changed since it began"):
        runner_start.resume(begun)


@pytest.mark.parametrize(
    ("table", "key", "value", "sentence"),
    [
        ("machine", "processor", "Z80", "the processor was Z80 when it began"),
        ("machine", "usable_threads", 999, "the number of usable cores was 999"),
        (None, "bakeoff", "0.0.1", "Bakeoff's version was 0.0.1"),
        (None, "commit", "0123456789ab", "Bakeoff's commit was 0123456789ab"),
    ],
)
def test_a_run_of_another_machine_or_another_bakeoff_is_rejected(begun, table, key, value, sentence):
    header = read.read_header(begun)
    (header[table] if table else header)[key] = value
    (begun / "run.json").write_text(json.dumps(header))
    with pytest.raises(InputError, match=sentence):
        runner_start.resume(begun)


def test_a_run_of_a_backend_outside_the_project_can_be_resumed(tmp_path, monkeypatch):
    copy_backend(tmp_path / "elsewhere", "mine")
    request = request_for(parse(SMALL, "spec"), tmp_path, wanted=str(tmp_path / "elsewhere" / "mine"))
    with runner_start.begin(request).run as run:
        pass
    work = runner_start.resume(run.folder)
    with work.run:
        assert [(entry.folder, variant) for entry, variant in work.chosen] == [
            (tmp_path / "elsewhere" / "mine", "plain")
        ]


def test_no_two_runs_draw_the_same_orders(tmp_path):
    seeds = set()
    for _ in range(2):
        with runner_start.begin(request_for(Spec(), tmp_path / str(len(seeds)), wanted="numpy_plain")).run as run:
            seeds.add(run.header["plan"]["seed"])
    assert len(seeds) == 2


def test_run_json_has_the_variables_in_force_of_every_variant(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_LIBRARY_KERNEL", "slow")
    monkeypatch.setenv("OTHER_LIBRARY_KERNEL", "slow")
    request = request_for(parse(SMALL, "spec"), tmp_path, wanted="numpy_plain", inherit=("FAKE_LIBRARY_*",))
    with (work := runner_start.begin(request)).run:
        header = read.read_header(work.run.folder)
    variables = header["variables"]["numpy_plain:plain"]
    assert variables["FAKE_LIBRARY_KERNEL"] == "slow"
    assert variables["OMP_NUM_THREADS"] == "1"
    assert not {"OTHER_LIBRARY_KERNEL", "HOME", "PATH"} & set(variables)
    assert header["plan"]["inherit"] == ["FAKE_LIBRARY_*"]


def test_workers_and_the_matrix_product_get_the_variables_that_are_passed_on(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_LIBRARY_KERNEL", "slow")
    with (
        work := runner_start.begin(
            request_for(parse(SMALL, "spec"), tmp_path, wanted="numpy_plain", inherit=("FAKE_LIBRARY_KERNEL",))
        )
    ).run:
        entry, variant = work.chosen[0]
        work.environments[entry.label] = Environment(Path(sys.executable), Path("x-0123456789ab"), 1.0, 2, {})
        assert work._place(entry, variant, timing=True).inherit == ("FAKE_LIBRARY_KERNEL",)
        assert timing.plan_rounds(work.plan, 16).inherit == ("FAKE_LIBRARY_KERNEL",)


def test_a_run_is_not_resumed_under_another_value_of_a_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_LIBRARY_KERNEL", "slow")
    with (
        work := runner_start.begin(
            request_for(parse(SMALL, "spec"), tmp_path, wanted="numpy_plain", inherit=("FAKE_LIBRARY_KERNEL",))
        )
    ).run:
        pass
    monkeypatch.setenv("FAKE_LIBRARY_KERNEL", "fast")
    with pytest.raises(InputError, match="FAKE_LIBRARY_KERNEL of numpy_plain:plain was slow when the run began"):
        runner_start.resume(work.run.folder)


def test_a_variable_that_is_not_set_cannot_be_passed_on(tmp_path, monkeypatch):
    monkeypatch.delenv("FAKE_LIBRARY_KERNEL", raising=False)
    with pytest.raises(InputError, match="--inherit-environment FAKE_LIBRARY_KERNEL: no variable of that name is set"):
        runner_start.begin(
            request_for(parse(SMALL, "spec"), tmp_path, wanted="numpy_plain", inherit=("FAKE_LIBRARY_KERNEL",))
        )


def test_a_run_that_another_process_writes_is_rejected(begun):
    with runner_start.resume(begun).run, pytest.raises(InputError, match="another bakeoff is writing this run"):
        runner_start.resume(begun)


# Rounds until the ratios are known


def test_a_run_with_until_has_its_precision_and_its_time_limit_in_the_plan(tmp_path):
    request = request_for(parse(SMALL, "spec"), tmp_path, wanted="numpy_plain", until=0.02, time_limit_s=90.0)
    with runner_start.begin(request).run as run:
        plan = run.header["plan"]
    assert (plan["rounds"], plan["until"], plan["time_limit_s"], plan["blocks"]) == (None, 0.02, 90.0, 16)


def take_rounds(run, most, copy=1.0):
    """Take made-up rounds as a run does, `most` at most; return their numbers."""
    taken = []
    for number in timing.list_rounds(run):
        taken.append(number)
        with run.task(f"round {number}") as task:
            rng = np.random.default_rng(number)
            for self_test, factor in ((False, 1.0), (True, copy)):
                for block in range(1, 17):
                    keys = {"round": number, "backend": "numpy_plain", "variant": "plain", "self_test": self_test}
                    value = 1e-3 * factor * float(np.exp(0.003 * rng.standard_normal()))
                    task.add(speed.SLICE, value, cpu_s=value, steps=1, block=block, position=0, **keys)
        if len(taken) == most:
            break
    return taken


def test_rounds_are_added_until_the_ratio_is_known_also_by_a_resumed_run(tmp_path):
    request = request_for(parse(SMALL, "spec"), tmp_path, wanted="numpy_plain", until=0.005)
    with runner_start.begin(request).run as run:
        assert take_rounds(run, 1) == [1]
        folder = run.folder
    with runner_start.resume(folder).run as run:
        rest = take_rounds(run, 40)
        assert rest == list(range(2, rest[-1] + 1))
        assert rest[-1] < 30
        assert take_rounds(run, 40) == []
        with run.task(read.LAST):
            pass
    report = Report(folder)
    stop = f"Timing stopped after {rest[-1]} rounds: every ratio is known to 0.5 %."
    assert any(note.startswith(stop) for note in report.notes())
    interval = report.self_test()[1]
    assert stopping.measure_precision(interval) <= 0.005
    assert not any("One process" in note for note in report.notes())


def test_a_run_that_reaches_its_time_limit_says_how_well_the_ratio_is_known(tmp_path):
    request = request_for(parse(SMALL, "spec"), tmp_path, wanted="numpy_plain", until=0.000001, time_limit_s=1e-9)
    with runner_start.begin(request).run as run:
        assert take_rounds(run, 40) == [1, 2]
    (note,) = [note for note in Report(run.folder).notes() if "limit" in note]
    assert note.startswith(
        "Timing reached its limit of 1e-09 s after 2 rounds: the ratio of numpy_plain:plain to itself"
    )
    assert "not to 0.0001 %" in note


# Requests that are rejected before anything is made


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"wanted": "owm"}, "no backend `owm`. Did you mean `own`"),
        ({"wanted": "own:plane"}, "no variant `plane`. Did you mean `plain`"),
        ({"device": "cuda"}, "own:plain does not support the device `cuda`: this backend declares cpu"),
        ({"threads": 4096}, "--threads 4096: this process may use"),
        ({"pythons": (Path("no-python"),)}, "--python no-python: expected a Python interpreter"),
    ],
)
def test_a_rejected_request_makes_no_folder(tmp_path, monkeypatch, fields, sentence):
    copy_backend(tmp_path / "backends", "own")
    monkeypatch.setattr(entries, "backends_folder", lambda: tmp_path / "backends")
    with pytest.raises(InputError, match=sentence):
        runner_start.begin(request_for(parse(SMALL, "spec"), tmp_path, **fields))
    assert not (tmp_path / "results").exists()


def test_the_plan_is_written_before_the_run(begun):
    plan = read.read_header(begun)["plan"]
    assert (plan["rounds"], plan["blocks"], plan["threads"], plan["device"]) == (2, 16, 1, "cpu")
    assert plan["entries"] == [["own", "plain"]]


def blocks_of(begun, budget_s, epochs):
    """Return the blocks planned for a budget of each round, where `epochs` are the seconds and steps of each epoch.

    A block has two slices of 10 ms, or of one step; each has a warm-up slice and takes 2 ms to hand over.
    """
    work = runner_start.resume(begun)
    with work.run:
        work.plan.update(blocks=None, budget_s=work.plan["rounds"] * budget_s)
        with work.run.task("train own:plain") as task:
            who = {"backend": "own", "variant": "plain"}
            for epoch, (value, steps) in enumerate(epochs, start=1):
                task.add(training.EPOCH_TIME, value, epoch=epoch, steps=steps, **who)
            if len(epochs) == 1:
                task.add(training.PACE, value / 10, steps=steps, **who)
        work.learn(task)
        place = Place(Path(sys.executable), begun, begun / "log")
        twins = [speed_rounds.Contestant("own", "plain", place, self_test=copy) for copy in (False, True)]
        first = work.planned_blocks(twins)
    again = runner_start.resume(begun)
    with again.run:
        again.plan.update(blocks=None, budget_s=1000 * budget_s)
        assert again.planned_blocks(twins) == first  # a resumed run keeps the number
    return first


@pytest.mark.parametrize(("budget_s", "blocks"), [(60, 60 / 0.044), (6, 6 / 0.044), (0.001, timing.LEAST_BLOCKS)])
def test_the_pace_of_the_quickest_epoch_converts_a_budget_to_blocks(begun, budget_s, blocks):
    assert blocks_of(begun, budget_s, [(0.0001, 10), (0.4, 10), (0.01, 10)]) == pytest.approx(blocks, rel=0.01)


def test_fewer_blocks_fit_where_a_step_takes_longer_than_a_slice(begun):
    assert blocks_of(begun, 60, [(9.0, 10), (5.0, 10)]) == pytest.approx(60 / (2 * 1.002), abs=1)


def test_a_single_epoch_gives_no_pace_because_it_includes_the_first_call(begun):
    assert blocks_of(begun, 60, [(50.0, 10)]) == pytest.approx(60 / (2 * 1.002), abs=1)


def test_a_second_epoch_measures_the_pace_of_a_training_of_one_epoch(tmp_path, monkeypatch):
    """Otherwise the slices of a framework that compiles would have one step."""
    copy_backend(tmp_path / "backends", "own")
    monkeypatch.setattr(entries, "backends_folder", lambda: tmp_path / "backends")
    made = Environment(Path(sys.executable), Path("own-0123456789ab"), 1.0, 2, {"numpy": "2"})
    monkeypatch.setattr(environments, "build", lambda entry, *_: made)
    work = runner_start.begin(request_for(parse(SMALL.replace("epochs = 2", "epochs = 1"), "spec"), tmp_path))
    ((entry, variant),) = work.chosen
    with work.run, Board(Console(stderr=True)) as board:
        work._install(entry, board)
        with board.job("training") as job, work.run.task("train own:plain") as task:
            work._train(entry, variant, task, job)
        work.learn(task)
        (pace,) = read.read_records(work.run.folder, VOCABULARY).query("figure == 'pace'").to_dict("records")
        assert pace["steps"] == len(work.order)
        assert work.findings.paces == {("own", "plain"): pace["value"] / len(work.order)}


def test_a_run_that_is_not_quick_has_more_rounds(tmp_path):
    request = request_for(Spec(), tmp_path, wanted="numpy_plain", quick=False)
    with runner_start.begin(request).run as run:
        assert (run.header["plan"]["rounds"], run.header["plan"]["blocks"]) == (2, 40)


@pytest.mark.parametrize(
    ("wanted", "budget_s", "quick", "rounds"),
    [("numpy_plain", 60, False, 12), ("numpy_plain", 60, True, 2), ("numpy_plain", 6, False, 2), ("all", 60, False, 2)],
)
def test_a_budget_is_divided_into_rounds_of_some_seconds(tmp_path, wanted, budget_s, quick, rounds):
    request = request_for(Spec(), tmp_path, wanted=wanted, quick=quick, blocks=None, budget_s=budget_s)
    with runner_start.begin(request).run as run:
        assert run.header["plan"]["rounds"] == rounds


# Order


def test_the_variant_with_the_longest_checks_is_trained_first(tmp_path, monkeypatch):
    """Three variants, one at a time; the first continues when the others wait."""
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    seconds = {"quick": 1.0, "slow": 9.0, "medium": 5.0}
    for name in seconds:
        copy_backend(tmp_path / "backends", name)
    monkeypatch.setattr(entries, "backends_folder", lambda: tmp_path / "backends")
    monkeypatch.setattr(schedule, "JOBS", 1)

    def made(entry, *_):
        return Environment(Path(sys.executable), Path(f"{entry.name}-0123456789ab"), 1.0, 2, {"numpy": "2"})

    monkeypatch.setattr(environments, "build", made)
    work = runner_start.begin(request_for(parse(SMALL, "spec"), tmp_path))
    for entry, variant in work.chosen:
        key = cached_results.key(entry, variant, made(entry), "cpu", work.required_cases(entry))
        cached_results.keep(key, cached_results.CachedResult((), "2026-11-23T00:00:00Z", seconds[entry.name]))
    begun, all_wait = [], threading.Event()

    def check_and_train(entry, variant):
        all_wait.wait(60)
        begun.append(entry.name)

    with work.run, Board(Console(stderr=True)) as board:

        def install(entry):
            if len(work.environments) == 2:
                threading.Timer(1, all_wait.set).start()
            return work._install(entry, board)

        schedule.qualify(work.chosen, install, check_and_train, work.previous_check_seconds, work.commands.stop)
    # The first was taken when no other waited; of the two that waited, the slow one goes first.
    assert len(begun) == 3
    assert begun[1:] == sorted(begun[1:], key=lambda name: -seconds[name])
