"""A run and a build that are killed lose nothing that was finished, leave nothing, and are gone on with."""

import pytest

from tests.faults import kills

BOUNDED = {"runs": 1, "builds": 3}
"""bench/faults.py kills 50 runs, twice each, and 20 builds."""


@pytest.mark.parametrize("seed", range(BOUNDED["runs"]))
def test_a_killed_run_is_resumed_to_its_end(seed, tmp_path):
    assert kills.kill_run(seed, tmp_path) == ""


@pytest.mark.parametrize("seed", range(BOUNDED["builds"]))
def test_a_killed_build_is_repeated(seed, tmp_path):
    assert kills.kill_build(seed, tmp_path) == ""


def test_lost_records_are_noticed():
    with pytest.raises(kills.Lost, match="lost by a kill"):
        kills.require_kept(b'{"a": 1}\n{"b": 2}\n{"c"', b'{"a": 1}\n', "a kill")
    assert kills.require_kept(b'{"a": 1}\n{"b', b'{"a": 1}\n', "a kill") == b'{"a": 1}\n'
