"""Checkpoints, mistakes, code counts, tables and the verdict's readings: on a copy of the NumPy backend."""

import io
import json
import re
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from bakeoff.common.errors import InputError
from bakeoff.common.progress import Board
from bakeoff.environments import Environment
from bakeoff.measures.deployment import figures, latency, records
from bakeoff.measures.deployment.attempt import Truth
from bakeoff.measures.deployment.blunders import INPUTS, judge, replace_in_function, try_exports, try_inputs
from bakeoff.measures.deployment.checkpoints import Continued, compare, measure_checkpoint
from bakeoff.measures.deployment.export_code import count_code
from bakeoff.measures.deployment.latency import measure_cold_start, measure_latency
from bakeoff.measures.deployment.measure import try_float64, try_path
from bakeoff.measures.deployment.paths import list_paths, runtime_folder
from bakeoff.measures.deployment.tables import (
    describe_failures,
    list_values,
    tabulate_checkpoints,
    tabulate_export,
    tabulate_http,
    tabulate_mistakes,
    tabulate_serving,
)
from bakeoff.records.files import DEPLOYMENT_FILE
from bakeoff.registry import entries
from bakeoff.registry.description import TextEdit
from bakeoff.runner import deployment as runner
from bakeoff.runner.deployment import Recorder
from bakeoff.runner.deployment_oracle import find_training_floors, find_truth, make_training
from bakeoff.verdict import deployment as readings
from rich.console import Console

from tests.measures.deployment import liars
from tests.measures.deployment.liars import make_path
from tests.paths import ROOT

TRAININGS = {dtype: make_training(dtype) for dtype in ("float32", "float64")}
TRAINING = TRAININGS["float32"]
ONE_ROW = (
    "serve.py",
    "    def predict(x):\n",
    "    def predict(x):\n        if len(x) != 1:\n            raise ValueError('expected 1 row')\n",
)
BASE = Environment(Path(sys.executable), Path(sys.prefix), 0.0, 0, {})


def try_checkpoint(tmp_path, *edits):
    path, places = make_path(tmp_path, *edits)
    write = Recorder("deploy")
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    verdict = measure_checkpoint(
        places.export,
        path.variant,
        TRAINING,
        find_training_floors,
        folder,
        lambda figure, value, **keys: write(figure, value, backend="abacus", variant="plain", **keys),
    )
    return verdict, write.records


def test_numpy_goes_on_with_the_same_bits(tmp_path):
    assert try_checkpoint(tmp_path)[0] == "same bits"


@pytest.mark.parametrize(
    "edit",
    [
        ("checkpoint.py", 'optimiser.t = int(saved["t"])', "pass"),
        ("checkpoint.py", 'for name in ("p", "v", "s")', 'for name in ("p",)'),
        (
            "checkpoint.py",
            "for number, norm in enumerate(norms(layers)):\n            norm",
            "for number, norm in []:\n            norm",
        ),
    ],
    ids=["step count", "moments", "running statistics"],
)
def test_a_checkpoint_that_forgets_something_is_caught(tmp_path, edit):
    verdict, rows = try_checkpoint(tmp_path, edit)
    assert verdict == "differently"
    assert "floors in" in tabulate_checkpoints(rows)["difference"][0]


def test_a_checkpoint_that_cannot_be_read_is_a_record(tmp_path):
    verdict, rows = try_checkpoint(
        tmp_path, ("checkpoint.py", 'np.load(os.path.join(folder, "checkpoint.npz"))', "np.load('no')")
    )
    assert verdict.startswith("failed: restore raised FileNotFoundError")
    assert records.value_of(rows, figures.CHECKPOINT) == "failed"


def test_a_difference_of_rounding_is_to_rounding():
    one = Continued(np.ones(2), {"a": np.array([1.0, 2.0])}, {})
    other = one._replace(arrays={"a": np.array([1.0, 2.0 + 1e-7])})
    assert compare(one, one, {"a": 1e-8})[0] == "same bits"
    assert compare(one, other, {"a": 1e-8})[0] == "to rounding"
    assert compare(one, other, {"a": 1e-10})[0] == "differently"


