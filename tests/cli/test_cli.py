"""Tests of the command line: help, JSON output, messages and exit codes."""

import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import typer
from bakeoff import environments
from bakeoff.cli import app
from bakeoff.common import statistics
from bakeoff.measures import VOCABULARY
from bakeoff.measures.deployment import figures as deployment
from bakeoff.measures.deployment import records as deployment_records
from bakeoff.measures.mistakes import attempt
from bakeoff.records import read
from bakeoff.records.store import Run
from bakeoff.registry import entries as registry_entries
from bakeoff.runner import start

from tests.paths import SAVED_RUN

COMMANDS = (
    "run",
    "check",
    "selftest",
    "precision",
    "runs",
    "table",
    "compare",
    "report",
    "verdict",
    "pack",
    "add",
    "index",
    "merge",
    "ease",
    "mistakes",
    "openness",
    "setup",
    "backends",
    "deploy",
    "doctor",
    "data",
    "new",
    "search",
    "study",
)

# `bakeoff run` as it is, in this interpreter and without checks, so that it takes seconds.
DRIVER = """
import sys
from pathlib import Path
from bakeoff import cli
from bakeoff.common import statistics
from bakeoff import environments
from bakeoff.environments.environment import Environment
from bakeoff.measures.speed import rounds
from bakeoff.workload import networks

rounds.WARM_LIMIT_S = 0.2
statistics.RESAMPLES = 200
networks.required_networks = lambda own=None: []
environments.build = lambda entry, *_: Environment(
    Path(sys.executable), Path("numpy_plain-0123456789ab"), 1.0, 2, {"numpy": "2"}
)
environments.build_all = lambda entries, *_, **__: {entry.label: environments.build(entry) for entry in entries}
cli.main()
"""
SELF_TEST_FAILED = "The timing failed its self-test"
SMALL = """
[data]
source = "synthetic:200x4x2"

[network]
hidden = [4]

[training]
epochs = 1
"""


@pytest.fixture(autouse=True)
def use_fewer_resamples(monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 200)


@pytest.fixture(autouse=True)
def use_empty_folder(tmp_path, monkeypatch):
    """Run in an empty folder with an empty cache, and not in a terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def bakeoff(monkeypatch, capsys):
    """Return the command line: bakeoff(*arguments) gives its exit code, standard output and standard error."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["bakeoff", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            app.main()
        return ended.value.code or 0, *capsys.readouterr()

    return call


@pytest.fixture
def saved(tmp_path):
    return Path(shutil.copytree(SAVED_RUN, tmp_path / "results" / "saved"))


# Help


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--budget", "soon"], "--budget: expected a time such as 60s, 2m or 1h, got 'soon'."),
        (["--budget", "0s"], "got '0s'"),
        (["--budget", "60s", "--blocks", "20"], "--budget and --blocks"),
        (["--until", "2"], "--until: expected a precision such as 2% or 0.5%, got '2'."),
        (["--until", "0%"], "--until: expected a precision"),
        (["--until", "2%", "--rounds", "3"], "Leave out --rounds and --budget."),
        (["--until", "2%", "--time-limit", "soon"], "--time-limit: expected a time such as 60s, 2m or 1h, got 'soon'."),
        (["--time-limit", "5m"], "--time-limit limits --until."),
        (["--inherit-environment", "A-B"], "--inherit-environment: expected names such as OMP_PROC_BIND,XLA_FLAGS"),
    ],
)
def test_an_invalid_budget_is_rejected_before_a_run_folder_is_made(bakeoff, options, sentence, tmp_path):
    code, _, complaint = bakeoff("run", *options, "--results", tmp_path / "results")
    assert code == 2
    assert sentence in " ".join(complaint.split())
    assert not (tmp_path / "results").exists()


def registered(command):
    """Return the entry of a command as Typer has it."""
    (found,) = [each for each in app.app.registered_commands if each.name == command]
    return found


