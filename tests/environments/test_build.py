"""An environment is built completely or not at all, once, with the right interpreter; a failure states its cause."""

import base64
import errno
import hashlib
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
from bakeoff import environments
from bakeoff.common.cache import cache_folder
from bakeoff.common.errors import InputError
from bakeoff.environments import BuildFailed, Missing, pip
from bakeoff.environments.build import environment_key
from bakeoff.environments.environment import BuildLog, environments_folder
from bakeoff.environments.interpreters import find_interpreter
from bakeoff.registry.description import Description
from bakeoff.registry.entries import Entry, pinned_version, with_build
from bakeoff.registry.facts import Openness
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


def make_wheel(folder, version="1.5"):
    """Write a minimal wheel: a module of one line."""
    info = f"abacus-{version}.dist-info"
    path = folder / f"abacus-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        code = "BEADS = 7\n"
        digest = base64.urlsafe_b64encode(hashlib.sha256(code.encode()).digest()).decode().rstrip("=")
        wheel.writestr("abacus.py", code)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: Abacus\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(
            f"{info}/RECORD",
            f"abacus.py,sha256={digest},{len(code)}\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
        )
    return path


def make_interpreter(path, version=None, without=None):
    """Write a program that imitates the running interpreter, with another version or without a module."""
    path.parent.mkdir(parents=True, exist_ok=True)
    real = find_interpreter(RUNNING)
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


def list_incomplete():
    """Return the incomplete environments."""
    folder = environments_folder()
    return [path for path in folder.glob("*") if not (path / "built.json").is_file()]


