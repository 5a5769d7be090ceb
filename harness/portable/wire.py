"""The messages between the harness and a worker. worker.py documents their form."""

import io
import json
import struct
import traceback

LENGTHS = struct.Struct(">QQ")


def answer(result):
    """Return the bytes of the answer. `result` is the header; its key "arrays" holds the payload.

    The encoding computes a framework's lazy arrays, and it raises where a value cannot be sent.
    """
    arrays = result.pop("arrays", {})
    return message(dict(result, failure=None), arrays)


def failure(error):
    """Return the bytes of the answer to a request that raised `error`. Call it in the exception handler."""
    details = {"type": type(error).__name__, "message": str(error), "traceback": traceback.format_exc()}
    return message({"failure": details}, {})


def send(stream, header, arrays):
    """Write one message."""
    write(stream, message(header, arrays))


def write(stream, data):
    """Write the bytes of a message and flush the stream."""
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
