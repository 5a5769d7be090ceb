"""Searches on a Dask cluster of three workers on this machine, with mutual TLS.

The jobs sleep instead of training, so that the tests need no framework.
"""

import datetime
import ipaddress
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
from bakeoff.common.errors import InputError
from bakeoff.common.progress import Board
from bakeoff.search import cluster
from bakeoff.search.cluster import DaskEngine, Tls
from bakeoff.search.driver import Driver
from bakeoff.search.engine import EngineLost
from bakeoff.search.ledger import Ledger
from bakeoff.search.study import Study
from rich.console import Console

from tests.paths import ROOT
from tests.search import node_jobs
from tests.search.test_driver import carry_out, make_plan

WORKERS = 3
TRIALS = 12


def make_certificates(folder):
    """Write an authority, and one certificate for all that it signs; return their files."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    now = datetime.datetime.now(datetime.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("authority", "localhost")]
    files = []
    for index, (key, name) in enumerate(zip(keys, names)):
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(names[0]).public_key(key.public_key())
        builder = builder.serial_number(index + 1).not_valid_before(now - datetime.timedelta(hours=1))
        builder = builder.not_valid_after(now + datetime.timedelta(hours=6))
        builder = builder.add_extension(x509.BasicConstraints(ca=not index, path_length=None), critical=True)
        if index:
            alternatives = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        signed = builder.sign(keys[0], hashes.SHA256())
        files.append(folder / f"{index}.pem")
        files[-1].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    key_file = folder / "key.pem"
    key_file.write_bytes(keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return Tls(files[0], files[1], key_file)


class Cluster:
    """A scheduler and its workers, as processes of their own."""

    def __init__(self, folder):
        self.folder, self.tls = folder, make_certificates(folder)
        self.jobs = folder / "jobs"
        self.jobs.mkdir()
        file = folder / "scheduler.json"
        quiet = ["--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(file), "--protocol", "tls"]
        ca, certificate, key = map(str, self.tls)
        files = ["--tls-ca-file", ca, "--tls-cert", certificate, "--tls-key", key]
        self.scheduler = self.start("distributed.cli.dask_scheduler", "--host", "tls://127.0.0.1:0", *quiet, *files)
        wait_for(file.exists)
        time.sleep(0.5)
        self.address = json.loads(file.read_text())["address"]
        alone = ["--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", *quiet[:2], *quiet[4:]]
        self.workers = [self.start("distributed.cli.dask_worker", self.address, *alone, *files) for _ in range(WORKERS)]

    def start(self, module, *words):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "NODE_JOBS": str(self.jobs)}
        command = [sys.executable, "-m", module, *words]
        with (self.folder / "log.txt").open("ab") as log:
            return subprocess.Popen(command, env=environment, cwd=self.folder, stdout=log, stderr=log)

    def engine(self, workers=WORKERS):
        """Return an engine as soon as that many workers are there."""
        engines = []

        def connect():
            try:
                engines.append(DaskEngine(self.address, self.tls, node_jobs.run, timeout_s=60))
            except InputError as error:
                if "no worker" not in str(error):
                    raise
                return False
            if engines[-1].slots < workers:
                engines.pop().close()
                return False
            return True

        wait_for(connect)
        return engines[-1]

    def events(self, kind):
        return [path.name.split("-") for path in self.jobs.glob(f"{kind}-*")]

    def stop(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def wait_for(condition, seconds=120):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "the cluster did not start in time"
        time.sleep(0.2)


@pytest.fixture
def machines(tmp_path):
    found = Cluster(tmp_path)
    yield found
    found.stop()


def drive(ledger, engine):
    plan = ledger.plan
    try:
        study = Study(ledger.folder, plan.file, plan.sampler, plan.seed)
        Driver(ledger, study, engine, Board(Console(), quiet=True)).carry_out()
    finally:
        engine.close()


def test_a_killed_worker_and_a_lost_scheduler_lose_nothing(machines, tmp_path):
    plan = make_plan(trials=TRIALS, contestants=("one:eager",))
    with Ledger.create(tmp_path / "results", plan) as ledger:
        engine = machines.engine()
        threading.Timer(0.5, machines.workers[0].send_signal, [signal.SIGKILL]).start()
        drive(ledger, engine)
        assert sorted(ledger.results) == [(trial, "one:eager") for trial in range(TRIALS)]
        folder = ledger.folder
    lines = (folder / "records.jsonl").read_text().splitlines()
    assert sum('"record":"result"' in line for line in lines) == TRIALS
    ran_on = {name[3] for name in machines.events("end")}
    assert len(ran_on) >= WORKERS - 1
    repeated = Counter(name[1] for name in machines.events("start"))
    assert sum(repeated.values()) <= TRIALS + 1  # only what the killed worker had begun

    with Ledger.create(tmp_path / "others", plan) as ledger:
        engine = machines.engine(WORKERS - 1)
        threading.Timer(0.7, machines.scheduler.send_signal, [signal.SIGKILL]).start()
        with pytest.raises(EngineLost):
            drive(ledger, engine)
        kept = dict(ledger.results)
        assert len(kept) < TRIALS
        carry_out(ledger)  # resumed on this machine
        assert ledger.complete
        assert {key: ledger.results[key] for key in kept} == kept


def test_a_client_without_the_certificate_is_refused(machines):
    machines.engine().close()
    with pytest.raises(InputError, match="no connection to a Dask scheduler"):
        DaskEngine(machines.address, None, node_jobs.run, timeout_s=10)
    with pytest.raises(InputError, match="no connection to a Dask scheduler"):
        DaskEngine(machines.address.replace("tls", "tcp"), None, node_jobs.run, timeout_s=10)


def test_a_scheduler_that_is_not_there_is_a_sentence():
    with pytest.raises(InputError, match="no connection to a Dask scheduler"):
        DaskEngine("tcp://127.0.0.1:9", None, timeout_s=2)


def test_a_node_with_other_code_refuses_a_job():
    with pytest.raises(RuntimeError, match="another version"):
        cluster.run_on_node("{}", "0123")


def test_a_node_keeps_a_result_until_it_is_asked_again(monkeypatch, tmp_path):
    """The scheduler was lost before it delivered the result."""
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path))
    calls = []
    monkeypatch.setattr(cluster, "run_job", lambda job: calls.append(job) or "result")
    digest = cluster.code_digest()
    assert [cluster.run_on_node("job", digest) for _ in range(3)] == ["result"] * 3
    assert calls == ["job"]
    cluster.run_on_node("another job", digest)
    assert len(calls) == 2
