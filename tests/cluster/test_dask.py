"""A cluster of three workers on this machine, with mutual TLS: what happens when something dies, and who may connect.

The jobs sleep instead of training, so that the tests need no framework.
"""

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from itertools import combinations

import pytest
from bakeoff.cluster import dask
from bakeoff.cluster.dask import Cluster, ClusterLost, DaskEngine, HostEngine
from bakeoff.common.errors import InputError
from bakeoff.common.progress import Board
from bakeoff.search import jobs
from bakeoff.search.driver import Driver
from bakeoff.search.ledger import Ledger
from bakeoff.search.study import Study
from rich.console import Console

from tests.cluster import node_jobs
from tests.cluster.machines import HOSTS, Machines, wait_for
from tests.paths import ROOT
from tests.search.test_driver import carry_out, make_plan

TRIALS = 12
ONE = ("one:eager",)


def engine_of(cluster):
    return DaskEngine(cluster, node_jobs.run, jobs.describe_failure)


def drive(ledger, engine):
    plan = ledger.plan
    try:
        study = Study(ledger.folder, plan.file, plan.sampler, plan.seed)
        Driver(ledger, study, engine, Board(Console(), quiet=True)).carry_out()
    finally:
        engine.close()


def test_a_killed_worker_and_a_lost_scheduler_lose_nothing(machines, tmp_path):
    plan = make_plan(trials=TRIALS, contestants=ONE)
    with Ledger.create(tmp_path / "results", plan) as ledger:
        engine = engine_of(machines.connect())
        threading.Timer(0.5, machines.workers[0].send_signal, [signal.SIGKILL]).start()
        drive(ledger, engine)
        assert sorted(ledger.results) == [(trial, "one:eager") for trial in range(TRIALS)]
        folder = ledger.folder
    lines = (folder / "records.jsonl").read_text().splitlines()
    assert sum('"record":"result"' in line for line in lines) == TRIALS
    assert len({note["host"] for note in machines.notes()}) >= len(HOSTS) - 1
    repeated = Counter(note["job"] for note in machines.notes("start"))
    assert sum(repeated.values()) <= TRIALS + 1  # only what the killed worker had begun

    with Ledger.create(tmp_path / "others", plan) as ledger:
        engine = engine_of(machines.connect(len(HOSTS) - 1))
        threading.Timer(0.7, machines.scheduler.send_signal, [signal.SIGKILL]).start()
        with pytest.raises(ClusterLost):
            drive(ledger, engine)
        kept = dict(ledger.results)
        assert len(kept) < TRIALS
        carry_out(ledger)  # resumed on this machine
        assert ledger.complete
        assert {key: ledger.results[key] for key in kept} == kept


def test_a_job_that_kills_its_nodes_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(dask, "DEATHS", 1)
    machines = Machines(tmp_path / "cluster", hosts=(HOSTS[0],) * 6)
    try:
        engine = DaskEngine(machines.connect(), node_jobs.fail, lambda job, reason: f"{job}: {reason}")
        engine.submit("poison")
        assert "poison: the node died 1 times" in engine.next_result()
        engine.close()
    finally:
        machines.stop()


def test_a_client_without_the_certificate_is_refused(whole_machines):
    whole_machines.connect().close()
    with pytest.raises(InputError, match="no connection to a Dask scheduler"):
        Cluster(whole_machines.address, None, timeout_s=10)
    with pytest.raises(InputError, match="no connection to a Dask scheduler"):
        Cluster(whole_machines.address.replace("tls", "tcp"), None, timeout_s=10)


def test_a_scheduler_that_is_not_there_is_a_sentence():
    with pytest.raises(InputError, match="no connection to a Dask scheduler"):
        Cluster("tcp://127.0.0.1:9", None, timeout_s=2)


def name_jobs(kind, count):
    return [json.dumps({"name": f"{kind} {number}"}) for number in range(count)]


def overlaps(notes):
    """Return the pairs of jobs that ran at the same time on the same host."""
    return [
        (one["job"], other["job"])
        for one, other in combinations(notes, 2)
        if one["host"] == other["host"] and one["began"] < other["ended"] and other["began"] < one["ended"]
    ]


