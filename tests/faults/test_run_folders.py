"""A run folder from a stranger: read or refused, with nothing written outside it and nothing of it executed."""

import json
import os
import shutil

import pytest
from bakeoff.cli.app import app
from bakeoff.common import trust
from bakeoff.common.errors import InputError
from bakeoff.measures import VOCABULARY
from bakeoff.records import read, store
from bakeoff.runner import start
from typer.testing import CliRunner

from tests.faults.run_folders import COMMANDS, FIRST_OF_SUITE, mutate, read_run
from tests.paths import SAVED_RUN

BOUNDED = 48
"""Mutated runs; each is read by two of the eight commands in turn. bench/faults.py reads 500 by all of them."""
BOUNDED_OF_SUITE = 8
"""The same of a run of a suite; bench/faults.py reads 50."""


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("BAKEOFF_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def run(tmp_path):
    return shutil.copytree(SAVED_RUN, tmp_path / "run")


@pytest.mark.parametrize("seed", [*range(BOUNDED), *range(FIRST_OF_SUITE, FIRST_OF_SUITE + BOUNDED_OF_SUITE)])
def test_a_mutated_run_is_read_or_refused(seed, tmp_path):
    folder, done = mutate(tmp_path, seed)
    for place in (seed, seed + 4):
        command = list(COMMANDS)[place % 8]
        assert read_run(command, folder) == "", f"{command}: {done}"


def damage(run, line, **changed):
    path = run / "records.jsonl"
    lines = path.read_text().splitlines()
    lines[line - 1] = json.dumps({**json.loads(lines[line - 1]), **changed})
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"value": "many"}, "expected a whole number as value, got 'many'"),
        ({"value": float("inf")}, "expected a whole number as value, got inf"),
        ({"value": -5}, "expected 0 or more as value, got -5"),
        ({"value": 10**400}, "expected"),
        ({"time": -1}, "expected seconds since 1970"),
        ({"attempt": 0}, "expected 1 or more as attempt, got 0"),
        ({"backend": None}, "expected text as backend, got None"),
        ({"unit": "miles"}, "expected the unit 'tokens', got 'miles'"),
    ],
)
def test_a_wrong_record_is_named_with_its_line_field_and_value(run, changed, said):
    damage(run, 1, **changed)
    with pytest.raises(InputError) as caught:
        read.read_records(run, VOCABULARY)
    assert str(caught.value).startswith(f"{run / 'records.jsonl'}: line 1: ")
    assert said in str(caught.value)


def test_lenient_leaves_wrong_records_out_and_counts_them(run):
    for line in (1, 2):
        damage(run, line, value=-5)
    refused = CliRunner().invoke(app, ["table", str(run)])
    assert isinstance(refused.exception, InputError)
    assert "line 1" in str(refused.exception)
    assert "--lenient" in str(refused.exception)
    done = CliRunner().invoke(app, ["table", str(run), "--lenient"])
    assert done.exit_code == 0, done.output
    assert "DAMAGED: 2 records were left out (--lenient); the first is line 1" in " ".join(done.output.split())


def change_header(run, change):
    header = json.loads((run / "run.json").read_text())
    change(header)
    (run / "run.json").write_text(json.dumps(header))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_plan_with_a_backend_that_is_not_described_is_refused(run, command):
    """Each of the commands but `runs` and `pack` ended in a KeyError."""
    change_header(run, lambda header: header["backends"].pop("numpy_plain"))
    assert read_run(command, run) == ""
    with pytest.raises(InputError, match=r"run\.json: plan\.entries: expected names of `backends`; got 'numpy_plain'"):
        read.read_header(run)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_plan_without_backends_is_refused(run, command):
    """`report` ended in a StopIteration."""
    change_header(run, lambda header: header["plan"].update(entries=[]))
    assert read_run(command, run) == ""
    with pytest.raises(InputError, match=r"run\.json: plan\.entries: .* at least 1 item"):
        read.read_header(run)


@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "device"])
@pytest.mark.parametrize("name", ["run.json", "records.jsonl", ".lock", "report.html"])
def test_what_is_no_file_is_refused(run, tmp_path, name, kind):
    (tmp_path / "precious").write_text("precious")
    (run / name).unlink(missing_ok=True)
    make = {
        "link": lambda path: path.symlink_to(tmp_path / "precious"),
        "fifo": os.mkfifo,
        "folder": lambda path: path.mkdir(),
        "device": lambda path: path.symlink_to("/dev/zero"),
    }
    make[kind](run / name)
    with pytest.raises(InputError, match=r"expected a file, got a"):
        read.read_header(run)
    assert (tmp_path / "precious").read_text() == "precious"


