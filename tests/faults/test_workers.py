"""Faults of workers: each is a row of its own backend, at whatever stage, and its rivals go on."""

import contextlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from bakeoff.common.foreign import find_unsafe, make_line, make_safe
from bakeoff.common.progress import Board
from bakeoff.measures.agreement import cases as agreement_cases
from bakeoff.measures.agreement import run_checks, suite
from bakeoff.measures.speed import rounds
from bakeoff.portable import spec as portable
from bakeoff.portable import wire
from bakeoff.registry import entries
from bakeoff.workers import answers, process
from bakeoff.workers.pipe import AnswerReader, RequestWriter
from bakeoff.workers.session import Session, WorkerFailed
from bakeoff.workload import networks
from rich.console import Console

from tests.faults import worker_faults

BOUNDED = [(fault, list(worker_faults.STAGES)[place % 5]) for place, fault in enumerate(worker_faults.FAULTS)]
"""Every fault once, each stage about five times; bench/faults.py injects all 125."""
SPEC = portable.Spec((5, 7, 4), "relu", True, 0.9, 1e-5, "adam", 0.001, 0.9, 0.999, 1e-8, 9, "float64")
ORDER = np.zeros((3, 9), "int64")


@pytest.fixture(autouse=True)
def short_warm_up(monkeypatch):
    monkeypatch.setattr(rounds, "WARM_LIMIT_S", 0.0)


@pytest.mark.parametrize(("fault", "stage"), BOUNDED)
def test_a_fault_is_the_failure_of_its_backend_alone(fault, stage, tmp_path):
    assert worker_faults.inject(fault, stage, tmp_path) == ""


def test_the_injector_notices_a_backend_without_a_fault(tmp_path, monkeypatch):
    """Otherwise the test above shows nothing."""
    monkeypatch.setitem(worker_faults.FAULTS, "nothing", "pass")
    assert "no failure was recorded" in worker_faults.inject("nothing", "in training", tmp_path)


# Answers: one place, one form


def receive(call, header, payload=b"", most_bytes=1 << 20):
    """Return what `read_answer` makes of an answer in a pipe."""
    reading, writing = os.pipe()
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    threading.Thread(
        target=write_all, args=(writing, wire.LENGTHS.pack(len(text), len(payload)) + text + payload)
    ).start()
    reader = AnswerReader(reading)
    try:
        return answers.read_answer(reader.set_deadline(time.monotonic() + 5), call, answers.FORMS, most_bytes)
    finally:
        reader.close()


def write_all(descriptor, data):
    with os.fdopen(descriptor, "wb") as file, contextlib.suppress(BrokenPipeError):
        file.write(data)


TIMES = {"wall_s": 1.0, "cpu_s": 1.0, "left_s": None}
THREADS = {"framework": {}, "libraries": {}, "kernels": [], "system": {}}


@pytest.mark.parametrize(
    ("call", "fields", "said"),
    [
        ("memory", {"peak_bytes": 1, "device_peak_bytes": "abc"}, "device_peak_bytes"),
        ("memory", {"peak_bytes": 1, "device_peak_bytes": float("inf")}, "device_peak_bytes"),
        ("memory", {"peak_bytes": -1, "device_peak_bytes": None}, "peak_bytes"),
        ("memory", {"peak_bytes": 10**30, "device_peak_bytes": None}, "peak_bytes"),
        ("threads", {**THREADS, "framework": None}, "framework"),
        ("threads", {**THREADS, "framework": ["1"]}, "framework"),
        ("threads", {**THREADS, "libraries": {"blas": "two"}}, "libraries.blas"),
        ("versions", {"versions": ["1.0"]}, "versions"),
        ("versions", {"versions": {"a": None}}, "versions.a"),
        ("train", {**TIMES, "wall_s": 0}, "wall_s"),
        ("train", {**TIMES, "wall_s": float("nan")}, "wall_s"),
        ("train", {**TIMES, "cpu_s": -1.0}, "cpu_s"),
        ("train", {"wall_s": 1.0}, "cpu_s"),
        ("train", {**TIMES, "more": 1}, "more"),
        ("build", {"build_s": True}, "build_s"),
        ("dump", {"surprise": 1}, "surprise"),
    ],
)
def test_a_field_that_the_contract_forbids_is_named(call, fields, said):
    with pytest.raises(ValueError, match=said):
        receive(call, {"failure": None, **fields})


