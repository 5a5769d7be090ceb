"""A run's folder with the records of `bakeoff deploy`: its tables, its section of the page, its verdict."""

import shutil
from types import SimpleNamespace

import pandas as pd
import pytest
from bakeoff.measures.deployment import figures
from bakeoff.measures.deployment.records import RecordsFile
from bakeoff.records.files import DEPLOYMENT_FILE
from bakeoff.report.html.blocks import Parts, list_blocks
from bakeoff.report.report import Report
from bakeoff.runner.deployment import Recorder
from bakeoff.verdict import deployment as readings

from tests.paths import REFERENCE_RUN


@pytest.fixture
def deployed(tmp_path):
    """Return a copy of the reference run in which two exports were tried, one of which failed."""
    folder = shutil.copytree(REFERENCE_RUN, tmp_path / "run")
    file = RecordsFile(folder / DEPLOYMENT_FILE)
    keys = {"backend": "jax_pure", "path": "jax_export", "served_with": "framework"}
    write = Recorder("deploy jax_pure:jax_export")
    write(figures.EXPORTED, True, dtype="float32", **keys)
    write(figures.FLOAT64, "reduced", claimed="exact", what="float64", error=3e-7, **keys)
    write(figures.EXPORT_TOKENS, 89, **keys)
    write(figures.UNDECLARED, 1, names=["beads"], **keys)
    file.add(write.finish())
    write = Recorder("deploy jax_pure:onnx")
    write(figures.EXPORTED, False, dtype="float32", reason="<b>no</b>", **{**keys, "path": "onnx"})
    file.add(write.finish())
    write = Recorder("deploy latency")
    for block in range(16):
        for twin in (False, True):
            more = {"rows": 1, "round": 1, "block": block, "calls": [2e-3, 3e-3], "self_test": twin}
            write(figures.SERVE_LATENCY, 2e-3, **more, **keys)
    file.add(write.finish())
    return Report(folder)


def section_of(report):
    return next(block for block in list_blocks([report], Parts([], None, None)) if block.name == "serving")


def test_the_page_has_a_section_with_the_tables_and_what_failed(deployed):
    block = section_of(deployed)
    titles = [table.title for table in block.tables]
    assert titles == ["How each export serves", "What each export takes", "What failed, or was silent"]
    serving = dict(zip(block.tables[0].headings, block.tables[0].rows[0], strict=True))
    assert serving["path"] == "jax_pure:jax_export"
    assert serving["1 row p50/p95/p99"] == "2.5 ms / 3 ms / 3 ms"
    sentences = [row[1] for row in block.tables[2].rows]
    assert sentences[0] == "jax_pure:onnx failed: <b>no</b>"
    assert sentences[1].startswith("jax_pure:jax_export in float64: reduced, silently")
    assert block.absent == ""
    assert len(block.charts) == 0
    assert set(block.downloads[0].rows["figure"]) >= {"exported", "serve_latency"}


def test_a_run_without_deployment_says_how_to_get_it():
    block = section_of(Report(REFERENCE_RUN))
    assert block.tables == ()
    assert "bakeoff run --deploy" in block.absent


def test_the_tables_are_written(deployed):
    folder = deployed.write()
    table = pd.read_csv(folder / "deployment.csv")
    latency = table[table["figure"] == "serve_latency"].set_index("of")["value"]
    assert float(latency["p95"]) == pytest.approx(3e-3)
    text = (folder / "deployment.md").read_text()
    assert "jax_pure:onnx failed" in text
    assert "| jax_pure:jax_export | the framework" in text


def test_the_verdict_reads_the_same_records(deployed):
    records = SimpleNamespace(report=deployed)
    assert readings.read_export_tokens(records, ("jax_pure", "scan")).cost == 90
    assert readings.read_faults(records, ("jax_pure", "scan")).shown == "2 of 2"
    assert readings.read_undeclared(records, ("jax_pure", "scan")).shown == "1 packages"
