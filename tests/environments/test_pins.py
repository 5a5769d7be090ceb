"""What is installed is what is pinned, by its hash; the settings of package indexes are part of the identity."""

import ensurepip
import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from bakeoff import environments
from bakeoff.environments import BuildFailed, pip
from bakeoff.environments.build import environment_key
from bakeoff.environments.environment import BuildLog
from bakeoff.environments.interpreters import find_interpreter
from bakeoff.environments.sources import read_sources
from bakeoff.registry.description import Build

from tests.environments.test_build import RUNNING, make_entry, make_wheel

SECRET = "https://user:password@index.example/simple"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def bundled_pip(tmp_path, monkeypatch):
    """Pin the pip that comes with the interpreter in the place of the project's, so that no network is needed."""
    (wheel,) = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
    (tmp_path / "installer.txt").write_text(f"{pin(wheel, 'pip')}\n")
    monkeypatch.setattr(pip, "INSTALLER", tmp_path / "installer.txt")


def pin(wheel, name, digest=None):
    digest = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"{name} @ {wheel.as_uri()} \\\n    --hash=sha256:{digest}"


def test_a_file_with_the_pinned_hash_is_installed(tmp_path, bundled_pip):
    lines = []
    entry = make_entry(tmp_path / "abacus", f"{pin(make_wheel(tmp_path), 'abacus')}\n")
    environment = environments.build(entry, progress=lines.append)
    assert environment.packages["abacus"] == "1.5"
    record = json.loads((environment.folder / "built.json").read_text())
    assert (record["hashes"], record["unverified"]) == (True, {})
    assert environments.describe_unverified(environment) == ""
    assert any("install the pinned pip" in line for line in lines)
    assert environments.find_changes(entry, environment)[1] == []


def test_a_file_with_another_hash_is_not_installed(tmp_path, bundled_pip):
    entry = make_entry(tmp_path / "abacus", f"{pin(make_wheel(tmp_path), 'abacus', '0' * 64)}\n")
    with pytest.raises(BuildFailed, match="THESE PACKAGES DO NOT MATCH THE HASHES"):
        environments.build(entry)


def test_a_pip_with_another_hash_installs_nothing(tmp_path, monkeypatch):
    (tmp_path / "installer.txt").write_text(f"{pin(make_wheel(tmp_path), 'abacus', '0' * 64)}\n")
    monkeypatch.setattr(pip, "INSTALLER", tmp_path / "installer.txt")
    entry = make_entry(tmp_path / "abacus", f"{pin(make_wheel(tmp_path), 'abacus')}\n")
    with pytest.raises(BuildFailed, match="could not install the pinned pip"):
        environments.build(entry)


def test_a_pin_without_a_hash_beside_others_is_refused(tmp_path, bundled_pip):
    entry = make_entry(tmp_path / "abacus", f"{pin(make_wheel(tmp_path), 'abacus')}\nbeads==1\n")
    with pytest.raises(BuildFailed, match="beads==1"):
        environments.build(entry)


def make_build(folder, pins):
    """Return an entry whose build `cpu` has these pins, and 1.5+cpu of abacus in an index of its own."""
    index = folder / "index" / "abacus"
    index.mkdir(parents=True)
    wheel = make_wheel(index, "1.5+cpu")
    (index / "index.html").write_text(f'<!DOCTYPE html><a href="{wheel.name.replace("+", "%2B")}">{wheel.name}</a>')
    entry = make_entry(folder / "abacus", "abacus==1.5\n")
    (entry.folder / "requirements-cpu.txt").write_text(pins)
    cpu = Build.model_construct(
        requirements="requirements-cpu.txt",
        index=(folder / "index").as_uri(),
        documentation="https://abacus.example/cpu",
        environment=None,
    )
    description = entry.description.model_copy(update={"builds": {"cpu": cpu}})
    return entry._replace(description=description, build_name="cpu"), wheel


def make_beads(folder):
    """Return a wheel of a package `beads`."""
    path = folder / "beads-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in {
            "METADATA": "Metadata-Version: 2.1\nName: beads\nVersion: 1.0\n",
            "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "RECORD": "beads-1.0.dist-info/METADATA,,\nbeads-1.0.dist-info/WHEEL,,\nbeads-1.0.dist-info/RECORD,,\n",
        }.items():
            wheel.writestr(f"beads-1.0.dist-info/{name}", text)
    return path


def test_of_a_build_with_its_own_index_what_has_no_hash_is_named_with_the_hash_of_what_came(tmp_path, bundled_pip):
    lines = []
    entry, wheel = make_build(tmp_path, f"{pin(make_beads(tmp_path), 'beads')}\nabacus==1.5+cpu\n")
    environment = environments.build(entry, progress=lines.append)
    assert (environment.packages["abacus"], environment.packages["beads"]) == ("1.5+cpu", "1.0")
    record = json.loads((environment.folder / "built.json").read_text())
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert record["hashes"] is True
    assert record["unverified"] == {"Abacus==1.5+cpu": f"sha256:{digest}"}
    assert any("abacus==1.5+cpu has no hash" in line for line in lines)
    said = environments.describe_unverified(environment)
    assert said == f"no pinned hash was compared when it was installed: Abacus==1.5+cpu (sha256:{digest})"
    assert environments.find_changes(entry, environment)[1] == []