def test_every_command_is_registered_and_belongs_to_a_panel():
    assert {each.name for each in app.app.registered_commands} == set(COMMANDS)
    assert {each.rich_help_panel for each in app.app.registered_commands} == set(app.COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_its_summary_and_explains_every_option(bakeoff, command):
    code, out, err = bakeoff(command, "--help")
    assert (code, err) == (0, "")
    assert f"bakeoff {command} [OPTIONS]" in out
    assert registered(command).callback.__doc__.splitlines()[0] in " ".join(out.split())
    documented = [line for line in out.splitlines() if re.search(r"--[a-z]+ ", line)]
    assert documented
    for line in documented:
        assert len(line.replace("│", " ").split()) > 3, f"an option without an explanation: {line}"


def test_every_help_text_is_one_line_of_at_most_70_characters():
    for command in typer.main.get_command(app.app).commands.values():
        summary = registered(command.name).callback.__doc__.splitlines()[0]
        texts = {command.name: summary} | {
            f"{command.name} {each.name}": each.help for each in command.params if each.name != "help"
        }
        for name, text in texts.items():
            assert text, name
            assert len(text) <= 70, f"{name}: {text}"
            assert text.endswith("."), f"{name}: {text}"


def test_the_help_of_python_says_which_commands_run_a_folder_in_it():
    commands = typer.main.get_command(app.app).commands.values()
    texts = {each.name: option.help for each in commands for option in each.params if option.name == "python"}
    runs = {name for name, text in texts.items() if "run your folder" in text}
    assert runs == {"check", "precision", "mistakes", "study"}
    assert len(set(texts.values())) == 2
    assert all("environments" in text and "Repeatable." in text for text in texts.values())


def test_the_help_of_run_has_examples_and_the_true_defaults(bakeoff):
    _, out, _ = bakeoff("run", "-h")
    for example in ("--data iris.csv --target species", "--backends NAME,NAME:VARIANT", "--resume results/"):
        assert f"bakeoff run {example}" in out
    for option in ("--backends", "--data", "--target", "--device", "--threads", "--quick", "--resume", "--results"):
        assert option in out
    text = " ".join(out.replace("│", " ").split())
    assert f"Default: {start.ROUNDS}; more in a big --budget." in text
    assert start.QUICK_ROUNDS == start.ROUNDS
    assert f"Default: {start.BLOCKS}; --quick: {start.QUICK_BLOCKS}." in text


def test_the_help_of_mistakes_states_the_true_time_limit(bakeoff):
    _, out, _ = bakeoff("mistakes", "--help")
    assert f"Default: {attempt.TIME_LIMIT_S:g}." in out


def test_the_help_of_check_explains_floors_and_the_exit_code(bakeoff):
    _, out, _ = bakeoff("check", "--help")
    text = " ".join(out.replace("│", " ").split())
    assert "One floor is the rounding error of plain NumPy" in text
    assert "Exit code 1 if a check fails" in text


def test_the_help_lists_every_exit_code(bakeoff):
    _, out, _ = bakeoff("--help")
    text = " ".join(out.split())
    for code, meaning in (
        (0, "success"),
        (1, "a check or comparison failed"),
        (2, "bad usage or input"),
        (3, "not measurable on this machine"),
        (130, "interrupted"),
    ):
        assert f"{code} {meaning}" in text


def test_without_a_command_the_help_lists_every_command(bakeoff):
    code, out, err = bakeoff()
    assert code in (0, 2)
    for command in COMMANDS:
        assert re.search(rf"\b{command}\b", out + err)
    assert "Start with `bakeoff run`" in " ".join((out + err).split())


def test_the_version_is_printed(bakeoff):
    code, out, err = bakeoff("--version")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"bakeoff \d+\.\d+\.\d+\S* \(commit [0-9a-f]{7,}\+?\)\n", out)


def test_importing_the_command_line_imports_no_heavy_library():
    script = "import sys, bakeoff.cli.app; print(sorted({'numpy', 'pandas', 'sklearn', 'scipy'} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=imports())
    assert ended.stdout == "[]\n"


def imports(**more):
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more}


# Bad input


