"""Serving by Ray Serve, as PyTorch's tutorial and Ray's documentation write it: a deployment, and `serve.run`.

https://docs.pytorch.org/tutorials/beginner/serving_tutorial.html
https://docs.ray.io/en/latest/serve/http-guide.html

Started as `python server_ray_serve.py CONFIG`: docs/reference/backend.md says what CONFIG is.
"""

import importlib
import json
import os
import signal
import socket
import sys
import tempfile
import types
from pathlib import Path

import numpy as np
import ray
from ray import serve


@serve.deployment(num_replicas=1)
class Network:
    """What a replica of Ray Serve calls."""

    def __init__(self, folder, function, dtype):
        self.dtype, self.predict = dtype, load(folder, function)

    async def __call__(self, request):
        rows = np.asarray((await request.json())["rows"], self.dtype)
        return {"probabilities": self.predict(rows).tolist()}


def load(folder, function):
    """Import serve.py of the folder as a package of its own, and load the network."""
    package = types.ModuleType("served")
    package.__path__ = [folder]
    sys.modules["served"] = package
    return getattr(importlib.import_module("served.serve"), function)(folder)


def main(config):
    if config["cores"] is not None:
        os.sched_setaffinity(0, config["cores"])
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    # Its own programs go on when this one is killed: they end with `shutdown`.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    # Sockets are in this folder, and the name of one has at most 107 characters.
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as folder:
        try:
            ray.init(num_cpus=1, include_dashboard=False, object_store_memory=80 * 2**20, _temp_dir=folder)
            serve.start(http_options={"host": "127.0.0.1", "port": port})
            serve.run(Network.bind(config["folder"], config["function"], config["dtype"]))
            Path(config["address"]).write_text(f"http://127.0.0.1:{port}/")
            signal.pause()
        finally:
            ray.shutdown()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
