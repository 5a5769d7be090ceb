"""Serving by Multi Model Server, as its users write it: a service, an archive of it and the files, and the server.

https://github.com/awslabs/multi-model-server/blob/master/docs/custom_service.md
https://github.com/awslabs/multi-model-server/blob/master/docs/configuration.md

Started as `python server_multi_model_server.py CONFIG`: docs/reference/backend.md says what CONFIG is.
"""

import contextlib
import importlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import types
from pathlib import Path

import numpy as np

SETTINGS = "served.json"


class Network:
    """What the server's worker process calls."""

    def initialize(self, context):
        folder = context.system_properties["model_dir"]
        settings = json.loads(Path(folder, SETTINGS).read_text())
        self.dtype, self.predict = settings["dtype"], load(folder, settings["function"])

    def handle(self, data, context):
        if data is None:  # the call that loads the network
            return None
        return [{"probabilities": self.predict(self.read(each["body"])).tolist()} for each in data]

    def read(self, body):
        return np.asarray(body["rows"], self.dtype)


def load(folder, function):
    """Import serve.py of the folder as a package of its own, and load the network."""
    package = types.ModuleType("served")
    package.__path__ = [folder]
    sys.modules["served"] = package
    return getattr(importlib.import_module("served.serve"), function)(folder)


def archive(config, store):
    """Put the service and the exported files into an archive."""
    shutil.copytree(config["folder"], "archived")
    shutil.copy(__file__, Path("archived", "service.py"))
    Path("archived", SETTINGS).write_text(json.dumps({"dtype": config["dtype"], "function": config["function"]}))
    archiver = [sys.executable, "-m", "model_archiver.model_packaging", "--model-name", "network"]
    given = ["--runtime", "python", "--model-path", "archived", "--handler", "service", "--export-path", store]
    subprocess.run([*archiver, *given], check=True)


def find_ports(count):
    """Return ports that are free now, below those that the system gives: the server takes no number above 32766."""
    ports = []
    for port in random.sample(range(20000, 32000), 200):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            ports.append(port)
        if len(ports) == count:
            return ports
    raise OSError("found no free port between 20000 and 32000")


def main(config):
    if config["cores"] is not None:
        os.sched_setaffinity(0, config["cores"])
    os.makedirs("store")
    os.environ["TEMP"] = os.getcwd()  # the socket of its worker, which has the same name in every server
    archive(config, "store")
    answers, manages = find_ports(2)
    settings = {
        "inference_address": f"http://127.0.0.1:{answers}",
        "management_address": f"http://127.0.0.1:{manages}",
        "model_store": os.path.abspath("store"),
        "load_models": "network.mar",
        "default_workers_per_model": 1,
        "decode_input_request": "true",
    }
    Path("config.properties").write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    Path(config["address"]).write_text(f"http://127.0.0.1:{answers}/predictions/network")
    server = [sys.executable, "-m", "mms.model_server", "--start", "--foreground"]
    os.execv(sys.executable, [*server, "--mms-config", "config.properties"])


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
