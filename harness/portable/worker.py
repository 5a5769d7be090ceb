"""The process that hosts one backend. This docstring is the protocol.

Started as `python worker.py CONFIG`, CONFIG being JSON:

    folder    the backend's folder; its adapter.py is imported from there
    read      file descriptor that requests come from
    write     file descriptor that answers go to
    cores     list of core numbers to run on, or null for all
    threads   number of threads, set in every variable of thread_variables
    thread_variables    names of environment variables that hold a thread count

First, before NumPy or the framework is imported, the worker pins itself and sets the thread counts. Then it imports
the adapter, by the clock, and sends its first answer. From then on every request gets one answer, in order, until the
requests end. Standard input is empty; standard output and standard error are noise, kept in a file by the harness.

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
    train      order; drain (true or false)                    -> losses; wall_s, cpu_s, left_s
    gradients  x, y                                            -> gradients
    predict    x                                               -> probabilities
    latency    x; calls, limit_s                               -> seconds (calls made,): predict, from host to host
    threads    pools (path of threadpoolctl.py)                -> told, pools, system
    aliases    order, arrays, x, y                             -> given, dumped (names that training changed)
    settings                                                   -> settings
    initial    seed                                            -> arrays
    versions                                                   -> versions
    memory                                                     -> peak_bytes

wall_s and cpu_s cover train and wait, and nothing else. With drain, left_s is how much longer it took to bring the
losses and every array to the host than to do so once more: work that wait() left undone. Without, it is null.

threads answers with what is in force: `told` is what the framework says of itself, `pools` what threadpoolctl finds in
the libraries below it, `system` how many threads the process has by their name; {} where that is not to be had.
"""

import importlib
import io
import json
import os
import signal
import struct
import sys
import time
import traceback
import types
from typing import Any

LENGTHS = struct.Struct(">QQ")


def main(config):
    """Pin, import, and answer until the requests end."""
    die_with_the_harness()
    if config["cores"] is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, config["cores"])
    for variable in config["thread_variables"]:
        os.environ[variable] = str(config["threads"])
    for descriptor in (config["read"], config["write"]):
        os.set_inheritable(descriptor, False)  # a program that outlives the worker must not hold its pipe open
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    with os.fdopen(config["read"], "rb") as requests, os.fdopen(config["write"], "wb") as answers:
        host, first = catching(import_host, config["folder"], here)
        write(answers, first)
        while host is not None:
            request = receive(requests)
            if request is None:
                return
            _, answer = catching(host.answer, *request)
            write(answers, answer)


def die_with_the_harness():
    """Ask Linux to end this process when the harness dies: a stopped worker would not notice the closed pipe."""
    if sys.platform != "linux":
        return
    import ctypes

    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def catching(function, *arguments):
    """Return function's value, and its answer as a message; whatever is raised, SystemExit too, becomes a failure.

    Making the message is part of it: there a framework's lazy arrays are computed, and what cannot be sent is found.
    """
    try:
        value, answer = function(*arguments)
        arrays = answer.pop("arrays", {})
        return value, message(dict(answer, failure=None), arrays)
    except BaseException as error:
        failure = {"type": type(error).__name__, "message": str(error), "traceback": traceback.format_exc()}
        return None, message({"failure": failure}, {})


def import_host(folder, here):
    """Import the adapter in `folder`, by the clock; return the host and the first answer."""
    started = time.perf_counter()
    adapter = importlib.import_module(package("bakeoff_backend", folder) + ".adapter")
    import_s = time.perf_counter() - started
    backend = adapter.Backend
    answer = {
        "import_s": import_s,
        "conventions": dict(backend.conventions),
        "variants": list(backend.variants),
        "defaults": list(getattr(backend, "defaults", ())),
        "known_failures": dict(getattr(adapter, "KNOWN_FAILURES", {})),
        "python": sys.version.split()[0],
    }
    return Host(backend, importlib.import_module(package("bakeoff_portable", here) + ".spec")), answer


def package(name, folder):
    """Make `folder` importable as the package `name`, and put nothing else on the path."""
    module = types.ModuleType(name)
    module.__path__ = [folder]
    sys.modules[name] = module
    return name


