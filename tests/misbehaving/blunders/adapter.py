"""Learns nothing; given rows of another width than the network's, it does what its variant is called."""

import fractions
import os
import signal
import sys
import time
import warnings

import numpy as np


class Backend:
    conventions = {}
    variants = (
        *("shrugs", "refuses", "raises", "raises_later", "warns", "chatters", "dies", "hangs"),
        *("nan_losses", "nan_probabilities", "drifts", "shrinks", "broken"),
    )

    def __init__(self, spec, device="cpu", variant=None):
        self.spec, self.variant, self.trained = spec, variant, 0
        print("built in %7d" % os.getpid(), file=sys.stderr)
        if variant == "broken":
            raise RuntimeError("nothing works")

    def load(self, arrays):
        pass

    def put(self, x, y):
        self.corrupted = x.shape[1] != self.spec.sizes[0]
        if self.corrupted and self.variant == "refuses":
            raise TypeError("no")

    def train(self, order):
        self.trained += 1
        if self.corrupted:
            self.misbehave()
        losses = np.ones(len(order), self.spec.dtype)
        if self.corrupted and self.variant == "nan_losses":
            losses[-1] = np.nan
        return losses

    def misbehave(self):
        if self.variant == "raises" or (self.variant == "raises_later" and self.trained > 1):
            fractions.Fraction("(64, 63)")
        elif self.variant == "warns" and self.trained == 1:
            warnings.warn("these are not 64 columns", stacklevel=1)
        elif self.variant == "chatters":
            print("built in 1", file=sys.stderr)
        elif self.variant == "dies":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif self.variant == "hangs":
            time.sleep(1000)

    def wait(self):
        pass

    def predict(self, x):
        given = np.full((len(x), self.spec.sizes[-1]), 0.1, self.spec.dtype)
        if self.corrupted and self.variant == "drifts":
            given[:, 1] += 0.01
        elif self.corrupted and self.variant == "nan_probabilities":
            given[:, 1] = np.nan
        return given[:5] if self.corrupted and self.variant == "shrinks" else given
