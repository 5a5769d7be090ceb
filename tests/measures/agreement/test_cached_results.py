"""A check result is reused only while nothing has changed that it depends on."""

import json
import math
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bakeoff.environments import Environment
from bakeoff.measures.agreement import cached_results
from bakeoff.measures.agreement import cases as agreement_cases
from bakeoff.measures.agreement.cached_results import CachedResult
from bakeoff.measures.agreement.case import Deviation, Quantity, ReferencePair
from bakeoff.measures.agreement.mutants import LeakyRelu
from bakeoff.measures.agreement.suite import Outcome
from bakeoff.registry import entries
from bakeoff.workload import data, networks
from bakeoff.workload.spec import Spec

ENVIRONMENT = Environment(Path(sys.executable), Path("cache/numpy_plain-0123456789ab"), 1.0, 2, {"numpy": "2"})
PASSES = Outcome("updates", "stress-relu", "float64", True, "passes", "", [])
WORKS = CachedResult(
    (
        PASSES._replace(
            measured=[
                Deviation(Quantity("forward", "logits", 0), 1e-16, 1e-16),
                Deviation(Quantity("running statistics", "norm0/running_var", 100), 0.1 + 0.2, 1 / 3),
            ]
        ),
        PASSES._replace(check="rounding", required=False, status="fails", reason="300 floors: a result, not a gate"),
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


def changed_array(array):
    """Return a copy of which one number has another last bit, or is larger by one."""
    changed = array.copy()
    changed.flat[0] = np.nextafter(changed.flat[0], np.inf) if changed.dtype.kind == "f" else changed.flat[0] + 1
    return changed


CHANGES = {
    "name": lambda case: {"name": "another"},
    "spec": lambda case: {"spec": case.spec._replace(bn_epsilon=1e-4)},
    "required": lambda case: {"required": not case.required},
    "initial array": lambda case: {
        "arrays": {**case.arrays, "dense0/kernel": changed_array(case.arrays["dense0/kernel"])}
    },
    "rows": lambda case: {"x": changed_array(case.x)},
    "labels": lambda case: {"y": changed_array(case.y)},
    "batch order": lambda case: {"order": case.order[::-1]},
    "dtype of the rows": lambda case: {"x": case.x.astype("float16")},
    "oracle": lambda case: {"reference_pair": ReferencePair(oracle=LeakyRelu)},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_key_changes_with_the_contents_of_a_case(key, cases, change):
    assert key(cases=[replace(cases[0], **change(cases[0])), cases[1]]) != key()


def test_a_key_is_the_same_for_an_equal_case_made_again(key, cases):
    again = replace(cases[0], arrays={name: array.copy() for name, array in cases[0].arrays.items()})
    assert key(cases=[again, cases[1]]) == key()


def test_a_key_changes_with_the_number_and_the_order_of_the_cases(key, cases):
    assert len({key(), key(cases=cases[:1]), key(cases=cases[1::-1])}) == 3


def test_a_key_changes_with_the_split_of_the_data(key, cases):
    spec = Spec()
    other = spec.model_copy(update={"data": spec.data.model_copy(update={"test": 0.25})})
    made = [
        agreement_cases.make_case("one", cases[0].spec, spec, data.split(data.load(each.data), each), True)
        for each in (spec, other)
    ]
    assert key(cases=made[:1]) != key(cases=made[1:])


def test_a_key_changes_with_the_variables_of_the_worker(entry, key):
    description = entry.description
    environment = description.environment.model_copy(update={"variables": {"FAST_MATH": "1"}})
    assert key(entry=entry._replace(description=description.model_copy(update={"environment": environment}))) != key()


def test_a_key_changes_with_the_processor_and_with_numpy(key, monkeypatch):
    before = key()
    with monkeypatch.context() as patch:
        patch.setattr("bakeoff.common.machine.processor", lambda: "another")
        assert key() != before
    monkeypatch.setattr(cached_results.np, "__version__", "0.1")
    assert key() != before


@pytest.fixture
def harness(tmp_path, monkeypatch):
    """Return a copy of the harness whose files make the key."""
    folder = tmp_path / "harness"
    shutil.copytree(cached_results.ROOT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(cached_results, "ROOT", folder)
    return folder


@pytest.mark.parametrize(
    "name",
    [
        "measures/agreement/checks.py",
        "measures/agreement/serialisation.py",
        "portable/reference.py",
        "workers/session.py",
        "workers/launch.py",
        "workload/spec.py",
        "workload/networks.py",
        "workload/default.toml",
        "workload/data/splits.py",
        "registry/entries.py",
        "common/arrays.py",
    ],
)
def test_a_key_changes_with_a_file_of_each_package(key, harness, name):
    before = key()
    with (harness / name).open("ab") as file:
        file.write(b"\n")
    assert key() != before


def test_a_key_changes_with_every_file_that_the_harness_lists(harness):
    names = {path.relative_to(harness).as_posix() for path in cached_results.harness_files()}
    assert names >= {"workload/default.toml", "workload/data/files.py", "portable/worker.py"}
    expected = {
        path.relative_to(harness).as_posix()
        for package in cached_results.PACKAGES
        for path in (harness / package).rglob("*")
        if path.is_file()
    }
    assert names == expected


def test_a_key_does_not_change_with_a_file_that_no_check_uses(key, harness):
    before = key()
    (harness / "report" / "report.py").write_text("")
    assert key() == before


def test_the_packages_of_the_key_hold_every_module_that_the_checks_import():
    """The environments are in the key by their identity: a hash of everything that goes into them.

    The declarations of the figures of other measures come with the package: names and units, from which no check
    computes anything.
    """
    code = "import sys, bakeoff.measures.agreement.suite, bakeoff.measures.agreement.cases, bakeoff.workers.launch;"
    code += "print(*(name for name in sys.modules if name.startswith('bakeoff.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    own = {name.removeprefix("bakeoff.").replace(".", "/") for name in done.stdout.split()}
    covered = (*cached_results.PACKAGES, "environments")
    rest = {name for name in own if not name.startswith(covered)}
    others = {name for name in rest if name.startswith("measures/") and name.count("/") == 1}
    declarations = {f"{name}/figures" for name in others}
    assert rest == {"measures", "records", "records/vocabulary", *others, *declarations}


def test_a_key_changes_with_the_threads(key, entry, cases):
    one, two = (cached_results.key(entry, "plain", ENVIRONMENT, "cpu", cases[:1], threads) for threads in (1, 2))
    assert one != two


def test_a_key_changes_with_a_variable_that_the_caller_passes_on_and_with_its_value(entry, cases, monkeypatch):
    def key(*inherit):
        return cached_results.key(entry, "plain", ENVIRONMENT, "cpu", cases[:1], 1, inherit)

    monkeypatch.setenv("FAKE_LIBRARY_KERNEL", "slow")
    clean, slow = key(), key("FAKE_LIBRARY_KERNEL")
    monkeypatch.setenv("FAKE_LIBRARY_KERNEL", "fast")
    assert len({clean, slow, key("FAKE_LIBRARY_KERNEL")}) == 3
    assert key() == clean


def test_a_key_changes_with_a_variable_in_force_that_workers_always_inherit(key, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    first = key()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert key() != first


# Keeping


def test_a_kept_result_is_found_unchanged():
    cached_results.keep("0123456789ab", WORKS)
    assert cached_results.find("0123456789ab") == WORKS
    assert cached_results.find("ba9876543210") is None


def test_numbers_are_kept_bit_for_bit_including_infinity():
    measured = [Deviation(Quantity("loss", "losses", 1), error, 1e-300) for error in (math.inf, 5e-324, math.pi)]
    cached_results.keep(
        "0123456789ab", CachedResult((PASSES._replace(measured=measured, required=False),), "2026", 1.5)
    )
    assert cached_results.find("0123456789ab").outcomes[0].measured == measured


def test_a_result_with_a_failed_check_is_not_kept(cache):
    failed = PASSES._replace(status="fails", reason="9e-03 off, 38,000 floors, allowed 128")
    cached_results.keep("0123456789ab", CachedResult((*WORKS.outcomes, failed), "2026", 1.5))
    assert cached_results.find("0123456789ab") is None
    assert not (cache / "check_results").exists()


def test_keeping_a_result_leaves_no_other_file(cache):
    cached_results.keep("0123456789ab", WORKS)
    assert [path.name for path in (cache / "check_results").iterdir()] == ["0123456789ab.json"]


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
def test_an_invalid_file_in_the_cache_gives_no_result(cache, garbage):
    (cache / "check_results").mkdir(parents=True)
    (cache / "check_results" / "0123456789ab.json").write_text(garbage)
    assert cached_results.find("0123456789ab") is None
    cached_results.keep("0123456789ab", WORKS)
    assert cached_results.find("0123456789ab") == WORKS


def test_a_valid_file_in_the_cache_is_read(cache):
    """The invalid files above are variations of this one."""
    (cache / "check_results").mkdir(parents=True)
    (cache / "check_results" / "0123456789ab.json").write_text(json.dumps(KEPT))
    assert cached_results.find("0123456789ab").outcomes == (PASSES,)


def test_a_binary_file_in_the_cache_gives_no_result(cache):
    (cache / "check_results").mkdir(parents=True)
    (cache / "check_results" / "0123456789ab.json").write_bytes(b"\xff\xfe\x00")
    assert cached_results.find("0123456789ab") is None