class Host(object):
    """Carries requests to the backend and its values back."""

    def __init__(self, backend_class, specs):
        self.backend_class, self.specs = backend_class, specs
        self.backend: Any = None

    def answer(self, header, arrays):
        """Return (None, answer) of one request."""
        call = header.pop("call")
        if call not in ("build", "memory") and self.backend is None:
            raise RuntimeError("call %r came before `build`" % call)
        return None, getattr(self, "answer_" + call)(arrays, **header)

    def answer_build(self, arrays, spec, device, variant):
        spec["sizes"] = tuple(spec["sizes"])
        self.backend = None  # the former backend's memory is free before the next one is built
        started = time.perf_counter()
        self.backend = self.backend_class(self.specs.Spec(**spec), device, variant)
        return {"build_s": time.perf_counter() - started}

    def answer_load(self, arrays):
        self.backend.load(arrays)
        return {}

    def answer_dump(self, arrays):
        return {"arrays": self.backend.dump()}

    def answer_put(self, arrays):
        started = time.perf_counter()
        self.backend.put(arrays["x"], arrays["y"])
        return {"put_s": time.perf_counter() - started}

    def answer_train(self, arrays, drain):
        order = arrays["order"]
        wall, cpu = time.perf_counter(), time.process_time()
        losses = self.backend.train(order)
        self.backend.wait()
        wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
        left_s = self.drain(losses) - self.drain(losses) if drain else None
        return {"wall_s": wall_s, "cpu_s": cpu_s, "left_s": left_s, "arrays": {"losses": losses}}

    def drain(self, losses):
        """Return the seconds it takes to bring the losses and every array to the host."""
        import numpy as np

        started = time.perf_counter()
        np.asarray(losses)
        self.backend.dump()
        return time.perf_counter() - started

    def answer_gradients(self, arrays):
        return {"arrays": self.backend.gradients(arrays["x"], arrays["y"])}

    def answer_predict(self, arrays):
        return {"arrays": {"probabilities": self.backend.predict(arrays["x"])}}

    def answer_latency(self, arrays, calls, limit_s):
        import numpy as np

        x = arrays["x"]
        seconds: Any = []
        self.backend.predict(x)  # another number of rows may be another program to compile
        begun = time.perf_counter()
        while len(seconds) < calls and (not seconds or time.perf_counter() - begun < limit_s):
            started = time.perf_counter()
            self.backend.predict(x)
            seconds.append(time.perf_counter() - started)
        return {"arrays": {"seconds": np.array(seconds)}}

    def answer_threads(self, arrays, pools):
        told = self.backend.threads() if hasattr(self.backend, "threads") else {}
        return {"told": told, "pools": threads_of_pools(pools), "system": threads_by_name()}

    def answer_aliases(self, arrays):
        """Load and dump, train, and name the arrays given and dumped that the training changed."""
        order, x, y = arrays.pop("order"), arrays.pop("x"), arrays.pop("y")
        given = copies(arrays)
        self.backend.load(arrays)
        self.backend.put(x, y)
        live = self.backend.dump()
        dumped = copies(live)
        self.backend.train(order)
        self.backend.wait()
        return {"given": changed(arrays, given), "dumped": changed(live, dumped)}

    def answer_settings(self, arrays):
        return {"settings": self.backend.settings()}

    def answer_initial(self, arrays, seed):
        return {"arrays": self.backend.initial(seed)}

    def answer_versions(self, arrays):
        return {"versions": self.backend.versions()}

    def answer_memory(self, arrays):
        return {"peak_bytes": peak_bytes()}


def copies(arrays):
    """Return a copy of every array."""
    return {name: array.copy() for name, array in arrays.items()}


def changed(arrays, before):
    """Return the names of the arrays that are no longer what they were."""
    return [name for name in before if (arrays[name] != before[name]).any()]


def threads_of_pools(path):
    """Return {library: threads} of the pools that threadpoolctl, the file at `path`, finds in this process."""
    threadpoolctl = types.ModuleType("threadpoolctl")
    threadpoolctl.__file__ = path
    sys.modules["threadpoolctl"] = threadpoolctl
    try:
        with open(path) as source:
            exec(compile(source.read(), path, "exec"), threadpoolctl.__dict__)
        return {pool["prefix"]: pool["num_threads"] for pool in threadpoolctl.threadpool_info()}
    except Exception:  # written for a newer Python than this one
        return {}


def threads_by_name():
    """Return {name: how many} of this process's threads, their numbers taken off; {} where the system has no /proc."""
    names: Any = {}
    try:
        for task in os.listdir("/proc/self/task"):
            with open("/proc/self/task/%s/comm" % task) as comm:
                name = comm.read().strip().rstrip("0123456789").rstrip("-_/ ")
            names[name] = names.get(name, 0) + 1
    except OSError:
        pass
    return names


def peak_bytes():
    """Return the largest resident size of this process so far.

    From /proc, where there is one: getrusage also counts the parent's pages from before exec.
    """
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def send(stream, header, arrays):
    """Write one message."""
    write(stream, message(header, arrays))


def write(stream, data):
    """Write the bytes of a message, now."""
    stream.write(data)
    stream.flush()


def message(header, arrays):
    """Return the bytes of one message."""
    payload = b""
    if arrays:
        import numpy as np

        buffer = io.BytesIO()
        np.savez(buffer, **{name: np.asarray(array) for name, array in arrays.items()})  # type: ignore[arg-type]  # any name is a key
        payload = buffer.getvalue()
    text = json.dumps(header).encode("utf-8")
    return LENGTHS.pack(len(text), len(payload)) + text + payload


def receive(stream):
    """Read one message; None at the end of the stream. Raises EOFError where a message is cut off."""
    lengths = stream.read(LENGTHS.size)
    if not lengths:
        return None
    if len(lengths) < LENGTHS.size:
        raise EOFError("the stream ended inside a message")
    text_length, payload_length = LENGTHS.unpack(lengths)
    text, payload = stream.read(text_length), stream.read(payload_length)
    if len(text) < text_length or len(payload) < payload_length:
        raise EOFError("the stream ended inside a message")
    arrays = {}
    if payload:
        import numpy as np

        with np.load(io.BytesIO(payload), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    return json.loads(text.decode("utf-8")), arrays


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
