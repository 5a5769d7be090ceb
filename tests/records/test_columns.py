"""The columns of a run are those of its records, whether they are read from the file or found in the cache."""

import json
import shutil
import zipfile

import pandas as pd
import pytest
from bakeoff.common.cache import cache_folder
from bakeoff.common.errors import InputError
from bakeoff.measures import VOCABULARY
from bakeoff.records import columns
from bakeoff.records.columns import read_columns
from bakeoff.records.query import Query
from bakeoff.records.read import read_records
from bakeoff.records.vocabulary import FINISHED, NONE, Figure, Vocabulary

from tests.paths import SAVED_RUN

LENGTH = Figure("garden", "length", "m", "How long.", keys=("backend",), optional=("steps", "names", "point", "since"))
WORD = Figure("garden", "word", "", "Anything.", values=(str, int, float, bool, NONE))
GARDEN = Vocabulary((LENGTH, WORD))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Keep copies of small files too, in a cache of the test's own."""
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(columns, "WORTH_KEEPING_BYTES", 1)


@pytest.fixture
def run(tmp_path):
    return shutil.copytree(SAVED_RUN, tmp_path / "run")


def write(folder, *rows, task="t", attempt=1, finished=True):
    head = {"task": task, "attempt": attempt, "time": 1.0}
    records = [{**head, **figure.record(value, **keys)} for figure, value, keys in rows]
    if finished:
        records.append({**head, **FINISHED.record(1.0)})
    folder.mkdir(exist_ok=True)
    with (folder / "records.jsonl").open("a") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)
    return folder


def copies():
    return sorted((cache_folder() / "records").glob("*"))


def rows_of(source, figure):
    rows = Query(source).rows(figure)
    return rows.astype(object).where(rows.notna(), None).to_dict("records")


@pytest.mark.parametrize("again", [False, True], ids=["from the file", "from the cache"])
def test_every_figure_has_the_rows_that_the_records_have(run, again):
    if again:
        read_columns(run, VOCABULARY)
        assert len(copies()) == 1
    found, expected = read_columns(run, VOCABULARY), read_records(run, VOCABULARY)
    assert sum(len(Query(found).rows(figure)) for figure in VOCABULARY.figures.values()) == len(expected) > 0
    for figure in VOCABULARY.figures.values():
        assert rows_of(found, figure) == rows_of(expected, figure)


