"""What was changed in a built environment is found, and what was not is not."""

import hashlib
import shutil

import pytest
from bakeoff import environments
from bakeoff.cli.app import app
from bakeoff.environments import verify
from typer.testing import CliRunner

from tests.environments.test_build import make_entry, make_wheel


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    entry = make_entry(folder / "abacus", f"{make_wheel(folder)}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAKEOFF_CACHE", str(folder / "cache"))
        return entry, environments.build(entry)


@pytest.fixture
def copy(built, tmp_path):
    """Return the entry, and a copy of its environment, which may be damaged."""
    entry, environment = built
    folder = shutil.copytree(environment.folder, tmp_path / "environment", symlinks=True)
    return entry, environment._replace(folder=folder)


def packages(environment):
    (folder,) = environment.folder.glob("lib/python*/site-packages")
    return folder


def append(folder, line):
    """Append a line to the list of the files of abacus."""
    with (folder / "abacus-1.5.dist-info" / "RECORD").open("ab") as file:
        file.write(line)


def test_an_environment_as_it_was_built_has_no_changes(copy):
    compared, problems = environments.find_changes(*copy)
    assert problems == []
    assert compared > 100  # abacus, and pip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda folder: (folder / "abacus.py").write_text("BEADS = 8\n"),
            "abacus.py: is not the file of the RECORD of Abacus",
        ),
        (lambda folder: (folder / "abacus.py").unlink(), "abacus.py: is missing"),
        (lambda folder: (folder / "sitecustomize.py").write_text(""), "sitecustomize.py: belongs to no package"),
        (lambda folder: (folder / "more.pth").write_text("import os\n"), "more.pth: belongs to no package"),
        (lambda folder: (folder / "abacus-1.5.dist-info" / "RECORD").unlink(), "Abacus: has no list of its files"),
        (lambda folder: append(folder, b"\xff\xfe,,\n"), "Abacus: has metadata that cannot be read"),
        (lambda folder: append(folder, b"abacus.py,sha256=x,many\n"), "Abacus: has metadata that cannot be read"),
        (
            lambda folder: append(folder, b"abacus.py,sha0=x,\n"),
            "abacus.py: is described in the RECORD of Abacus by what",
        ),
    ],
)
def test_a_change_is_found(copy, change, said):
    change(packages(copy[1]))
    assert any(said in problem for problem in environments.find_changes(*copy)[1])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "pyvenv.cfg").write_text("home = /elsewhere\n"), "pyvenv.cfg: is not the file of"),
        (lambda folder: relink(folder / "bin" / "python"), "bin/python: is not the file of"),
        (lambda folder: (folder / "bin" / "python").unlink(), "bin/python: is missing"),
    ],
)
def test_another_interpreter_is_found(copy, change, said):
    change(copy[1].folder)
    assert any(said in problem for problem in environments.find_changes(*copy)[1])


def relink(path):
    path.unlink()
    path.symlink_to("/bin/sh")


def test_compiled_modules_are_nobodys_business(copy):
    (packages(copy[1]) / "__pycache__").mkdir(exist_ok=True)
    (packages(copy[1]) / "__pycache__" / "abacus.cpython-311.pyc").write_bytes(b"")
    assert environments.find_changes(*copy)[1] == []


def test_a_wheel_whose_record_was_wrong_from_the_beginning_is_no_change(copy):
    entry, environment = copy
    metadata = packages(environment) / "abacus-1.5.dist-info" / "METADATA"
    record = metadata.with_name("RECORD")
    lines = [line for line in record.read_text().splitlines() if "METADATA" not in line]
    record.write_text("\n".join([*lines, "abacus-1.5.dist-info/METADATA,sha256=AAAA,5"]) + "\n")
    assert environments.find_changes(entry, environment)[1] != []
    verify.write_manifest(environment.folder)
    assert environments.find_changes(entry, environment)[1] == []
    metadata.write_text("changed since\n")
    assert any(f"is not the file of {verify.MANIFEST}" in each for each in environments.find_changes(*copy)[1])


def test_what_was_unpacked_has_a_list_of_checksums(copy, tmp_path):
    entry, environment = copy
    folder = environment.folder
    (folder / "debian" / "usr").mkdir(parents=True)
    (folder / "debian" / "usr" / "libabacus.so.1").write_bytes(b"beads")
    (folder / "debian" / "usr" / "libabacus.so").symlink_to("libabacus.so.1")
    verify.write_manifest(folder)
    line = f"{hashlib.sha256(b'beads').hexdigest()}  debian/usr/libabacus.so.1"
    assert line in (folder / verify.MANIFEST).read_text().splitlines()
    assert environments.find_changes(entry, environment)[1] == []
    (folder / "debian" / "usr" / "libabacus.so.1").write_bytes(b"other")
    (folder / "debian" / "usr" / "libabacus.so").unlink()
    (folder / "stubs").mkdir()
    (folder / "stubs" / "new.so").write_bytes(b"")
    problems = environments.find_changes(entry, environment)[1]
    assert problems == [
        "debian/usr/libabacus.so: is missing",
        f"debian/usr/libabacus.so.1: is not the file of {verify.MANIFEST}",
        "stubs/new.so: was not there when it was built",
    ]


def test_a_java_library_is_compared_with_its_pin(copy, tmp_path):
    entry, environment = copy
    wanted = entry.description.environment.model_copy(update={"maven": {"lock": "maven.lock"}})
    wanted = type(wanted).model_validate({"maven": {}})
    entry = entry._replace(description=entry.description.model_copy(update={"environment": wanted}))
    (entry.folder / "maven.lock").write_text(f"{hashlib.sha256(b'jar').hexdigest()} beads-1.0.jar\n")
    library = environment.folder / "maven" / "lib" / "beads-1.0.jar"
    library.parent.mkdir(parents=True)
    library.write_bytes(b"jar")
    verify.write_manifest(environment.folder)
    assert environments.find_changes(entry, environment)[1] == []
    library.write_bytes(b"another")
    verify.write_manifest(environment.folder)
    assert environments.find_changes(entry, environment)[1] == [
        "maven/lib/beads-1.0.jar: is not the file of maven.lock"
    ]


@pytest.mark.parametrize(
    ("found", "code", "said"),
    [
        ((5, []), 0, "numpy_plain: 5 files compared, 0 wrong\n"),
        (
            (5, ["a.py: is missing"]),
            1,
            "numpy_plain: a.py: is missing\nnumpy_plain: 5 files compared, 1 wrong. Remove ",
        ),
        (None, 1, "numpy_plain: not built\n"),
    ],
)
def test_the_command_says_what_is_wrong(built, monkeypatch, found, code, said):
    monkeypatch.setattr(environments, "find", lambda *_: built[1] if found else None)
    monkeypatch.setattr(environments, "find_changes", lambda *_: found)
    monkeypatch.setattr(environments, "build_all", lambda *_, **__: pytest.fail("it was built"))
    result = CliRunner().invoke(app, ["setup", "--verify", "numpy_plain"])
    assert result.exit_code == code
    assert result.stdout.startswith(said)
