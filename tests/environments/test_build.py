"""Environments are built whole or not at all, once, from the right interpreter; and a failure says why."""

import errno
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from bakeoff.common.errors import InputError
from bakeoff.environments import build, pip
from bakeoff.environments import environment as environments_environment
from bakeoff.environments.build import Missing
from bakeoff.environments.environment import BuildFailed
from bakeoff.registry.description import Description, Openness
from bakeoff.registry.entries import Entry
from bakeoff.workers import launch

from tests.paths import ROOT

RUNNING = f"=={sys.version_info.major}.{sys.version_info.minor}.*"
OPENNESS = Openness(licence={"value": "MIT", "source": "LICENSE", "asof": "2026"})


def make_entry(folder, requirements, name="abacus", python=RUNNING):
    description = Description(
        title="Abacus",
        package="abacus",
        import_name=["abacus"],
        python=python,
        variants=["eager", "compiled"],
        documentation=["https://abacus.example"],
        openness=OPENNESS,
        environment={"programs": {"compiled": ["no-such-compiler", "nor-this-one"]}},
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "requirements.txt").write_text(requirements, encoding="utf-8")
    return Entry(name, folder, description)


def make_wheel(folder):
    """Write by hand the smallest wheel: a module of one line."""
    info = "abacus-1.5.dist-info"
    path = folder / "abacus-1.5-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("abacus.py", "BEADS = 7\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: Abacus\nVersion: 1.5\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", f"abacus.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return path


def make_interpreter(path, version=None, without=None):
    """Write a program that behaves as the running interpreter, but for its name, its version, or a module it lacks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    real = build.find_interpreter(RUNNING)
    path.write_text(
        f"#!{real}\n"
        "import platform, runpy, sys\n"
        f"version, without = {version!r}, {without!r}\n"
        "sys.executable = sys._base_executable = __file__\n"
        "if version:\n"
        "    class Info(tuple):\n"
        "        major, minor, micro, releaselevel, serial = *version, 'final', 0\n"
        "    sys.version_info = Info((*version, 'final', 0))\n"
        "if without:\n"
        "    sys.modules[without] = None\n"
        "arguments = [each for each in sys.argv[1:] if each != '-I']\n"
        "if arguments[0] == '-c':\n"
        "    exec(arguments[1])\n"
        "else:\n"
        "    sys.argv = arguments\n"
        "    runpy.run_path(arguments[0], run_name='__main__')\n",
        encoding="utf-8",
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def leftovers():
    """Return what lies among the environments and is not a whole one."""
    folder = environments_environment.environments_folder()
    return [path for path in folder.glob("*") if not (path / "built.json").is_file()]


def in_a_process(code, entry, *more):
    """Start a Python process that has `entry` and `environments` at hand, its output to be read."""
    setting_up = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from bakeoff.environments import build as environments\n"
        f"from {__name__} import make_entry\n"
        "entry = make_entry(Path(sys.argv[1]), Path(sys.argv[1], 'requirements.txt').read_text())\n"
    )
    return subprocess.Popen(
        [sys.executable, "-u", "-c", setting_up + code, str(entry.folder), *more],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return an entry, its environment, built where circumstances must not matter, and what the build said."""
    folder = tmp_path_factory.mktemp("built")
    entry = make_entry(folder / "abacus", f"{make_wheel(folder)}\n")
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAKEOFF_CACHE", str(folder / "cache"))
        build.find_interpreter(RUNNING)
        for name, value in {
            "PYTHONHOME": "/nowhere",
            "PYTHONPATH": "/nowhere",
            "VIRTUAL_ENV": "/nowhere",
            "PIP_TARGET": str(folder / "elsewhere"),
            "PIP_USER": "1",
            "PIP_REQUIRE_VIRTUALENV": "1",
        }.items():
            patch.setenv(name, value)
        environment = build.build(entry, progress=lines.append)
    return entry, environment, lines


@pytest.fixture
def ready(built, monkeypatch):
    """Return the same, with the cache that it lies in."""
    monkeypatch.setenv("BAKEOFF_CACHE", str(built[1].folder.parent.parent))
    return built