@pytest.mark.parametrize("header", [{}, {"failure": 5}, {"failure": {"type": "X"}}, [], 5, None, b"{", b"[" * 20_000])
def test_a_header_of_another_form_is_rejected(header):
    with pytest.raises(ValueError, match=r"failure|header|Expecting"):
        receive("versions", header)


@pytest.mark.parametrize("lengths", [(1 << 62, 0), (2, 1 << 62)])
def test_an_answer_that_would_have_no_end_is_rejected_by_its_lengths(lengths):
    reading, writing = os.pipe()
    os.write(writing, wire.LENGTHS.pack(*lengths) + b"{}")
    reader = AnswerReader(reading)
    with pytest.raises(ValueError, match="are the most that make sense"):
        answers.read_answer(reader.set_deadline(time.monotonic() + 5), "dump", answers.FORMS, 1 << 20)
    reader.close()
    os.close(writing)


def test_a_good_answer_is_taken():
    header, arrays = receive("train", {"failure": None, **TIMES}, wire.message({}, {"losses": np.ones(3)})[18:])
    assert header == TIMES
    assert arrays["losses"].tolist() == [1, 1, 1]


def test_the_message_of_a_failure_is_safe_and_bounded():
    failure = {"type": "E\x1b[2J", "message": "\ud800" + "a" * 1_000_000, "traceback": "\x07" + "b" * 1_000_000}
    with pytest.raises(WorkerFailed) as caught:
        receive("train", {"failure": failure})
    everything = str(caught.value) + caught.value.traceback
    assert find_unsafe(everything) is None
    assert len(everything) < 50_000
    assert "characters left out" in everything
    assert everything.encode()
    assert "\\ud800" in everything


# Foreign text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain \u00e9 \u4e2d \U0001f600\n\tnext", "plain \u00e9 \u4e2d \U0001f600\n\tnext"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\ud800", "\\ud800"),
        ("a\rb", "a\\rb"),
        ("\u202egnp", "\\u202egnp"),
        ("\x9b31m", "\\x9b31m"),
    ],
)
def test_unsafe_characters_are_visible(text, safe):
    assert make_safe(text) == safe


def test_of_a_long_text_what_was_cut_is_counted():
    assert make_safe("a" * 100 + "b" * 100, 30) == "a" * 20 + " [... 170 characters left out ...] " + "b" * 10
    assert make_line("a\nb") == "a\\nb"


# Time limits, and what is left behind


def test_a_worker_that_does_not_read_is_given_up():
    reading, writing = os.pipe()
    writer = RequestWriter(writing)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        writer.set_deadline(time.monotonic() + 0.2).write(bytes(10 << 20))
    assert time.monotonic() - started < 5
    writer.close()
    os.close(reading)


def test_the_limit_of_a_call_follows_from_its_answers(open_session):
    session = open_session("by_variant")
    assert session._limit_s("train", 3) == 300
    session._slowest = {"train": 0.001, "predict": 4.0}
    assert session._limit_s("train", 3) == 60
    assert session._limit_s("train", 100_000) == 5000  # a long epoch is no hang
    assert session._limit_s("predict", 1) == 200
    session.place = session.place._replace(timeout_s=2)
    assert session._limit_s("predict", 1) == 2


def test_a_child_that_holds_the_pipe_does_not_hide_the_death_of_its_worker(open_session):
    session = open_session("by_variant")
    session.build(SPEC, "cpu", "die_with_a_child")
    started = time.monotonic()
    with pytest.raises(WorkerFailed, match="exit code 5"):
        session.train(ORDER)
    assert time.monotonic() - started < 30  # of a limit of 300 s


