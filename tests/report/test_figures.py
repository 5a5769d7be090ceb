"""The figures of a run draw every value that was timed, at its place, and no other."""

import math
import re
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from bakeoff.cli import app
from bakeoff.common.errors import InputError
from bakeoff.measures.speed import sweep
from bakeoff.report import figures
from bakeoff.report.report import Report

from tests.paths import REFERENCE_RUN
from tests.suite_runs import make_suite_run

OVERHEAD_S, RATE = 1e-4, 5e10
OPERATIONS = {"batch_size": (1e5, 1e6, 1e7, 1e8), "width": (1e4, 1e5, 1e6)}


@pytest.fixture(scope="module")
def reference():
    return Report(REFERENCE_RUN)


def curves(slower=1.0):
    """Return the curves of two variants, the second so many times slower, as the sweep of a run has them."""
    rows = []
    for axis, amounts in OPERATIONS.items():
        for point, operations in enumerate(amounts, start=16):
            for backend, factor in (("swift:plain", 1.0), ("swift:compiled", slower)):
                step = (OVERHEAD_S + operations / RATE) * factor
                ends = {"step_s": step, "step_s_low": 0.9 * step, "step_s_high": 1.1 * step}
                row = {"axis": axis, "point": str(point), "operations": operations, "backend": backend, **ends}
                rows.append({**row, "blocks": np.full(24, step)})
    return pd.DataFrame(rows)


def rows_of(chart):
    """Return the rows of every data set of a figure."""
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


def test_every_timed_variant_has_its_step_time_and_interval(reference):
    summary = reference.summary()
    drawn = {row["backend"]: row for row in rows_of(figures.step_chart(summary))}
    assert len(drawn) == len(summary)
    for row in summary.to_dict("records"):
        there = drawn[f"{row['backend']}:{row['variant']}"]
        assert [there[key] for key in ("step_s", "step_s_low", "step_s_high")] == pytest.approx(
            [row["step_s"], row["step_s_low"], row["step_s_high"]]
        )


def test_the_fastest_variant_comes_first(reference):
    summary = reference.summary()
    encoded = figures.step_chart(summary).to_dict()["layer"][0]["encoding"]
    quickest = summary.sort_values("step_s").iloc[0]
    assert encoded["y"]["sort"][0] == f"{quickest['backend']}:{quickest['variant']}"


def test_a_sweep_has_a_panel_for_each_axis_with_its_crossings():
    found = curves(slower=2.0)
    drawn = figures.sweep_chart(found, sweep.lines(found))
    titles = [panel["title"] for panel in drawn.to_dict()["hconcat"]]
    assert titles == ["batch size: 16, 17, 18, 19", "width of every hidden layer: 16, 17, 18"]
    crossings = [row for row in rows_of(drawn) if "point" not in row]
    # The width's points end before the arithmetic begins: only the batch size has a crossing, for each variant.
    assert [row["backend"] for row in crossings] == ["swift:plain", "swift:compiled"]
    for row, factor in zip(crossings, (1.0, 2.0), strict=True):
        assert row["operations"] == pytest.approx(OVERHEAD_S * RATE, rel=1e-6)
        assert row["step_s"] == pytest.approx(2 * OVERHEAD_S * factor, rel=1e-6)


def test_variants_of_a_backend_share_a_colour_and_differ_in_dashes():
    names = ["swift:plain", "swift:compiled", "slow:plain"]
    style = {key: channel.to_dict()["scale"] for key, channel in figures._style(names).items()}
    assert style["color"]["domain"] == style["strokeDash"]["domain"] == names
    one, other, third = style["color"]["range"]
    assert one == other != third
    assert style["strokeDash"]["range"][0] == style["strokeDash"]["range"][2] != style["strokeDash"]["range"][1]


@pytest.mark.parametrize("suffix", figures.SUFFIXES)
def test_a_file_of_each_kind_needs_no_network(reference, tmp_path, suffix):
    path = tmp_path / f"steps{suffix}"
    figures.draw(reference, path)
    content = path.read_bytes()
    if suffix == ".png":
        assert content.startswith(b"\x89PNG")
    else:
        assert "jax_pure:scan" in content.decode()
        assert not re.search(rb"<script[^>]+src=|<link[^>]+href=|@import", content)


def test_a_run_with_a_sweep_is_drawn_as_curves(reference, tmp_path):
    swept = SimpleNamespace(
        suite_results=None, sweep_times=curves(), summary=reference.summary, warnings=list, header=reference.header
    )
    figures.draw(swept, tmp_path / "sweep.svg")
    svg = (tmp_path / "sweep.svg").read_text()
    assert "width of every hidden layer: 16, 17, 18" in svg
    assert ">batch size<" in svg


def test_a_figure_shows_the_warnings_of_its_run(reference, tmp_path):
    reason = "The timing failed its self-test by 20 %"
    doubtful = SimpleNamespace(
        suite_results=None,
        sweep_times=pd.DataFrame(),
        summary=reference.summary,
        warnings=lambda: [reason],
        header=reference.header,
    )
    figures.draw(doubtful, tmp_path / "steps.svg")
    assert reason in (tmp_path / "steps.svg").read_text()
    figures.draw(reference, tmp_path / "steps.svg")
    assert "self-test" not in (tmp_path / "steps.svg").read_text()


