"""The how-to guide: its commands make certificates, and a scheduler and a worker that let nobody else in."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
import yaml
from bakeoff.cluster.dask import Cluster, Tls
from bakeoff.common.errors import InputError
from distributed.cli.dask_ssh import main as dask_ssh

from tests.cluster.machines import wait_for
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "how-to" / "use-a-cluster.md").read_text(encoding="utf-8")
COMMANDS = [
    line.partition("  #")[0]
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]


def commands(*words):
    return [each for each in map(shlex.split, COMMANDS) if tuple(each[: len(words)]) == words]


@pytest.fixture
def made(tmp_path):
    """Return a folder with the certificates that the guide makes, as OpenSSL 3 does."""
    if shutil.which("openssl") is None:
        pytest.skip("the guide's commands need OpenSSL, and there is none on PATH")
    for command in commands("openssl"):
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def start(folder, words, configuration=None, **changed):
    """Start `dask ...` as the guide does, with other values for some options, and with a file of configuration."""
    module, *rest = words[1:]
    for name, value in changed.items():
        option = f"--{name.replace('_', '-')}"
        rest = [*rest, option, value] if option not in rest else rest
        rest[rest.index(option) + 1] = value
    command = [sys.executable, "-m", f"distributed.cli.dask_{module}", *rest]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if configuration is not None:
        environment["DASK_CONFIG"] = str(configuration)
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment)


def connect(address, tls):
    """Return a connection as soon as the scheduler has a worker."""
    connected = []

    def there():
        try:
            connected.append(Cluster(address, tls, timeout_s=30))
        except InputError as error:
            if "no worker" not in str(error):
                raise
        return connected

    wait_for(there)
    return connected[0]


def test_the_commands_of_the_guide_make_a_cluster_that_lets_nobody_else_in(made, tmp_path):
    (scheduler,), (worker,) = commands("dask", "scheduler"), commands("dask", "worker")
    file = made / "scheduler.json"
    quiet = {"dashboard_address": "127.0.0.1:0"}
    processes = [start(made, scheduler, port="0", host="127.0.0.1", scheduler_file=str(file), **quiet)]
    try:
        wait_for(file.exists)
        worker = [word for word in worker if not word.startswith("tls://")]
        processes.append(start(made, worker, scheduler_file=str(file), host="127.0.0.1"))
        address = re.search(r"tls://[\d.]+:\d+", file.read_text())[0]
        tls = Tls(*(made / name for name in ("ca.pem", "cert.pem", "key.pem")))
        connected = connect(address, tls)
        assert list(connected.workers().values()) == [2]
        connected.close()
        with pytest.raises(InputError, match="no connection"):
            Cluster(address, None, timeout_s=5)
        other = tmp_path / "other"
        other.mkdir()
        for command in commands("openssl"):  # another authority with the same names
            subprocess.run(command, cwd=other, check=True, capture_output=True)
        strangers = Tls(made / "ca.pem", other / "cert.pem", other / "key.pem")
        with pytest.raises(InputError, match="no connection"):
            Cluster(address, strangers, timeout_s=5)
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


def test_launchers_find_the_certificates_in_the_configuration_of_the_guide(made):
    """`dask ssh` and dask-jobqueue start both programs without the options of TLS."""
    (text,) = (each for each in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "require-encryption" in each)
    assert "/home/me/tls/" in text
    configuration, file = made / "distributed.yaml", made / "scheduler.json"
    configuration.write_text(text.replace("/home/me/tls/", f"{made}/"))
    quiet = {"dashboard_address": "127.0.0.1:0", "host": "127.0.0.1", "scheduler_file": str(file)}
    processes = [start(made, ["dask", "scheduler"], configuration, port="0", **quiet)]
    try:
        wait_for(file.exists)
        processes.append(start(made, ["dask", "worker"], configuration, **quiet))
        address = re.search(r"\w+://[\d.]+:\d+", file.read_text())[0]
        assert address.startswith("tls://")
        connect(address, Tls(*(made / name for name in ("ca.pem", "cert.pem", "key.pem")))).close()
        with pytest.raises(InputError, match="no connection"):
            Cluster(address, None, timeout_s=5)
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


def test_the_files_of_the_guide_are_what_their_readers_expect():
    configured, resource = (yaml.safe_load(each) for each in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
    tls = configured["distributed"]["comm"]["tls"]
    import dask
    from distributed import Security

    with dask.config.set(dask.config.merge(dask.config.config, configured)):  # as Dask merges its files
        found = Security()
    assert found.require_encryption is True
    assert (found.tls_ca_file, found.tls_worker_cert) == (tls["ca-file"], tls["worker"]["cert"])
    assert found.tls_scheduler_key == tls["scheduler"]["key"]
    assert resource["kind"] == "DaskCluster"
    for part in ("scheduler", "worker"):
        (container,) = resource["spec"][part]["spec"]["containers"]
        command, name, *options = container["args"]
        assert (command, name) == ("dask", part)
        taken = subprocess.run(
            [sys.executable, "-m", f"distributed.cli.dask_{part}", "--help"], capture_output=True, text=True, check=True
        )
        assert all(option in taken.stdout for option in options if option.startswith("--"))
    (ssh,) = commands("dask", "ssh")
    assert {word for word in ssh if word.startswith("--")} <= {
        option for each in dask_ssh.params for option in each.opts
    }
    (script,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    compile(script, "slurm.py", "exec")
