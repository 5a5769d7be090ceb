"""What answers a worker's requests, by one backend. worker.py says what each asks for."""

import importlib
import os
import sys
import time
import types
from typing import Any


class Host(object):
    """Carries requests to the backend and its values back: a method `answer_<call>` for each call of the protocol."""

    def __init__(self, backend_class=None):
        self.backend_class = backend_class
        self.backend: Any = None

    def method(self, header):
        """Return the method that answers a request, and take the call's name out of its header."""
        call = header.pop("call")
        if call not in ("import", "build", "memory") and self.backend is None:
            raise RuntimeError("call %r came before `build`" % call)
        return getattr(self, "answer_" + call)

    def answer_import(self, arrays, adapter):
        started = time.perf_counter()
        module = importlib.import_module(adapter)
        import_s = time.perf_counter() - started
        self.backend_class = module.Backend
        return {
            "import_s": import_s,
            "conventions": dict(module.Backend.conventions),
            "variants": list(module.Backend.variants),
            "defaults": list(getattr(module.Backend, "defaults", ())),
            "known_failures": dict(getattr(module, "KNOWN_FAILURES", {})),
            "python": sys.version.split()[0],
        }

    def answer_build(self, arrays, spec, device, variant):
        from .spec import Spec  # which imports NumPy: not before the adapter, by whose clock that would be missing

        spec["sizes"] = tuple(spec["sizes"])
        self.backend = None  # the former backend's memory is free before the next one is built
        started = time.perf_counter()
        self.backend = self.backend_class(Spec(**spec), device, variant)
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

    def answer_train(self, arrays, drain, warm_up_slice=False):
        order = arrays["order"]
        if warm_up_slice:
            self.backend.train(order)
            self.backend.wait()
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
        told = getattr(self.backend, "device_peak_bytes", None)
        return {"peak_bytes": peak_bytes(), "device_peak_bytes": told() if told else None}


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