def test_a_timing_cell_is_alone_on_its_host(tmp_path):
    """Two drivers time, and a third one searches, on hosts that would run three jobs at a time."""
    machines = Machines(tmp_path / "cluster", threads=3)
    try:
        timers = [HostEngine(machines.connect(), node_jobs.run, jobs.describe_failure) for _ in range(2)]
        other = engine_of(machines.connect())
        for number, timer in enumerate(timers):
            for job in name_jobs(f"timing{number}", 6):
                timer.submit(job)
        sent = name_jobs("trial", 18)
        for job in sent:
            other.submit(job)
        taken = []
        threads = [
            threading.Thread(target=lambda timer=timer: taken.extend(timer.next_result() for _ in range(6)))
            for timer in timers
        ]
        for thread in threads:
            thread.start()
        taken += [other.next_result() for _ in sent]
        for thread in threads:
            thread.join()
        assert len(set(taken)) == 30
        for engine in (*timers, other):
            engine.close()
        notes = machines.notes()
        assert len(notes) == 30
        shared = overlaps(notes)
        assert not [pair for pair in shared if any(job.startswith("timing") for job in pair)]
        assert shared  # trials share a host: the test would see it
        assert {note["host"] for note in notes if note["job"].startswith("timing")} == set(HOSTS)
    finally:
        machines.stop()


def test_a_timing_cell_whose_host_dies_is_done_elsewhere(machines):
    engine = HostEngine(machines.connect(), node_jobs.run, jobs.describe_failure)
    sent = name_jobs("timing", 9)
    for job in sent:
        engine.submit(job)
    threading.Timer(0.5, machines.workers[1].send_signal, [signal.SIGKILL]).start()
    assert sorted(engine.next_result() for _ in sent) == sent
    assert not overlaps(machines.notes())
    engine.close()


def test_a_timing_cell_waits_for_the_hosts_that_may_run_it(whole_machines, monkeypatch):
    engine = HostEngine(whole_machines.connect(), node_jobs.run, jobs.describe_failure)
    for job in name_jobs("timing", 4):
        engine.submit(job, [HOSTS[2]])
    for _ in range(4):
        engine.next_result()
    assert {note["host"] for note in whole_machines.notes()} == {HOSTS[2]}
    monkeypatch.setattr(dask, "RETURN_S", 0.1)
    engine.submit("{}", ["192.0.2.1"])
    with pytest.raises(ClusterLost, match="No host of the cluster is left"):
        engine.next_result()
    engine.close()


def test_hosts_describe_themselves(whole_machines):
    cluster = whole_machines.connect()
    found = cluster.describe_hosts()
    assert sorted(found) == sorted(HOSTS)
    assert all(each["machine"]["usable_threads"] >= 1 for each in found.values())
    cluster.digest = "0" * 24
    with pytest.raises(InputError, match="another version"):
        cluster.describe_hosts()
    cluster.close()


def test_three_workers_are_almost_three_times_as_fast_as_one():
    """60 trials that sleep, so that it does not take cores."""
    command = [sys.executable, "bench/cluster_speed_up.py", "--trials", "60"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["trials"] == 60
    assert report["speed_up"] >= 2.7


def test_a_resumed_driver_gets_what_the_cluster_finished_meanwhile(whole_machines, tmp_path):
    """The driver is lost while jobs run: their results stay on the nodes, and no job begins twice there."""
    plan = make_plan(trials=6, contestants=ONE)
    with Ledger.create(tmp_path / "results", plan) as ledger:
        lost = engine_of(whole_machines.connect())
        study = Study(ledger.folder, plan.file, plan.sampler, plan.seed)
        driver = Driver(ledger, study, lost, Board(Console(), quiet=True))
        sent = [next(driver._jobs(0.0)).model_dump_json()]
        lost.submit(sent[0])
        wait_for(lambda: whole_machines.notes("start"))
        lost.close()
        wait_for(lambda: whole_machines.notes("end"))
        time.sleep(0.5)
        drive(ledger, engine_of(whole_machines.connect()))
        assert ledger.complete
    started = Counter(note["job"] for note in whole_machines.notes("start"))
    assert started == dict.fromkeys(range(6), 1)