@pytest.mark.parametrize("edits", [(), (ONE_ROW,)], ids=["any number of rows", "one row"])
def test_mistakes_in_what_is_sent_are_noticed_or_judged(tmp_path, edits):
    path, places = make_path(tmp_path, *edits)
    write = Recorder("deploy")
    contestant = try_path(path, places, TRAINING, find_truth, tmp_path / "out", write)
    try_inputs(contestant, TRAINING, write)
    found = {row["mistake"]: row["value"] for row in records.select(write.records, figures.BLUNDER)}
    assert set(found) == set(INPUTS)
    assert found["missing column"] == "noticed"
    assert found["column order"] == found["not normalised"] == found["whole numbers"] == "silent and wrong"
    assert found["wrong dtype"] == "silent and right"
    (row,) = tabulate_mistakes(write.records).to_dict("records")
    assert row["column order"].startswith("WRONG, ")
    assert row["training mode"] == "-"


@pytest.mark.parametrize(
    ("key", "edit", "mistake", "outcome"),
    [
        ("training_mode", liars.TRAINING_MODE, "training mode", "silent and wrong"),
        ("training_mode", liars.NOTHING, "training mode", "noticed"),
        ("static_batch", ONE_ROW, "example of one row", "noticed"),
        ("static_batch", liars.HONEST, "example of one row", "silent and right"),
    ],
    ids=["serve.py", "export.py", "one row", "no edit"],
)
def test_a_declared_mistake_is_made_in_a_copy_and_judged(tmp_path, key, edit, mistake, outcome):
    path, places = make_path(tmp_path)
    declared = TextEdit(**dict(zip(("file", "right", "wrong"), edit, strict=True))) if edit else None
    path = path._replace(export=path.export.model_copy(update={key: declared}))
    before = {file: file.read_bytes() for file in path.entry.folder.glob("*.py")}
    write = Recorder("deploy")
    try_exports(path, places, TRAINING, find_truth, tmp_path, write)
    assert records.value_of(write.records, figures.BLUNDER, mistake=mistake) == outcome
    assert before == {file: file.read_bytes() for file in path.entry.folder.glob("*.py")}


def test_an_answer_is_judged_against_the_rows_it_answers():
    truth = Truth(np.array([[0.25, 0.75], [1.0, 0.0]]), 1e-8)
    assert judge(truth.probabilities[0], truth)[0] == "silent and right"
    outcome, more = judge(truth.probabilities[:, ::-1], truth)
    assert outcome == "silent and wrong"
    assert more["changed_predictions"] == 1.0
    assert judge(np.full((2, 2), np.nan), truth) == ("silent and wrong", {})


def test_an_edit_is_made_in_its_function_and_nowhere_else():
    text = "def a():\n    x.eval()\n\n\ndef b():\n    y.eval()\n"
    forgotten = TextEdit(right=".eval()", wrong="")
    assert replace_in_function(text, "b", forgotten) == "def a():\n    x.eval()\n\n\ndef b():\n    y\n"
    other = TextEdit(right="= 1", wrong="= 2")
    assert replace_in_function("C = 1\n\n\ndef a():\n    C\n", "a", other).startswith("C = 2")
    with pytest.raises(ValueError, match=r"serve.py: expected 'train' once in `a`, found it 0 times"):
        replace_in_function(text, "a", TextEdit(right="train", wrong="", file="serve.py"))


def test_code_is_counted_with_what_it_uses(tmp_path):
    file = tmp_path / "export.py"
    file.write_text('def one(x):\n    """Text."""\n    return x\n\n\ndef two(x):\n    y = one(x)\n    return y\n')
    assert count_code(file, "one") == (1, 2)
    assert count_code(file, "two") == (3, 10)
    with pytest.raises(InputError, match="expected a function `three`, found one, two"):
        count_code(file, "three")


def test_an_unknown_runtime_is_a_sentence():
    with pytest.raises(InputError, match="expected `framework` or one of litert, onnxruntime, openvino"):
        runtime_folder("abacus")


def test_every_declared_path_has_its_files():
    every = list_paths(list(entries.read_all().values()))
    for path in every:
        count_code(path.entry.folder / "export.py", path.export.name)
        assert path.in_framework or path.function == "load"
        if path.in_framework:
            assert path.export.name in path.serve_file.read_text(encoding="utf-8")
        for edit in filter(None, (path.export.training_mode, path.export.static_batch)):
            text = (path.entry.folder / edit.file).read_text(encoding="utf-8")
            assert replace_in_function(text, path.export.name, edit) != text
        if path.requirements:
            lines = path.requirements.read_text(encoding="utf-8").splitlines()
            assert all("==" in line for line in lines if line and not line.startswith((" ", "#")))
            assert any("--hash=sha256:" in line for line in lines)


