"""A backend with a switch for each fault of a worker: numpy_plain, which does one thing wrong at one stage.

`inject(fault, stage, folder)` runs the stage for the faulty backend beside an honest one, and returns what is wrong
with the outcome: "" where the fault became the backend's own failure, its rival's result is there, and nothing is left.
"""

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psutil
from bakeoff.common.foreign import find_unsafe
from bakeoff.common.progress import Board
from bakeoff.measures.agreement import cases as agreement_cases
from bakeoff.measures.agreement import run_checks
from bakeoff.measures.speed import figures, rounds
from bakeoff.measures.training import train
from bakeoff.registry import entries
from bakeoff.workers import launch, process
from bakeoff.workload import data, networks
from bakeoff.workload.spec import parse
from rich.console import Console

HONEST = entries.backends_folder() / "numpy_plain"

PREAMBLE = """
import ctypes, io, json, os, signal, struct, subprocess, sys, time, zipfile

import numpy as np

PIPE = json.loads(sys.argv[1])["write"]


def answer(header, payload=b"", claimed=None):
    \"\"\"Write an answer of this form, and answer nothing else.\"\"\"
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    data = struct.pack(">QQ", len(header), len(payload) if claimed is None else claimed) + header + payload
    while data:
        data = data[os.write(PIPE, data[:65536]):]
    time.sleep(600)


def archive(shape, content):
    \"\"\"Return an archive with one array of zeros, which claims this shape.\"\"\"
    buffer, head = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        with packed.open("losses.npy", "w", force_zip64=True) as member:
            member.write(head.getvalue())
            for _ in range(content):
                member.write(bytes(1 << 20))
    return buffer.getvalue()


def endless():
    while True:
        os.write(PIPE, struct.pack(">QQ", 1 << 40, 0) + b"x" * 65536)


def leave_a_daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)  # longer than any test: whoever ends it is not the clock
        os._exit(0)
    os._exit(5)


def leave_a_child():
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
    os._exit(5)
"""

FAULTS = {
    "raises": "raise ZeroDivisionError('no')",
    "exits": "sys.exit(4)",
    "ends itself": "os._exit(3)",
    "is killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "crashes": "ctypes.string_at(0)",
    "aborts": "os.abort()",
    "hangs": "time.sleep(600)",
    "stops itself": "os.kill(os.getpid(), signal.SIGSTOP)",
    "closes its pipe": "os.closerange(3, 64); time.sleep(600)",
    "leaves a child with its pipe": "leave_a_child()",
    "has a lone surrogate in its message": "raise ValueError('\\ud800 and \\udfff')",
    "commands the terminal": "raise ValueError('\\x1b]52;c;ZWNobyBoaQ==\\x07\\x1b[2J[bold]')",
    "has a message of 4 MB": "raise ValueError('long ' * 800_000)",
    "has a message of 50 MB": "raise ValueError('long ' * 10_000_000)",
    "answers {}": "answer({})",
    "answers a failure of 5": "answer({'failure': 5})",
    "answers no object": "answer([1, 2])",
    "answers no JSON": "answer(b'\\xff\\xfe{')",
    "answers JSON nested 100,000 deep": "answer(b'[' * 100_000)",
    "sends no archive": "answer({'failure': None}, b'no archive' * 100)",
    "sends a zip bomb": "answer({'failure': None}, archive((1 << 27,), 1024))",
    "sends an array that claims a terabyte": "answer({'failure': None}, archive((1 << 37,), 1))",
    "answers without end": "endless()",
    "answers half": "os.write(PIPE, struct.pack('>QQ', 500, 0) + b'{'); os._exit(0)",
    "leaves a daemon in a session of its own": "leave_a_daemon()",
}
"""What the worker does, by the words for it: 25 of them."""

STAGES = {
    "at start": "",
    "in a check": "gradients",
    "in training": "train",
    "in timing": "train",
    "in prediction": "predict",
}
"""The method that the fault is in, by stage; it is in the adapter's import at start."""
BEFORE_TIMING = 6
"""Calls of `train` that a timed worker answers before it is faulty."""

SPEC = """
[data]
source = "synthetic:300x6x3"
[network]
hidden = [8]
[training]
batch_size = 16
epochs = 2
"""
LIMIT_S = 10.0
"""For an answer: a fault that hangs takes as long."""


def write_backend(fault: str, stage: str, parent: Path) -> Path:
    """Write the faulty backend to a folder in `parent`; return it."""
    folder = Path(shutil.copytree(HONEST, parent / "faulty", ignore=shutil.ignore_patterns("__pycache__")))
    method = STAGES[stage]
    text = PREAMBLE + (folder / "adapter.py").read_text(encoding="utf-8")
    body = FAULTS[fault]
    if not method:
        text += f"\n\n{body}\n"
    else:
        text += f"""

HONEST, CALLS = Backend.{method}, []


def faulty(self, *arguments):
    CALLS.append(1)
    if len(CALLS) > {BEFORE_TIMING if stage == "in timing" else 0}:
        {body}
    return HONEST(self, *arguments)


Backend.{method} = faulty
"""
    (folder / "adapter.py").write_text(text, encoding="utf-8")
    return folder


