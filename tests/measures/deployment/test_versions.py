"""Which versions of a runtime read a file: what an ONNX file asks for, and the search among older versions."""

from pathlib import Path
from types import SimpleNamespace

from bakeoff.measures.deployment import figures, versions
from bakeoff.measures.deployment.measure import try_path
from bakeoff.measures.deployment.records import select
from bakeoff.measures.deployment.tables import tabulate_versions
from bakeoff.runner.deployment import Recorder
from bakeoff.runner.deployment_oracle import find_truth, make_training

from tests.measures.deployment.liars import make_path
from tests.paths import ROOT


def message(*fields):
    """Return a protocol buffer: of each field its number, and a number or bytes."""
    content = b""
    for number, value in fields:
        if isinstance(value, int):
            content += number_of(number << 3) + number_of(value)
        else:
            content += number_of(number << 3 | 2) + number_of(len(value)) + value
    return content


def number_of(value):
    content = b""
    while value >= 0x80:
        content, value = content + bytes([value & 0x7F | 0x80]), value >> 7
    return content + bytes([value])


def test_an_onnx_file_says_what_it_asks_for():
    opsets = [(8, message((1, b""), (2, 18))), (8, message((1, b"ai.onnx.ml"), (2, 300)))]
    content = message((1, 10), (2, b"a producer"), (7, b"x" * 5000), *opsets)
    assert versions.describe_onnx(content) == "ONNX format 10, operators ai.onnx 18, operators ai.onnx.ml 300"
    assert versions.describe_onnx(message((7, b"x"))) == "ONNX format unknown"


def test_older_versions_have_hashed_pins_of_the_runtime_and_come_in_order():
    for runtime in ("onnxruntime", "litert"):
        older = versions.list_older(runtime)
        assert [version for _, version, _ in older] == sorted(
            (version for _, version, _ in older), key=lambda text: [int(part) for part in text.split(".")]
        )
        for package, version, file in older:
            text = file.read_text()
            assert f"{package}=={version} " in text
            assert all("==" in line for line in text.splitlines() if not line.startswith((" ", "#")))
            pinned = (ROOT / "backends" / "_serving" / runtime / "requirements.txt").read_text()
            assert f"{package}=={version} " not in pinned


def test_the_search_ends_at_the_first_version_that_reads(tmp_path, monkeypatch):
    path, places = make_path(tmp_path)
    training = make_training("float32")
    served = path._replace(export=path.export.model_copy(update={"serves_with": "onnxruntime"}))
    contestant = try_path(path, places, training, find_truth, tmp_path / "out", Recorder("deploy"))
    asked = []

    def build(name, *given):
        asked.append(name)
        # The first has no NumPy, and so cannot read the file.
        python = Path("/usr/bin/false") if len(asked) == 1 else places.serve.python
        return SimpleNamespace(python=python)

    monkeypatch.setattr(versions, "build_runtime", build)
    monkeypatch.setattr(type(served), "function", property(lambda self: "npz"))
    write = Recorder("deploy")
    versions.try_versions(contestant._replace(path=served), training.x, write, lambda line: None)
    read = select(write.records, figures.READS)
    assert [(row["of"], row["value"]) for row in read] == [("older", False), ("older", True), ("pinned", True)]
    assert asked == [f"serving-onnxruntime-{row['version']}" for row in read[:2]]
    assert read[0]["reason"]
    write(figures.EXPORTED, True, dtype="float32", **served.keys)
    (row,) = tabulate_versions(write.records).to_dict("records")
    assert row["older version reads it"] == f"{read[0]['version']}: no, {read[1]['version']}: yes"


def test_no_other_version_of_a_framework_is_tried(tmp_path):
    path, _ = make_path(tmp_path)
    write = Recorder("deploy")
    versions.try_versions(SimpleNamespace(path=path), None, write, lambda line: None)
    assert write.records == []
