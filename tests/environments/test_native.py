"""Debian packages, Maven projects and compiled libraries enter an environment verified, or their absence is stated."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bakeoff import environments
from bakeoff.common.errors import InputError
from bakeoff.environments import BuildFailed, Missing, debian, native
from bakeoff.environments.build import environment_key
from bakeoff.environments.commands import Commands
from bakeoff.environments.environment import BuildLog
from bakeoff.environments.interpreters import find_interpreter
from bakeoff.registry.description import Description
from bakeoff.workers.place import Place, worker_environment

from tests.environments.test_build import RUNNING, make_entry

DIGITS = "0" * 64


def make_native(folder, **wanted):
    entry = make_entry(folder, "")
    values = {**entry.description.model_dump(), "environment": wanted}
    return entry._replace(description=Description.model_validate(values))


@pytest.fixture
def empty_path(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


@pytest.fixture
def log(tmp_path):
    return BuildLog(tmp_path / "log", lambda line: None)


@pytest.mark.parametrize(
    ("wanted", "tools"),
    [
        ({"debian": {"release": "wood"}}, "needs apt-get, dpkg-deb on PATH"),
        ({"maven": {}}, "needs mvn, javac on PATH"),
        ({"stubs": {"libbeads.so.1": "beads.c"}}, "needs gcc on PATH"),
        ({"systems": ["Abacus wood"]}, "needs Abacus wood, and this is "),
    ],
)
def test_missing_tool_or_system_is_stated_before_anything_is_built(tmp_path, empty_path, wanted, tools):
    entry = make_native(tmp_path / "abacus", **wanted)
    assert environments.status(entry).startswith(f"not available here: {tools}")
    with pytest.raises(Missing):
        environments.build(entry)
    assert not (tmp_path / "cache").exists()


def test_backend_without_native_parts_needs_no_tools(tmp_path, empty_path):
    native.require_tools(make_native(tmp_path / "abacus"))


def test_key_changes_with_every_file_that_the_environment_is_made_from(tmp_path):
    folder = tmp_path / "abacus"
    entry = make_native(
        folder, debian={"release": "wood"}, maven={}, stubs={"libbeads.so.1": "beads.c"}, variables={"A": "b"}
    )
    files = ("debian.lock", "pom.xml", "maven.lock", "beads.c", "Model.java")
    for name in files:
        (folder / name).write_text("1")
    interpreter = find_interpreter(RUNNING)
    keys = [environment_key(entry, interpreter)]
    for name in files:
        (folder / name).write_text("2")
        keys.append(environment_key(entry, interpreter))
    assert len(set(keys)) == len(files) + 1
    assert environment_key(make_entry(tmp_path / "plain", ""), interpreter) not in keys


@pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
def test_stub_library_is_compiled_under_its_name(tmp_path, log):
    entry = make_native(tmp_path / "abacus", stubs={"libbeads.so.1": "beads.c"})
    (entry.folder / "beads.c").write_text("int beads(void) { return 7; }\n")
    native.add_to_environment(entry, tmp_path, log, Commands())
    code = f"import ctypes; print(ctypes.CDLL('{tmp_path}/stubs/libbeads.so.1').beads())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "7\n"
    (entry.folder / "beads.c").write_text("int beads(void) {\n")
    with pytest.raises(BuildFailed, match=r"could not compile beads\.c to libbeads\.so\.1"):
        native.add_to_environment(entry, tmp_path, log, Commands())


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """Return an archive on disk with one Debian package, for apt and its configuration replaced by it."""
    if not shutil.which("dpkg-deb"):
        pytest.skip("needs dpkg-deb")
    control = tmp_path / "package" / "DEBIAN" / "control"
    control.parent.mkdir(parents=True)
    control.write_text("Package: beads\nVersion: 1.5\nArchitecture: all\nMaintainer: nobody\nDescription: beads\n")
    (tmp_path / "package" / "usr").mkdir()
    (tmp_path / "package" / "usr" / "beads").write_text("7")
    pool = tmp_path / "archive" / "pool"
    pool.mkdir(parents=True)
    subprocess.run(["dpkg-deb", "-b", tmp_path / "package", pool / "beads.deb"], check=True, capture_output=True)
    copier = tmp_path / "copier"
    copier.write_text('#!/bin/sh\ncp "$3" "$4"\n')
    copier.chmod(0o755)
    monkeypatch.setattr(debian, "DOWNLOADER", copier)
    mirrors = [str(tmp_path / "nowhere"), str(tmp_path / "archive")]
    monkeypatch.setattr(debian, "_list_mirrors", lambda *_: mirrors)
    return pool / "beads.deb"


def lock(entry, sha256, path="pool/beads.deb"):
    (entry.folder / "debian.lock").write_text(f"# name ...\n\nbeads 1.5 all {sha256} {path}\n")


def test_debian_package_is_verified_and_unpacked(tmp_path, archive, log):
    entry = make_native(tmp_path / "abacus", debian={"release": "wood"})
    lock(entry, hashlib.sha256(archive.read_bytes()).hexdigest())
    native.add_to_environment(entry, tmp_path, log, Commands())
    assert (tmp_path / "debian" / "usr" / "beads").read_text() == "7"
    assert not list((tmp_path / "debian").glob("*.deb"))


def test_debian_package_with_another_checksum_is_not_unpacked(tmp_path, archive, log):
    entry = make_native(tmp_path / "abacus", debian={"release": "wood"})
    lock(entry, DIGITS)
    with pytest.raises(BuildFailed, match=f"beads.deb has the SHA-256 .*, expected {DIGITS}"):
        native.add_to_environment(entry, tmp_path, log, Commands())
    assert not (tmp_path / "debian" / "usr").exists()


def test_debian_package_that_no_mirror_has_is_named(tmp_path, archive, log):
    entry = make_native(tmp_path / "abacus", debian={"release": "wood"})
    lock(entry, DIGITS, "pool/none.deb")
    with pytest.raises(BuildFailed, match=r"no mirror .* has beads 1.5 of Debian wood"):
        native.add_to_environment(entry, tmp_path, log, Commands())


def test_malformed_line_of_a_lock_file_is_an_input_error(tmp_path):
    (tmp_path / "debian.lock").write_text("beads 1.5\n")
    with pytest.raises(InputError, match="expected name, version, architecture, sha256, path on each line"):
        debian.read_lock(tmp_path / "debian.lock")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return an entry with a Maven project, and a Maven that makes one library."""
    entry = make_native(tmp_path / "abacus", maven={})
    (entry.folder / "pom.xml").write_text("<project/>")
    (entry.folder / "Model.java").write_text("class Model {}")
    program = tmp_path / "bin" / "mvn"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nmkdir "$(dirname "$4")/lib"\nprintf 7 > "$(dirname "$4")/lib/beads.jar"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return entry


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("", "maven.lock and the libraries of pom.xml differ in beads.jar"),
        (f"{DIGITS} beads.jar", "beads.jar has the SHA-256"),
    ],
)
def test_library_that_is_not_the_pinned_one_fails_the_build(tmp_path, project, log, lines, words):
    (project.folder / "maven.lock").write_text(lines)
    with pytest.raises(BuildFailed, match=words):
        native.add_to_environment(project, tmp_path, log, Commands())


def test_maven_project_is_compiled_in_a_copy(tmp_path, project, log):
    (project.folder / "maven.lock").write_text(f"{hashlib.sha256(b'7').hexdigest()} beads.jar")
    native.add_to_environment(project, tmp_path, log, Commands())
    assert {path.name for path in (tmp_path / "maven").iterdir()} >= {"pom.xml", "Model.java", "lib"}


def test_environment_folder_replaces_its_placeholder_in_variables():
    declared = {"BEADS": "{environment}/lib:{environment}/stubs"}
    place = Place(Path("/cache/abacus/bin/python"), Path("/backends/abacus"), Path(os.devnull), variables=declared)
    variables = worker_environment(place)
    assert variables["BEADS"] == "/cache/abacus/lib:/cache/abacus/stubs"
