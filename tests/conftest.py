"""What the tests of workers share; tests/portable brings it into Python 3.6, so the harness waits inside fixtures."""

import os
import pathlib
import signal
import sys
import tempfile

import pytest

# A shell that runs this in the background has Ctrl-C ignored, and so would every program that a test interrupts.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The key that runs are signed with: that of the user stays out of the tests.
os.environ.setdefault("BAKEOFF_STATE", os.path.join(tempfile.gettempdir(), "bakeoff-test-state-%d" % os.getuid()))

MISBEHAVING = pathlib.Path(__file__).parent / "misbehaving"


@pytest.fixture
def place(tmp_path):
    """Return where a backend of tests/misbehaving runs: place(name, **fields of session.Place)."""
    from bakeoff.workers.place import Place

    def make(name, **fields):
        given = {"python": pathlib.Path(sys.executable), "folder": MISBEHAVING / name, "log": tmp_path / "worker.log"}
        given.update(fields)
        return Place(**given)

    return make


@pytest.fixture
def open_session(place):
    """Return a way to start a worker: open_session(name, **fields of session.Place). It is ended after the test."""
    from bakeoff.workers.session import Session

    sessions = []

    def start(name, **fields):
        sessions.append(Session(place(name, **fields)))
        return sessions[-1]

    yield start
    for session in sessions:
        session.close()
