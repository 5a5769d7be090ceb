"""The real frameworks' exports: each agrees with the oracle in a clean process, and float64 is what was seen of it."""

import os

import pytest
from bakeoff import environments
from bakeoff.environments import Environment
from bakeoff.measures.deployment import figures
from bakeoff.measures.deployment.checkpoints import DIFFERENT, FAILED, measure_checkpoint
from bakeoff.measures.deployment.measure import prepare_places, try_float64, try_path
from bakeoff.measures.deployment.paths import list_paths
from bakeoff.measures.deployment.records import select, value_of
from bakeoff.registry import entries as registry_entries
from bakeoff.runner.deployment import CHECKPOINT_FILE, Recorder
from bakeoff.runner.deployment_oracle import choose_trainings, find_training_floors, find_truth
from bakeoff.workers.launch import place_of

from tests.tiers import mark_all_but_first

SUBJECTS = registry_entries.select(registry_entries.read_all(), os.environ.get("BAKEOFF_BACKENDS") or None)
"""As in tests/conformance: `tox -e backend-...` tries one at a time."""
PATHS = list_paths(list({entry.name: entry.whole for entry, _ in SUBJECTS}.values()))
FLOAT64_SEEN = {
    # Seen in 3.3.1 with the default settings, which compute with oneDNN.
    "paddlepaddle:inference": "wrong",
    # keras.backend.result_type makes float32 of float64 on every engine but TensorFlow: keras-team/keras#23704.
    "keras3:jax_keras": "reduced",
    "keras3:torch_keras": "reduced",
    "keras3:torch_onnx": "reduced",
    "keras3:jax_onnx": "refused",
}
"""What became of float64 where that is not what the backend claims of the path."""

FAILURES_SEEN = {
    # The converter hands on an attribute of Caffe2's operator that the ONNX operator of that name does not have.
    "caffe2_nets:onnx": "Unrecognized attribute: trans_b for operator MatMul",
}
"""Why a path gives no answer, where it does not."""


def base_of(entry):
    built = environments.build(entry)
    assert isinstance(built, Environment)
    return built


@pytest.mark.conformance
@pytest.mark.parametrize("path", mark_all_but_first(PATHS, lambda path: path.entry.name), ids=lambda path: path.label)
def test_a_path_agrees_with_the_oracle(path, tmp_path):
    write = Recorder("deploy")
    trainings = choose_trainings(path.entry)
    places = prepare_places(path, base_of(path.entry), tmp_path, None, write, lambda line: None)
    contestant = try_path(path, places, trainings["float32"], find_truth, tmp_path / "out", write)
    (exported,) = select(write.records, figures.EXPORTED)
    if path.label in FAILURES_SEEN:
        assert FAILURES_SEEN[path.label] in exported["reason"]
        return
    assert contestant is not None, exported.get("reason")
    assert value_of(write.records, figures.DYNAMIC_BATCH) is path.export.dynamic_batch
    assert value_of(write.records, figures.EXPORT_TOKENS) > 0
    found = try_float64(path, places, trainings["float64"], find_truth, tmp_path / "out", write)
    assert found == FLOAT64_SEEN.get(path.label, path.export.float64)


PARTS = {entry.label: (entry, variant) for entry, variant in reversed(SUBJECTS)}
"""Of each environment its first variant."""


@pytest.mark.conformance
@pytest.mark.full
@pytest.mark.parametrize(
    "label", [label for label, (entry, _) in PARTS.items() if (entry.folder / CHECKPOINT_FILE).is_file()]
)
def test_training_goes_on_from_a_checkpoint(label, tmp_path):
    entry, variant = PARTS[label]
    said = []
    place = place_of(entry, variant, base_of(entry).python, log=tmp_path / "worker.log")
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    training = choose_trainings(entry)["float32"]
    verdict = measure_checkpoint(
        place, variant, training, find_training_floors, folder, lambda figure, value, **keys: said.append(keys)
    )
    assert verdict.partition(":")[0] not in (DIFFERENT, FAILED), (verdict, said)