def start_process(code, entry, *more):
    """Start a Python process that runs `code`, with `entry` and `environments` defined, and return it."""
    preamble = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from bakeoff import environments\n"
        f"from {__name__} import make_entry\n"
        "entry = make_entry(Path(sys.argv[1]), Path(sys.argv[1], 'requirements.txt').read_text())\n"
    )
    return subprocess.Popen(
        [sys.executable, "-u", "-c", preamble + code, str(entry.folder), *more],
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
    """Return an entry, its environment, built under misleading variables, and the lines of the build's output."""
    folder = tmp_path_factory.mktemp("built")
    entry = make_entry(folder / "abacus", f"{make_wheel(folder)}\n")
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAKEOFF_CACHE", str(folder / "cache"))
        find_interpreter(RUNNING)
        for name, value in {
            "PYTHONHOME": "/nowhere",
            "PYTHONPATH": "/nowhere",
            "VIRTUAL_ENV": "/nowhere",
            "PIP_TARGET": str(folder / "elsewhere"),
            "PIP_USER": "1",
            "PIP_REQUIRE_VIRTUALENV": "1",
        }.items():
            patch.setenv(name, value)
        environment = environments.build(entry, progress=lines.append)
    return entry, environment, lines


@pytest.fixture
def ready(built, monkeypatch):
    """Return `built`, with BAKEOFF_CACHE set to its cache."""
    monkeypatch.setenv("BAKEOFF_CACHE", str(built[1].folder.parent.parent))
    return built


def test_built_environment_works_and_is_isolated(ready):
    _, environment, _ = ready
    code = "import abacus, sys; print(abacus.BEADS, abacus.__file__, sys.prefix)"
    output = subprocess.run([environment.python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    beads, file, prefix = output.split()
    assert (beads, prefix) == ("7", str(environment.folder))
    assert file.startswith(prefix)


def test_record_states_size_duration_and_packages(ready):
    entry, environment, _ = ready
    assert environments.find(entry) == environment
    assert environment.packages["abacus"] == "1.5"
    assert "pip" in environment.packages
    assert environment.seconds > 0
    assert environment.bytes > (environment.folder / "lib").stat().st_size
    assert json.loads((environment.folder / "built.json").read_text())["packages"] == environment.packages


def test_build_leaves_no_temporary_files(ready):
    _, environment, _ = ready
    assert list_incomplete() == []
    assert not (environment.folder / "tmp").exists()


def test_each_line_of_output_is_passed_on_and_logged(ready):
    _, environment, lines = ready
    assert any(line.startswith("Successfully installed") for line in lines)
    log = cache_folder() / "logs" / f"{environment.folder.name}.log"
    assert log.read_text().splitlines() == lines


def test_second_build_returns_the_first_environment(ready):
    entry, environment, _ = ready
    lines = []
    assert environments.build(entry, progress=lines.append) == environment
    assert lines == []


def test_an_environment_that_was_damaged_since_is_built_anew(tmp_path):
    entry = make_entry(tmp_path / "abacus", f"{make_wheel(tmp_path)}\n")
    before = environments.build(entry)
    (packages,) = before.folder.glob("lib/python*/site-packages/abacus-1.5.dist-info")
    (packages / "METADATA").unlink()
    lines = []
    after = environments.build(entry, progress=lines.append)
    assert after.folder == before.folder
    assert any("lacks abacus" in line and line.endswith(": building it anew") for line in lines)
    assert (packages / "METADATA").is_file()
    assert list_incomplete() == []


def test_status(ready, tmp_path):
    entry, environment, _ = ready
    assert environments.status(entry).startswith(f"ready ({len(environment.packages)} packages, 0.0")
    other = make_entry(tmp_path / "other", "other==1", "other")
    assert environments.status(other) == f"not built: run `bakeoff setup {other.folder}`"
    assert environments.find(other) is None
    assert "needs Python ==3.99.*" in environments.status(make_entry(tmp_path / "no", "", "no", "==3.99.*"))


def test_environment_without_its_record_is_not_found(ready, tmp_path, monkeypatch):
    entry, environment, _ = ready
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path))
    folder = tmp_path / "environments" / environment.folder.name
    folder.mkdir(parents=True)
    for content in ("", "{}", "[1]", "null"):
        (folder / "built.json").write_text(content)
        assert environments.find(entry) is None


def test_key_changes_with_requirements_and_interpreter(tmp_path):
    running = find_interpreter(RUNNING)
    other = make_interpreter(tmp_path / "python")
    keys = [
        environment_key(make_entry(tmp_path / "a", pins), interpreter)
        for pins in ("a==1", "a==2")
        for interpreter in (running, other)
    ]
    assert len(set(keys)) == 4
    assert all(len(key) == 12 and set(key) <= set("0123456789abcdef") for key in keys)


def test_key_is_the_same_for_two_paths_of_one_interpreter(tmp_path):
    running = find_interpreter(RUNNING)
    (tmp_path / "alias").symlink_to(running)
    entry = make_entry(tmp_path / "a", "a==1")
    assert environment_key(entry, tmp_path / "alias") == environment_key(entry, running)


def test_build_all_reports_each_and_continues_after_a_failure(ready, tmp_path):
    entry, environment, _ = ready
    bad = make_entry(tmp_path / "bad", "/no/such/wheel-1-py3-none-any.whl\n", "bad")
    lost = make_entry(tmp_path / "lost", "", "lost", "==3.99.*")
    events = []
    results = environments.build_all([bad, lost, entry], on_event=lambda *event: events.append(event))
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
    assert last == {"bad": failed.reason, "lost": str(results["lost"]), "abacus": environments.status(entry)}
    assert list_incomplete() == []


def test_two_processes_build_one_environment_once(cache, built):
    code = "print(environments.build(entry, progress=print).folder)"
    processes = [start_process(code, built[0]) for _ in range(2)]
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum(text.count("Successfully installed") for text in said) == 1
    folders = {text.splitlines()[-1] for text in said}
    assert {str(path) for path in (cache / "environments").iterdir()} == folders


def test_killed_build_is_repeated_and_its_files_are_removed(built):
    entry, _, _ = built
    # At the first line no child process runs yet that could go on writing.
    process = start_process("environments.build(entry, progress=lambda line: (print(line), time.sleep(600)))", entry)
    assert "make an environment" in process.stdout.readline()
    process.kill()
    process.communicate()
    assert len(list_incomplete()) == 1
    assert environments.find(entry) is None
    environment = environments.build(entry)
    assert environments.find(entry) == environment
    assert list_incomplete() == []


@pytest.mark.parametrize("call", ["build(entry, progress=print)", "build_all([entry], on_event=print)"])
def test_ctrl_c_kills_pip_and_leaves_nothing(tmp_path, monkeypatch, call):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        entry = make_entry(tmp_path / "slow", f"abacus @ http://127.0.0.1:{port}/abacus-1.5-py3-none-any.whl")
        process = start_process(f"environments.{call}", entry)
        connection, _ = server.accept()  # pip sends a request that is never answered
        process.send_signal(signal.SIGINT)
        process.communicate()
        assert process.returncode not in (0, None)
        while connection.recv(4096):  # ends when no process holds the other end: pip is dead
            pass
        connection.close()
    assert list_incomplete() == []
    assert list(environments_folder().iterdir()) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "no space left for"),
        (errno.EACCES, "no permission to write"),
        (errno.EIO, "cannot be used"),
    ],
)
def test_failing_disk_is_described(tmp_path, monkeypatch, number, words):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number), "somewhere")

    monkeypatch.setattr(Path, "rename", fail)
    module = sys.modules["bakeoff.environments.build"]  # the package's attribute of that name is the function
    monkeypatch.setattr(module, "install_requirements", lambda *_: pip.Installed([], {}))
    monkeypatch.setattr(module, "query_supported_interpreters", lambda *_: None)
    with pytest.raises(BuildFailed, match=words) as caught:
        environments.build(make_entry(tmp_path / "a", ""))
    assert "BAKEOFF_CACHE" in caught.value.reason
    assert list_incomplete() == []


