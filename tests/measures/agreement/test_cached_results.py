"""A verdict is reused when nothing has changed on which it depends, and only then."""

import json
import math
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from bakeoff.environments.environment import Environment
from bakeoff.measures.agreement import cached_results
from bakeoff.measures.agreement import cases as agreement_cases
from bakeoff.measures.agreement.cached_results import Verdict
from bakeoff.measures.agreement.case import Measured, Quantity
from bakeoff.measures.agreement.suite import Outcome
from bakeoff.registry import entries
from bakeoff.workload import networks

ENVIRONMENT = Environment(Path(sys.executable), Path("cache/numpy_plain-0123456789ab"), 1.0, 2, {"numpy": "2"})
PASSES = Outcome("updates", "stress-relu", "float64", True, "passes", "", [])
WORKS = Verdict(
    (
        PASSES._replace(
            measured=[
                Measured(Quantity("forward", "logits", 0), 1e-16, 1e-16),
                Measured(Quantity("running statistics", "norm0/running_var", 100), 0.1 + 0.2, 1 / 3),
            ]
        ),
        PASSES._replace(check="rounding", gated=False, status="fails", reason="300 floors: a result, not a gate"),
        PASSES._replace(check="wait_waits", status="known failure", reason="no wait (µs)", traceback="Traceback ..."),
        PASSES._replace(status="loses precision", reason="17.3 floors, allowed 16"),
    ),
    "2026-11-22T17:00:00Z",
    2.5,
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("BAKEOFF_CACHE", str(folder))
    return folder


@pytest.fixture(scope="module")
def cases():
    return agreement_cases.cases(networks.required_networks())


@pytest.fixture
def entry(tmp_path):
    """Return a copy of a backend, to be changed."""
    folder = tmp_path / "numpy_plain"
    shutil.copytree(entries.backends_folder() / folder.name, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return entries.read_entry(folder)


@pytest.fixture
def key(entry, cases):
    """Return a way to make a key: key(**what differs)."""

    def make(entry=entry, variant="plain", environment=ENVIRONMENT, device="cpu", cases=cases[:2]):
        return cached_results.key(entry, variant, environment, device, cases)

    return make


# Keys


def test_a_key_is_the_same_when_nothing_changed(key):
    assert key() == key()
    assert len(key()) == 12


def test_a_key_changes_with_the_variant_the_device_and_the_environment(key):
    other = ENVIRONMENT._replace(folder=Path("cache/numpy_plain-ba9876543210"))
    keys = {key(), key(variant="fused"), key(device="cuda"), key(environment=other)}
    assert len(keys) == 4


def test_a_key_does_not_change_with_where_the_environments_are_kept(key):
    elsewhere = ENVIRONMENT._replace(folder=Path("elsewhere/numpy_plain-0123456789ab"), seconds=9.0)
    assert key(environment=elsewhere) == key()


@pytest.mark.parametrize("name", ["adapter.py", "model.py", "backend.toml", "requirements.txt"])
def test_a_key_changes_with_a_byte_of_the_backend(entry, key, name):
    before = key()
    with (entry.folder / name).open("ab") as file:
        file.write(b"\n")
    assert key() != before


def test_a_key_changes_with_a_file_more_and_with_a_file_s_name(entry, key):
    before = key()
    (entry.folder / "kernel.cu").write_text("x")
    with_kernel = key()
    (entry.folder / "kernel.cu").rename(entry.folder / "colonel.cu")
    assert len({before, with_kernel, key()}) == 3


def test_a_key_does_not_change_with_what_running_leaves_behind(entry, key):
    before = key()
    (entry.folder / "__pycache__").mkdir()
    (entry.folder / "__pycache__" / "model.cpython-311.pyc").write_bytes(b"compiled")
    assert key() == before


def test_a_key_changes_with_the_cases(key, cases):
    tighter = replace(cases[0], spec=cases[0].spec._replace(bn_epsilon=1e-4))
    ungated = replace(cases[0], gated=not cases[0].gated)
    keys = [key(cases=each) for each in (cases[:2], cases[:1], [tighter, cases[1]], [ungated, cases[1]])]
    assert len(set(keys)) == len(keys)


def test_a_key_changes_with_the_checks_and_with_the_processor(key, tmp_path, monkeypatch):
    before = key()
    with monkeypatch.context() as patch:
        patch.setattr("bakeoff.common.machine.processor", lambda: "another")
        assert key() != before
    changed = tmp_path / "checks.py"
    changed.write_bytes(Path(cached_results.checks.__file__).read_bytes() + b"\n")
    monkeypatch.setattr(cached_results.checks, "__file__", str(changed))
    assert key() != before


# Keeping


def test_a_verdict_comes_back_as_it_was_kept():
    cached_results.keep("0123456789ab", WORKS)
    assert cached_results.find("0123456789ab") == WORKS
    assert cached_results.find("ba9876543210") is None


def test_numbers_come_back_to_the_last_bit_nan_and_infinity_too():
    measured = [Measured(Quantity("loss", "losses", 1), error, 1e-300) for error in (math.inf, 5e-324, math.pi)]
    cached_results.keep("0123456789ab", Verdict((PASSES._replace(measured=measured, gated=False),), "2026", 1.5))
    assert cached_results.find("0123456789ab").outcomes[0].measured == measured


def test_a_verdict_with_something_red_is_not_kept(cache):
    red = PASSES._replace(status="fails", reason="9e-03 off, 38,000 floors, allowed 128")
    cached_results.keep("0123456789ab", Verdict((*WORKS.outcomes, red), "2026", 1.5))
    assert cached_results.find("0123456789ab") is None
    assert not (cache / "verdicts").exists()


def test_nothing_is_left_beside_a_kept_verdict(cache):
    cached_results.keep("0123456789ab", WORKS)
    assert [path.name for path in (cache / "verdicts").iterdir()] == ["0123456789ab.json"]


KEPT = {"at": "2026", "seconds": 1.5, "outcomes": [PASSES._asdict()]}


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "{",
        "[]",
        "5",
        "null",
        '{"at": "2026"}',
        '{"outcomes": []}',
        '{"at": "2026", "outcomes": []}',
        '{"at": "2026", "seconds": "few", "outcomes": []}',
        '{"at": "2026", "outcomes": 5}',
        '{"at": "2026", "outcomes": [5]}',
        '{"at": "2026", "outcomes": ["text"]}',
        '{"at": "2026", "outcomes": [{}]}',
        '{"at": "2026", "outcomes": [{"measured": 5}]}',
        json.dumps({**KEPT, "outcomes": [{**KEPT["outcomes"][0], "measured": [["forward"]]}]}),
        json.dumps({**KEPT, "outcomes": [{**KEPT["outcomes"][0], "measured": [5]}]}),
        json.dumps({**KEPT, "outcomes": [{**KEPT["outcomes"][0], "colour": "green"}]}),
    ],
)
def test_garbage_in_the_cache_is_no_verdict(cache, garbage):
    (cache / "verdicts").mkdir(parents=True)
    (cache / "verdicts" / "0123456789ab.json").write_text(garbage)
    assert cached_results.find("0123456789ab") is None
    cached_results.keep("0123456789ab", WORKS)
    assert cached_results.find("0123456789ab") == WORKS


def test_what_stands_in_the_cache_otherwise_is_read(cache):
    """What the garbage above was made of."""
    (cache / "verdicts").mkdir(parents=True)
    (cache / "verdicts" / "0123456789ab.json").write_text(json.dumps(KEPT))
    assert cached_results.find("0123456789ab").outcomes == (PASSES,)


def test_bytes_that_are_no_text_are_no_verdict(cache):
    (cache / "verdicts").mkdir(parents=True)
    (cache / "verdicts" / "0123456789ab.json").write_bytes(b"\xff\xfe\x00")
    assert cached_results.find("0123456789ab") is None
