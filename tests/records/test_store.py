"""The run folder: what was written stays, what was cut off is gone, and what is no run is refused with a sentence."""

import contextlib
import json
import threading

import pytest
from bakeoff.common.errors import InputError
from bakeoff.records import read
from bakeoff.records.store import Run
from bakeoff.records.vocabulary import Figure, Vocabulary

from ..paths import SAVED_RUN

HEADER = {
    **{
        key: value
        for key, value in json.loads((SAVED_RUN / "run.json").read_text()).items()
        if key not in ("format", "created")
    },
    "spec_hash": "0123456789ab",
}
SLICE = Figure("speed", "slice", "s", "A slice.", optional=("block", "backend"))
VOCABULARY = Vocabulary([SLICE])


@pytest.fixture
def run(tmp_path):
    with Run.create(tmp_path / "results", HEADER, VOCABULARY) as made:
        yield made


def lines(run):
    return (run.folder / "records.jsonl").read_bytes().splitlines(keepends=True)


def values(folder, **which):
    return read.read_records(folder, VOCABULARY, **which)["value"].tolist()


def measured(run, task="a", value=1.5):
    """Write a task with one value, to its end."""
    with run.task(task) as attempt:
        attempt.add(SLICE, value)


class Killed(BaseException):
    """Stands for whatever ends a run in the middle of a task."""


def killed_in(run, task, value):
    """Write a task with one value, and no end."""
    with contextlib.suppress(Killed), run.task(task) as attempt:
        attempt.add(SLICE, value)
        raise Killed


# Writing


def test_a_record_is_on_the_disk_as_soon_as_it_is_added(run):
    with run.task("round 1") as task:
        task.add(SLICE, 0.02, block=3, backend="a")
        (line,) = lines(run)
    record = json.loads(line)
    assert record.pop("time") > 1.7e9
    assert record == {
        "task": "round 1",
        "attempt": 1,
        "measure": "speed",
        "figure": "slice",
        "value": 0.02,
        "unit": "s",
        "block": 3,
        "backend": "a",
    }


def test_what_was_written_is_a_prefix_of_what_is_written_later(run):
    measured(run, "a")
    before = b"".join(lines(run))
    run.close()
    with Run(run.folder, VOCABULARY) as again:
        measured(again, "b")
        assert b"".join(lines(again)).startswith(before)
        assert len(lines(again)) == 4


def test_records_of_several_threads_are_whole_lines(run):
    with run.task("crowd") as task:
        each = [
            threading.Thread(target=lambda n=n: [task.add(SLICE, n, backend="x" * 500) for _ in range(20)])
            for n in range(8)
        ]
        for thread in each:
            thread.start()
        for thread in each:
            thread.join()
    found = [
        value for value, figure in zip(*(read.read_records(run.folder, VOCABULARY)[c] for c in ("value", "figure")))
    ]
    assert sorted(found[:-1]) == sorted(list(range(8)) * 20)


def test_run_json_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    """It is written beside, and renamed: a kill between the two leaves no run.json."""
    seen = []

    def killed(aside, final):
        seen.append((json.loads(aside.read_text())["spec_hash"], final.exists()))
        raise Killed

    monkeypatch.setattr("pathlib.Path.rename", killed)
    with pytest.raises(Killed):
        Run.create(tmp_path, HEADER, VOCABULARY)
    assert seen == [("0123456789ab", False)]
    assert not list(tmp_path.glob("*/run.json"))
    with pytest.raises(InputError, match="no runs here yet"):
        read.latest(tmp_path)


def test_run_json_holds_the_format_the_moment_and_the_plan(run):
    header = read.read_header(run.folder)
    assert header["format"] == read.FORMAT
    assert header["plan"] == HEADER["plan"]
    assert header["created"].endswith("Z")
    assert run.folder.name.startswith(header["created"][:10])
    assert run.folder.name.endswith("-0123456789ab")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be written: Not a directory\. Pass --results"):
        Run.create(tmp_path / "file", HEADER, VOCABULARY)


def test_two_writers_are_refused(run):
    with pytest.raises(InputError, match="another bakeoff is writing this run"):
        Run(run.folder, VOCABULARY)
    run.close()
    with Run(run.folder, VOCABULARY) as second:
        assert second.folder == run.folder


# What a kill leaves behind


@pytest.mark.parametrize("keep", [1, 30, -1])
def test_a_torn_last_line_is_dropped_and_nothing_else(run, keep):
    measured(run, "a", 1.5)
    whole = lines(run)
    run.close()
    path = run.folder / "records.jsonl"
    path.write_bytes(b"".join(whole) + whole[0][:keep])
    assert values(run.folder) == values(run.folder, finished_only=False)  # reading alone drops it, and mends nothing
    assert values(run.folder)[0] == 1.5
    assert path.read_bytes() == b"".join(whole) + whole[0][:keep]
    with Run(run.folder, VOCABULARY) as again:
        assert lines(again) == whole
        measured(again, "b", 2.5)
        assert lines(again)[:2] == whole
    assert values(run.folder)[::2] == [1.5, 2.5]