def test_cache_that_is_not_a_folder_is_described(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "file"))
    with pytest.raises(BuildFailed, match=r"cannot be used .* BAKEOFF_CACHE"):
        environments.build(make_entry(tmp_path / "a", ""))


def test_full_disk_under_pip_is_described():
    output = ["Collecting abacus", "ERROR: Could not install: [Errno 28] No space left on device"]
    assert "no space left" in pip.describe_failure(output, 1)
    assert pip.describe_failure(output[:1], 2) == " (exit code 2)"


def test_only_settings_of_package_sources_reach_pip():
    variables = ["PIP_INDEX_URL", "PIP_CERT", "HTTPS_PROXY", "SSL_CERT_FILE", "PATH"]
    leaking = ["PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_REQUIRE_VIRTUALENV", "PIP_USER", "PIP_CONSTRAINT"]
    assert list(pip.select_variables(dict.fromkeys([*variables, *leaking], "x"))) == variables


def test_cache_folder_is_set_by_its_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path))
    assert environments_folder() == tmp_path / "environments"
    monkeypatch.setenv("BAKEOFF_CACHE", "")
    assert environments_folder().parts[-2:] == ("bakeoff", "environments")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Return the folder of a machine with an empty PATH and no interpreters of pyenv or uv."""
    for name, folder in {"PATH": "bin", "PYENV_ROOT": "pyenv", "UV_PYTHON_INSTALL_DIR": "uv"}.items():
        monkeypatch.setenv(name, str(tmp_path / folder))
    return tmp_path


def test_base_of_the_running_interpreter_is_preferred(machine):
    make_interpreter(machine / "bin" / "python3", (3, 98, 1))
    found = find_interpreter(">=3.11")
    code = "import sys; assert sys.prefix == sys.base_prefix; print(sys.version)"
    said = subprocess.run([found, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == sys.version


def test_newest_suitable_interpreter_of_path_and_pyenv_is_found(machine):
    make_interpreter(machine / "bin" / "python3", (3, 97, 2))
    newest = make_interpreter(machine / "pyenv" / "versions" / "3.97.10" / "bin" / "python", (3, 97, 10))
    make_interpreter(machine / "pyenv" / "versions" / "3.98.0" / "bin" / "python", (3, 98, 0))
    assert find_interpreter(">=3.90,<3.98") == newest


def test_shims_of_pyenv_are_not_searched(machine, monkeypatch):
    shim = make_interpreter(machine / "pyenv" / "shims" / "python3", (3, 97, 2))
    monkeypatch.setenv("PATH", str(shim.parent))
    with pytest.raises(Missing):
        find_interpreter("==3.97.*")


def test_passed_interpreter_is_tried_first(machine):
    unsuitable = make_interpreter(machine / "a" / "python", (3, 98, 0))
    passed = make_interpreter(machine / "b" / "python")
    assert find_interpreter(RUNNING, [unsuitable, passed]) == passed
    assert find_interpreter(RUNNING, [unsuitable]) == find_interpreter(RUNNING)


@pytest.mark.parametrize("call", [find_interpreter, lambda _, extra: environments.build_all([], extra)])
def test_passed_path_must_be_an_interpreter(tmp_path, call):
    (tmp_path / "python").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "python").chmod(0o755)
    no_interpreter, no_file = "it does not run as one", "no file and no program on PATH has that name"
    for path, why in ((tmp_path / "python", no_interpreter), (tmp_path / "none", no_file), (tmp_path, no_interpreter)):
        with pytest.raises(InputError, match=f"--python {path}: expected a Python interpreter, 3.6 or newer: {why}"):
            call(RUNNING, [path])


def test_missing_interpreter_states_what_was_found_and_what_to_do(machine):
    make_interpreter(machine / "bin" / "python3", (3, 98, 0))
    with pytest.raises(Missing) as caught:
        find_interpreter(">=3.96.2,<3.97")
    for words in ("needs Python >=3.96.2,<3.97", "found 3.", ", 3.98.0", "pyenv install 3.96`", "--python"):
        assert words in str(caught.value)


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_interpreter_without_venv_or_ensurepip_is_skipped(machine, module):
    other = make_interpreter(machine / "bin" / "python3", (3, 96, 0), without=module)
    with pytest.raises(Missing, match=rf"{other} \(3\.96\.0, lacks venv or ensurepip\)"):
        find_interpreter("==3.96.*")
    passed = make_interpreter(machine / "c" / "python", without=module)
    assert find_interpreter(RUNNING, [passed]) != passed


def test_missing_program_is_named(tmp_path):
    entry = make_entry(tmp_path / "a", "")
    assert launch.explain_unavailable(entry, "eager") == ""
    reason = launch.explain_unavailable(entry, "compiled")
    assert reason == (
        "abacus:compiled is not available here: needs no-such-compiler or nor-this-one on PATH. "
        "Install one of them with your system's package manager."
    )


# Backends with several environments


def make_parts(tmp_path, python=RUNNING):
    entry = make_entry(tmp_path / "abacus", "", python=python)
    own = {
        name: {"variants": [variant], "requirements": f"{name}.txt"}
        for name, variant in (("wood", "eager"), ("steel", "compiled"))
    }
    for name in own:
        (entry.folder / f"{name}.txt").write_text(f"{name}==1.0\n", encoding="utf-8")
    description = Description.model_validate({**entry.description.model_dump(), "environments": own})
    return entry._replace(description=description).parts


def test_each_part_has_the_environment_of_its_own_requirements(tmp_path):
    interpreter = find_interpreter(RUNNING)
    wood, steel = make_parts(tmp_path)
    assert environment_key(wood, interpreter) != environment_key(steel, interpreter)
    (tmp_path / "abacus" / "wood.txt").write_text("steel==1.0\n", encoding="utf-8")
    assert environment_key(wood, interpreter) == environment_key(steel, interpreter)


def test_result_of_each_part_is_reported_under_its_own_label(tmp_path):
    events = []
    results = environments.build_all(make_parts(tmp_path, "==3.99.*"), on_event=lambda *event: events.append(event))
    assert {name: type(result) for name, result in results.items()} == {
        "abacus-wood": environments.Missing,
        "abacus-steel": environments.Missing,
    }
    assert {name for name, _ in events} == set(results)


# Another build of the packages


def make_entry_with_builds(folder):
    """Return an entry with a build `cpu`, and the folder of the wheels of both builds."""
    wheels = folder / "wheels"
    wheels.mkdir()
    make_wheel(wheels)
    make_wheel(wheels, "1.5+cpu")
    entry = make_entry(folder / "abacus", "abacus==1.5\n")
    (entry.folder / "requirements-cpu.txt").write_text("abacus==1.5+cpu\n", encoding="utf-8")
    cpu = {"requirements": "requirements-cpu.txt", "documentation": "https://abacus.example/cpu"}
    described = Description.model_validate({**entry.description.model_dump(), "builds": {"cpu": cpu}}, strict=False)
    return entry._replace(description=described), wheels


def test_another_build_is_another_environment(tmp_path, monkeypatch):
    entry, wheels = make_entry_with_builds(tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    ((cpu, _),) = with_build([(entry, "eager")], "cpu")
    # `==1.5` takes 1.5+cpu, too, wherever pip finds it: only the framework's own index has that.
    monkeypatch.setenv("PIP_FIND_LINKS", str(make_wheel(tmp_path).parent))
    usual = environments.build(entry)
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    other = environments.build(cpu)
    assert usual.folder != other.folder
    assert (usual.packages["abacus"], other.packages["abacus"]) == ("1.5", "1.5+cpu")
    assert (pinned_version(entry), pinned_version(cpu)) == ("1.5", "1.5+cpu")
    assert environments.find(cpu) == other
    monkeypatch.setenv("PIP_FIND_LINKS", str(make_wheel(tmp_path).parent))
    assert environments.find(entry) == usual


def test_a_build_is_asked_for_at_its_own_index(tmp_path, monkeypatch):
    entry, _ = make_entry_with_builds(tmp_path)
    cpu = entry.description.builds["cpu"].model_copy(update={"index": "https://abacus.example/wheels/cpu"})
    entry = entry._replace(description=entry.description.model_copy(update={"builds": {"cpu": cpu}}))
    commands = []
    monkeypatch.setattr(pip, "run_step", lambda entry, purpose, command, *more: commands.append(command))
    for build, name in (("", "plain"), ("cpu", "cpu")):
        folder = tmp_path / name
        folder.mkdir()
        log = BuildLog(tmp_path / "log", lambda line: None)
        pip.install_requirements(entry._replace(build_name=build), Path(sys.executable), folder, log, None)
    usual, own = commands[1], commands[3]
    assert "--extra-index-url" not in usual
    assert own[-2:] == ["--extra-index-url", "https://abacus.example/wheels/cpu"]
    assert own[-3] == entry.folder / "requirements-cpu.txt"


def test_a_build_that_nobody_has_is_an_error_with_those_that_there_are(tmp_path):
    entry, _ = make_entry_with_builds(tmp_path)
    assert with_build([(entry, "eager")], None) == [(entry, "eager")]
    with pytest.raises(InputError, match=r"--build rocm: no chosen backend has .* There are: abacus: cpu\."):
        with_build([(entry, "eager")], "rocm")
    plain = make_entry(tmp_path / "beads", "", "beads")
    with pytest.raises(InputError, match="They have none beside what pip installs"):
        with_build([(plain, "eager")], "cpu")
    both = with_build([(plain, "eager"), (entry, "eager")], "cpu")
    assert [each.build_name for each, _ in both] == ["", "cpu"], "the others keep what pip installs"


def test_a_build_belongs_to_one_of_several_environments(tmp_path):
    entry, _ = make_entry_with_builds(tmp_path)
    values = entry.description.model_dump()
    values["environments"] = {
        "wood": {"variants": ["eager"], "requirements": "requirements.txt"},
        "steel": {"variants": ["compiled"], "requirements": "requirements.txt"},
    }
    values["builds"]["cpu"]["environment"] = "stel"
    with pytest.raises(ValueError, match=r"`builds.cpu.environment`: expected one of .*Did you mean `steel`"):
        Description.model_validate(values, strict=False)
    values["builds"]["cpu"]["environment"] = "steel"
    entry = entry._replace(description=Description.model_validate(values, strict=False))
    chosen = [(entry.for_variant(variant), variant) for variant in entry.variants]
    assert [each.build_name for each, _ in with_build(chosen, "cpu")] == ["", "cpu"]
