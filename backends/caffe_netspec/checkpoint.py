"""A checkpoint in the middle of training, as Caffe's users write it: the solver's snapshot.

https://caffe.berkeleyvision.org/tutorial/solver.html
"""

import contextlib
import glob
import os


@contextlib.contextmanager
def inside(folder):
    """Work in the folder: a snapshot is written there, and names the file with the arrays without its folder."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def save(solver, folder):
    with inside(folder):
        solver.snapshot()


def restore(solver, folder):
    with inside(folder):
        (state,) = glob.glob("*.solverstate")
        solver.restore(state)