def inject(fault: str, stage: str, parent: Path) -> str:
    """Let the fault happen at the stage; return what is wrong with the outcome, "" where nothing is."""
    faulty, honest = entries.read_entry(write_backend(fault, stage, parent)), entries.read_entry(HONEST)
    temporary = parent / "temporary"
    temporary.mkdir(exist_ok=True)
    # What other programs do in the common folder meanwhile says nothing about these workers.
    usual, tempfile.tempdir = tempfile.tempdir, str(temporary)
    started = time.monotonic()
    stages = {
        "in a check": check_both,
        "in training": train_both,
        "in prediction": train_both,
        "in timing": time_both,
        "at start": train_both,
    }
    try:
        failed, reason, rival = stages[stage](faulty, honest, parent)
    finally:
        tempfile.tempdir = usual
    problems = []
    if not failed:
        problems.append("no failure was recorded")
    if not rival:
        problems.append("the honest rival has no result")
    if find_unsafe(reason) is not None:
        problems.append(f"the reason is not safe to print: {reason[:80]!r}")
    if len(reason) > 30_000:
        problems.append(f"the reason has {len(reason):,} characters")
    json.dumps(reason, ensure_ascii=False).encode("utf-8")
    # A daemon that was killed takes a moment to be gone.
    deadline = time.monotonic() + 5
    while (left := left_behind(faulty.folder, temporary)) and time.monotonic() < deadline:
        time.sleep(0.05)
    if left:
        problems.append(f"left behind: {sorted(left)}")
    size = sum(path.stat().st_size for path in parent.glob("*.log"))
    if size > 2 * process.MOST_LOG_BYTES:
        problems.append(f"logs of {size:,} bytes")
    if time.monotonic() - started > 60 + 4 * LIMIT_S:
        problems.append(f"took {time.monotonic() - started:.0f} s")
    return "; ".join(problems)


def place(entry, parent):
    return launch.place_of(entry, "plain", Path(sys.executable), log=parent / f"{entry.name}.log")._replace(
        timeout_s=LIMIT_S
    )


def left_behind(folder: Path, temporary: Path) -> set[str]:
    """Return what workers of the backend in `folder` can leave: processes, and folders of temporary files."""
    folders = {str(path) for path in temporary.glob("bakeoff-worker-*")}
    workers = set()
    for each in psutil.process_iter(["cmdline", "status"]):
        if each.info["status"] != psutil.STATUS_ZOMBIE and any(
            str(folder) in word for word in each.info["cmdline"] or ()
        ):
            workers.add(f"process {each.pid}")
    return folders | workers


def check_both(faulty, honest, parent):
    """Check both, two at a time as `bakeoff check` does."""
    kinds = [each for each in networks.STANDARD if each.required][:2]
    board = Board(Console(file=sys.stderr), quiet=True)
    original = run_checks.place_of
    run_checks.place_of = lambda entry, variant, python, threads: place(entry, parent)
    try:
        both = [(faulty, "plain"), (honest, "plain")]
        found = run_checks.check_backends(
            both, {each.label: Path(sys.executable) for each, _ in both}, kinds, "cpu", 1, board, time_limit_s=LIMIT_S
        )
    finally:
        run_checks.place_of = original
    wrong = [each for each in found["faulty:plain"].outcomes if each.failed]
    right = found["numpy_plain:plain"].outcomes
    reasons = "\n".join(each.reason + each.traceback for each in wrong[:1])
    return bool(wrong), reasons, bool(right) and not any(each.failed for each in right)


def train_both(faulty, honest, parent):
    """Train both fully, one after the other."""
    spec = parse(SPEC, "spec")
    splits = data.split(data.load(spec.data, 0), spec)
    network = train.spec_for_backend(spec, splits)
    arrays = agreement_cases.portable.initial_arrays(network, "he", 0)
    order = data.batch_orders(len(splits.y_train), 16, 2, 0)
    whole = train.Training(spec, splits, arrays, order, "cpu")
    records = []

    def add(figure, value, **keys):
        records.append(figure.record(value, **keys))

    for entry in (faulty, honest):
        train.measure(whole, place(entry, parent), entry.name, "plain", add, lambda line: None)
    return judge(records, train.figures.FAILED.name, train.figures.TEST_ACCURACY.name)


def time_both(faulty, honest, parent):
    """Time both in one round."""
    spec = parse(SPEC, "spec")
    splits = data.split(data.load(spec.data, 0), spec)
    network = train.spec_for_backend(spec, splits)
    arrays = agreement_cases.portable.initial_arrays(network, "he", 0)
    order = data.batch_orders(len(splits.y_train), 16, 1, 0)
    problem = rounds.Problem(network, arrays, splits.x_train.astype(network.dtype), splits.y_train, order)
    plan = rounds.Plan(1, 2, 0.004, 1, None, "cpu", 0, measure_peak_and_latency=False)
    records = []
    both = [rounds.Contestant(entry.name, "plain", place(entry, parent)) for entry in (faulty, honest)]
    rounds.run_round(
        1, both, problem, plan, lambda figure, value, **keys: records.append(figure.record(value, **keys)), {}, str
    )
    return judge(records, figures.FAILED.name, figures.PEAK_MEMORY.name)


def judge(records, failure, result):
    failures = [each for each in records if each["figure"] == failure]
    mine = [each["value"] + each["traceback"] for each in failures if each["backend"] == "faulty"]
    rival = any(each["figure"] == result and each["backend"] == "numpy_plain" for each in records)
    return bool(mine), "\n".join(mine), rival and len(mine) == len(failures)