def write_bad_files(tmp_path):
    """Write files that the commands must reject."""
    (tmp_path / "syntax.toml").write_text("[training\nepochs = 3\n")
    (tmp_path / "key.toml").write_text("[training]\nepoch = 3\n")
    (tmp_path / "value.toml").write_text('[network]\nactivation = "rely"\n')
    (tmp_path / "words.csv").write_text("length,kind\n" + "long,a\nshort,b\n" * 9)
    (tmp_path / "ragged.csv").write_text("x,kind\n1,a\n2\n")
    (tmp_path / "missing.csv").write_text("x,z,kind\n1,,a\n" + "2,3,b\n4,5,a\n" * 9)
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "torn.npz").write_bytes(b"PK\x03\x04 and nothing more")
    (tmp_path / "file").write_text("")
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "run.json").write_text('{"format": 99}')
    shutil.copytree(SAVED_RUN, tmp_path / "damaged")
    with (tmp_path / "damaged" / "records.jsonl").open("a") as file:
        file.write("scribbled by hand\n")


BAD_INPUTS = [
    ("run no.toml", "no.toml: no such spec file"),
    ("run .", "expected a TOML file, got a folder"),
    ("run syntax.toml", "syntax.toml"),
    ("run key.toml", "`training.epoch`"),
    ("run key.toml", "Did you mean `training.epochs`?"),
    ("run value.toml", "'relu', 'tanh' or 'sigmoid'"),
    ("run --backends numpy_plane", "no backend `numpy_plane`. Did you mean `numpy_plain`?"),
    ("run --backends numpy_plain:plane", "has no variant `plane`. Did you mean `plain`?"),
    ("run --backends ,", "no backend ``"),
    ("run --backends numpy_plain --device gpu", "does not support the device `gpu`: this backend declares cpu"),
    ("run --backends numpy_plain --threads 4096", "--threads 4096: this process may use"),
    ("run --backends numpy_plain --threads 0", "Invalid value for '--threads'"),
    ("run --backends numpy_plain --threads two", "Invalid value for '--threads'"),
    ("run --backends numpy_plain --results file", "cannot be written"),
    ("run --backends numpy_plain --results file/below", "cannot be written: Not a directory. Pass --results FOLDER"),
    ("run --backends numpy_plain --python no-python", "--python no-python: expected a Python interpreter"),
    ("run --data no.csv --target y", "no.csv: no such file"),
    ("run --data words.csv --target kind", "`length`"),
    ("run --data words.csv --target sort", "`kind`"),
    ("run --data words.csv", "which column holds the labels?"),
    ("run --data ragged.csv --target kind", "line 3 has 1 cell where the header has 2"),
    ("run --data missing.csv --target kind", "`z`"),
    ("run --data empty.csv --target kind", "empty file"),
    ("run --data torn.npz", "torn.npz"),
    ("run --data digit", "Did you mean `digits`?"),
    ("run --data synthetic:many", "expected synthetic:ROWSxFEATURESxCLASSES"),
    ("run --data", "requires an argument"),
    ("run --quik", "No such option: --quik"),
    ("run --resume nowhere", "nowhere: no run here (expected a folder with run.json)"),
    ("run --resume file", "no run here (expected a folder with run.json)"),
    ("run --resume newer", f"expected format {read.FORMAT}, got 99"),
    ("run --resume damaged key.toml", "--resume continues the run as it was planned"),
    ("run --resume damaged --backends numpy_plain", "--resume continues the run as it was planned"),
    ("run --resume damaged --quick", "--resume continues the run as it was planned"),
    ("run --resume damaged --threads 2", "--resume continues the run as it was planned"),
    ("check numpy_plane", "Did you mean `numpy_plain`?"),
    ("check numpy_plain:plane", "Did you mean `plain`?"),
    ("check numpy_plain --device gpu", "does not support the device `gpu`: this backend declares cpu"),
    ("check numpy_plain --python no-python", "--python no-python: expected a Python interpreter"),
    ("setup numpy_plane", "Did you mean `numpy_plain`?"),
    ("setup numpy_plain --python no-python", "--python no-python: expected a Python interpreter"),
    ("backends --python no-python", "--python no-python: expected a Python interpreter"),
    ("table", "results: no runs here yet. `bakeoff run` makes one"),
    ("table nowhere", "nowhere: no run here"),
    ("table newer", f"expected format {read.FORMAT}, got 99. Use the version of Bakeoff that wrote it"),
    ("table damaged", "is no JSON: Expecting value: line 1 column 1 (char 0). Records are never edited"),
    ("table damaged --format pdf", "'pdf' is not one of"),
    ("tables", "No such command 'tables'"),
]


