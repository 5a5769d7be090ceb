"""The worker answers as its docstring, the protocol, says: here by hand, without the harness's own far end."""

import io
import json
import os
import pathlib
import struct
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from bakeoff.portable import host, wire, worker
from bakeoff.portable.spec import shapes

from .networks import small

MISBEHAVING = pathlib.Path(__file__).parent.parent / "misbehaving"


class Wire:
    """The harness's ends of the two pipes."""

    def __init__(self, process, requests, answers):
        self.process, self.requests, self.answers = process, requests, answers

    def ask(self, call, arrays=None, **header):
        """Send a request; return the answer: (header, arrays)."""
        wire.send(self.requests, dict(header, call=call), arrays or {})
        return wire.receive(self.answers)

    def build(self, spec, variant):
        """Ask for a backend; return the answer's header."""
        return self.ask("build", spec=dict(spec._asdict()), device="cpu", variant=variant)[0]


@contextmanager
def started(folder, **changes):
    """Start a worker by the protocol; yield its wire and its first answer's header."""
    request_read, request_write = os.pipe()
    answer_read, answer_write = os.pipe()
    config = {
        "folder": str(MISBEHAVING / folder),
        "read": request_read,
        "write": answer_write,
        "cores": None,
        "threads": 1,
        "thread_variables": ["OMP_NUM_THREADS"],
    }
    config.update(changes)
    process = subprocess.Popen(
        [sys.executable, worker.__file__, json.dumps(config)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=(request_read, answer_write),
    )
    os.close(request_read)
    os.close(answer_write)
    with os.fdopen(request_write, "wb") as requests, os.fdopen(answer_read, "rb") as answers:
        try:
            yield Wire(process, requests, answers), wire.receive(answers)[0]
        finally:
            process.kill()
            process.wait()


# Messages


def sent(header, arrays):
    """Return the bytes of a message."""
    stream = io.BytesIO()
    wire.send(stream, header, arrays)
    return stream.getvalue()


def test_a_message_is_two_lengths_a_json_header_and_an_npz_payload():
    data = sent({"call": "load"}, {"dense0/kernel": np.eye(2)})
    header, payload = struct.unpack(">QQ", data[:16])
    assert json.loads(data[16 : 16 + header].decode("utf-8")) == {"call": "load"}
    assert len(data) == 16 + header + payload
    assert np.load(io.BytesIO(data[16 + header :]))["dense0/kernel"].tolist() == [[1, 0], [0, 1]]


def test_a_message_without_arrays_has_no_payload():
    assert sent({}, {}) == struct.pack(">QQ", 2, 0) + b"{}"


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3)])
def test_what_is_sent_is_received(dtype, shape):
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    header, arrays = wire.receive(
        io.BytesIO(sent({"text": "\u00e9\n", "none": None, "f": 0.1}, {"norm0/gamma": array}))
    )
    assert header == {"text": "\u00e9\n", "none": None, "f": 0.1}
    assert list(arrays) == ["norm0/gamma"]
    assert (arrays["norm0/gamma"].dtype, arrays["norm0/gamma"].shape) == (np.dtype(dtype), shape)
    assert np.array_equal(arrays["norm0/gamma"], array)


def test_messages_follow_one_another_until_the_stream_ends():
    stream = io.BytesIO(sent({"n": 1}, {"a": np.ones(3)}) + sent({"n": 2}, {}))
    assert [wire.receive(stream)[0]["n"] for _ in range(2)] == [1, 2]
    assert wire.receive(stream) is None


def test_a_message_cut_off_anywhere_is_an_error():
    data = sent({"n": 1}, {"a": np.ones(3)})
    for length in range(1, len(data)):
        with pytest.raises(EOFError, match="ended inside a message"):
            wire.receive(io.BytesIO(data[:length]))


def test_a_pickle_is_not_read():
    data = sent({}, {"a": np.array([{}], dtype=object)})
    with pytest.raises(ValueError, match="allow_pickle=False"):
        wire.receive(io.BytesIO(data))


# The process


def test_the_first_answer_says_what_was_imported():
    with started("by_variant") as (_, first):
        assert first.pop("import_s") > 0
        assert "obedient" in first.pop("variants")
        assert first == {
            "failure": None,
            "conventions": {},
            "defaults": [],
            "known_failures": [],
            "python": sys.version.split()[0],
        }


