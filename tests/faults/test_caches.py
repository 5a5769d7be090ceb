"""A damaged cache costs what it kept, and no more: no traceback, no hang, and no result that is taken from it."""

import json
import os
import random

import pytest
from bakeoff.common import cache
from bakeoff.environments.environment import read_record
from bakeoff.measures.agreement import cached_results, floors

from tests.faults import caches

BOUNDED = 24
"""Damaged caches; each is used by one of the six commands in turn. bench/faults.py has 200."""

RECORD = {"seconds": 1.0, "bytes": 2, "packages": {"numpy": "2.0"}}


@pytest.mark.parametrize("seed", range(BOUNDED))
def test_a_damaged_cache_is_no_traceback(seed, tmp_path):
    folder, done = caches.mutate(tmp_path, random.Random(seed))
    command = list(caches.COMMANDS)[seed % len(caches.COMMANDS)]
    assert caches.use_cache(command, folder) == "", f"{command}: {done}"


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Return the path of the value that is kept under `key`."""
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path))
    (tmp_path / "kind").mkdir()
    return tmp_path / "kind" / "key.json"


def test_a_named_pipe_and_a_device_in_the_cache_are_not_waited_for(kept):
    os.mkfifo(kept)
    assert cache.find("kind", "key") is None
    kept.unlink()
    kept.symlink_to("/dev/zero")
    assert cache.find("kind", "key") is None


def test_a_kept_value_of_more_bytes_than_make_sense_is_not_read(kept, monkeypatch):
    monkeypatch.setattr(cache, "MOST_BYTES", 10)
    kept.write_text(json.dumps("x" * 100))
    assert cache.find("kind", "key") is None


@pytest.mark.parametrize(
    "change",
    [
        {"seconds": "long"},
        {"seconds": float("nan")},
        {"bytes": None},
        {"bytes": -1},
        {"bytes": 10**400},
        {"packages": ["numpy"]},
        {"packages": {"numpy": None}},
        {"download_bytes": "many"},
        {"interpreters": "3.11"},
        {"hashes": 5},
        {"unverified": ["torch"]},
    ],
)
def test_a_record_of_a_build_with_another_form_is_none(tmp_path, change):
    (tmp_path / "built.json").write_text(json.dumps({**RECORD, "interpreter": "/usr/bin/python3"}))
    assert read_record(tmp_path) is not None
    (tmp_path / "built.json").write_text(json.dumps({**RECORD, **change}))
    assert read_record(tmp_path) is None


@pytest.mark.parametrize(
    "kept",
    [
        5,
        {},
        [[1, 2]],
        [["update", "weights", 1, "small"]],
        [["update", "weights", 1, float("inf")]],
        [["update", "weights", 1, float("nan")]],
        [["update", "weights", 1, 0.0]],
        [["update", ["weights"], 1, 0.1]],
        None,
    ],
)
def test_floors_that_nobody_computed_are_not_taken(kept):
    """An infinite floor in the cache let every backend pass."""
    assert floors._read_kept(kept) == {}


OUTCOME = {
    "check": "gradients",
    "case": "common",
    "dtype": "float32",
    "required": True,
    "status": "passes",
    "reason": "",
    "measured": [{"phase": "update", "array": "weights", "step": 1, "error": 0.1, "floor": 0.1}],
}


@pytest.mark.parametrize(
    "change",
    [
        {"status": "perfect"},
        {"required": 0},
        {"reason": None},
        {"measured": None},
        {"measured": [{}]},
        {"measured": [{**OUTCOME["measured"][0], "floor": 0.0}]},
        {"measured": [{**OUTCOME["measured"][0], "error": "none"}]},
        {"more": 1},
    ],
)
def test_a_check_result_of_another_form_is_not_taken(tmp_path, monkeypatch, change):
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path))
    whole = {"at": "2026-11-29T00:00:00Z", "seconds": 1.0}
    cache.keep(cached_results.FOLDER, "key", {**whole, "outcomes": [OUTCOME]})
    assert cached_results.find("key") is not None
    cache.keep(cached_results.FOLDER, "key", {**whole, "outcomes": [{**OUTCOME, **change}]})
    assert cached_results.find("key") is None