def test_the_axis_of_a_sweep_is_what_it_varies():
    found = curves()
    encoded = figures.sweep_chart(found, sweep.lines(found)).to_dict()["hconcat"][0]["layer"][0]["encoding"]
    assert encoded["x"]["field"] == "size"
    assert encoded["x"]["title"] == "batch size"
    assert encoded["x"]["axis"]["values"] == [16, 17, 18, 19]


def test_a_figure_names_machine_data_and_date_and_has_no_size_of_its_own(reference, tmp_path):
    figures.draw(reference, tmp_path / "steps.svg")
    svg = (tmp_path / "steps.svg").read_text()
    header = reference.header
    where = f"{header['machine']['processor']}, 1 thread, cpu; measured {header['created'][:10]}"
    for part in (where, "data digits; spec f180c635eb00, batch 64, float32"):
        assert part in svg
    opening = svg[svg.index("<svg") : svg.index(">", svg.index("<svg"))]
    assert "viewBox" in opening
    assert "width=" not in opening
    figures.draw(reference, tmp_path / "steps.html")
    assert "max-width:100%" in (tmp_path / "steps.html").read_text()


@pytest.fixture
def bakeoff(monkeypatch, capsys, tmp_path):
    """Return `bakeoff table` on a copy of the reference run: its exit code, standard output and standard error."""
    run = shutil.copytree(REFERENCE_RUN, tmp_path / "run")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["bakeoff", "table", str(run), *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            app.main()
        return ended.value.code or 0, *capsys.readouterr()

    return call


def test_the_command_writes_a_figure_and_prints_the_table(bakeoff, tmp_path):
    code, out, err = bakeoff("--figure", tmp_path / "steps.svg")
    assert code == 0, err
    assert (tmp_path / "steps.svg").read_text().startswith("<svg")
    assert "steps.svg" in err
    assert "jax_pure" in out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("steps.gif", "expected a file that ends in .svg, .png, .html"),
        ("nowhere/steps.svg", "cannot be written: No such file or directory"),
    ],
)
def test_an_impossible_file_is_bad_usage(bakeoff, tmp_path, name, said):
    code, out, err = bakeoff("--figure", tmp_path / name)
    assert code == 2
    assert said in " ".join(err.split())
    assert not out


@pytest.mark.parametrize("missing", ["altair", "vl_convert"])
def test_without_the_extra_a_message_says_what_to_install(bakeoff, tmp_path, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    code, _, err = bakeoff("--figure", tmp_path / "steps.svg")
    assert code == 2
    assert "pip install '.[figures]'" in " ".join(err.split())


def test_a_run_without_a_step_has_nothing_to_draw():
    with pytest.raises(InputError, match="No step was timed"):
        figures.step_chart(pd.DataFrame({"backend": ["swift"], "variant": ["plain"], "step_s": [np.nan]}))


# Performance profiles


def test_a_suite_is_drawn_as_its_performance_profiles(tmp_path):
    """NumPy takes 100 times as long on one workload of three: its line jumps to 2/3 at its ratio, and later to 1."""
    report = Report(make_suite_run(tmp_path / "run", {"wide": {"numpy_plain": 100.0}, "same": {}}))
    figures.draw(report, tmp_path / "profiles.svg")
    svg = (tmp_path / "profiles.svg").read_text()
    assert "Performance profiles" in svg
    assert "workloads: small, wide, same" in svg
    own = report.suite_results.ratio("small", ("numpy_plain", "plain")).estimate
    mine = report.profile_curves().query("backend == 'numpy_plain:plain'").set_index("factor")["share"]
    assert mine[own] == pytest.approx(2 / 3)
    assert mine[mine.index > 90 * own].iloc[0] == pytest.approx(1.0)
    assert mine[mine.index < own].eq(0).all()


def test_the_line_of_a_profile_is_drawn_at_the_values_worked_out_by_hand(tmp_path):
    """Ratios 1, 4, 1, 1: three quarters of the workloads up to factor 4, then all; the axis is logarithmic to 16.

    On 520 x 320 pixels the corner is at log(4) / log(16) = 1/2 of the width, and at 1/4 of the height.
    """
    corners = pd.DataFrame({"backend": "a:plain", "factor": [1.0, 4.0, 16.0], "share": [0.75, 1.0, 1.0]})
    figures.profile_chart(corners).save(tmp_path / "profile.svg")
    lines = re.findall(r'aria-roledescription="line mark".*?d="([^"]*)"', (tmp_path / "profile.svg").read_text())
    lines += re.findall(r'd="([^"]*)"[^>]*aria-roledescription="line mark"', (tmp_path / "profile.svg").read_text())
    numbers = [float(each) for each in re.findall(r"-?\d+\.?\d*", max(lines, key=len))]
    assert {round(x) for x in numbers[::2]} == {0, 260, 520}
    assert math.isclose(numbers[1], 80, abs_tol=0.5)
    assert math.isclose(numbers[-1], 0, abs_tol=0.5)
