"""Zeros of the right shapes, and one misbehaviour a variant."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np


class Obedient:
    """Meets the contract in form: every array is zero, whatever is asked."""

    def __init__(self, spec):
        self.spec = spec
        self.shapes = {}
        for layer, (fan_in, fan_out) in enumerate(zip(spec.sizes[:-1], spec.sizes[1:])):
            self.shapes["dense%d/kernel" % layer] = (fan_in, fan_out)
            if layer == len(spec.sizes) - 2 or not spec.batch_norm:
                self.shapes["dense%d/bias" % layer] = (fan_out,)
            else:
                for leaf in ("gamma", "beta", "running_mean", "running_var"):
                    self.shapes["norm%d/%s" % (layer, leaf)] = (fan_out,)

    def load(self, arrays):
        pass

    def dump(self):
        return {name: np.zeros(shape, self.spec.dtype) for name, shape in self.shapes.items()}

    def put(self, x, y):
        pass

    def train(self, order):
        return np.zeros(len(order), self.spec.dtype)

    def wait(self):
        pass

    def gradients(self, x, y):
        return {name: array for name, array in self.dump().items() if "running" not in name}

    def predict(self, x):
        return np.zeros((len(x), self.spec.sizes[-1]), self.spec.dtype)

    def versions(self):
        return {"obedient": "1.0"}


# What `train` does


def segfault(order):
    os.kill(os.getpid(), signal.SIGSEGV)


def failed_check(order):
    """End as a C++ library does whose assertion fails: a line on stderr, and abort()."""
    os.write(2, b"F1128 21:04:07.123456 41 blob.cpp:32] Check failed: shape[i] >= 0 (-1 vs. 0)\n")
    os.write(2, b"*** Check failure stack trace: ***\n")
    os.abort()


def virtual_machine_crash(order):
    """End as a Java virtual machine does: a banner on stdout, a file of its own, and abort()."""
    report = "hs_err_pid%d.log" % os.getpid()
    with open(os.path.join(os.environ["TMPDIR"], report), "w") as file:
        file.write("# SIGSEGV (0xb)\n")
    os.write(1, b"# A fatal error has been detected by the Java Runtime Environment:\n")
    os.write(1, ("# An error report file is saved as: %s\n" % report).encode())
    os.abort()


def hang(order):
    time.sleep(600)


def sys_exit(order):
    sys.exit(4)


def os_exit(order):
    os._exit(4)


def raise_error(order):
    raise ZeroDivisionError("the learning rate vanished")


def out_of_memory(order):
    return np.empty(1 << 60, "uint8")


def noise(order):
    print("noise from print")
    print("noise from stderr", file=sys.stderr, flush=True)
    os.write(1, b"noise from C\n")
    ctypes.CDLL(None).puts(b"noise from puts")
    return np.zeros(len(order))


def read_stdin(order):
    return np.full(len(order), float(len(sys.stdin.read())))


def nan_loss(order):
    return np.where(np.arange(len(order)) == 1, np.nan, 0.0)


def wrong_length(order):
    return np.zeros(len(order) + 1)


def objects(order):
    return np.array([{"a": "dictionary"}] * len(order), dtype=object)


def unsendable(order):
    return np.array([threading.Lock()] * len(order), dtype=object)


class Late:
    """Losses that are computed when they are asked for, and fail."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("the device ran out of memory a while ago")


def late_error(order):
    return Late()


def close_the_pipe(order):
    os.closerange(3, 64)
    time.sleep(600)


def die_with_a_child(order):
    """Leave a forked child behind that holds the pipe open."""
    if os.fork() == 0:
        time.sleep(600)
    os._exit(5)


def die_with_a_program(order):
    """Leave a program behind, started by a careless library that closes nothing."""
    subprocess.Popen(["sleep", "600"], close_fds=False)
    os._exit(5)


TRAIN = {
    function.__name__: function
    for function in (
        segfault,
        failed_check,
        virtual_machine_crash,
        hang,
        sys_exit,
        os_exit,
        raise_error,
        out_of_memory,
        noise,
        read_stdin,
        nan_loss,
        wrong_length,
        objects,
        unsendable,
        late_error,
        close_the_pipe,
        die_with_a_child,
        die_with_a_program,
    )
}


# What `dump` does to the arrays it returns


def nan(arrays):
    arrays["dense0/kernel"][1, 2] = np.nan


def wrong_shape(arrays):
    arrays["dense0/kernel"] = arrays["dense0/kernel"].T


def wrong_dtype(arrays):
    arrays["dense0/kernel"] = arrays["dense0/kernel"].astype("float32")


def missing(arrays):
    del arrays["norm0/gamma"]


def extra(arrays):
    arrays["norm0/momentum"] = np.zeros(3)


DUMP = {function.__name__: function for function in (nan, wrong_shape, wrong_dtype, missing, extra)}


class Backend:
    """Obedient, but for what its variant is named for."""

    conventions = {}
    variants = ("obedient", "waits", "wait_returns_at_once", *TRAIN, *DUMP)

    def __init__(self, spec, device="cpu", variant=None):
        self.obedient = Obedient(spec)
        self.variant = variant or "obedient"
        self.work = threading.Thread()
        for call in ("load", "put", "gradients", "predict", "versions"):
            setattr(self, call, getattr(self.obedient, call))

    def train(self, order):
        if "wait" in self.variant:
            self.work = threading.Thread(target=time.sleep, args=(0.2,))
            self.work.start()
        return TRAIN.get(self.variant, self.obedient.train)(order)

    def wait(self):
        if self.variant == "waits":
            self.work.join()

    def dump(self):
        if self.work.ident is not None:
            self.work.join()
        arrays = self.obedient.dump()
        DUMP.get(self.variant, len)(arrays)
        return arrays
