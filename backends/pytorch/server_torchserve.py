"""Serving by TorchServe, as its users write it: a handler, an archive of it and the files, and the server.

https://docs.pytorch.org/serve/custom_service.html
https://docs.pytorch.org/serve/configuration.html

Started as `python server_torchserve.py CONFIG`: docs/reference/backend.md says what CONFIG is.
"""

import importlib
import json
import os
import socket
import subprocess
import sys
import types
from pathlib import Path

import numpy as np

SETTINGS = "served.json"


class Handler:
    """What TorchServe's worker process calls."""

    def initialize(self, context):
        folder = context.system_properties["model_dir"]
        settings = json.loads(Path(folder, SETTINGS).read_text())
        self.dtype, self.predict = settings["dtype"], load(folder, settings["function"])

    def handle(self, data, context):
        return [{"probabilities": self.predict(np.asarray(each["body"]["rows"], self.dtype)).tolist()} for each in data]


def load(folder, function):
    """Import serve.py of the folder as a package of its own, and load the network."""
    package = types.ModuleType("served")
    package.__path__ = [folder]
    sys.modules["served"] = package
    return getattr(importlib.import_module("served.serve"), function)(folder)


def archive(config, store):
    """Put the handler and the exported files into an archive."""
    Path(SETTINGS).write_text(json.dumps({"dtype": config["dtype"], "function": config["function"]}))
    files = [SETTINGS, *(str(path) for path in sorted(Path(config["folder"]).iterdir()) if path.is_file())]
    archiver = [sys.executable, "-m", "model_archiver.model_packaging", "--model-name", "network", "--version", "1.0"]
    given = ["--handler", __file__, "--extra-files", ",".join(files), "--export-path", store]
    subprocess.run([*archiver, *given], check=True)


def find_ports(count):
    """Return ports that are free now: TorchServe takes numbers, and no sockets."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def main(config):
    if config["cores"] is not None:
        os.sched_setaffinity(0, config["cores"])
    os.makedirs("store", exist_ok=True)
    os.environ["TEMP"] = os.getcwd()  # the socket of its worker, which has the same name in every server
    archive(config, "store")
    names = (
        "inference_address",
        "management_address",
        "metrics_address",
        "grpc_inference_port",
        "grpc_management_port",
    )
    ports = dict(zip(names, find_ports(len(names))))
    settings = {name: f"http://127.0.0.1:{port}" if "address" in name else port for name, port in ports.items()}
    settings.update(
        model_store="store",
        load_models="network.mar",
        default_workers_per_model=1,
        disable_token_authorization="true",
        disable_system_metrics="true",
    )
    Path("config.properties").write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    Path(config["address"]).write_text(f"{settings['inference_address']}/predictions/network")
    server = [sys.executable, "-m", "ts.model_server", "--start", "--foreground", "--ncs"]
    os.execv(sys.executable, [*server, "--ts-config", "config.properties"])


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