@pytest.mark.parametrize(("line", "sentence"), BAD_INPUTS)
def test_bad_input_gives_a_message_and_exit_code_2(bakeoff, tmp_path, line, sentence):
    write_bad_files(tmp_path)
    code, out, err = bakeoff(*line.split())
    said = " ".join(err.replace("│", " ").split())
    assert sentence in said
    assert code == 2
    assert "Traceback" not in err
    assert out == ""
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("line", ["run key.toml", "run --backends numpy_plane", "run --quik", "table nowhere"])
def test_bad_input_to_a_real_process_gives_no_traceback(tmp_path, line):
    write_bad_files(tmp_path)
    command = [sys.executable, "-c", "from bakeoff.cli.app import main; main()", *line.split()]
    ended = subprocess.run(command, capture_output=True, text=True, env=imports(), check=False)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr
    assert "Traceback" not in ended.stderr
    assert "\x1b" not in ended.stderr


def test_the_message_on_an_unknown_backend_lists_the_backends(bakeoff):
    _, _, err = bakeoff("run", "--backends", "zzz")
    for name in registry_entries.read_all():
        assert name in err


def test_a_path_with_brackets_is_printed_as_it_is(bakeoff):
    _, _, err = bakeoff("run", "[bold]spec[/bold].toml")
    assert "[bold]spec[/bold].toml: no such spec file" in err


# bakeoff backends


def test_backends_lists_each_environment_with_its_status(bakeoff):
    code, out, err = bakeoff("backends")
    assert (code, err) == (0, "")
    for entry in (part for whole in registry_entries.read_all().values() for part in whole.parts):
        (line,) = [line for line in out.splitlines() if line.startswith(f"{entry.label} ")]
        assert registry_entries.pinned_version(entry) in line
        assert ", ".join(entry.variants) in line
    (line,) = [line for line in out.splitlines() if line.startswith("numpy_plain ")]
    assert line.rstrip().endswith("not built: run `bakeoff setup numpy_plain`")


def test_backends_json_prints_only_json(bakeoff):
    code, out, err = bakeoff("backends", "--json")
    assert (code, err) == (0, "")
    rows = {row["environment"]: row for row in json.loads(out)}
    assert {row["backend"] for row in rows.values()} == set(registry_entries.read_all())
    unbuilt = ("download_bytes", "install_bytes", "packages", "install_s", "requires_python", "wheels_for")
    assert rows["numpy_plain"] == dict.fromkeys(unbuilt) | {
        "backend": "numpy_plain",
        "environment": "numpy_plain",
        "framework": "NumPy",
        "version": registry_entries.pinned_version(registry_entries.read_all()["numpy_plain"]),
        "default": True,
        "variants": ["plain", "idiomatic"],
        "devices": ["cpu"],
        "python": ">=3.11,<3.14",
        "licence": "BSD-3-Clause",
        "status": "not built: run `bakeoff setup numpy_plain`",
    }


# bakeoff table


def test_table_prints_the_newest_run_where_none_is_named(bakeoff, saved):
    code, out, err = bakeoff("table")
    assert (code, err) == (0, "Run: results/saved\n")
    assert "numpy_plain:plain" in out
    assert "The timing passed its self-test (numpy_plain:plain against itself: " in out
    assert (saved / "tables" / "summary.md").exists()


@pytest.mark.parametrize("name", ["saved", "results/saved"])
def test_table_finds_a_run_by_its_name_and_by_its_path(bakeoff, saved, name):
    code, out, _ = bakeoff("table", name)
    assert code == 0
    assert "numpy_plain:plain" in out


