"""What a record must be: of a declared figure, with its unit, its keys and their types."""

import json
import time

import pytest
from bakeoff.common.errors import InputError
from bakeoff.measures import VOCABULARY
from bakeoff.records import read
from bakeoff.records.reference import figures_as_markdown
from bakeoff.records.vocabulary import KEYS

from ..paths import SAVED_RUN

RECORD = {
    "task": "round 1", "attempt": 1, "time": 1.0, "measure": "speed", "figure": "first_call", "value": 0.5, "unit": "s",
    "round": 1, "backend": "a", "variant": "b", "self_test": False, "steps": 8,
}  # fmt: skip


def test_a_record_as_declared_is_correct():
    assert VOCABULARY.problem(RECORD) == ""


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"measure": "spede"}, "expected a measure: task, ease, speed"),
        ({"figure": "first call"}, "expected a figure of speed: peak_rate"),
        ({"figure": []}, "expected text as figure, got []"),
        ({"unit": "ms"}, "speed/first_call: expected the unit 's', got 'ms'"),
        ({"value": "0.5"}, "expected a number or a whole number as value, got '0.5'"),
        ({"value": True}, "expected a number or a whole number as value, got True"),
        ({"round": "1"}, "expected a whole number as round, got '1'"),
        ({"round": True}, "expected a whole number as round, got True"),
        ({"self_test": 0}, "expected true or false as self_test, got 0"),
        ({"turn": 1}, "expected no key but round, backend, variant, self_test, steps; got turn"),
    ],
)
def test_what_is_wrong_with_a_record_is_named(changed, problem):
    assert problem in VOCABULARY.problem({**RECORD, **changed})


@pytest.mark.parametrize("key", RECORD)
def test_a_missing_key_is_named(key):
    rest = {name: value for name, value in RECORD.items() if name != key}
    assert f"{key} is missing" in VOCABULARY.problem(rest)


def test_the_file_and_the_line_of_a_wrong_record_are_named(tmp_path):
    lines = [json.dumps(RECORD), json.dumps({**RECORD, "unit": "ms"})]
    (tmp_path / "records.jsonl").write_text("".join(f"{line}\n" for line in lines))
    with pytest.raises(InputError, match=r"records\.jsonl: line 2: speed/first_call: expected the unit 's', got 'ms'"):
        read.read_records(tmp_path, VOCABULARY)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"plan": None}, r"run\.json: plan: Input should be"),
        ({"extra": 1}, r"run\.json: extra: Extra inputs are not permitted; got 1"),
        ({"backends": {"a": {"title": "A", "version": "1"}}}, r"run\.json: backends\.a\.source: Field required"),
    ],
)
def test_what_is_wrong_with_run_json_is_named(tmp_path, changed, problem):
    header = json.loads((SAVED_RUN / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**header, **changed}))
    with pytest.raises(InputError, match=problem):
        read.read_header(tmp_path)


def test_every_key_of_every_figure_has_declared_types():
    keys = {key for figure in VOCABULARY.figures.values() for key in (*figure.keys, *figure.optional)}
    assert keys <= set(KEYS)


def test_validating_a_run_takes_a_small_share_of_a_second():
    records = [dict(RECORD) for _ in range(25_000)]
    began = time.process_time()
    assert not any(map(VOCABULARY.problem, records))
    assert time.process_time() - began < 2


def test_the_reference_lists_every_figure():
    text = figures_as_markdown(VOCABULARY)
    assert "| `first_call` | s | The first call of `train`, compilation included. |" in text
    assert text.count("\n| `") == len(VOCABULARY.figures)
