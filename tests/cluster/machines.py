"""A Dask cluster on this machine: a scheduler and workers, with mutual TLS.

Each worker has a loopback address of its own. To the driver an address is a host. So three workers are three hosts.
"""

import datetime
import ipaddress
import json
import os
import subprocess
import sys
import time

from bakeoff.cluster.dask import Cluster, Tls
from bakeoff.common.errors import InputError

from tests.paths import ROOT

HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")


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
            alternatives = [x509.DNSName("localhost"), *(x509.IPAddress(ipaddress.ip_address(each)) for each in HOSTS)]
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        signed = builder.sign(keys[0], hashes.SHA256())
        files.append(folder / f"{index}.pem")
        files[-1].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    key_file = folder / "key.pem"
    key_file.write_bytes(keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return Tls(files[0], files[1], key_file)


class Machines:
    """A scheduler and its workers, as processes of their own."""

    def __init__(
        self, folder, hosts=HOSTS, tls=None, threads=1, sleep_s=0.3, preload=None, own_cache=True, **variables
    ):
        self.folder, self.threads, self.preload = folder, threads, preload
        folder.mkdir(parents=True, exist_ok=True)
        self.tls = tls or make_certificates(folder)
        self.jobs = folder / "jobs"
        self.jobs.mkdir()
        # The locks of hosts are made there: those of another test on the same addresses are others.
        (folder / "tmp").mkdir()
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), "NODE_JOBS": str(self.jobs)}
        self.environment |= {"NODE_SLEEP": str(sleep_s), "TMPDIR": str(folder / "tmp"), **variables}
        if own_cache:  # a result that an earlier test left in the user's would not be computed again
            self.environment["BAKEOFF_CACHE"] = str(folder / "cache")
        file = folder / "scheduler.json"
        ca, certificate, key = map(str, self.tls)
        self.files = ["--tls-ca-file", ca, "--tls-cert", certificate, "--tls-key", key, "--protocol", "tls"]
        self.files += ["--dashboard-address", "127.0.0.1:0"]  # without it Dask opens a page on all addresses
        self.scheduler = self.start(
            "scheduler", "--host", "tls://127.0.0.1:0", "--scheduler-file", str(file), *self.files
        )
        wait_for(file.exists)
        time.sleep(0.5)
        self.address = json.loads(file.read_text())["address"]
        self.workers = [self.start_worker(host) for host in hosts]

    def start(self, module, *words):
        command = [sys.executable, "-m", f"distributed.cli.dask_{module}", *words]
        with (self.folder / "log.txt").open("ab") as log:
            return subprocess.Popen(command, env=self.environment, cwd=self.folder, stdout=log, stderr=log)

    def start_worker(self, host):
        alone = ["--nthreads", str(self.threads), "--no-nanny", "--host", host]
        preload = ["--preload", self.preload] if self.preload else []
        return self.start("worker", self.address, *alone, *preload, *self.files)

    def connect(self, workers=None):
        """Return a connection as soon as that many workers are there."""
        connections, expected = [], len(self.workers) if workers is None else workers

        def there():
            try:
                connections.append(Cluster(self.address, self.tls, timeout_s=60))
            except InputError as error:
                if "no worker" not in str(error):
                    raise
                return False
            if len(connections[-1].workers()) < expected:
                connections.pop().close()
                return False
            return True

        wait_for(there)
        return connections[-1]

    def notes(self, kind="end"):
        """Return what the jobs wrote at their start or end."""
        return [json.loads(path.read_text()) for path in self.jobs.glob(f"{kind}-*")]

    def stop(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def wait_for(condition, seconds=120):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.2)