def test_table_in_markdown_is_the_summary_of_the_tables_folder(bakeoff, saved):
    code, out, err = bakeoff("table", saved, "--format", "markdown")
    assert (code, err) == (0, "")
    assert out == (saved / "tables" / "summary.md").read_text()
    header, rule, *_ = (line for line in out.splitlines() if line.startswith("|"))
    assert header.startswith("| backend")
    assert set(rule) <= set("|:- ")


def test_table_in_csv_is_the_summary_of_the_tables_folder(bakeoff, saved):
    code, out, err = bakeoff("table", saved, "--format", "csv")
    assert code == 0
    assert out == (saved / "tables" / "summary.csv").read_text()
    assert "The timing passed its self-test" in err  # notes do not mix with the CSV
    assert out.startswith("backend,variant,version,correct,worst_floors,")


def test_table_in_json_has_the_numbers_of_the_csv(bakeoff, saved):
    code, out, err = bakeoff("table", saved, "--json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["run"] == str(saved)
    assert any(line.startswith("The timing passed its self-test") for line in answer["notes"])
    (row,) = answer["rows"]
    (same,) = pd.read_csv(saved / "tables" / "summary.csv").to_dict("records")
    assert set(row) == set(same)
    for name, value in row.items():
        if isinstance(value, float):
            assert value == pytest.approx(same[name], rel=1e-9), name
    assert bakeoff("table", saved, "--format", "json")[1] == out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("table", "--columns", ""), "no column `` in this table. Valid here: `backend`"),
        (("table", "--format", "csv", "--json"), "--format csv and --json: expected one of them."),
        (("merge", "SAVED"), "is named twice. Name different runs."),
    ],
)
def test_what_says_nothing_or_two_things_is_a_wrong_use(bakeoff, saved, arguments, sentence):
    command, *rest = (saved if each == "SAVED" else each for each in arguments)
    code, out, err = bakeoff(command, saved, *rest)
    assert (code, out) == (2, "")
    assert sentence in err


def test_table_of_a_run_with_failures_exits_with_0(bakeoff, saved):
    """`bakeoff run` reported the failures; printing the table again is not a failure."""
    header = read.read_header(saved)
    header["plan"]["entries"].append(["numpy_plain", "lost"])
    (saved / "run.json").write_text(json.dumps(header))
    with Run(saved, VOCABULARY) as run, run.task("environment x") as task:
        task.add(deployment.FAILED, "no interpreter", backend="numpy_plain", variant="lost")
    code, out, _ = bakeoff("table", saved)
    assert code == 0
    assert "numpy_plain:lost: no environment: no interpreter" in out


def test_output_to_a_file_has_no_escapes_and_unbroken_lines(bakeoff, saved, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    for arguments in (("table", saved), ("backends",), ("table", saved, "--format", "markdown")):
        _, out, err = bakeoff(*arguments)
        assert "\x1b" not in out + err
        assert max(len(line) for line in out.splitlines()) > 100


# bakeoff run, check and setup


def small_run(tmp_path, *arguments):
    (tmp_path / "small.toml").write_text(SMALL)
    return [sys.executable, "-c", DRIVER, "run", "small.toml", "--backends", "numpy_plain", "--quick", *arguments]


def test_deploy_resumes_a_file_of_records_only(bakeoff, tmp_path):
    code, _, err = bakeoff("deploy", "--resume")
    assert code == 2
    assert "Name it with --records FILE" in err
    code, _, err = bakeoff("deploy", "numpy_plain", "--records", tmp_path / "records.csv")
    assert code == 2
    assert "expected a file that ends in .jsonl" in err


def test_a_run_deploys_where_it_is_asked_to(tmp_path):
    command = small_run(tmp_path, "--deploy", "1m", "--results", str(tmp_path / "results"))
    ended = subprocess.run(command, capture_output=True, text=True, env=imports(), check=False, cwd=tmp_path)
    folder = read.latest(tmp_path / "results")
    assert read.read_header(folder)["plan"]["deploy_s"] == 60, ended.stderr
    rows = deployment_records.read_of_run(folder)
    assert deployment_records.value_of(rows, deployment.EXPORTED, dtype="float32", backend="numpy_plain") is True
    assert deployment_records.select(rows, deployment.SERVE_LATENCY)
    assert "numpy_plain:npz" in (folder / "tables" / "deployment.md").read_text()


def test_run_json_prints_only_json_and_progress_on_standard_error(tmp_path):
    command = small_run(tmp_path, "--json")
    ended = subprocess.run(command, capture_output=True, text=True, env=imports(), check=False)
    answer = json.loads(ended.stdout)
    assert set(answer) == {"run", "notes", "rows"}
    assert (tmp_path / answer["run"] / "run.json").exists()
    assert answer["rows"][0]["backend"] == "numpy_plain"
    failed = any(line.startswith(SELF_TEST_FAILED) for line in answer["notes"])
    assert ended.returncode == int(failed)
    assert "numpy_plain:plain: training: test accuracy" in ended.stderr
    assert "\x1b" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("failed", "failed_self_test", "code"), [(False, False, 0), (False, True, 3), (True, False, 1), (True, True, 1)]
)
def test_a_run_whose_only_fault_is_its_self_test_ends_with_exit_code_3(
    bakeoff, monkeypatch, failed, failed_self_test, code
):
    from bakeoff.cli import run as cli_run
    from bakeoff.report.terminal import run as terminal_run

    report = SimpleNamespace(failed=failed, failed_self_test=failed_self_test)
    monkeypatch.setattr(start, "begin", lambda request, cluster: None)
    monkeypatch.setattr(cli_run, "carry_out", lambda work: report)
    monkeypatch.setattr(terminal_run, "print_run", lambda console, report: None)
    assert bakeoff("run")[0] == code


