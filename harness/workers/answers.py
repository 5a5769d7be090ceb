"""The answers of a worker, validated: no value of a backend enters the harness unless it passed here.

A header is read with a limit on its bytes, its text is made safe to keep and to print, and its fields are compared with
the form that the call has. A payload is unpacked with a limit on the bytes of its arrays, whatever it claims.
"""

import io
import json
import threading
import zipfile
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..common.arrays import Array, Arrays
from ..common.foreign import MOST_CHARACTERS, make_all_safe, make_line, make_safe
from ..portable import wire
from .failures import WorkerFailed
from .pipe import AnswerReader

MOST_HEADER_BYTES = 16 << 20
MOST_TRACEBACK = 20_000
"""Characters of a traceback."""
MOST_ARRAYS = 100_000
_parsing = threading.Lock()
"""NumPy parses headers with `ast`, whose depth counter all threads share in Python 3.11: two at a time raise
SystemError (python/cpython issue 106905), and a correct answer would count as a broken one."""

Seconds = Annotated[float, Field(ge=0)]
Taken = Annotated[float, Field(gt=0)]
Bytes = Annotated[float, Field(ge=0, lt=2**63)]
Threads = Annotated[int, Field(ge=0, lt=2**31)]
Map = Annotated[dict[str, str], Field(max_length=1000)]
Names = Annotated[list[str], Field(max_length=100_000)]