@pytest.mark.parametrize("chunk", [1, 2, 1000])
def test_values_keep_their_types_however_they_are_mixed(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(columns, "CHUNK", chunk)
    values = ["a", 3, 2.5, True, None, "", 10**30, 1e300, 3.0]
    folder = write(tmp_path / "run", *((WORD, value, {}) for value in values))
    for _ in range(2):
        found = Query(read_columns(folder, GARDEN)).rows(WORD)["value"].tolist()
        assert found[:4] == values[:4]
        assert pd.isna(found[4])
        assert found[5:] == values[5:]
        assert list(map(type, found[:4] + found[5:])) == list(map(type, values[:4] + values[5:]))


def test_parts_absent_keys_and_not_a_number_come_back(tmp_path):
    keys = [{"names": ["x", "y"]}, {"steps": 3, "point": 16}, {"point": "wide", "since": None}, {}]
    folder = write(tmp_path / "run", *((LENGTH, float("nan"), {"backend": "ant", **each}) for each in keys))
    for _ in range(2):
        rows = Query(read_columns(folder, GARDEN)).rows(LENGTH, backend="ant")
        assert rows["names"].iloc[0] == ["x", "y"]
        assert rows["point"].iloc[1:3].tolist() == [16, "wide"]
        assert rows["steps"].dropna().tolist() == [3]
        assert rows[["since", "value"]].isna().all(axis=None)
        assert rows.index.tolist() == [0, 1, 2, 3]


def test_only_the_last_finished_attempt_at_a_task_counts(tmp_path):
    folder = write(tmp_path / "run", (LENGTH, 1.0, {"backend": "ant"}), finished=False)
    write(folder, (LENGTH, 2.0, {"backend": "ant"}), attempt=2)
    write(folder, (LENGTH, 3.0, {"backend": "ant"}), task="u", attempt=1, finished=False)
    for _ in range(2):
        assert Query(read_columns(folder, GARDEN)).values(LENGTH).tolist() == [2.0]
    assert not len(Query(read_columns(write(tmp_path / "killed", (WORD, 1, {}), finished=False), GARDEN)).rows(WORD))


def test_a_last_value_is_a_plain_number_of_its_type(tmp_path):
    folder = write(tmp_path / "run", (LENGTH, 3, {"backend": "ant"}), (LENGTH, 4, {"backend": "ant"}))
    last = Query(read_columns(folder, GARDEN)).last(LENGTH, backend="ant")
    assert (last, type(last)) == (4, int)


@pytest.mark.parametrize("again", [False, True], ids=["from the file", "from the cache"])
def test_some_columns_are_those_of_all(run, again):
    if again:
        read_columns(run, VOCABULARY)
    some, every = (Query(read_columns(run, VOCABULARY)) for _ in range(2))
    for figure in VOCABULARY.figures.values():
        rows = every.rows(figure)
        names = ["value", *figure.keys]
        pd.testing.assert_frame_equal(some.columns(figure, names), rows[names])
        if len(rows) and {"backend", "variant"} <= set(figure.keys):
            who = dict(rows.iloc[-1][["backend", "variant"]])
            pd.testing.assert_frame_equal(some.columns(figure, names, **who), every.rows(figure, **who)[names])
            assert len(every.of(figure, *who.values())) == len(some.of(figure, *who.values(), names)) > 0


def test_a_key_that_a_figure_does_not_declare_is_an_error(run):
    query = Query(read_columns(run, VOCABULARY))
    for ask in (lambda: query.rows(FINISHED, rows=3), lambda: query.columns(FINISHED, ["rows"])):
        with pytest.raises(KeyError):
            ask()


# The cache


def test_a_copy_of_other_records_is_never_used(tmp_path):
    folder = write(tmp_path / "run", (LENGTH, 1.0, {"backend": "ant"}))
    stamp = (folder / "records.jsonl").stat()
    assert Query(read_columns(folder, GARDEN)).values(LENGTH).tolist() == [1.0]
    text = (folder / "records.jsonl").read_text().replace('"value": 1.0', '"value": 7.0', 1)
    (folder / "records.jsonl").write_text(text)
    assert (folder / "records.jsonl").stat().st_size == stamp.st_size
    assert Query(read_columns(folder, GARDEN)).values(LENGTH).tolist() == [7.0]
    assert len(copies()) == 2


def test_a_damaged_copy_is_made_again(tmp_path):
    folder = write(tmp_path / "run", (LENGTH, 1.0, {"backend": "ant"}))
    read_columns(folder, GARDEN)
    (copy,) = copies()
    whole = copy.read_bytes()
    with zipfile.ZipFile(copy) as archive:
        start = archive.getinfo("garden/length").header_offset
    for damaged in (whole[:100], b"", whole[: start + 60] + bytes([whole[start + 60] ^ 1]) + whole[start + 61 :]):
        copy.write_bytes(damaged)
        assert Query(read_columns(folder, GARDEN)).values(LENGTH).tolist() == [1.0]
        assert copies() == [copy]
        assert copy.read_bytes() == whole


def test_a_copy_is_of_one_vocabulary(tmp_path):
    folder = write(tmp_path / "run", (LENGTH, 1.0, {"backend": "ant"}))
    read_columns(folder, GARDEN)
    with pytest.raises(InputError, match=r"line 1: expected a measure"):
        read_columns(folder, VOCABULARY)


def test_what_lies_in_the_run_folder_does_not_count_and_nothing_is_put_there(run):
    before = sorted(path.name for path in run.iterdir())
    read_columns(run, VOCABULARY)
    assert sorted(path.name for path in run.iterdir()) == before


def test_without_a_cache_that_can_be_written_all_works(run, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "file" / "cache"))
    for _ in range(2):
        assert len(Query(read_columns(run, VOCABULARY)).rows(FINISHED))


def test_the_copies_that_were_used_least_recently_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(columns, "MOST_KEPT", 2)
    folders = [write(tmp_path / f"run{each}", (LENGTH, each, {"backend": "ant"})) for each in range(3)]
    for folder in folders:
        read_columns(folder, GARDEN)
    assert len(copies()) == 2


def test_a_wrong_record_is_named_with_its_line(run):
    with (run / "records.jsonl").open("a") as file:
        file.write('{"task": "t"}\n')
    lines = len((run / "records.jsonl").read_text().splitlines())
    with pytest.raises(InputError, match=rf"line {lines}: expected the keys"):
        read_columns(run, VOCABULARY)
    assert not copies()