def test_check_json_names_the_backends_that_could_not_be_checked(bakeoff, monkeypatch):
    def build_all(entries, *_, **__):
        return {entry.name: environments.Missing("needs Python ==2.7: found 3.11") for entry in entries}

    monkeypatch.setattr(environments, "build_all", build_all)
    code, out, err = bakeoff("check", "numpy_plain", "--json")
    assert code == 1
    unable = {"numpy_plain:plain": "needs Python ==2.7: found 3.11"}
    assert json.loads(out) == {"outcomes": {}, "determinism": {}, "unable": unable, "partial": []}
    assert "environments: none for numpy_plain" in err
    code, out, _ = bakeoff("check", "numpy_plain")
    assert code == 1
    assert "numpy_plain:plain: not checked: needs Python ==2.7: found 3.11" in out


def test_setup_that_fails_gives_the_reason_and_exit_code_1(bakeoff, monkeypatch):
    def build_all(entries, extra=(), on_event=None):
        for entry in entries:
            on_event(entry.name, "looking")
        return {entry.name: environments.Missing("needs Python ==2.7: found 3.11") for entry in entries}

    monkeypatch.setattr(environments, "build_all", build_all)
    code, _, err = bakeoff("setup", "numpy_plain")
    assert code == 1
    assert "numpy_plain: environment: needs Python ==2.7: found 3.11" in err


# A terminal


