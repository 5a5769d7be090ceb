"""The life of an entry, as the guide tells it: what is called in a process, how often, and with which sizes."""

import json
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest
from bakeoff.measures.agreement import cases, suite
from bakeoff.measures.agreement.timed_check import ROWS
from bakeoff.measures.speed.rounds import FIRST_STEPS
from bakeoff.registry import entries
from bakeoff.workers.place import Place
from bakeoff.workers.session import Session
from bakeoff.workload.networks import Network

from tests.paths import ROOT

GUIDE = " ".join((ROOT / "docs" / "how-to" / "add-a-backend.md").read_text(encoding="utf-8").split())
LOGGING = """

import functools
import json
import os


def logged(name, method):
    @functools.wraps(method)
    def call(self, *arguments, **more):
        sizes = [list(getattr(each, "shape", ())) or len(each) for each in arguments if hasattr(each, "__len__")]
        with open({log!r}, "a") as file:
            file.write(json.dumps([os.getpid(), name, sizes]) + "\\n")
        return method(self, *arguments, **more)

    return call


for each in ("__init__", "load", "dump", "put", "train", "wait", "gradients", "predict"):
    setattr(Backend, each, logged(each, getattr(Backend, each)))
"""
WITH_ALL, WITH_FEW = "default-relu-adam", "stress-tanh-adam"


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """Return the calls in the process of each case, in order: (name, sizes)."""
    parent = tmp_path_factory.mktemp("life")
    folder = parent / "logged"
    shutil.copytree(
        entries.read_all()["numpy_plain"].folder, folder, ignore=shutil.ignore_patterns("__pycache__", "changes")
    )
    with (folder / "adapter.py").open("a", encoding="utf-8") as file:
        file.write(LOGGING.replace("{log!r}", repr(str(parent / "log"))))
    place = Place(python=Path(sys.executable), folder=folder, log=parent / "worker.log")
    kinds = [Network("default", "relu", True, "adam", "float64"), Network("stress", "tanh", True, "adam", "float64")]
    outcomes = list(suite.check_backend(lambda: Session(place), cases.cases(kinds), "cpu", "plain"))
    assert [each for each in outcomes if each.failed] == []
    by_process = {}
    for line in (parent / "log").read_text(encoding="utf-8").splitlines():
        process, name, sizes = json.loads(line)
        by_process.setdefault(process, []).append((name, sizes))
    return dict(zip((WITH_ALL, WITH_FEW), by_process.values(), strict=True))


def sizes_of(calls, name):
    return {tuple(sizes[0]) for called, sizes in calls if called == name}


def test_a_case_builds_once_and_the_first_once_more_at_its_end(calls):
    assert [name for name, _ in calls[WITH_FEW]].count("__init__") == 1
    names = [name for name, _ in calls[WITH_ALL]]
    assert names.count("__init__") == 2
    assert names[-3:] == ["__init__", "load", "predict"]
    assert calls[WITH_ALL][-1][1] == [[1, 3]]
    assert "a network of 3-2-4 for `softmax_example`" in GUIDE


def test_load_comes_first_and_then_put_with_all_rows(calls):
    for each in calls.values():
        assert [name for name, _ in each[:3]] == ["__init__", "load", "put"]
        (size,) = sizes_of(each, "put")
        assert f"with all {size[0]:,} training rows" in GUIDE


def test_the_guide_says_how_often(calls):
    count = Counter(name for name, _ in calls[WITH_ALL])
    assert f"`load` {count['load']} times in all" in GUIDE
    assert f"builds it {count['load']} times" in GUIDE
    assert f"`wait` follows each call: {count['train']} times in all" in GUIDE
    assert count["wait"] == count["train"]
    assert f"**`dump`** is called {count['dump']} times" in GUIDE
    for each in calls.values():
        names = [name for name, _ in each]
        assert all(names[number + 1] == "wait" for number, name in enumerate(names) if name == "train")


def test_the_sizes_are_those_of_the_guide(calls):
    every, few = calls[WITH_ALL], calls[WITH_FEW]
    assert sizes_of(every, "train") == {(1, 64), (10, 64), (100, 64)}
    assert sizes_of(few, "train") == {(1, 8), (10, 8)}
    assert sizes_of(every, "predict") == {(64, 64), (1, 64), (359, 64), (1, 3)}
    assert sizes_of(few, "predict") == {(8, 64)}
    assert sizes_of(every, "gradients") == {(64, 64), (2, 64), (359, 64)}
    assert sizes_of(few, "gradients") == {(8, 64)}
    for words in ("1, 10 or 100 steps, each of one batch (64 rows; 8 in the stress cases)", "the 359 test rows"):
        assert words in GUIDE


def test_the_first_call_of_a_run_has_the_steps_of_the_guide():
    assert f"`train` begins with {FIRST_STEPS} steps (the *first call*" in GUIDE
    assert f"the probabilities of {ROWS} rows" in GUIDE
    assert re.search(r"`KNOWN_FAILURES`, a list at the top level of `adapter.py`", GUIDE)
