"""Where the workers of a variant run, and why a variant cannot run."""

from pathlib import Path

import pytest
from bakeoff.registry import Entry, read_all
from bakeoff.registry.description import WorkerEnvironment
from bakeoff.workers import launch, place_of

PYTHON = Path("python")


@pytest.fixture
def entry(tmp_path):
    """Return NumPy's entry with an environment of its own."""
    numpy = read_all()["numpy_plain"]
    environment = WorkerEnvironment(
        thread_variables=("FRAMEWORK_THREADS",),
        variables={"QUIET": "1"},
        programs={"plain": ("no-such-program",)},
    )
    return Entry("abacus", tmp_path, numpy.description.model_copy(update={"environment": environment}))


def test_a_place_has_the_environment_of_the_backend(entry, monkeypatch, tmp_path):
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    place = place_of(entry, "plain", PYTHON, 2)
    assert (place.python, place.folder, place.threads, place.cores) == (PYTHON, tmp_path, 2, None)
    assert (place.thread_variables, place.variables, place.inherit) == (("FRAMEWORK_THREADS",), {"QUIET": "1"}, ())
    assert place.log == tmp_path / "cache" / "logs" / "check-abacus-plain.log"


def test_a_place_has_the_cores_the_log_and_the_inherited_variables_asked_for(entry, tmp_path):
    place = place_of(entry, "plain", PYTHON, cores=[3, 1], log=tmp_path / "log", inherit=("XLA_FLAGS",))
    assert (place.cores, place.log, place.inherit) == ((3, 1), tmp_path / "log", ("XLA_FLAGS",))


def test_a_missing_program_is_explained(entry):
    expected = (
        "abacus:plain is not available here: needs no-such-program on PATH. "
        "Install it with your system's package manager."
    )
    assert launch.explain_unavailable(entry, "plain") == launch.explain_unavailable(entry, "plain", PYTHON) == expected


def test_a_missing_interpreter_is_explained(entry):
    assert launch.explain_unavailable(entry, "plain", ValueError("no interpreter")) == "no interpreter"


def test_a_variant_without_programs_is_available(entry):
    assert launch.explain_unavailable(entry, "other", PYTHON) == ""
