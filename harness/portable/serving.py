"""The process that serves one exported network. This docstring is the protocol.

Started as `python serving.py CONFIG`, with the CONFIG of worker.py. The folder holds what was exported, and serve.py;
the backend's model.py is there only where serving needs it. The messages are those of worker.py. The first
answer is empty, and comes before anything but the standard library is imported. The calls:

    load       function                     -> load_s: serve.py's `function(folder)` returns the network, a function
    predict    x (rows, features)           -> probabilities
    latency    x; calls, limit_s            -> seconds (calls made,): of one call each, from host to host
    memory                                  -> peak_bytes
    modules    names                        -> loaded: those of the names that are imported in this process
"""

import importlib
import json
import os
import sys
import time
import types
from typing import Any

PORTABLE, SERVED = "bakeoff_portable", "bakeoff_served"
"""The packages that this folder, and the folder that is served, are imported as."""


class Server(object):
    """Answers the calls with the network that serve.py has loaded."""

    def __init__(self, folder):
        self.folder = folder
        self.predict: Any = None

    def method(self, header):
        """Return the method that answers a request; removes the name of the call from its header."""
        return getattr(self, "answer_" + header.pop("call"))

    def answer_start(self, arrays):
        return {}

    def answer_load(self, arrays, function):
        started = time.perf_counter()
        serve = importlib.import_module(SERVED + ".serve")
        self.predict = getattr(serve, function)(self.folder)
        return {"load_s": time.perf_counter() - started}

    def answer_predict(self, arrays):
        return {"arrays": {"probabilities": self.predict(arrays["x"])}}

    def answer_latency(self, arrays, calls, limit_s):
        import numpy as np

        x = arrays["x"]
        seconds: Any = []
        for _ in range(5):  # Caches are cold after a pause, and another number of rows may be another program.
            self.predict(x)
        begun = time.perf_counter()
        while len(seconds) < calls and (not seconds or time.perf_counter() - begun < limit_s):
            started = time.perf_counter()
            self.predict(x)
            seconds.append(time.perf_counter() - started)
        return {"arrays": {"seconds": np.array(seconds)}}

    def answer_memory(self, arrays):
        return {"peak_bytes": importlib.import_module(PORTABLE + ".host").peak_bytes()}

    def answer_modules(self, arrays, names):
        return {"loaded": [name for name in names if name in sys.modules]}


def main(config):
    """Pin, and answer until the requests end."""
    here = os.path.dirname(os.path.abspath(__file__))
    worker = import_neighbour(here)
    worker.prepare(config)
    wire = importlib.import_module(PORTABLE + ".wire")
    worker.add_package(SERVED, config["folder"])
    server = Server(config["folder"])
    with os.fdopen(config["read"], "rb") as requests, os.fdopen(config["write"], "wb") as answers:
        request: Any = ({"call": "start"}, {})
        while request:
            header, arrays = request
            try:
                answer = wire.answer(server.method(header)(arrays, **header))
            except BaseException as error:  # SystemExit is included.
                answer = wire.failure(error)
            wire.write(answers, answer)
            request = wire.receive(requests)


def import_neighbour(folder):
    """Import worker.py, which stands beside this file, whatever is on the path."""
    package = types.ModuleType(PORTABLE)
    package.__path__ = [folder]
    sys.modules[PORTABLE] = package
    return importlib.import_module(PORTABLE + ".worker")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