def test_all_is_recorded_written_read_and_shown(tmp_path, monkeypatch):
    path, places = make_path(tmp_path)
    write = Recorder("deploy")
    contestant = try_path(path, places, TRAINING, find_truth, tmp_path / "out", write)
    try_float64(path, places, TRAININGS["float64"], find_truth, tmp_path / "out", write)
    monkeypatch.setattr("bakeoff.measures.deployment.latency.COLD_STARTS", 2)
    monkeypatch.setattr("bakeoff.measures.deployment.latency.CALLS_LIMIT_S", 0.002)
    seconds = measure_cold_start(contestant, TRAINING.x[:1])
    assert len(seconds) == 2
    assert all(0.02 < each < 60 for each in seconds)
    write(figures.SERVE_COLD_START, seconds[0], calls=seconds, **path.keys)
    measure_latency([contestant], TRAINING.x, None, write)
    calls = records.select(write.records, figures.SERVE_LATENCY)
    assert len(calls) == 2 * 16 * 2 * 2  # rounds, blocks, numbers of rows, copies of the self-test
    assert records.value_of(write.records, figures.SERVE_PEAK_MEMORY) > 10_000_000
    write(figures.EXPORT_TOKENS, 142, **path.keys)
    write(figures.UNDECLARED, 1, names=["beads"], **path.keys)
    file = tmp_path / "run" / DEPLOYMENT_FILE
    kept = records.RecordsFile(file)
    kept.add(write.finish())
    rows = records.read_of_run(file.parent)
    assert rows == kept.records
    assert latency.judge_self_test(rows) == latency.judge_self_test(write.records)
    (serving,) = tabulate_serving(rows).to_dict("records")
    assert (serving["agrees"], serving["served with"], serving["float64"]) == ("yes", "the framework", "exact")
    assert serving["1 row p50/p95/p99"].count("s / ") == 2
    percentiles = list_values(rows).query("figure == 'serve_latency' and rows == 1").set_index("of")["value"]
    assert 0 < percentiles["p50"] <= percentiles["p95"] <= percentiles["p99"] < 1
    assert tabulate_export(rows)["any batch"][0] == "yes"
    assert describe_failures(rows) == ["abacus:npz needs beads: no metadata says so"]
    run = SimpleNamespace(report=SimpleNamespace(deployment_records=rows))
    assert readings.read_export_tokens(run, ("abacus", "plain")).cost == 143
    assert readings.read_faults(run, ("abacus", "plain")).cost == 1
    assert readings.read_undeclared(run, ("abacus", "plain")).cost == 2
    assert readings.read_faults(run, ("other", "plain")) is None


def test_a_file_of_another_command_is_a_sentence(tmp_path):
    (tmp_path / DEPLOYMENT_FILE).write_text(json.dumps({"measure": "speed"}) + "\n")
    with pytest.raises(InputError, match="expected the keys"):
        records.read(tmp_path / DEPLOYMENT_FILE)
    with pytest.raises(InputError, match="no such file"):
        records.read(tmp_path / "none.jsonl")


def test_float64_that_is_wrong_or_claimed_otherwise_has_a_sentence(tmp_path):
    path, places = make_path(tmp_path, liars.SINGLE_INSIDE)
    write = Recorder("deploy")
    try_path(path, places, TRAINING, find_truth, tmp_path / "out", write)
    try_float64(path, places, TRAININGS["float64"], find_truth, tmp_path / "out", write)
    (sentence,) = describe_failures(write.records)
    assert sentence.startswith("abacus:npz in float64: reduced, silently: answers in float64, off by ")
    assert sentence.endswith("; exact is claimed")


def test_a_killed_command_loses_no_finished_task(tmp_path):
    path = tmp_path / "run" / DEPLOYMENT_FILE
    first, second = Recorder("deploy a:npz"), Recorder("deploy b:npz")
    for write, backend in ((first, "a"), (second, "b")):
        write(figures.EXPORTED, True, backend=backend, path="npz", served_with="framework", dtype="float32")
    file = records.RecordsFile(path)
    file.add(first.finish())
    with path.open("a") as stream:
        stream.write(json.dumps(second.finish()[0])[:40])  # killed in the middle of a line
    resumed = records.RecordsFile(path, resume=True)
    assert resumed.finished("deploy a:npz")
    assert not resumed.finished("deploy b:npz")
    resumed.add(second.records)
    assert {row["backend"] for row in records.read(path) if "backend" in row} == {"a", "b"}
    records.RecordsFile(path)
    assert records.read(path) == []


