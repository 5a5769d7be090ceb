"""Backends that need what this machine lacks: it is said what and what to do, the rest runs, and nothing fails."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from bakeoff import environments
from bakeoff.cli import app
from bakeoff.common import statistics
from bakeoff.environments import Environment
from bakeoff.measures.speed import rounds
from bakeoff.registry import entries
from bakeoff.workload import networks

SMALL = """
[data]
source = "synthetic:300x6x3"

[network]
hidden = [8]

[training]
batch_size = 16
epochs = 1
"""

NEEDS = {
    "needs_gcc": 'stubs = { "libbeads.so.1" = "beads.c" }',
    "needs_jdk": "maven = {}",
    "needs_packages": 'debian = { release = "wood" }',
    "needs_program": 'programs = { plain = ["g++"] }',
    "needs_python": "",
    "needs_system": 'systems = ["Abacus wood"]',
}
"""By backend, what its `[environment]` asks for."""
SENTENCES = {
    "needs_gcc": "not available here: needs gcc on PATH. Install gcc with",
    "needs_jdk": "not available here: needs mvn, javac on PATH. Install maven",
    "needs_packages": "not available here: needs apt-get, dpkg-deb on PATH. Install",
    "needs_program": "needs_program:plain is not available here: needs g++ on PATH. Install it",
    "needs_python": "not available here: needs Python >=3.6,<3.7 with venv and ensurepip",
    "needs_system": "not available here: needs Abacus wood, and this is ",
}


@pytest.fixture
def bakeoff(tmp_path, monkeypatch, capsys):
    """Return the command line on a machine with an empty PATH; of the backends, `available` needs nothing."""
    backends = tmp_path / "backends"
    for name, wanted in {"available": "", **NEEDS}.items():
        ignored = shutil.ignore_patterns("__pycache__", "changes")
        shutil.copytree(entries.backends_folder() / "numpy_plain", backends / name, ignore=ignored)
        path = backends / name / "backend.toml"
        text = path.read_text().replace("[openness]\n", f"[environment]\n{wanted}\n\n[openness]\n", 1)
        if name == "needs_python":
            text = text.replace('python = "', 'python = ">=3.6,<3.7" # "', 1)
        path.write_text(text)
    built = []
    really_build = environments.build

    def build(entry, *arguments):
        if entry.name not in ("available", "needs_program"):
            return really_build(entry, *arguments)
        built.append(entry.name)
        return Environment(Path(sys.executable), tmp_path / f"{entry.name}-0123456789ab", 1.0, 2, {"numpy": "2"})

    required = networks.required_networks()
    monkeypatch.setattr(entries, "backends_folder", lambda: backends)
    monkeypatch.setattr(environments, "build", build)
    monkeypatch.setattr(sys.modules["bakeoff.environments.build"], "build", build)
    monkeypatch.setattr(networks, "pairwise_cover", lambda: required[1:2])
    monkeypatch.setattr(networks, "required_networks", lambda own=None: required[1:2])
    monkeypatch.setattr(rounds, "WARM_LIMIT_S", 0.2)
    monkeypatch.setattr(statistics, "RESAMPLES", 200)
    for name, folder in {"PATH": "bin", "PYENV_ROOT": "pyenv", "UV_PYTHON_INSTALL_DIR": "uv"}.items():
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(SMALL)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["bakeoff", *arguments])
        with pytest.raises(SystemExit) as ended:
            app.main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    call.built = built
    return call


def test_the_list_says_what_is_missing_before_anything_is_built(bakeoff, tmp_path):
    code, out, err = bakeoff("backends", "--json")
    assert code == 0, err
    rows = {row["backend"]: row["status"] for row in json.loads(out)}
    assert {name: sentence in rows[name] for name, sentence in SENTENCES.items()} == dict.fromkeys(SENTENCES, True), (
        rows
    )
    assert rows["available"] == "not built: run `bakeoff setup available`"
    assert bakeoff.built == []
    assert not (tmp_path / "cache" / "environments").exists()


def test_check_checks_the_rest(bakeoff):
    code, out, err = bakeoff("check", "all", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert list(found["outcomes"]) == ["available:plain"]
    for name, sentence in SENTENCES.items():
        assert sentence in found["unable"][f"{name}:plain"]
    code, out, _ = bakeoff("check", "available", "needs_gcc")
    assert code == 0
    assert f"needs_gcc:plain: not checked: {SENTENCES['needs_gcc']}" in out


def test_run_compares_the_rest(bakeoff):
    code, out, err = bakeoff("run", "small.toml", "--backends", "all", "--quick", "--budget", "1s", "--json")
    assert out, err
    rows = {row["backend"]: row for row in json.loads(out)["rows"]}
    assert code == 0, err
    assert rows["available"]["failure"] == ""
    assert rows["available"]["step_s"] > 0
    for name, sentence in SENTENCES.items():
        assert sentence in rows[name]["failure"]
        assert sentence in err
        assert [rows[name][key] for key in ("correct", "step_s", "test_accuracy")] == [None] * 3


def test_setup_builds_the_rest(bakeoff):
    code, _, err = bakeoff("setup", "all", "--no-check")
    assert code == 0, err
    for name, sentence in SENTENCES.items():
        assert name == "needs_program" or sentence in err


def test_where_nothing_else_was_asked_for_the_command_fails(bakeoff):
    assert bakeoff("run", "small.toml", "--backends", "needs_gcc", "--quick")[0] == 1
    assert bakeoff("check", "needs_gcc")[0] == 1
    assert bakeoff("setup", "needs_gcc")[0] == 1
