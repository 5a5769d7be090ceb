"""What a wrong export, or a wrong server, is caught by: each is an edit of a correct one."""

import numpy as np
import pytest
from bakeoff.measures.deployment import figures, http, judge, measure
from bakeoff.measures.deployment.http import Load
from bakeoff.measures.deployment.measure import try_float64, try_path
from bakeoff.measures.deployment.records import value_of
from bakeoff.measures.deployment.servers import ONE_AT_A_TIME, build_http, common_host
from bakeoff.measures.deployment.tables import describe_failures, tabulate_http
from bakeoff.runner.deployment import Recorder
from bakeoff.runner.deployment_oracle import find_truth, make_training

from tests.measures.deployment import liars
from tests.measures.deployment.liars import make_path

TRAININGS = {dtype: make_training(dtype) for dtype in ("float32", "float64")}


def try_liar(tmp_path, *edits):
    path, places = make_path(tmp_path, *edits)
    write = Recorder("deploy")
    contestant = try_path(path, places, TRAININGS["float32"], find_truth, tmp_path / "out", write)
    return contestant, write.records


def reason_of(records):
    (row,) = [row for row in records if row["figure"] == figures.EXPORTED.name]
    return row.get("reason", "")


def test_the_correct_export_agrees(tmp_path):
    contestant, records = try_liar(tmp_path)
    assert contestant is not None, reason_of(records)
    assert value_of(records, figures.EXPORTED) is True
    assert value_of(records, figures.DYNAMIC_BATCH) is True
    assert value_of(records, figures.SERVED_FLOORS) < 16
    assert 0 < value_of(records, figures.EXTRA_BYTES) < 10_000


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        ([liars.TRAINING_MODE], "floors, allowed 16"),
        ([liars.NO_NORMALISATION], "floors, allowed 16"),
        ([liars.NOT_A_NUMBER], "not a number"),
        ([liars.REMEMBERS, liars.READS_HOME], "No such file"),
        ([liars.BORROWS], "cannot import name 'model'"),
        ([liars.NOTHING], "export wrote no file"),
        ([liars.DIES], "the worker ended itself with exit code 7 during predict"),
    ],
    ids=[
        "training mode",
        "no normalisation",
        "NaN",
        "remembers its folder",
        "needs model.py",
        "writes nothing",
        "dies",
    ],
)
def test_a_wrong_export_does_not_pass(tmp_path, edits, said):
    contestant, records = try_liar(tmp_path, *edits)
    assert contestant is None
    assert said in reason_of(records)


@pytest.mark.parametrize("edit", [liars.TRAINING_MODE, liars.NO_NORMALISATION], ids=["training mode", "no norm"])
def test_only_the_comparison_with_the_oracle_stops_a_wrong_export(tmp_path, edit, monkeypatch):
    monkeypatch.setattr(measure, "explain_difference", lambda answer, truth: "")
    contestant, _ = try_liar(tmp_path, edit)
    assert contestant is not None


@pytest.mark.parametrize("edit", [liars.SINGLE_ANSWER, liars.SINGLE_INSIDE], ids=["answers", "computes"])
def test_only_the_limit_of_float64_finds_float32(tmp_path, edit, monkeypatch):
    monkeypatch.setattr(judge, "LIMIT", 1e30)
    path, places = make_path(tmp_path, edit)
    write = Recorder("deploy")
    found = try_float64(path, places, TRAININGS["float64"], find_truth, tmp_path / "out", write)
    # An answer in float32 is found by its dtype, whatever the limit.
    assert found == ("reduced" if edit is liars.SINGLE_ANSWER else "exact")


def test_a_file_that_serves_pairs_only_has_no_dynamic_batch(tmp_path):
    contestant, records = try_liar(tmp_path, liars.PAIRS_ONLY)
    assert contestant is not None, reason_of(records)
    assert value_of(records, figures.DYNAMIC_BATCH) is False


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (liars.HONEST, "exact"),
        (liars.SINGLE_ANSWER, "reduced"),
        (liars.SINGLE_INSIDE, "reduced"),
        (liars.REFUSES_DOUBLE, "refused"),
        (liars.NO_NORMALISATION, "wrong"),
        (liars.TRAINING_MODE, "wrong"),
    ],
    ids=["exact", "answers in float32", "computes in float32", "refuses", "no normalisation", "training mode"],
)
def test_float64_is_exact_reduced_refused_or_wrong(tmp_path, edit, found):
    path, places = make_path(tmp_path, *([edit] if edit else []))
    write = Recorder("deploy")
    assert try_float64(path, places, TRAININGS["float64"], find_truth, tmp_path / "out", write) == found
    assert value_of(write.records, figures.FLOAT64) == found


@pytest.mark.environments
@pytest.mark.parametrize("lie", [None, liars.MIXES_UP, liars.STUMBLES], ids=["honest", "mixes up", "stumbles"])
def test_a_network_that_cannot_be_called_from_several_threads_is_caught(tmp_path, lie, monkeypatch):
    monkeypatch.setattr(http, "SECONDS", 1.0)
    monkeypatch.setattr(http, "CLIENTS", (1, 8))
    contestant, records = try_liar(tmp_path, *([lie] if lie else []))
    assert contestant is not None, reason_of(records)
    write = Recorder("deploy")
    environment = build_http(lambda line: None)
    keys = contestant.path.keys

    def serve(name):
        (tmp_path / str(name)).mkdir()
        host = common_host(environment, contestant, name)
        x = TRAININGS["float32"].x
        return http.measure_http(contestant, host, environment, x, None, tmp_path / str(name), write)

    problem = serve(None)
    if lie is None:
        assert problem == ""
        assert value_of(write.records, figures.HTTP_RATE, clients=8) > 0
        return
    assert "with 8 clients" in problem
    assert ("the answer to row" in problem) == (lie is liars.MIXES_UP)
    assert ("requests failed: RuntimeError: two at a time" in problem) == (lie is liars.STUMBLES)
    assert value_of(write.records, figures.HTTP_CORRECT, **keys) is False
    assert value_of(write.records, figures.HTTP_RATE, clients=8, **keys) is None
    assert not any("lock" in sentence for sentence in describe_failures(write.records))
    assert serve(ONE_AT_A_TIME) == ""
    assert [row["answers"] for row in tabulate_http([*records, *write.records]).to_dict("records")] == ["NO", "correct"]
    assert value_of(write.records, figures.HTTP_RATE, clients=8, by=ONE_AT_A_TIME, **keys) > 0
    (sentence,) = describe_failures(write.records)
    assert sentence.endswith("right with a lock around each call: it is not safe to call from several threads")


def test_answers_of_other_rows_are_named():
    training = TRAININGS["float32"]
    truth = find_truth(training.spec, training.arrays, training.x[:5], {})
    rows = np.array([0, 1, 2])
    right = Load(np.ones(3), rows, truth.probabilities[rows], 1.0)
    assert http.judge(right, truth) == ""
    assert "the answer to row 2" in http.judge(right._replace(probabilities=truth.probabilities[[0, 2, 2]]), truth)
    failed = right._replace(probabilities=np.full((3, truth.probabilities.shape[1]), np.nan))
    assert "3 of 3 requests failed" in http.judge(failed, truth)