def test_what_was_built_works_and_is_its_own(ready):
    _, environment, _ = ready
    code = "import abacus, sys; print(abacus.BEADS, abacus.__file__, sys.prefix)"
    said = subprocess.run([environment.python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    beads, file, prefix = said.split()
    assert (beads, prefix) == ("7", str(environment.folder))
    assert file.startswith(prefix)


def test_the_record_says_what_it_cost_and_holds(ready):
    entry, environment, _ = ready
    assert build.find(entry) == environment
    assert environment.packages["abacus"] == "1.5"
    assert "pip" in environment.packages
    assert environment.seconds > 0
    assert environment.bytes > (environment.folder / "lib").stat().st_size
    assert json.loads((environment.folder / "built.json").read_text())["packages"] == environment.packages


def test_nothing_else_is_left(ready):
    _, environment, _ = ready
    assert leftovers() == []
    assert not (environment.folder / "tmp").exists()


def test_each_line_is_told_and_logged(ready):
    _, environment, lines = ready
    assert any(line.startswith("Successfully installed") for line in lines)
    log = build.cache_folder() / "logs" / f"{environment.folder.name}.log"
    assert log.read_text().splitlines() == lines


def test_a_second_build_builds_nothing(ready):
    entry, environment, _ = ready
    lines = []
    assert build.build(entry, progress=lines.append) == environment
    assert lines == []


def test_status(ready, tmp_path):
    entry, environment, _ = ready
    assert build.status(entry).startswith(f"ready ({len(environment.packages)} packages, 0.0")
    other = make_entry(tmp_path / "other", "other==1", "other")
    assert build.status(other) == f"not built: run `bakeoff setup {other.folder}`"
    assert build.find(other) is None
    assert "needs Python ==3.99.*" in build.status(make_entry(tmp_path / "no", "", "no", "==3.99.*"))


def test_an_environment_without_its_record_is_none(ready, tmp_path, monkeypatch):
    entry, environment, _ = ready
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path))
    folder = tmp_path / "environments" / environment.folder.name
    folder.mkdir(parents=True)
    for content in ("", "{}", "[1]", "null"):
        (folder / "built.json").write_text(content)
        assert build.find(entry) is None


def test_the_key_changes_with_pins_and_interpreter(tmp_path):
    running = build.find_interpreter(RUNNING)
    other = make_interpreter(tmp_path / "python")
    keys = [
        build.key(make_entry(tmp_path / "a", pins), interpreter)
        for pins in ("a==1", "a==2")
        for interpreter in (running, other)
    ]
    assert len(set(keys)) == 4
    assert all(len(key) == 12 and set(key) <= set("0123456789abcdef") for key in keys)


def test_the_key_is_of_the_interpreter_not_of_its_name(tmp_path):
    running = build.find_interpreter(RUNNING)
    (tmp_path / "alias").symlink_to(running)
    entry = make_entry(tmp_path / "a", "a==1")
    assert build.key(entry, tmp_path / "alias") == build.key(entry, running)


def test_build_all_reports_each_and_stops_for_none(ready, tmp_path):
    entry, environment, _ = ready
    bad = make_entry(tmp_path / "bad", "/no/such/wheel-1-py3-none-any.whl\n", "bad")
    lost = make_entry(tmp_path / "lost", "", "lost", "==3.99.*")
    events = []
    results = build.build_all([bad, lost, entry], on_event=lambda *event: events.append(event))
    assert list(results) == ["bad", "lost", "abacus"]
    assert results["abacus"] == environment
    assert isinstance(results["lost"], Missing)
    failed = results["bad"]
    assert isinstance(failed, BuildFailed)
    assert failed.reason.startswith("bad: could not install ")
    assert any("/no/such/wheel" in line for line in failed.errors)
    assert str(failed.log) in str(failed)
    assert [line for line in failed.tail if line not in failed.log.read_text()] == []
    assert [line for line in (*failed.errors, *failed.tail) if line not in str(failed)] == []
    last = dict(events)
    assert last == {"bad": failed.reason, "lost": str(results["lost"]), "abacus": build.status(entry)}
    assert leftovers() == []