def test_of_a_build_with_its_own_index_the_other_packages_are_compared_with_their_hashes(tmp_path, bundled_pip):
    entry, _ = make_build(tmp_path, f"{pin(make_beads(tmp_path), 'beads', '0' * 64)}\nabacus==1.5+cpu\n")
    with pytest.raises(BuildFailed, match="THESE PACKAGES DO NOT MATCH THE HASHES"):
        environments.build(entry)


def test_a_builds_own_index_is_asked_for_nothing_that_has_a_hash(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(pip, "_read_report", lambda path: {})
    entry, _ = make_build(tmp_path, f"beads==1 --hash=sha256:{'0' * 64}\nabacus==1.5+cpu\n")
    (tmp_path / "environment").mkdir()

    def run_step(entry, purpose, command, *_):
        file = Path(command[-1])
        ran.append((list(map(str, command)), file.read_text() if file.is_file() else ""))

    monkeypatch.setattr(pip, "run_step", run_step)
    pip.install_requirements(entry, Path("python"), tmp_path / "environment", BuildLog(tmp_path / "log", print), None)
    _, _, (hashed, pinned), (others, unpinned) = ran
    assert "--require-hashes" in hashed
    assert "--extra-index-url" not in hashed
    assert pinned == f"beads==1 --hash=sha256:{'0' * 64}\n"
    assert "--no-deps" in others
    assert "--extra-index-url" in others
    assert unpinned == "abacus==1.5+cpu\n"


def test_pins_without_hashes_are_said_to_be_compared_with_nothing(tmp_path):
    lines = []
    environment = environments.build(
        make_entry(tmp_path / "abacus", f"{make_wheel(tmp_path)}\n"), progress=lines.append
    )
    assert any("requirements.txt has no hashes" in line for line in lines)
    assert json.loads((environment.folder / "built.json").read_text())["hashes"] is False
    assert "its pins had no hashes" in environments.describe_unverified(environment)


def test_what_builds_from_source_is_pinned_and_pip_fetches_no_other(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(pip, "run_step", lambda entry, purpose, command, *_: ran.append(list(map(str, command))))
    digest = "0" * 64
    entry = make_entry(tmp_path / "abacus", f"--no-binary abacus\nabacus==1.5 --hash=sha256:{digest}\n")
    (tmp_path / "environment").mkdir()
    pip.install_requirements(entry, Path("python"), tmp_path / "environment", BuildLog(tmp_path / "log", print), None)
    _, first, builder, last = ran
    for command in (first, builder, last):
        assert "--require-hashes" in command
        assert "--only-binary" in command
    assert str(pip.INSTALLER) in first
    assert str(pip.BUILDER) in builder
    assert "--no-build-isolation" in last


def test_a_setting_that_an_old_pip_fails_at_becomes_an_option(monkeypatch, tmp_path):
    """Of pip 18, which Python 3.6 comes with: it ends in a TypeError where PIP_NO_CACHE_DIR is 1."""
    assert "--no-cache-dir" not in pip.pip_install(tmp_path)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    assert "--no-cache-dir" in pip.pip_install(tmp_path)
    assert "PIP_NO_CACHE_DIR" not in pip.select_variables({"PIP_NO_CACHE_DIR": "1"})


@pytest.mark.parametrize(
    ("name", "value", "differs"),
    [
        ("PIP_INDEX_URL", SECRET, True),
        ("PIP_EXTRA_INDEX_URL", SECRET, True),
        ("PIP_FIND_LINKS", "/wheels", True),
        ("PIP_CACHE_DIR", "/somewhere", False),
        ("PIP_CERT", "/somewhere", False),
        ("HTTPS_PROXY", "http://proxy.example", False),
    ],
)
def test_package_indexes_are_part_of_an_environments_identity(tmp_path, monkeypatch, name, value, differs):
    entry, interpreter = make_entry(tmp_path / "a", "a==1"), find_interpreter(RUNNING)
    monkeypatch.delenv(name, raising=False)
    before = environment_key(entry, interpreter)
    monkeypatch.setenv(name, value)
    assert (environment_key(entry, interpreter) != before) is differs


def test_pips_settings_file_counts_as_well(tmp_path):
    settings = tmp_path / "pip.conf"
    settings.write_text(f"[global]\nindex-url = {SECRET}\ntimeout = 60\n[install]\nfind-links = /wheels\n")
    found = read_sources({"PIP_CONFIG_FILE": str(settings), "PIP_INDEX_URL": SECRET})
    assert {"PIP_INDEX_URL", "pip.conf: global.index-url", "pip.conf: install.find-links"} <= set(found["names"])
    assert read_sources({"PIP_CONFIG_FILE": "/dev/null"}) == {"names": [], "sha256": ""}
    settings.write_text("[global\n")
    assert "pip.conf: global.index-url" not in read_sources({"PIP_CONFIG_FILE": str(settings)})["names"]


def test_the_record_names_no_host_and_no_password(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", SECRET)
    assert "PIP_EXTRA_INDEX_URL" in (said := json.dumps(read_sources({"PIP_EXTRA_INDEX_URL": SECRET})))
    for word in ("password", "index.example", "user"):
        assert word not in said
