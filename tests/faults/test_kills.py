"""A run and a build that are killed lose nothing that was finished, leave nothing, and are gone on with."""

import pytest

from tests.faults import kills

TIMES = 2
"""bench/faults.py kills 10 runs five times each, and 5 builds four times."""


def test_a_killed_run_is_resumed_to_its_end(tmp_path):
    assert kills.kill_run(0, tmp_path, TIMES) == ""


def test_a_killed_build_is_repeated(tmp_path):
    assert kills.kill_build(0, tmp_path, TIMES) == ""


def test_lost_records_are_noticed():
    with pytest.raises(kills.Lost, match="lost by a kill"):
        kills.require_kept(b'{"a": 1}\n{"b": 2}\n{"c"', b'{"a": 1}\n', "a kill")
    assert kills.require_kept(b'{"a": 1}\n{"b', b'{"a": 1}\n', "a kill") == b'{"a": 1}\n'
