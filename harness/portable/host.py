"""Answers the requests that a worker receives, with one backend. worker.py documents the requests."""

import importlib
import os
import sys
import time
import types
from typing import Any


class Host(object):
    """Passes requests to the backend and its values back: a method `answer_<call>` for each call of the protocol."""

    def __init__(self, backend_class=None):
        self.backend_class = backend_class
        self.backend: Any = None

    def method(self, header):
        """Return the method that answers a request; removes the name of the call from its header."""
        call = header.pop("call")
        if call not in ("import", "build", "memory") and self.backend is None:
            raise RuntimeError("call %r came before `build`" % call)
        return getattr(self, "answer_" + call)

    def answer_import(self, arrays, adapter):
        started = time.perf_counter()
        module = importlib.import_module(adapter)
        import_s = time.perf_counter() - started
        self.backend_class = module.Backend
        if hasattr(module.Backend, "KNOWN_FAILURES"):
            raise ValueError("KNOWN_FAILURES is inside the class Backend: move it to the top level of adapter.py")
        return {
            "import_s": import_s,
            "conventions": dict(module.Backend.conventions),
            "variants": list(module.Backend.variants),
            "defaults": list(getattr(module.Backend, "defaults", ())),
            "known_failures": getattr(module, "KNOWN_FAILURES", []),
            "python": sys.version.split()[0],
        }

    def answer_build(self, arrays, spec, device, variant):
        from .spec import (
            Spec,
        )  # It imports NumPy. The import of the adapter is timed, so NumPy must not be loaded before it.

        spec["sizes"] = tuple(spec["sizes"])
        self.backend = None  # Frees the memory of the previous backend before the next one is built.
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
        left_s = self.time_transfer(losses) - self.time_transfer(losses) if drain else None
        return {"wall_s": wall_s, "cpu_s": cpu_s, "left_s": left_s, "arrays": {"losses": losses}}

    def time_transfer(self, losses):
        """Return the seconds that the transfer of the losses and of every array to the host takes."""
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
        self.backend.predict(x)  # Another number of rows can need another compiled program.
        begun = time.perf_counter()
        while len(seconds) < calls and (not seconds or time.perf_counter() - begun < limit_s):
            started = time.perf_counter()
            self.backend.predict(x)
            seconds.append(time.perf_counter() - started)
        return {"arrays": {"seconds": np.array(seconds)}}

    def answer_threads(self, arrays, threadpoolctl):
        reported = self.backend.threads() if hasattr(self.backend, "threads") else {}
        own = self.backend.kernels() if hasattr(self.backend, "kernels") else {}
        pools = examine_libraries(threadpoolctl)
        return {
            "framework": reported,
            "libraries": {pool["prefix"]: pool["num_threads"] for pool in pools},
            "kernels": [
                *[describe_kernels(pool) for pool in pools],
                *[describe_kernels({"prefix": name, "architecture": text}) for name, text in sorted(own.items())],
            ],
            "system": count_threads_by_name(),
        }

    def answer_aliases(self, arrays):
        """Load, dump and train; return the names of the loaded and of the dumped arrays that the training changed."""
        order, x, y = arrays.pop("order"), arrays.pop("x"), arrays.pop("y")
        loaded = copies(arrays)
        self.backend.load(arrays)
        self.backend.put(x, y)
        live = self.backend.dump()
        dumped = copies(live)
        self.backend.train(order)
        self.backend.wait()
        return {"loaded": changed(arrays, loaded), "dumped": changed(live, dumped)}

    def answer_learning_rate(self, arrays, learning_rate):
        self.backend.set_learning_rate(learning_rate)
        return {}

    def answer_settings(self, arrays):
        return {"settings": self.backend.settings()}

    def answer_initial(self, arrays, seed):
        return {"arrays": self.backend.initial(seed)}

    def answer_export(self, arrays, path, folder):
        started = time.perf_counter()
        self.backend.export(path, arrays["x"], folder)
        return {"export_s": time.perf_counter() - started}

    def answer_save(self, arrays, folder):
        self.backend.save(folder)
        return {}

    def answer_restore(self, arrays, folder):
        self.backend.restore(folder)
        return {}

    def answer_versions(self, arrays):
        return {"versions": self.backend.versions()}

    def answer_memory(self, arrays):
        measure = getattr(self.backend, "device_peak_bytes", None)
        return {"peak_bytes": peak_bytes(), "device_peak_bytes": measure() if measure else None}


def copies(arrays):
    """Return a copy of every array."""
    return {name: array.copy() for name, array in arrays.items()}


def changed(arrays, before):
    """Return the names of the arrays whose values have changed."""
    return [name for name in before if (arrays[name] != before[name]).any()]


def examine_libraries(path):
    """Return what threadpoolctl, the file at `path`, finds of each numerical library in this process; or []."""
    threadpoolctl = types.ModuleType("threadpoolctl")
    threadpoolctl.__file__ = path
    sys.modules["threadpoolctl"] = threadpoolctl
    try:
        with open(path) as source:
            exec(compile(source.read(), path, "exec"), threadpoolctl.__dict__)
        return threadpoolctl.threadpool_info()
    except Exception:  # threadpoolctl needs a newer Python than this one.
        return []


def describe_kernels(pool):
    """Return the library, its version and the processor that its kernels are for; "unknown" where it does not say."""
    names = ("prefix", "internal_api", "version", "architecture")
    return {name: str(pool.get(name) or "unknown") for name in names}


def count_threads_by_name():
    """Return {name without its number: count} of the threads of this process; {} where the system has no /proc."""
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

    Reads /proc where it exists, because getrusage also counts the pages of the parent from before exec.
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