def test_two_processes_build_once(cache, built):
    code = "print(environments.build(entry, progress=print).folder)"
    processes = [in_a_process(code, built[0]) for _ in range(2)]
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum(text.count("Successfully installed") for text in said) == 1
    folders = {text.splitlines()[-1] for text in said}
    assert {str(path) for path in (cache / "environments").iterdir()} == folders


def test_a_killed_build_is_built_again_and_its_leftovers_removed(built):
    entry, _, _ = built
    # At the first line no child runs yet that could go on writing.
    process = in_a_process("environments.build(entry, progress=lambda line: (print(line), time.sleep(600)))", entry)
    assert "make an environment" in process.stdout.readline()
    process.kill()
    process.communicate()
    assert len(leftovers()) == 1
    assert build.find(entry) is None
    environment = build.build(entry)
    assert build.find(entry) == environment
    assert leftovers() == []


@pytest.mark.parametrize("call", ["build(entry, progress=print)", "build_all([entry], on_event=print)"])
def test_ctrl_c_kills_pip_and_leaves_nothing(tmp_path, monkeypatch, call):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        entry = make_entry(tmp_path / "slow", f"abacus @ http://127.0.0.1:{port}/abacus-1.5-py3-none-any.whl")
        process = in_a_process(f"environments.{call}", entry)
        connection, _ = server.accept()  # pip asks, and is never answered
        process.send_signal(signal.SIGINT)
        process.communicate()
        assert process.returncode not in (0, None)
        while connection.recv(4096):  # ends where nobody holds the other end: pip is dead
            pass
        connection.close()
    assert leftovers() == []
    assert list(environments_environment.environments_folder().iterdir()) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "no space left for"),
        (errno.EACCES, "no permission to write"),
        (errno.EIO, "cannot be used"),
    ],
)
def test_a_failing_disk_is_said_in_plain_words(tmp_path, monkeypatch, number, words):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number), "somewhere")

    monkeypatch.setattr(Path, "rename", fail)
    monkeypatch.setattr(build, "_install", lambda *_: None)
    monkeypatch.setattr(build, "_supported", lambda *_: None)
    with pytest.raises(BuildFailed, match=words) as caught:
        build.build(make_entry(tmp_path / "a", ""))
    assert "BAKEOFF_CACHE" in caught.value.reason
    assert leftovers() == []


def test_a_cache_that_is_no_folder_is_said_in_plain_words(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "file"))
    with pytest.raises(BuildFailed, match=r"cannot be used .* BAKEOFF_CACHE"):
        build.build(make_entry(tmp_path / "a", ""))


def test_pip_out_of_space_is_said_in_plain_words():
    output = ["Collecting abacus", "ERROR: Could not install: [Errno 28] No space left on device"]
    assert "no space left" in pip._cause(output, 1)
    assert pip._cause(output[:1], 2) == " (exit code 2)"


def test_where_packages_come_from_is_kept_and_the_rest_of_pips_settings_not():
    variables = ["PIP_INDEX_URL", "PIP_CERT", "HTTPS_PROXY", "SSL_CERT_FILE", "PATH"]
    leaking = ["PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_REQUIRE_VIRTUALENV", "PIP_USER", "PIP_CONSTRAINT"]
    assert list(pip._clean(dict.fromkeys([*variables, *leaking], "x"))) == variables


def test_the_cache_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path))
    assert environments_environment.environments_folder() == tmp_path / "environments"
    monkeypatch.setenv("BAKEOFF_CACHE", "")
    assert environments_environment.environments_folder().parts[-2:] == ("bakeoff", "environments")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Return the folder of a machine with nothing on PATH and nothing of pyenv's but what a test puts there."""
    for name, folder in {"PATH": "bin", "PYENV_ROOT": "pyenv", "UV_PYTHON_INSTALL_DIR": "uv"}.items():
        monkeypatch.setenv(name, str(tmp_path / folder))
    return tmp_path


