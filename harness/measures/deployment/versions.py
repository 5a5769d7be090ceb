"""Which versions of a runtime read an exported file: the pinned one, and the oldest of some older ones."""

from collections.abc import Callable, Iterator
from pathlib import Path

from packaging.version import Version

from ...common.arrays import Array
from ...environments import BuildFailed, Missing
from ...environments.layers import build_runtime
from ...registry.entries import backends_folder
from ...workers.session import WorkerFailed
from . import figures
from .attempt import start_server
from .judge import explain_difference
from .latency import Contestant
from .paths import SERVING

VERSIONS = "versions"
"""The folder, in that of a runtime, with a file of pins for each older version: PACKAGE-VERSION.txt."""
PYTHON = ">=3.11,<3.12"
"""The interpreters that the pins of older versions install in."""
OLDER, PINNED = "older", "pinned"

Write = Callable[..., None]


def list_older(runtime: str) -> list[tuple[str, str, Path]]:
    """Return the package, the version and the file of pins of each older version of a runtime, the oldest first."""
    files = (backends_folder() / SERVING / runtime / VERSIONS).glob("*.txt")
    named = [(*file.stem.rpartition("-")[::2], file) for file in files]
    return sorted(named, key=lambda each: Version(each[1]))


def try_versions(contestant: Contestant, x: Array, write: Write, say: Callable[[str], None]) -> None:
    """Serve the file by each older version, the oldest first, until one gives the right answers; record which do.

    Nothing is recorded where the framework itself serves: no other version of it is installed.
    """
    path = contestant.path
    older = [] if path.in_framework else list_older(path.export.serves_with)
    if not older:
        return
    model = contestant.exported.folder / "model.onnx"
    if model.is_file():
        write(figures.FILE_FORMAT, describe_onnx(model.read_bytes()), **path.keys)
    for package, version, file in older:
        say(f"{package} {version}")
        try:
            environment = build_runtime(f"serving-{package}-{version}", file, PYTHON, say)
        except (Missing, BuildFailed) as failed:
            say(str(failed))
            continue
        reason = _explain_refusal(contestant._replace(place=contestant.place._replace(python=environment.python)), x)
        more = {"reason": reason} if reason else {}
        write(figures.READS, not reason, version=version, of=OLDER, **more, **path.keys)
        if not reason:
            break
    write(figures.READS, True, version=_read_pin(path.serve_file.parent, older[0][0]), of=PINNED, **path.keys)


def _explain_refusal(contestant: Contestant, x: Array) -> str:
    """Return why the file is not read, or what is wrong with the answers; "" where all is well."""
    try:
        with start_server(contestant.place, contestant.path, contestant.exported.folder) as session:
            truth = contestant.exported.truth
            rows = contestant.batch or len(x)
            return explain_difference(
                session.predict(x[:rows]), truth._replace(probabilities=truth.probabilities[:rows])
            )
    except WorkerFailed as failed:
        return failed.message


def _read_pin(folder: Path, package: str) -> str:
    lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    (pin,) = [line for line in lines if line.startswith(f"{package}==")]
    return pin.split("==")[1].split()[0]


def describe_onnx(content: bytes) -> str:
    """Return the version of the format and of the operators that an ONNX file asks for.

    Read from its protocol buffer: `ir_version` is field 1 of ModelProto, and `opset_import` field 8, with the domain
    in its field 1 and the version in its field 2 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
    """
    fields = list(_read_fields(content))
    form = next((value for number, value in fields if number == 1 and isinstance(value, int)), "unknown")
    opsets = []
    for number, value in fields:
        if number == 8 and isinstance(value, bytes):
            inner = dict(_read_fields(value))
            domain = inner.get(1, b"")
            name = domain.decode() if isinstance(domain, bytes) else str(domain)
            opsets.append(f"operators {name or 'ai.onnx'} {inner.get(2, 'unknown')!s}")
    return ", ".join([f"ONNX format {form}", *opsets])


def _read_fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and the value of each field of a message: a number, or the bytes of another message."""
    at = 0
    while at < len(content):
        key, at = _read_number(content, at)
        kind = key & 7
        if kind == 0:
            value, at = _read_number(content, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _read_number(content, at)
        else:
            size = {1: 8, 5: 4}[kind]
        yield key >> 3, content[at : at + size]
        at += size


def _read_number(content: bytes, at: int) -> tuple[int, int]:
    """Return the number of seven bits a byte, the lowest first, that begins at `at`, and where it ends."""
    value, shift = 0, 0
    while True:
        byte = content[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
