"""The process that hosts one backend. This docstring is the protocol.

Started as `python worker.py CONFIG`, CONFIG being JSON:

    folder    the backend's folder; its adapter.py is imported from there
    read      file descriptor that requests come from
    write     file descriptor that answers go to
    cores     list of core numbers to run on, or null for all
    threads   number of threads, set in every variable of thread_variables
    thread_variables    names of environment variables that hold a thread count

First, before NumPy or the framework is imported, the worker pins itself and sets the thread counts. Then it imports
the adapter, times the import, and sends its first answer. After that every request gets one answer, in order, until
the requests end. Standard input is empty; the harness writes standard output and standard error to a log file.

A message is  length of header, length of payload (two unsigned 64-bit integers, big-endian), header, payload.
The header is JSON. The payload is an .npz file of arrays, read with allow_pickle=False, or nothing.

    request   {"call": name, ...}                     arrays of the call
    answer    {"failure": null, ...}                  arrays of the answer
              {"failure": {"type", "message", "traceback"}}

The first answer carries import_s, conventions, variants, defaults, known_failures, python. The calls:

    build      spec (fields of spec.Spec), device, variant     -> build_s
    load       arrays                                          ->
    dump                                                       -> arrays
    put        x, y                                            -> put_s
    train      order; drain, warm_up_slice (true or false)     -> losses; wall_s, cpu_s, left_s
    gradients  x, y                                            -> gradients
    predict    x                                               -> probabilities
    latency    x; calls, limit_s                               -> seconds (calls made,): predict, from host to host
    threads    threadpoolctl (path of its file)                -> framework, libraries, system
    aliases    order, arrays, x, y                             -> loaded, dumped (names that training changed)
    learning_rate    learning_rate                             ->
    settings                                                   -> settings
    initial    seed                                            -> arrays
    export     x (some rows); path, folder                     -> export_s: writes the network into the empty folder
    save       folder                                          -> writes all of the training's state into the folder
    restore    folder                                          -> continues where `save` was
    versions                                                   -> versions
    memory                                                     -> peak_bytes, device_peak_bytes (or null)

wall_s and cpu_s cover train and wait, and nothing else. With warm_up_slice, train and wait run once before the timed
call, because a process that was stopped starts with cold caches and with its threads on arbitrary cores. With drain,
left_s is the time of a first transfer of the losses and of every array to the host, minus the time of a second one: the
work that wait() left undone. Without drain it is null.

threads answers with the thread counts in force: `framework` as the framework reports them, `libraries` as threadpoolctl
finds them in the libraries below it, `system` as the number of threads of the process by name; {} where unknown.
"""

import importlib
import json
import os
import signal
import sys
import types
from typing import Any


def main(config):
    """Pin, import, and answer until the requests end.

    The backend is called from as few and as short frames as possible: one framework walks the whole stack at every
    eager operation and looks up the line of each frame (docs/explanation/timing.md).
    """
    prepare(config)
    here = add_package("bakeoff_portable", os.path.dirname(os.path.abspath(__file__)))
    wire, host = (importlib.import_module(here + part) for part in (".wire", ".host"))
    adapter = add_package("bakeoff_backend", config["folder"]) + ".adapter"
    hosted = host.Host()
    with os.fdopen(config["read"], "rb") as requests, os.fdopen(config["write"], "wb") as answers:
        request: Any = ({"call": "import", "adapter": adapter}, {})
        while request:
            header, arrays = request
            try:
                answer = wire.answer(hosted.method(header)(arrays, **header))
            except BaseException as error:  # SystemExit is included.
                answer = wire.failure(error)
            wire.write(answers, answer)
            del request, arrays, answer  # They are as large as the network.
            request = wire.receive(requests) if hosted.backend_class else None


def prepare(config):
    """Pin this process, set the thread counts, and keep only importable folders of the backend on the path."""
    end_with_the_harness()
    if config["cores"] is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, config["cores"])
    for variable in config["thread_variables"]:
        os.environ[variable] = str(config["threads"])
    for descriptor in (config["read"], config["write"]):
        os.set_inheritable(descriptor, False)  # A program that outlives the worker must not keep its pipe open.
    here = os.path.dirname(os.path.realpath(__file__))  # as Python resolves links in sys.path[0]
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or ".") != here]


def end_with_the_harness():
    """Ask Linux to end this process when the harness dies: a stopped worker would not notice the closed pipe."""
    if sys.platform != "linux":
        return
    import ctypes

    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def add_package(name, folder):
    """Make `folder` importable as the package `name`; add nothing to the path."""
    module = types.ModuleType(name)
    module.__path__ = [folder]
    sys.modules[name] = module
    return name


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