def in_a_terminal(command, columns):
    """Run a command in a pseudo-terminal of so many columns; return its exit code and what it showed."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    variables = {name: value for name, value in imports(TERM="xterm-256color").items() if name != "COLUMNS"}
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=variables)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:
        pass  # Linux's end of a pseudo-terminal
    finally:
        os.close(ours)
    return process.wait(), shown.decode()


def test_the_live_display_works_in_a_terminal(tmp_path):
    code, shown = in_a_terminal(small_run(tmp_path), columns=100)
    assert "Traceback" not in shown
    assert code == (SELF_TEST_FAILED in shown), shown
    assert "\x1b[" in shown
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert "numpy_plain:plain: training: test accuracy" in text
    assert re.search(rf"block \d+ of {start.QUICK_BLOCKS}", text)
    assert shown.count("\x1b[?25l") <= shown.count("\x1b[?25h")  # the cursor is given back


@pytest.mark.parametrize("columns", [45, 80, 250])
def test_a_terminal_of_any_width_shows_every_column(saved, columns):
    command = [sys.executable, "-c", "from bakeoff.cli.app import main; main()", "table", str(saved)]
    code, shown = in_a_terminal(command, columns)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert code == 0
    for heading in ("validation", "first call", "examples/s", "tokens", "licence", "BSD-3-Clause"):
        assert heading in text
    assert "…" not in text


# The verdict


@pytest.fixture
def four(tmp_path):
    """Return a copy of the reference run."""
    return Path(
        shutil.copytree(SAVED_RUN.parent.parent.parent / "results" / "reference", tmp_path / "results" / "four")
    )


def record_of(row):
    """Return the name of a record as the verdict writes it."""
    return f"{row['measure']}/{row['figure']}{': ' + row['change'] if row['figure'] == 'change' else ''}"


def test_verdict_gives_reasons_and_records_on_one_screen(bakeoff, four, monkeypatch):
    code, out, err = bakeoff("verdict", "four", "--weights", "ease=2,speed=1,agreement=1,open=1")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) <= 40
    assert re.search(r"^(A tie: [^\n]* |\w+ \(\w+:\w+\): )\d\.\d+ \[.*\] times as good as ", out, re.MULTILINE)
    lines = [line for file in four.glob("*.jsonl") for line in file.read_text().splitlines()]
    records = {record_of(json.loads(line)) for line in lines}
    named = re.findall(r" x\d\.\d{3}  (\S.*?)\s*$", out, re.MULTILINE)
    assert len(named) == 7
    assert {name.partition(" + ")[0] for name in named} <= records
    assert re.search(r"^\w+ leads under \d+% of all weightings, such as ease=", out, re.MULTILINE)
    assert "If one weight changes, another framework leads: " in out
    assert "openness/top_author_share" in out


def test_verdict_on_a_narrow_terminal_truncates_nothing(bakeoff, four, monkeypatch):
    from io import StringIO

    from bakeoff.verdict import terminal
    from bakeoff.verdict.verdict import Verdict
    from bakeoff.verdict.weights import parse_weights
    from rich.console import Console

    written = StringIO()
    terminal.print_verdict(Console(file=written, width=80, force_terminal=True), Verdict(four, parse_weights(None)))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", written.getvalue())
    assert max(map(len, plain.splitlines())) <= 80
    assert "\u2026" not in plain
    assert "speed/slice" in plain


def keep_records(folder, keep):
    lines = (folder / "records.jsonl").read_text().splitlines()
    (folder / "records.jsonl").write_text("".join(f"{line}\n" for line in lines if keep(json.loads(line))))


def test_verdict_of_an_incomplete_run_names_the_command_that_completes_it(bakeoff, four):
    keep_records(four, lambda record: record["task"] not in {"round 2", "complete"})
    code, out, err = bakeoff("verdict", "four")
    assert (code, out) == (2, "")
    assert "Complete it with `bakeoff run --resume results/four`" in " ".join(err.split())


def test_verdict_of_a_run_without_timings_is_rejected(bakeoff, four):
    keep_records(four, lambda record: record["figure"] != "slice")
    code, out, err = bakeoff("verdict", "four")
    assert (code, out) == (2, "")
    assert "this run has no timings, so it gives no verdict" in err


# Which run


@pytest.fixture
def three(tmp_path):
    """Return the folders of two complete runs and a newer incomplete one."""
    folders = [Path(shutil.copytree(SAVED_RUN, tmp_path / "results" / name)) for name in ("old", "new", "newest")]
    for day, folder in enumerate(folders, start=1):
        header = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps({**header, "created": f"2026-11-0{day}T12:00:00Z"}))
    keep_records(folders[-1], lambda record: record["task"] not in {"round 1", "complete"})
    return folders


def test_runs_lists_date_data_backends_and_state_the_newest_first(bakeoff, three):
    code, out, err = bakeoff("runs")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["newest", "new", "old"]
    assert "2026-11-03T12:00:00Z" in lines[1]
    assert "incomplete: 0 of 1 rounds of timing" in lines[1]
    assert lines[2].split()[1:] == ["2026-11-02T12:00:00Z", "digits", "numpy_plain:plain", "complete"]
    assert "Complete it: bakeoff run --resume results/newest" in out


def test_runs_json_lists_every_run_and_those_that_cannot_be_read(bakeoff, three):
    (three[0] / "run.json").write_text("{")
    code, out, _ = bakeoff("runs", "--json")
    answer = json.loads(out)
    assert code == 0
    assert [run["complete"] for run in answer["runs"]] == [False, True]
    assert list(answer["unreadable"]) == ["results/old"]


def test_runs_of_an_empty_folder_names_the_command_that_makes_one(bakeoff):
    code, out, _ = bakeoff("runs")
    assert code == 0
    assert "no runs here yet. `bakeoff run` makes one." in out


@pytest.mark.parametrize("command", ["table", "verdict"])
def test_without_a_run_the_newest_complete_one_is_taken_and_named(bakeoff, three, command):
    _, _, err = bakeoff(command)
    assert "Run: results/new\n" in err


def test_compare_without_a_run_takes_the_two_newest_complete_ones(bakeoff, three):
    code, out, err = bakeoff("compare")
    assert code == 0
    assert err == "Baseline: results/old\nRun: results/new\n"
    assert "results/new compared with the baseline results/old" in out


def test_compare_with_a_baseline_alone_takes_the_newest_complete_run(bakeoff, three):
    assert bakeoff("compare", "old")[2] == "Baseline: results/old\nRun: results/new\n"
    code, _, err = bakeoff("compare", "new")
    assert code == 2
    assert "is the newest complete run itself" in err


def test_without_a_complete_run_the_command_that_completes_the_newest_is_named(bakeoff, three):
    for folder in three[:2]:
        shutil.rmtree(folder)
    for command in ("table", "verdict", "compare"):
        code, _, err = bakeoff(command)
        assert code == 2
        assert "`bakeoff run --resume results/newest`" in " ".join(err.split())


def test_verdict_without_a_candidate_gives_a_reason_and_exit_code_1(bakeoff, four):
    code, out, _ = bakeoff("verdict", "four", "--require", "licence:MIT")
    assert code == 1
    assert "No verdict: no variant is correct, was timed and meets the requirements." in out
    assert "licence:MIT: its licence is Apache-2.0 (openness/licence)" in out


def test_verdict_names_excluded_frameworks_and_ties(bakeoff, four):
    code, out, _ = bakeoff("verdict", "four", "--weights", "agreement=1", "--require", "gpu")
    assert code == 0
    assert "Excluded: numpy_plain:plain: gpu: not supported by the framework (supports.gpu: " in out
    assert "Required gpu: pytorch:eager, pytorch:compiled: supported by the framework: by its documentation" in out
    assert "not tested on a GPU in this run" in out
    _, out, _ = bakeoff("verdict", "four", "--weights", "agreement=1", "--require", "mobile")
    assert re.search(
        r"Excluded: .*numpy_plain:plain.*: mobile: unknown: backend.toml has no fact `supports.mobile`", out
    )
    assert "It is the only candidate, so it was compared with none." in out
    _, out, _ = bakeoff("verdict", "four", "--weights", "agreement=1")
    assert "A tie: JAX (jax_pure:step), NumPy (numpy_plain:plain) and TensorFlow" in out
    assert out.count("=1 ") == 3


def test_verdict_explain_shows_every_part_of_every_variant(bakeoff, four):
    code, out, _ = bakeoff("verdict", "four", "--explain")
    assert code == 0
    for record in ("speed/slice", "ease/tokens", "openness/releases_24m", "agreement/floors"):
        assert re.search(rf"^{record}: .*% of the total weight", out, re.MULTILINE)
    assert re.search(r"^  jax_pure  +\d+ lines", out, re.MULTILINE)
    assert re.search(r"^  jax_pure:scan  +\d+ us \[", out, re.MULTILINE)
    assert "25 in 24 months" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--weights", "eas=1"), "Did you mean `ease`?"),
        (("--weights", "ease=-1"), "expected a number from 0"),
        (("--require", "gpuu"), "Did you mean `gpu`?"),
        (("nowhere",), "no run here"),
    ],
)
def test_verdict_rejects_bad_input(bakeoff, four, arguments, said):
    code, out, err = bakeoff("verdict", *arguments)
    assert (code, out) == (2, "")
    assert said in " ".join(err.split())