def test_one_hang_ends_the_checks_of_a_variant(tmp_path, monkeypatch):
    folder = worker_faults.write_backend("hangs", "in a check", tmp_path)
    monkeypatch.setattr(run_checks, "place_of", lambda entry, *_: worker_faults.place(entry, tmp_path))
    entry = entries.read_entry(folder)
    kinds = [each for each in networks.STANDARD if each.required]
    board = Board(Console(file=sys.stderr), quiet=True)
    found = run_checks.check_backends(
        [(entry, "plain")], {entry.label: Path(sys.executable)}, kinds, "cpu", 1, board, time_limit_s=3.0
    )
    outcomes = found["faulty:plain"].outcomes
    assert any("hung" in each.reason for each in outcomes)
    assert len({(each.case, each.dtype) for each in outcomes}) <= 2  # two cases are checked at a time


def test_a_death_between_two_slices_is_a_record_with_its_signal(tmp_path, monkeypatch):
    """As the out-of-memory killer kills, while the worker is stopped."""
    prepare = rounds.TimedWorker.prepare

    def prepare_and_kill(worker, steps):
        prepare(worker, steps)
        if worker.contestant.backend == "faulty":
            os.kill(worker.session.process.pid, signal.SIGKILL)

    monkeypatch.setattr(rounds.TimedWorker, "prepare", prepare_and_kill)
    folder = Path(shutil.copytree(worker_faults.HONEST, tmp_path / "faulty"))
    both = entries.read_entry(folder), entries.read_entry(worker_faults.HONEST)
    failed, reason, rival = worker_faults.time_both(*both, tmp_path)
    assert failed
    assert rival
    assert reason.startswith("died: the worker was ended by SIGKILL between two calls")


def test_a_death_between_two_checks_is_a_failure(tmp_path, monkeypatch):
    run_check = suite.run_check
    sessions = []

    def check_and_kill(check, subject, known):
        outcome = run_check(check, subject, known)
        sessions.append(subject.backend)
        os.kill(subject.backend.process.pid, signal.SIGKILL)
        subject.backend.process.wait()
        return outcome

    monkeypatch.setattr(suite, "run_check", check_and_kill)
    honest = entries.read_entry(worker_faults.HONEST)
    case = agreement_cases.cases([each for each in networks.STANDARD if each.required][:1])
    place = worker_faults.place(honest, tmp_path)
    outcomes = list(suite.check_backend(lambda: Session(place), case, "cpu", "plain"))
    assert len(sessions) == 1
    assert outcomes[-1].failed
    assert "died: the worker was ended by SIGKILL between two calls" in outcomes[-1].reason


def test_a_worker_has_a_folder_for_temporary_files_which_goes_with_it(open_session):
    session = open_session("looks_around")
    session.build(SPEC, "cpu", "eager")
    folder = Path(json.loads(session.versions()["environment"])["TMPDIR"])
    (folder / "left").write_text("behind")
    session.close()
    assert not folder.exists()


def test_a_worker_starts_although_the_current_folder_was_removed(open_session, tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    open_session("by_variant").build(SPEC, "cpu", "obedient")


def test_a_log_keeps_its_beginning_and_its_end(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"first" + b"x" * (process.MOST_LOG_BYTES + 10) + b"last")
    process.Log(path, None).trim()
    content = path.read_bytes()
    assert content.startswith(b"first")
    assert content.endswith(b"last")
    assert b"bytes left out" in content
    assert len(content) < process.MOST_LOG_BYTES


def test_a_log_is_not_appended_through_a_link(tmp_path):
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "log").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="symbolic"):
        process.Log(tmp_path / "log", None).open()
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_worker_that_reports_more_time_than_passed_is_rejected(open_session, monkeypatch):
    session = open_session("by_variant")
    session.build(SPEC, "cpu", "obedient")
    real = Session._ask

    def lie(self, call, *arguments, **header):
        fields, arrays = real(self, call, *arguments, **header)
        return {**fields, "wall_s": 100.0} if call == "train" else fields, arrays

    monkeypatch.setattr(Session, "_ask", lie)
    with pytest.raises(WorkerFailed, match="reports 100 s of training"):
        session.train(ORDER)


def test_a_step_that_took_no_time_does_not_fill_a_slice_with_billions():
    assert rounds.steps_of_slice(0.01, 1e-300) == rounds.MOST_STEPS
    assert rounds.steps_of_slice(0.01, 0.001) == 10
    assert rounds.steps_of_slice(0.01, 5.0) == 1