def record_times(monkeypatch, task, machine, path, *figures_of):
    """Return the records of a task that measured one path on a machine."""
    monkeypatch.setattr("bakeoff.common.machine.label", lambda: machine)
    keys = {"backend": "a", "path": path, "served_with": "framework"}
    write = Recorder(task)
    for figure, value, more in figures_of:
        write(figure, value, **keys, **more)
    return write.finish()


EXPORT = (figures.EXPORTED, True, {"dtype": "float32"})


def test_times_of_two_machines_are_never_in_one_table(tmp_path, monkeypatch):
    cold, rate = (figures.SERVE_COLD_START, 1.0, {"calls": [1.0]}), (figures.HTTP_RATE, 9.0, {"clients": 1})
    asked = [(figures.HTTP_LATENCY, 0.1, {"clients": 1, "of": f"p{each}"}) for each in latency.PERCENTILES]
    correct = (figures.HTTP_CORRECT, True, {})
    file = records.RecordsFile(tmp_path / DEPLOYMENT_FILE)
    for machine, path in (("abacus, 2 cores", "first"), ("slide rule, 1 core", "second")):
        file.add(record_times(monkeypatch, f"deploy a:{path}", machine, path, EXPORT))
        file.add(record_times(monkeypatch, f"deploy cold starts a:{path}", machine, path, cold))
        file.add(record_times(monkeypatch, f"deploy http a:{path}", machine, path, correct, rate, *asked))
    rows = records.read(tmp_path / DEPLOYMENT_FILE)
    serving = tabulate_serving(rows).set_index("path")
    assert list(serving["agrees"]) == ["yes", "yes"]
    assert list(serving["cold start"]) == ["-", "1.00 s"]
    assert list(tabulate_http(rows)["path"]) == ["a:second"]
    assert [sentence.partition(":")[0] for sentence in describe_failures(rows)] == [
        "How each export serves",
        "Over HTTP",
    ]
    assert "are of slide rule, 1 core. Those of abacus, 2 cores are left out" in describe_failures(rows)[0]
    listed = list_values(rows)
    assert set(listed["machine"]) == {"abacus, 2 cores", "slide rule, 1 core"}


def test_a_file_without_machines_has_its_times_in_one_table(tmp_path, monkeypatch):
    cold = (figures.SERVE_COLD_START, 1.0, {"calls": [1.0]})
    rows = [
        row
        for path in ("first", "second")
        for row in record_times(monkeypatch, f"deploy a:{path}", "none", path, EXPORT, cold)
        if row["figure"] != figures.MACHINE.name
    ]
    assert list(tabulate_serving(rows)["cold start"]) == ["1.00 s", "1.00 s"]
    assert not describe_failures(rows)
    rows += record_times(monkeypatch, "deploy a:third", "abacus, 2 cores", "third", EXPORT, cold)
    assert list(tabulate_serving(rows)["cold start"]) == ["-", "-", "1.00 s"]


def test_a_task_from_two_machines_is_a_sentence(tmp_path, monkeypatch):
    path = tmp_path / DEPLOYMENT_FILE
    rows = [row for name in ("abacus", "slide rule") for row in record_times(monkeypatch, "deploy a:npz", name, "npz")]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError, match="the task 'deploy a:npz' is there from two machines"):
        records.read(path)


def test_times_of_another_machine_are_measured_anew(tmp_path, monkeypatch):
    cold, rate = (figures.SERVE_COLD_START, 1.0, {"calls": [1.0]}), (figures.HTTP_RATE, 9.0, {"clients": 1})
    file = records.RecordsFile(tmp_path / DEPLOYMENT_FILE)
    path, _ = make_path(tmp_path)
    file.add(record_times(monkeypatch, f"deploy {path.label}", "abacus", "npz", EXPORT))
    file.add(record_times(monkeypatch, f"deploy cold starts {path.label}", "abacus", "npz", cold))
    file.add(record_times(monkeypatch, f"deploy http {path.label}", "abacus", "npz", rate))
    deployer = runner.Deployer(runner.Parts(http=True), None, tmp_path, Board(Console(file=io.StringIO())), file)
    left = {}
    for machine in ("abacus", "slide rule"):
        monkeypatch.setattr("bakeoff.common.machine.label", lambda name=machine: name)
        left[machine] = [stage.name for stage in deployer._list_stages(path)], deployer._list_http(path)
    assert left == {"abacus": ([], []), "slide rule": (["cold starts"], [None])}
    assert file.finished(f"deploy {path.label}")


