"""The common server: one exported network behind one address, by Starlette and uvicorn.

Started as `python app.py CONFIG`, CONFIG being JSON: `folder` with the exported files and serve.py, `function` that
loads them, `dtype` of the rows, `packages` (the folders with Starlette and uvicorn), `cores` to run on, and `address`,
the file that the address is written to. POST / takes {"rows": [[...], ...]} and answers
{"probabilities": [[...], ...]}. A call runs in a thread of Starlette's pool, as that of a synchronous handler does;
with `one_at_a_time` there is a lock around it.

https://www.starlette.io/threadpool/
https://www.uvicorn.org/
"""

import json
import os
import socket
import sys
import threading
import types


def load(folder, function):
    """Import serve.py of the folder as a package of its own, and load the network."""
    package = types.ModuleType("bakeoff_served")
    package.__path__ = [folder]
    sys.modules["bakeoff_served"] = package
    from bakeoff_served import serve

    return getattr(serve, function)(folder)


def make_app(predict, dtype):
    import numpy as np
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def answer(request):
        rows = np.asarray(json.loads(await request.body())["rows"], dtype)
        probabilities = await run_in_threadpool(predict, rows)
        return JSONResponse({"probabilities": probabilities.tolist()})

    return Starlette(routes=[Route("/", answer, methods=["POST"])])


def one_at_a_time(predict):
    lock = threading.Lock()

    def locked(rows):
        with lock:
            return predict(rows)

    return locked


def main(config):
    if config["cores"] is not None:
        os.sched_setaffinity(0, config["cores"])
    here = os.path.dirname(os.path.realpath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or ".") != here]
    predict = load(config["folder"], config["function"])
    sys.path += config["packages"]  # at the end: what the framework brings itself goes first
    import uvicorn

    app = make_app(one_at_a_time(predict) if config["one_at_a_time"] else predict, config["dtype"])
    # By its protocol asyncio knows that it is TCP, and switches off the delay of small packets.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    with open(config["address"] + ".part", "w") as file:
        file.write("http://127.0.0.1:{}/".format(listener.getsockname()[1]))
    os.rename(config["address"] + ".part", config["address"])
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    server.run(sockets=[listener])


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
