"""`bakeoff run --cluster` and `bakeoff check --cluster`, with plain NumPy on three hosts that are this machine."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from bakeoff.cli import app
from bakeoff.cli.agreement import carry_out_checks
from bakeoff.common.errors import InputError
from bakeoff.common.progress import Board
from bakeoff.measures import VOCABULARY
from bakeoff.measures.agreement import figures as agreement
from bakeoff.measures.agreement.selection import select
from bakeoff.measures.speed import figures
from bakeoff.records import read
from bakeoff.records.query import Query
from bakeoff.report.notes import list_notes
from bakeoff.report.report import Report
from rich.console import Console
from typer.testing import CliRunner

from tests.cluster.machines import HOSTS, Machines, wait_for
from tests.paths import ROOT
from tests.runner.test_suite import SUITE

NUMPY = "numpy_plain:plain"


def command(machines, *words):
    cluster = ["--cluster", machines.address, "--tls", ",".join(map(str, machines.tls))]
    return [sys.executable, "-m", "bakeoff", "run", *words, *cluster]


def finished(folder):
    return [json.loads(line)["task"] for line in _lines(folder) if '"figure":"finished"' in line]


def _lines(folder):
    text = (folder / "records.jsonl").read_text()
    return text[: text.rfind("\n") + 1].splitlines()


@pytest.fixture(scope="module")
def spread(tmp_path_factory):
    """Return a run whose driver and one of whose hosts were killed while workloads were timed, then resumed."""
    folder = tmp_path_factory.mktemp("spread")
    (folder / "mine.toml").write_text(SUITE)
    machines = Machines(folder / "cluster", own_cache=False)
    started = {"cwd": folder, "env": {**os.environ, "PYTHONPATH": str(ROOT)}, "stderr": subprocess.PIPE, "text": True}
    try:
        machines.connect().close()
        wanted = ("--suite", "mine.toml", "--backends", "numpy_plain", "--quick", "--budget", "12s")
        process = subprocess.Popen(command(machines, *wanted), stdout=subprocess.DEVNULL, **started)
        wait_for(lambda: process.poll() is not None or _has_trained(folder), seconds=240)
        assert process.poll() is None, process.stderr.read()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        machines.workers[1].send_signal(signal.SIGKILL)
        run = _run_of(folder)
        before = (run / "records.jsonl").read_bytes()
        done = subprocess.run(
            command(machines, "--resume", str(run), "--json"),
            stdout=subprocess.PIPE,
            check=False,
            timeout=400,
            **started,
        )
        assert done.returncode in (0, 3), done.stderr  # 3: the machine was too restless for the self-test
        yield run, before, json.loads(done.stdout)
    finally:
        machines.stop()


def _has_trained(folder):
    run = _run_of(folder)
    return run is not None and "cell train" in finished(run)


def _run_of(folder):
    found = [path.parent for path in folder.glob("results/*/records.jsonl")]
    return found[0] if found else None


def test_what_was_finished_is_kept_and_nothing_counts_twice(spread):
    run, before, _ = spread
    after = (run / "records.jsonl").read_bytes()
    assert after.startswith(before[: before.rfind(b"\n") + 1])
    ended = finished(run)
    once = {f"check {NUMPY}", f"train {NUMPY}", "cell train", "cell time small", "cell time wide", "cell time one-row"}
    assert once <= set(ended)
    assert {task: ended.count(task) for task in once} == dict.fromkeys(once, 1)
    assert ended[-1] == read.LAST


def test_the_record_says_which_host_measured_a_cell(spread):
    run, _, _ = spread
    query = Query(read.read_records(run, VOCABULARY))
    hosts = query.rows(figures.HOST)
    assert sorted(zip(hosts["what"], hosts["workload"])) == [
        ("time", "one-row"), ("time", "small"), ("time", "wide"), ("train", ""),
    ]  # fmt: skip
    assert set(hosts["address"]) <= set(HOSTS)
    assert HOSTS[1] not in set(hosts[hosts["what"].eq("time")]["address"])  # it was killed before
    for row in hosts.to_dict("records"):
        assert row["machine"]["usable_threads"] >= 1
        assert NUMPY in row["variables"]
    (check,) = query.rows(agreement.HOST).to_dict("records")
    assert (check["backend"], check["address"] in HOSTS) == ("numpy_plain", True)
    assert sorted(read.read_header(run)["hosts"]) == sorted(HOSTS)


def test_no_two_cells_of_a_host_are_timed_at_the_same_time(spread):
    run, _, _ = spread
    records = read.read_records(run, VOCABULARY)
    address = Query(records).rows(figures.HOST).set_index("workload")["address"].to_dict()
    of_workload = records["workload"].where(records["workload"].notna(), None)
    of_workload = of_workload.mask(records["task"].str.match(r"round \d"), "small")
    slices = records[records["figure"].isin(["slice", "latency"])].assign(workload=of_workload)
    spans = slices.groupby("workload")["time"].agg(["min", "max"])
    assert set(spans.index) == {"small", "wide", "one-row"}
    for one, other in (("small", "wide"), ("small", "one-row"), ("wide", "one-row")):
        if address[one] == address[other]:
            first, second = sorted((spans.loc[one], spans.loc[other]), key=lambda each: each["min"])
            assert first["max"] < second["min"]


def test_the_contestants_of_a_workload_are_timed_in_the_same_rounds(spread):
    """So a ratio never compares times of two hosts: a cell has all rounds of all its variants."""
    run, _, _ = spread
    slices = Query(read.read_records(run, VOCABULARY)).rows(figures.SUITE["slice"], workload="wide")
    assert set(slices["self_test"]) == {True, False}
    assert set(slices["round"]) == {1, 2}
    assert slices["attempt"].nunique() == 1


def test_a_run_on_a_cluster_ends_with_results_on_every_workload(spread):
    run, _, printed = spread
    assert [row["workload"] for row in printed["suite"]] == ["small", "wide", "one-row"]
    assert pd.read_csv(run / "tables" / "suite.csv")["seconds"].gt(0).all()
    assert read.read_state(run).complete
    assert len(printed["new_shapes"]) == 1
    (note,) = [each for each in list_notes(Report(run)) if each.startswith("Timed on the hosts of a cluster")]
    assert all(name in note for name in ("small", "wide", "one-row"))


@pytest.mark.parametrize(("words", "said"), [
    (["--cluster", "tcp://127.0.0.1:9"], "no connection to a Dask scheduler"),
    (["--tls", "a,b,c"], "Add --cluster"),
    (["--cluster", "tcp://127.0.0.1:9", "--tls", "a,b"], "expected three files"),
])  # fmt: skip
def test_wrong_options_are_refused_before_anything_is_made(tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    for of in (["run", "--suite", "standard"], ["check", "numpy_plain"]):
        done = subprocess.run(
            [sys.executable, "-m", "bakeoff", *of, *words], capture_output=True, text=True, check=False
        )
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("words", "said"), [
    ([], "Add --suite NAME"),
    (["--suite", "standard", "--deploy", "1m"], "Leave out --deploy"),
    (["--suite", "standard", "--inherit-environment", "HOME"], "Leave it out with --cluster"),
])  # fmt: skip
def test_what_a_cluster_does_not_do_is_refused(words, said):
    from bakeoff.cli.run import make_request
    from bakeoff.runner import start

    from tests.runner.test_suite import given

    options = dict(zip(words[::2], words[1::2], strict=True))
    changed = {name.lstrip("-").replace("-", "_"): value for name, value in options.items()}
    request = make_request(given(**{"suite": None, **changed}))
    with pytest.raises(InputError, match=said):
        start.begin(request, cluster=object())


def test_a_run_of_a_cluster_is_not_resumed_without_one(spread, tmp_path):
    run, _, _ = spread
    part = tmp_path / run.name
    part.mkdir()
    (part / "run.json").write_bytes((run / "run.json").read_bytes())
    (part / "records.jsonl").write_text("")
    result = CliRunner().invoke(app.app, ["run", "--resume", str(part), "--trust"])
    assert isinstance(result.exception, InputError)
    assert "began on a cluster. Add --cluster ADDRESS" in str(result.exception)


def test_a_check_on_a_cluster_finds_what_one_on_this_machine_finds(tmp_path):
    machines = Machines(tmp_path / "cluster", hosts=HOSTS[:2], own_cache=False)
    cases = ["stress-relu-adam-float64", "stress-relu-adam-float32", "default-relu-adam-float64"]
    wanted = (Board(Console(), quiet=True), [NUMPY], False, "cpu", 1, ())
    try:
        here = carry_out_checks(*wanted, select(cases))
        there = carry_out_checks(*wanted, select(cases), cluster=machines.connect())
    finally:
        machines.stop()
    assert list(there.found) == list(here.found) == [NUMPY]
    mine, other = here.found[NUMPY], there.found[NUMPY]
    assert [(each.check, each.case, each.dtype, each.status) for each in mine.outcomes] == [
        (each.check, each.case, each.dtype, each.status) for each in other.outcomes
    ]
    assert [each.floors for each in mine.outcomes] == pytest.approx([each.floors for each in other.outcomes])
    assert len({each.case for each in other.outcomes}) >= 2
    assert (there.unable, there.unbuilt, other.partial) == ({}, False, True)


def test_a_whole_check_on_a_cluster_has_determinism(tmp_path):
    machines = Machines(tmp_path / "cluster", hosts=HOSTS[:2], own_cache=False)
    try:
        cluster = machines.connect()
        from bakeoff.measures.agreement.selection import EVERYTHING
        from bakeoff.registry import entries
        from bakeoff.runner import spread_checks
        from bakeoff.workload import networks

        chosen = entries.select(entries.read_all(), NUMPY)
        kinds = networks.required_networks()[:1]
        asked = spread_checks.Wanted(chosen, kinds, [], "cpu", 1, EVERYTHING, 300.0, ())
        found = spread_checks.check_on_cluster(cluster, asked, Board(Console(), quiet=True))
    finally:
        machines.stop()
    assert found.results[NUMPY].determinism.twice is True
    assert found.results[NUMPY].unmeasured == ""


def test_a_backend_that_is_a_folder_is_no_backend_of_the_hosts(tmp_path):
    folder = shutil.copytree(ROOT / "backends" / "numpy_plain", tmp_path / "mine")
    with pytest.raises(InputError, match="the hosts have no backend"):
        carry_out_checks(Board(Console(), quiet=True), [f"{Path(folder)}/"], False, "cpu", 1, (), cluster=object())