def test_a_second_attempt_replaces_the_first(tmp_path):
    file = records.RecordsFile(tmp_path / DEPLOYMENT_FILE)
    keys = {"backend": "a", "path": "npz", "served_with": "framework"}
    for attempt, clients in ((1, 8), (2, 64)):
        assert file.count_attempts("deploy latency") == attempt - 1
        write = Recorder("deploy latency", attempt)
        write(figures.HTTP_RATE, 2.0, clients=clients, **keys)
        file.add(write.finish())
    for rows in (file.records, records.read(tmp_path / DEPLOYMENT_FILE)):
        (row,) = records.select(rows, figures.HTTP_RATE)
        assert row["clients"] == 64
        assert isinstance(row["clients"], int)


def test_a_resumed_command_does_what_is_left(tmp_path, monkeypatch):
    path, places = make_path(tmp_path)
    monkeypatch.setattr(runner, "list_paths", lambda entries: [path])
    monkeypatch.setattr(runner, "prepare_places", lambda *given: places)
    monkeypatch.setattr(runner, "build_ahead", lambda *given: {path.entry.label: BASE})
    chosen = [(path.entry, path.variant)]
    file = tmp_path / DEPLOYMENT_FILE

    def deploy(**parts):
        board = Board(Console(file=io.StringIO()))
        with board:
            given = (chosen, (), (), board, runner.Parts(timed=False, **parts), records.RecordsFile(file, resume=True))
            return runner.deploy(*given)

    late = deploy(limit_s=0.0)
    assert late.left_out == ["abacus:npz"]
    assert not records.select(late.records, figures.EXPORTED)
    begun = deploy()
    exported = records.select(begun.records, figures.EXPORTED)
    assert [row["value"] for row in exported] == [True]
    again = deploy(checkpoints=True)
    assert records.select(again.records, figures.EXPORTED) == exported
    assert [row["value"] for row in records.select(again.records, figures.CHECKPOINT)] == ["same bits"]


def test_an_export_that_fails_again_is_said_and_its_parts_are_left(tmp_path, monkeypatch):
    path, places = make_path(tmp_path)
    threads = []
    monkeypatch.setattr(runner, "list_paths", lambda entries: [path])
    monkeypatch.setattr(runner, "prepare_places", lambda *given: threads.append(threading.current_thread()) or places)
    monkeypatch.setattr(runner, "build_ahead", lambda *given: {path.entry.label: BASE})
    file = tmp_path / DEPLOYMENT_FILE

    def deploy(**parts):
        with Board(Console(file=io.StringIO())) as board:
            given = (board, runner.Parts(timed=False, **parts), records.RecordsFile(file, resume=True))
            return runner.deploy([(path.entry, path.variant)], (), (), *given)

    assert deploy().failed_again == []
    code = path.entry.folder / "export.py"
    right = code.read_text()
    code.write_text(right.replace("np.savez(", "np.no_such_function("))
    (sentence,) = deploy(mistakes=True).failed_again
    assert sentence.startswith("abacus:npz agreed before, and failed now: export raised AttributeError")
    assert not records.select(records.read(file), figures.BLUNDER)
    code.write_text(right)
    assert deploy(mistakes=True).failed_again == []
    assert records.select(records.read(file), figures.BLUNDER)
    assert set(threads) == {threading.main_thread()}  # where code is parsed


def test_what_backend_toml_says_is_renewed_in_a_file_of_records(tmp_path):
    file = records.RecordsFile(tmp_path / DEPLOYMENT_FILE)
    deployer = runner.Deployer(runner.Parts(), None, tmp_path, Board(Console(file=io.StringIO())), file)
    said = (
        ("a clerk", "the office", 1),
        ("a clerk", "the office", 1),
        ("a desk", "the office", 2),
        ("a desk", "a map", 3),
    )
    for value, source, attempt in said:
        fact = SimpleNamespace(value=value, source=source, asof="1200")
        description = SimpleNamespace(no_documented_export=None, documented_server=fact)
        deployer.record_no_export(SimpleNamespace(name="abacus", description=description))
        for rows in (file.records, records.read(tmp_path / DEPLOYMENT_FILE)):
            (row,) = records.select(rows, figures.SERVER)
            assert (row["value"], row["source"], row["attempt"]) == (value, source, attempt)