def test_every_call_is_answered():
    spec = small()
    zeros = {name: np.zeros(shape) for name, shape in shapes(spec).items()}
    x, y, order = np.zeros((20, 5)), np.zeros(20, "int64"), np.zeros((3, 9), "int64")
    with started("by_variant") as (wire, _):
        assert wire.build(spec, "obedient")["build_s"] >= 0
        assert wire.ask("load", zeros) == ({"failure": None}, {})
        assert wire.ask("put", {"x": x, "y": y})[0]["put_s"] >= 0
        header, arrays = wire.ask("train", {"order": order}, drain=False)
        assert (arrays["losses"].tolist(), header["left_s"]) == ([0, 0, 0], None)
        assert min(header["wall_s"], header["cpu_s"]) >= 0
        assert isinstance(wire.ask("train", {"order": order}, drain=True)[0]["left_s"], float)
        assert {name: array.shape for name, array in wire.ask("dump")[1].items()} == shapes(spec)
        assert "dense0/kernel" in wire.ask("gradients", {"x": x, "y": y})[1]
        assert wire.ask("predict", {"x": x})[1]["probabilities"].shape == (20, 4)
        aliases, _ = wire.ask("aliases", dict(zeros, x=x, y=y, order=order))
        assert aliases == {"failure": None, "loaded": [], "dumped": []}
        assert wire.ask("versions")[0]["versions"] == {"obedient": "1.0"}
        assert wire.ask("memory")[0]["peak_bytes"] > 1 << 20


@pytest.mark.parametrize(
    ("variant", "kind", "message"),
    [
        ("raise_error", "ZeroDivisionError", "the learning rate vanished"),
        ("sys_exit", "SystemExit", "4"),
        ("out_of_memory", "MemoryError", ""),
        ("late_error", "RuntimeError", "the device ran out of memory a while ago"),
        ("unsendable", "TypeError", "pickle"),
    ],
)
def test_whatever_is_raised_is_a_field_of_the_answer_and_the_worker_goes_on(variant, kind, message):
    with started("by_variant") as (wire, _):
        wire.build(small(), variant)
        header, arrays = wire.ask("train", {"order": np.zeros((3, 9), "int64")}, drain=False)
        assert header["failure"]["type"].endswith(kind)
        assert message in header["failure"]["message"]
        assert "Traceback" in header["failure"]["traceback"]
        assert arrays == {}
        assert wire.ask("versions")[0]["failure"] is None


def test_a_call_before_build_is_an_error():
    with started("by_variant") as (wire, _):
        assert wire.ask("dump")[0]["failure"]["message"] == "call 'dump' came before `build`"


def test_an_unknown_call_is_an_error():
    with started("by_variant") as (wire, _):
        wire.build(small(), "obedient")
        assert wire.ask("explode")[0]["failure"]["type"] == "AttributeError"


def test_an_adapter_that_cannot_be_imported_is_a_failure_and_the_worker_ends(monkeypatch):
    monkeypatch.setenv("AT_IMPORT", "raise")
    with started("at_import") as (wire, first):
        assert first["failure"]["type"] == "ImportError"
        assert "at_import/adapter.py" in first["failure"]["traceback"]
        assert wire.process.wait(timeout=60) == 0


def test_the_worker_ends_when_the_requests_end():
    with started("by_variant") as (wire, _):
        wire.requests.close()
        assert wire.process.wait(timeout=60) == 0


def test_threads_and_cores_are_set_before_numpy_is_imported():
    cores = sorted(os.sched_getaffinity(0))[:1] if hasattr(os, "sched_getaffinity") else None
    changes = {"cores": cores, "threads": 3, "thread_variables": ["OMP_NUM_THREADS", "OTHER_NUM_THREADS"]}
    with started("looks_around", **changes) as (wire, _):
        wire.build(small(), None)
        seen = {name: json.loads(value) for name, value in wire.ask("versions")[0]["versions"].items()}
        assert not seen["numpy_was_there"]
        assert (seen["threads"]["OMP_NUM_THREADS"], seen["threads"]["OTHER_NUM_THREADS"]) == ("3", "3")
        assert seen["cores"] == (cores or [])


def test_the_worker_s_own_modules_are_not_on_the_path_of_an_adapter():
    with started("looks_around") as (wire, _):
        wire.build(small(), None)
        assert wire.ask("versions")[0]["versions"]["importable"] == "[]"


def test_the_peak_is_the_largest_resident_size_so_far():
    before = host.peak_bytes()
    block = np.ones(1 << 23)  # 64 MiB, written to
    assert host.peak_bytes() >= before
    assert host.peak_bytes() >= block.nbytes


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/e/lib/python3.11/site-packages/numpy.libs/libscipy_openblas64_.so", "libopenblas (numpy)"),
        ("/e/lib/python3.11/site-packages/torch/lib/libgomp.so", "libopenblas (torch)"),
        ("/usr/lib/libopenblas.so.0", "libopenblas"),
        ("", "libopenblas"),
    ],
)
def test_a_pool_of_threads_is_named_with_the_package_that_brings_it(path, name):
    assert host.name_pool({"prefix": "libopenblas", "filepath": path, "num_threads": 1}) == name