def test_tables_are_not_written_through_a_link(run, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    shutil.rmtree(run / "tables", ignore_errors=True)
    (run / "tables").symlink_to(tmp_path / "elsewhere")
    assert isinstance(CliRunner().invoke(app, ["table", str(run)]).exception, InputError)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_records_behind_a_link_are_not_cut_off(run, tmp_path):
    """The last line without its end was removed, wherever the link led."""
    shutil.copy(run / "records.jsonl", tmp_path / "precious")
    with (tmp_path / "precious").open("a") as file:
        file.write("no end")
    before = (tmp_path / "precious").read_bytes()
    (run / "records.jsonl").unlink()
    (run / "records.jsonl").symlink_to(tmp_path / "precious")
    with pytest.raises(InputError, match="got a link"):
        store.Run(run, VOCABULARY)
    assert (tmp_path / "precious").read_bytes() == before


def test_a_damaged_run_is_not_changed_when_it_is_opened_to_be_resumed(run):
    damage(run, 5, attempt="first")
    with (run / "records.jsonl").open("a") as file:
        file.write("no end")
    before = (run / "records.jsonl").read_bytes()
    with pytest.raises(InputError, match="line 5"):
        store.Run(run, VOCABULARY)
    assert (run / "records.jsonl").read_bytes() == before


# Resuming


def test_a_run_of_others_is_not_resumed_without_trust(run, monkeypatch):
    monkeypatch.setattr(start, "_require_same_place", lambda folder, header, cluster: None)
    monkeypatch.setattr(read, "is_complete", lambda finished, header: False)
    header = json.loads((run / "run.json").read_text())
    header["plan"]["folders"] = {"numpy_plain": "/somewhere/theirs"}
    header["plan"]["interpreters"] = ["/somewhere/python"]
    (run / "run.json").write_text(json.dumps(header))
    result = CliRunner().invoke(app, ["run", "--resume", str(run)])
    assert isinstance(result.exception, InputError)
    for words in ("not begun by you", "/somewhere/theirs", "/somewhere/python", f"--resume {run} --trust"):
        assert words in str(result.exception)


def test_what_began_here_is_trusted_until_its_plan_is_changed(run):
    plan = run / "run.json"
    assert not trust.began_here(run, plan)
    trust.sign_plan(run, plan)
    assert trust.began_here(run, plan)
    plan.write_text(plan.read_text().replace('"seed": 0', '"seed": 1'))
    assert not trust.began_here(run, plan)


def test_a_signature_of_another_key_is_none(run, tmp_path, monkeypatch):
    trust.sign_plan(run, run / "run.json")
    monkeypatch.setenv("BAKEOFF_STATE", str(tmp_path / "another"))
    assert not trust.began_here(run, run / "run.json")
    trust.sign_plan(tmp_path / "state", run / "run.json")  # makes a key
    assert not trust.began_here(run, run / "run.json")


def test_the_key_is_the_users_alone(run, tmp_path):
    trust.sign_plan(run, run / "run.json")
    assert (tmp_path / "state" / "key").stat().st_mode & 0o077 == 0


def test_with_trust_the_other_conditions_of_resuming_hold(run):
    with pytest.raises(InputError, match="Start a new run"):
        start.resume(run, trust=True)


def test_a_complete_run_is_printed_by_resume_although_nothing_of_it_is_here(run):
    result = CliRunner().invoke(app, ["run", "--resume", str(run)])
    assert result.exit_code == 0, result.exception
    assert "is complete: nothing is left to do." in result.stderr
    assert "numpy_plain:plain" in result.stdout


# Two runs in one second


def test_two_runs_of_one_second_have_two_folders(tmp_path, run):
    header = {
        key: value
        for key, value in json.loads((run / "run.json").read_text()).items()
        if key not in ("format", "created")
    }
    runs = [store.Run.create(tmp_path / "results", header, VOCABULARY) for _ in range(3)]
    for each in runs:
        each.close()
    assert len({each.folder for each in runs}) == 3


# Data, in the terminal and in files


HOSTILE = "\x1b]52;c;aGk=\x07[bold]=1+1<script>alert(1)</script>|![x](javascript:y)"


@pytest.fixture
def hostile(run):
    """Return a run whose title, data name, notes and message are hostile."""
    header = json.loads((run / "run.json").read_text())
    header["data"]["name"] = HOSTILE
    header["data"]["notes"] = [HOSTILE]
    header["backends"]["numpy_plain"]["title"] = HOSTILE
    (run / "run.json").write_text(json.dumps(header))
    return run


def test_names_are_data_in_the_terminal(hostile):
    result = CliRunner().invoke(app, ["table", str(hostile)])
    assert result.exit_code == 0
    assert "\x1b]" not in result.output
    assert "[bold]" in result.output


def test_names_are_data_in_markdown_and_csv(hostile):
    CliRunner().invoke(app, ["table", str(hostile)])
    for path in (hostile / "tables").iterdir():
        text = path.read_text()
        assert "\x1b" not in text
        if path.suffix == ".md":
            assert "|script" not in text
            assert "<script" not in text.replace("\\<script", "")


def test_names_are_data_in_html(hostile, tmp_path):
    result = CliRunner().invoke(app, ["report", str(hostile), "-o", str(tmp_path / "page.html")])
    assert result.exit_code == 0, result.exception
    assert "<script>alert(1)" not in (tmp_path / "page.html").read_text()


def test_a_formula_in_a_csv_file_has_an_apostrophe():
    import pandas as pd
    from bakeoff.report.text import to_csv

    table = pd.DataFrame(
        {"name": ["=1+1", "+cmd", "@x", "-", "-5", "+1.5", "a", "-2+3"], "value": [-1, 2, 3, 4, 5, 6, 7, 8]}
    )
    names = [line.split(",")[0] for line in to_csv(table).splitlines()[1:]]
    assert names == ["'=1+1", "'+cmd", "'@x", "-", "-5", "+1.5", "a", "'-2+3"]