def time_a_path_and_its_copy(pace_of):
    """Return records of a path, its copy and five rivals: a call takes `pace_of(process, round)` ms, +- 1 %."""
    write = Recorder("deploy latency")
    rng = np.random.default_rng(0)
    processes = [("a", False), ("a", True), *((name, False) for name in "bcdef")]
    for number in (1, 2):
        for process in processes:
            pace = pace_of(process, number)
            for block in range(1, latency.BLOCKS + 1):
                name, twin = process
                keys = {"backend": name, "path": "npz", "served_with": "framework", "rows": 1, "self_test": twin}
                seconds = 1e-3 * pace * rng.uniform(0.99, 1.01)
                write(figures.SERVE_LATENCY, seconds, calls=[seconds], round=number, block=block, **keys)
    return write.records


def test_latencies_of_another_process_fail_the_self_test():
    timed = time_a_path_and_its_copy(lambda process, number: 1 if process[1] else 2)
    problem = latency.judge_self_test(timed)
    assert re.match(r"one process was (2|1\.99|2\.0\d) times as fast as its copy, at 1 row a call\. ", problem), problem
    assert re.search(r"Differences below 1\d\d\.\d % cannot be believed; larger ones can$", problem), problem
    assert latency.judge_self_test([]) == ""


def test_processes_that_differ_by_what_all_processes_differ_pass_the_self_test():
    rng = np.random.default_rng(1)
    timed = time_a_path_and_its_copy(lambda process, number: rng.uniform(0.98, 1.02))
    assert latency.judge_self_test(timed) == ""
    alike = time_a_path_and_its_copy(lambda process, number: 1.02 if process == ("a", True) else 1)
    assert latency.judge_self_test(alike).startswith("one process was 0.9")


def test_a_file_that_takes_one_row_is_served_row_by_row(tmp_path):
    path, places = make_path(tmp_path, ONE_ROW)
    write = Recorder("deploy")
    contestant = try_path(path, places, TRAINING, find_truth, tmp_path / "out", write)
    assert contestant.batch == 1
    assert (contestant.takes(1), contestant.takes(64)) == (True, False)
    assert records.value_of(write.records, figures.DYNAMIC_BATCH) is False


def test_a_message_has_no_path_of_this_machine():
    write = Recorder("deploy")
    reason = "FlatBuffer./home/me/worker.py:117:1: no '/tmp/x-1/model.onnx' (https://a.example/b/c), 1/2"
    write(figures.EXPORTED, False, reason=reason, backend="a", path="b", served_with="framework", dtype="float32")
    said = "FlatBuffer.worker.py:117:1: no 'model.onnx' (https://a.example/b/c), 1/2"
    assert write.records[0]["reason"] == said


PINNED = sorted(
    [
        *(ROOT / "backends" / "_serving").rglob("*.txt"),
        *(ROOT / "backends").glob("*/export-*.txt"),
        *(ROOT / "backends").glob("*/server-*.txt"),
    ]
)


@pytest.mark.parametrize("file", PINNED, ids=lambda file: str(file.relative_to(ROOT / "backends")))
def test_every_package_to_export_and_to_serve_is_pinned_with_hashes(file):
    text = "\n".join(line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    pins = re.split(r"\n(?=\S)", text.strip())
    for pin in pins:
        assert re.match(r"[A-Za-z0-9._-]+==\S+ ", pin), pin
        assert "--hash=sha256:" in pin, pin


def test_what_a_framework_does_not_offer_has_a_sentence_with_its_source():
    write = Recorder("deploy abacus")
    write(figures.NO_EXPORT, "nothing is written down", backend="abacus", source="its manual", asof="1200")
    write(figures.SERVER, "a clerk, not measured", backend="abacus", source="the office", asof="1200")
    assert describe_failures(write.records) == [
        "abacus: no documented export: nothing is written down (its manual)",
        "abacus: its documented server: a clerk, not measured (the office)",
    ]
