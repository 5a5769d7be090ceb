"""The cost of new shapes as a run shows it: tables, notes, the end of the run, and the page."""

import io
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from bakeoff.common import statistics
from bakeoff.measures.speed import figures, shapes, size_costs
from bakeoff.report.html.blocks import _new_sizes
from bakeoff.report.report import Report
from bakeoff.report.summary import summarise
from bakeoff.report.terminal import run as terminal
from bakeoff.report.terminal.summary import print_summary
from rich.console import Console

from tests.paths import REFERENCE_RUN

STEPS = 4


def made_up(backend, variant, slower):
    """Yield the records of a variant: 0.25 s more at each new size, and steps so many times slower at the last one."""
    who = {"backend": backend, "variant": variant}

    def slices(worker, when, size, step_s, count):
        for block in range(1, count + 1):
            keys = {"worker": worker, "when": when, "batch_size": size, "block": block, "steps": STEPS, "cpu_s": 0.0}
            noise = 1 + 0.01 * np.sin(block)
            yield figures.SIZE_SLICE.record(STEPS * step_s * noise, **who, **keys)

    sizes = shapes.list_sizes(64)
    for when, size in ((size_costs.BEFORE, 64), (size_costs.AT_LAST, sizes[-1]), (size_costs.AT_FIRST, 64)):
        late = slower if when == size_costs.AT_LAST else 1.0
        yield from slices(size_costs.MANY, when, size, size * 1e-6 * late, size_costs.BLOCKS)
        yield from slices(size_costs.ONE, when, sizes[-1], sizes[-1] * 1e-6, size_costs.BLOCKS)
    for position, size in enumerate(sizes, start=1):
        keys = {"batch_size": size, "position": position, "steps": STEPS, "rebuilt": False}
        yield figures.NEW_SIZE.record(0.25 + STEPS * size * 1e-6, **who, **keys)
        yield from slices(size_costs.MANY, size_costs.AT_NEW, size, size * 1e-6, shapes.SLICES)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = shutil.copytree(REFERENCE_RUN, tmp_path_factory.mktemp("shapes") / "run")
    failed = figures.SIZES_FAILED.record("hung: no answer", backend="numpy_plain", variant="plain", traceback="")
    tasks = {
        "shapes jax_pure:scan": made_up("jax_pure", "scan", 1.0),
        "shapes pytorch:compiled": made_up("pytorch", "compiled", 3.0),
        "shapes numpy_plain:plain": [failed],
    }
    end = next(line for line in (folder / "records.jsonl").read_text().splitlines() if '"finished"' in line)
    with (folder / "records.jsonl").open("a") as file:
        for task, records in tasks.items():
            head = {"task": task, "attempt": 1, "time": 1.8e9}
            for record in records:
                file.write(json.dumps({**head, **record}) + "\n")
            file.write(json.dumps({**json.loads(end), **head}) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "RESAMPLES", 200)
        yield Report(folder)


def test_the_table_has_what_was_made_up(report):
    rows = {row["backend"]: row for row in report.new_shapes().to_dict("records")}
    assert list(rows) == ["jax_pure", "numpy_plain", "pytorch"]  # in the order of the run
    assert rows["jax_pure"]["new_size_s"] == pytest.approx(0.25, abs=1e-4)
    assert rows["jax_pure"]["total_s"] == pytest.approx(12 * 0.25, abs=1e-3)
    assert rows["jax_pure"]["rows_per_s_most"] == pytest.approx(1e6, rel=0.02)
    assert rows["jax_pure"]["slower_path"] is False
    assert rows["pytorch"]["at_last"] == pytest.approx(3.0)
    assert rows["pytorch"]["at_first"] == pytest.approx(1.0)
    assert rows["pytorch"]["slower_path"] is True
    assert rows["numpy_plain"]["failure"] == "hung: no answer"
    written = report.write()
    assert len(pd.read_csv(written / "new_shapes.csv")) == 3
    assert len(pd.read_csv(written / "new_sizes.csv")) == 24


def test_the_fallback_is_a_sentence_at_the_end_of_the_run_and_in_the_notes(report):
    sentence = "pytorch:compiled falls back to a slower path after 12 batch sizes: a step takes, at the last, 3.00"
    assert sum(note.startswith(sentence) for note in report.notes()) == 1
    console = Console(file=io.StringIO(), width=200)
    print_summary(console, summarise(report))
    assert sentence in " ".join(console.file.getvalue().split())
    assert not any(note.startswith("jax_pure:scan falls") for note in report.notes())


def test_a_failure_to_measure_it_is_no_failure_of_the_run(report):
    assert not report.failed
    assert "numpy_plain:plain: the cost of new batch sizes was not measured: hung: no answer" in report.notes()


def test_the_page_has_a_chart_and_the_table(report):
    block = _new_sizes(report)
    (chart,) = block.charts
    assert len(chart.rows) == 24
    assert chart.rows["first_call_s"].min() > 0.25
    assert [row[0] for row in block.tables[0].rows] == ["jax_pure:scan", "numpy_plain:plain", "pytorch:compiled"]
    absent = _new_sizes(Report(REFERENCE_RUN))
    assert (absent.charts, "--new-shapes" in absent.absent) == ([], True)


def test_json_has_the_raw_values(report):
    printed = terminal.convert_run_to_json(report)
    assert [row["slower_path"] for row in printed["new_shapes"]] == [False, None, True]
    assert len(printed["new_sizes"]) == 24
    assert "new_shapes" not in terminal.convert_run_to_json(Report(REFERENCE_RUN))