def test_a_file_that_is_one_torn_line_becomes_empty(run):
    run.close()
    (run.folder / "records.jsonl").write_bytes(b'{"task":')
    with Run(run.folder, VOCABULARY) as again:
        assert lines(again) == []
        assert not again.finished("a")


def test_records_of_an_attempt_that_did_not_end_are_not_read(run):
    measured(run, "a", 1.0)
    killed_in(run, "b", 2.0)
    table = read.read_records(run.folder, VOCABULARY)
    assert table["value"].tolist()[0] == 1.0
    assert set(table["task"]) == {"a"}
    assert 2.0 in values(run.folder, finished_only=False)


def test_the_next_attempt_has_the_next_number_and_is_the_one_read(run):
    killed_in(run, "a", 1.0)
    run.close()
    with Run(run.folder, VOCABULARY) as again:
        assert not again.finished("a")
        measured(again, "a", 3.0)
        assert again.finished("a")
    table = read.read_records(run.folder, VOCABULARY)
    assert table["attempt"].tolist() == [2, 2]
    assert table["value"].tolist()[0] == 3.0


def test_of_two_attempts_that_ended_the_later_is_read(run):
    measured(run, "a", 1.0)
    measured(run, "a", 3.0)
    killed_in(run, "a", 5.0)
    table = read.read_records(run.folder, VOCABULARY)
    assert table["attempt"].tolist() == [2, 2]
    assert table["value"].tolist()[0] == 3.0


def test_what_was_finished_is_known_when_a_run_is_opened_again(run):
    measured(run, "a")
    killed_in(run, "b", 1.0)
    run.close()
    with Run(run.folder, VOCABULARY) as again:
        assert (again.finished("a"), again.finished("b"), again.finished("c")) == (True, False, False)


def test_no_records_are_an_empty_table(run):
    assert len(read.read_records(run.folder, VOCABULARY)) == 0
    run.close()
    (run.folder / "records.jsonl").unlink()
    assert {"task", "measure", "figure", "value"} <= set(read.read_records(run.folder, VOCABULARY).columns)


# What is no run


@pytest.mark.parametrize("line", [b"not json", b'{"task": "a"', b"5", b"[1, 2]", b'"text"', b"{}", b"\xff\xfe", b""])
def test_a_line_that_is_no_record_is_refused_with_its_number(run, line):
    measured(run)
    run.close()
    with (run.folder / "records.jsonl").open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(InputError, match=r"records.jsonl: line 3: (is no JSON|expected)"):
        read.read_records(run.folder, VOCABULARY)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"format": 1}', "expected format 2, got 1. Use the version of Bakeoff that wrote it"),
        ("{}", "expected format 2, got None"),
        ("[]", "expected format 2, got None"),
        ("{", "run.json: cannot be read: Expecting"),
        ("", "run.json: cannot be read: Expecting"),
    ],
)
def test_a_run_json_of_another_format_is_refused(tmp_path, text, sentence):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputError, match=sentence):
        read.read_header(tmp_path)


def test_a_run_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    names = []
    for spec_hash in ("aaaaaaaaaaaa", "bbbbbbbbbbbb"):
        with Run.create(tmp_path, {**HEADER, "spec_hash": spec_hash}, VOCABULARY) as made:
            names.append(made.folder.name)
    with pytest.raises(InputError) as caught:
        read.read_header(tmp_path / "2026-11-22")
    assert "no run here (expected a folder with run.json)" in str(caught.value)
    assert f"There are: {', '.join(sorted(names))}." in str(caught.value)


def test_a_run_that_is_not_there_among_none_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no run here \(expected a folder with run.json\)\.$"):
        read.read_header(tmp_path / "none")


def test_a_folder_without_records_beside_its_run_json_is_a_run_without_records(run):
    assert len(read.read_records(run.folder, VOCABULARY, finished_only=False)) == 0


def test_the_latest_is_the_one_created_last(tmp_path):
    for name, created in (("b", "2026-11-20T00:00:00Z"), ("a", "2026-11-22T00:00:00Z"), ("c", "2026-11-21T00:00:00Z")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(json.dumps({"format": 2, **HEADER, "created": created}))
    (tmp_path / "no run").mkdir()
    assert read.latest(tmp_path) == tmp_path / "a"


def test_there_is_no_latest_of_none(tmp_path):
    with pytest.raises(InputError, match=r"no runs here yet. `bakeoff run` makes one"):
        read.latest(tmp_path / "results")