class Answer(BaseModel):
    """An answer without fields. The others have theirs, and no more."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Import(Answer):
    import_s: Seconds
    conventions: Map
    variants: Names
    defaults: Names
    known_failures: Any
    python: str


class _Build(Answer):
    build_s: Seconds


class _Put(Answer):
    put_s: Seconds


class _Train(Answer):
    wall_s: Taken
    cpu_s: Seconds
    left_s: float | None


class _Threads(Answer):
    framework: dict[str, Threads]
    libraries: dict[str, Threads]
    kernels: list[dict[str, str]]
    system: dict[str, Threads]


class _Aliases(Answer):
    loaded: Names
    dumped: Names


class _Settings(Answer):
    settings: Map


class _Export(Answer):
    export_s: Seconds


class _Versions(Answer):
    versions: Map


class _Memory(Answer):
    peak_bytes: Bytes
    device_peak_bytes: Bytes | None = None


class _LoadNetwork(Answer):
    load_s: Seconds


class _Modules(Answer):
    loaded: Names


class _Failure(Answer):
    type: str
    message: str
    traceback: str


FORMS: Mapping[str, type[Answer]] = {
    "import": _Import,
    "build": _Build,
    "put": _Put,
    "train": _Train,
    "threads": _Threads,
    "aliases": _Aliases,
    "settings": _Settings,
    "export": _Export,
    "versions": _Versions,
    "memory": _Memory,
}
"""The fields of an answer, by call of harness/portable/worker.py; a call that is not named has none."""
SERVING_FORMS: Mapping[str, type[Answer]] = {"load": _LoadNetwork, "memory": _Memory, "modules": _Modules}
"""The same for harness/portable/serving.py."""


def read_answer(
    stream: AnswerReader, call: str, forms: Mapping[str, type[Answer]], most_bytes: int
) -> tuple[dict[str, Any], Arrays] | None:
    """Return the fields and the arrays of the answer to a call; None at the end of the stream.

    `most_bytes` limits the payload, packed and unpacked. Raises WorkerFailed for the exception that the worker reports,
    ValueError for an answer that has another form, and EOFError where it is cut off.
    """
    lengths = stream.read(wire.LENGTHS.size)
    if not lengths:
        return None
    if len(lengths) < wire.LENGTHS.size:
        raise EOFError
    header_bytes, payload_bytes = wire.LENGTHS.unpack(lengths)
    for what, size, most in (("header", header_bytes, MOST_HEADER_BYTES), ("arrays", payload_bytes, most_bytes)):
        if size > most:
            raise ValueError(f"its {what} would have {size:,} bytes, and {most:,} are the most that make sense")
    text, payload = stream.read(header_bytes), stream.read(payload_bytes)
    if len(text) < header_bytes or len(payload) < payload_bytes:
        raise EOFError
    header = _read_header(call, text, forms.get(call, Answer))
    return header, unpack_arrays(payload, most_bytes)


def _read_header(call: str, text: bytes, form: type[Answer]) -> dict[str, Any]:
    """Return the fields of an answer, every text in them safe. Raises WorkerFailed for a failure, and ValueError."""
    try:
        header = json.loads(text.decode("utf-8"))
    except RecursionError:
        raise ValueError("its header is nested too deep") from None
    if not isinstance(header, dict):
        raise ValueError(f"expected a JSON object as its header, got {make_line(repr(header), 60)}")
    failure = header.pop("failure", "nothing")
    if failure is not None:
        raise _as_failure(call, failure)
    safe: dict[str, Any] = make_all_safe(header)
    problem = _describe_problem(form, safe)
    if problem:
        raise ValueError(problem)
    return safe


def _as_failure(call: str, failure: Any) -> WorkerFailed:
    """Return the failure that a worker reports. Raises ValueError where it is not reported as worker.py says."""
    problem = _describe_problem(_Failure, failure)
    if problem:
        raise ValueError(f"failure: {problem}")
    kind, message = make_line(failure["type"], 200), make_safe(failure["message"], MOST_CHARACTERS)
    text = f"{call} raised {kind}: {message}".rstrip(": ")
    return WorkerFailed("raised", text, make_safe(failure["traceback"], MOST_TRACEBACK), kind, message)


def _describe_problem(form: type[Answer], header: Any) -> str:
    """Return what is wrong with a header; "" where nothing is."""
    try:
        # Surrogates in a message are no reason to lose the message: they are made safe afterwards.
        form.model_validate(make_all_safe(header, MOST_HEADER_BYTES))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        said = f"{where}: {first['msg']}" if where else first["msg"]
        got = "" if first["type"] == "missing" else f", got {first['input']!r:.80}"
        return make_line(said + got, 300)
    return ""


def unpack_arrays(payload: bytes, most_bytes: int) -> Arrays:
    """Return the arrays of an .npz file. Raises ValueError where it is none, or its arrays have more bytes."""
    if not payload:
        return {}
    with _parsing:
        return _unpack(payload, most_bytes)


def _unpack(payload: bytes, most_bytes: int) -> Arrays:
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            members = archive.infolist()
            _require_size(sum(each.file_size for each in members), most_bytes)
            if len(members) > MOST_ARRAYS:
                raise ValueError(f"it has {len(members):,} arrays")
            sizes = (_claimed_bytes(archive.open(each)) for each in members)
            _require_size(sum(sizes), most_bytes)
        with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
            return {make_line(name, 200): arrays[name] for name in arrays.files}
    except ValueError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy raise exceptions of many types on bytes that are no archive
        raise ValueError(f"its arrays are no .npz file: {type(error).__name__}: {error}") from None


def _claimed_bytes(stream: Any) -> int:
    """Return the bytes that an array takes by its own header, which NumPy would allocate before it reads them."""
    with stream:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(stream)
    size = dtype.itemsize
    for length in shape:
        size *= length
    return int(size)


def _require_size(size: int, most: int) -> None:
    if size > most:
        raise ValueError(f"its arrays would unpack to {size:,} bytes, and {most:,} are the most that make sense")


def verify_arrays(call: str, arrays: Arrays, expected: Mapping[str, tuple[int, ...]], dtype: str) -> Arrays:
    """Return the arrays of an answer in the order of `expected`, {name: shape}.

    Raises WorkerFailed for a name, a shape, a dtype or a value that the contract forbids.
    """
    if set(arrays) != set(expected):
        missing, extra = sorted(set(expected) - set(arrays)), sorted(set(arrays) - set(expected))
        message = make_line(f"{call}: missing {missing or 'nothing'}, extra {extra or 'nothing'}", 500)
        raise WorkerFailed("broke the contract", message)
    for name, shape in expected.items():
        array = arrays[name]
        if array.shape != shape:
            raise WorkerFailed("broke the contract", f"{call}: {name} has shape {array.shape}, expected {shape}")
        if array.dtype != dtype:
            raise WorkerFailed("broke the contract", f"{call}: {name} has dtype {array.dtype}, expected {dtype}")
        if not np.isfinite(array).all():
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise WorkerFailed("not finite", f"{call}: {name}{list(where)} is {array[where]}")
    return {name: arrays[name] for name in expected}


def verify_seconds(call: str, seconds: Array | None) -> Array:
    """Return the seconds of some calls, (calls,). Raises WorkerFailed where they are none."""
    expected = "expected the seconds of each call"
    if seconds is None or seconds.ndim != 1 or not len(seconds):
        raise WorkerFailed("broke the contract", f"{call}: {expected}, got none")
    if not np.issubdtype(seconds.dtype, np.floating) or not (np.isfinite(seconds) & (seconds >= 0)).all():
        raise WorkerFailed("broke the contract", f"{call}: {expected}, got {make_line(str(seconds), 100)}")
    return seconds