def test_the_running_interpreters_base_is_preferred(machine):
    make_interpreter(machine / "bin" / "python3", (3, 98, 1))
    found = build.find_interpreter(">=3.11")
    code = "import sys; assert sys.prefix == sys.base_prefix; print(sys.version)"
    said = subprocess.run([found, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == sys.version


def test_else_the_newest_of_path_and_pyenv_that_satisfies(machine):
    make_interpreter(machine / "bin" / "python3", (3, 97, 2))
    newest = make_interpreter(machine / "pyenv" / "versions" / "3.97.10" / "bin" / "python", (3, 97, 10))
    make_interpreter(machine / "pyenv" / "versions" / "3.98.0" / "bin" / "python", (3, 98, 0))
    assert build.find_interpreter(">=3.90,<3.98") == newest


def test_pyenvs_shims_are_not_asked(machine, monkeypatch):
    shim = make_interpreter(machine / "pyenv" / "shims" / "python3", (3, 97, 2))
    monkeypatch.setenv("PATH", str(shim.parent))
    with pytest.raises(Missing):
        build.find_interpreter("==3.97.*")


def test_an_interpreter_that_is_passed_is_tried_first(machine):
    unsuitable = make_interpreter(machine / "a" / "python", (3, 98, 0))
    passed = make_interpreter(machine / "b" / "python")
    assert build.find_interpreter(RUNNING, [unsuitable, passed]) == passed
    assert build.find_interpreter(RUNNING, [unsuitable]) == build.find_interpreter(RUNNING)


@pytest.mark.parametrize("call", [build.find_interpreter, lambda _, extra: build.build_all([], extra)])
def test_what_is_passed_must_be_an_interpreter(tmp_path, call):
    (tmp_path / "python").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "python").chmod(0o755)
    for path in (tmp_path / "python", tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match=f"--python {path}: expected a Python interpreter"):
            call(RUNNING, [path])


def test_no_interpreter_says_what_was_found_and_what_to_do(machine):
    make_interpreter(machine / "bin" / "python3", (3, 98, 0))
    with pytest.raises(Missing) as caught:
        build.find_interpreter(">=3.96.2,<3.97")
    for words in ("needs Python >=3.96.2,<3.97", "found 3.", ", 3.98.0", "pyenv install 3.96`", "--python"):
        assert words in str(caught.value)


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_an_interpreter_that_makes_no_environments_is_passed_over(machine, module):
    other = make_interpreter(machine / "bin" / "python3", (3, 96, 0), without=module)
    with pytest.raises(Missing, match=rf"{other} \(3\.96\.0, lacks venv or ensurepip\)"):
        build.find_interpreter("==3.96.*")
    passed = make_interpreter(machine / "c" / "python", without=module)
    assert build.find_interpreter(RUNNING, [passed]) != passed


def test_a_lacking_program_is_named(tmp_path):
    entry = make_entry(tmp_path / "a", "")
    assert launch.explain_unavailable(entry, "eager") == ""
    reason = launch.explain_unavailable(entry, "compiled")
    assert reason == (
        "abacus:compiled needs one of these programs on PATH, and found none: no-such-compiler, nor-this-one"
    )


# Several environments of one backend


def in_parts(tmp_path, python=RUNNING):
    entry = make_entry(tmp_path / "abacus", "", python=python)
    own = {
        name: {"variants": [variant], "requirements": f"{name}.txt"}
        for name, variant in (("wood", "eager"), ("steel", "compiled"))
    }
    for name in own:
        (entry.folder / f"{name}.txt").write_text(f"{name}==1.0\n", encoding="utf-8")
    description = Description.model_validate({**entry.description.model_dump(), "environments": own})
    return entry._replace(description=description).parts


def test_parts_have_environments_of_their_own_by_their_own_pins(tmp_path):
    interpreter = build.find_interpreter(RUNNING)
    wood, steel = in_parts(tmp_path)
    assert build.key(wood, interpreter) != build.key(steel, interpreter)
    (tmp_path / "abacus" / "wood.txt").write_text("steel==1.0\n", encoding="utf-8")
    assert build.key(wood, interpreter) == build.key(steel, interpreter)


def test_what_became_of_each_part_is_told_by_its_own_name(tmp_path):
    events = []
    results = build.build_all(in_parts(tmp_path, "==3.99.*"), on_event=lambda *event: events.append(event))
    assert {name: type(result) for name, result in results.items()} == {
        "abacus-wood": build.Missing,
        "abacus-steel": build.Missing,
    }
    assert {name for name, _ in events} == set(results)
