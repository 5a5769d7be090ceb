"""Specs, backend folders and data files from a stranger: mutations, and a fixed set of the hostile ones.

Each `make_*` function writes a file or a folder and returns it with what was done; each `read_*` function reads it as a
command does, and returns what is wrong with the end: "" where it was read, or refused with one clear message.
"""

import os
import random
import shutil
import string
import time
import traceback
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import sklearn.datasets
from bakeoff.common.errors import InputError
from bakeoff.registry import entries
from bakeoff.workload import data
from bakeoff.workload.data import describe_data
from bakeoff.workload.spec import DataSpec, TrainingSpec, default_spec, read_spec
from bakeoff.workload.suite import read_suite

from .run_folders import time_limit

LIMIT_S = 10
"""For one file."""

SPEC = """
[data]
source = "synthetic:300x6x3"
normalisation = "standard"
validation = 0.2
test = 0.2
[network]
hidden = [8, 4]
activation = "relu"
batch_norm = true
bn_decay = 0.9
bn_epsilon = 1e-5
initial_weights = "he"
[optimiser]
name = "adam"
learning_rate = 0.001
beta1 = 0.9
beta2 = 0.999
epsilon = 1e-8
[training]
batch_size = 16
epochs = 2
seed = 0
dtype = "float32"
[sweep]
batch_size = [8, 16]
"""

VALUES = [
    "-1",
    "0",
    "1e400",
    "-1e308",
    "nan",
    "inf",
    "9" * 4300,
    "9" * 5000,
    "0x" + "f" * 400,
    '""',
    '"\\ud800"',
    '"\\u001b]52;c;aGk=\\u0007"',
    '"' + "x" * 100_000 + '"',
    "true",
    "[]",
    "[[[]]]",
    "{}",
    "{a = {b = {c = 1}}}",
    "1979-05-27T07:32:00Z",
    "[" * 1000 + "]" * 1000,
    "[" * 50_000 + "]" * 50_000,
    "[1, 'a', {}]",
    '"""',
    "1_000",
    '"/dev/zero"',
    '"/proc/self/mem"',
    '"synthetic:999999999999x9999999x99999"',
    '"synthetic:3x3x3"',
    "[" + "8," * 100_000 + "]",
]
"""TOML in the place of a value."""


def mutate_toml(text: str, rng: random.Random) -> tuple[bytes, str]:
    """Return TOML that was changed in one to three ways, and the ways."""
    lines, done = text.splitlines(), []
    for _ in range(rng.choice([1, 1, 2, 3])):
        at = rng.randrange(len(lines))
        kind = rng.choice(["value", "value", "value", "key", "remove", "twice", "table", "noise"])
        if kind == "value" and "=" in lines[at]:
            lines[at] = f"{lines[at].partition('=')[0]}= {rng.choice(VALUES)}"
        elif kind == "key":
            lines[at] = f"{''.join(rng.choices(string.printable, k=5))} = {rng.choice(VALUES)}"
        elif kind == "remove":
            del lines[at]
            lines = lines or [""]
        elif kind == "twice":
            lines.insert(at, lines[at])
        elif kind == "table":
            lines.insert(at, rng.choice(["[data]", "[a.b]", "[[network]]", "[" + ".".join("a" * 2000) + "]", "[]"]))
        else:
            lines[at] = "".join(rng.choices(string.printable, k=rng.randrange(40)))
        done.append(f"{kind} at {at}: {lines[min(at, len(lines) - 1)]!r:.60}")
    content = "\n".join(lines).encode("utf-8", "surrogatepass")
    if rng.random() < 0.1:
        content = rng.choice(
            [
                b"\xff\xfe" + content,
                content.decode("utf-8", "replace").encode("utf-16"),
                content[: len(content) // 2],
                b"",
                b"\0" * 100,
            ]
        )
        done.append("other bytes")
    return content, "; ".join(done)


def make_spec(parent: Path, rng: random.Random) -> tuple[Path, str]:
    """Write a spec, or something else in its place."""
    path = parent / "spec.toml"
    if rng.random() < 0.05:
        return replace_by_no_file(path, rng)
    content, done = mutate_toml(SPEC, rng)
    path.write_bytes(content)
    return path, done


def replace_by_no_file(path: Path, rng: random.Random) -> tuple[Path, str]:
    """Put a named pipe, a device, a folder or a loop of links in the place of a file."""
    kind = rng.choice(["fifo", "zero", "folder", "loop", "missing"])
    put_no_file(path, kind)
    return path, kind


def put_no_file(path: Path, kind: str) -> None:
    """Make what is no file at the path, where nothing is; a kind of another name makes nothing."""
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "zero":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path.name)


def read_a_spec(path: Path) -> str:
    """Read the spec and, where it is one, its data, as `bakeoff data SPEC` does; and as a suite."""

    def work():
        try:
            spec = read_spec(path)
        except InputError:
            read_suite(str(path))
            raise
        spec.hash()
        if not spec.data.is_file:
            describe_data(spec.data, spec.training)

    return attempt(work)


def make_backend(parent: Path, rng: random.Random) -> tuple[Path, str]:
    """Write a backend's folder with one of its files mutated."""
    source = rng.choice(sorted(entries.read_all()))
    folder = Path(
        shutil.copytree(
            entries.backends_folder() / source, parent / "mine", ignore=shutil.ignore_patterns("__pycache__")
        )
    )
    name = rng.choice(["backend.toml", "backend.toml", "backend.toml", "requirements.txt", "model.py"])
    path = folder / name
    if not path.is_file():
        path = folder / "backend.toml"
    if rng.random() < 0.1:
        path.unlink()
        return folder, f"{source}/{path.name}: {replace_by_no_file(path, rng)[1]}"
    if path.suffix == ".toml":
        content, done = mutate_toml(path.read_text(), rng)
    else:
        content, done = damage_text(path.read_bytes(), rng)
    path.write_bytes(content)
    return folder, f"{source}/{path.name}: {done}"


def damage_text(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    """Return the text of a file, damaged."""
    at = rng.randrange(len(content) + 1)
    kind = rng.choice(["cut", "latin", "nul", "expression", "nested", "syntax", "empty", "long line"])
    added = {
        "latin": b"\xe9\xff",
        "nul": b"\0",
        "expression": b"\nx = " + b" + ".join([b"1"] * 50_000) + b"\n",
        "nested": b"\nx = " + b"(" * 3000 + b")" * 3000 + b"\n",
        "syntax": b"\ndef (:\n",
        "long line": b"\n" + b"a" * 1_000_000 + b"\n",
    }
    if kind == "cut":
        return content[:at], f"cut at {at}"
    return (b"", "empty") if kind == "empty" else (content[:at] + added[kind] + content[at:], f"{kind} at {at}")


def read_backend(folder: Path) -> str:
    """Read a backend as a run does before it starts a worker."""
    from bakeoff.measures.ease.measure import measure
    from bakeoff.runner import rebuild

    def work():
        chosen = entries.select({}, f"{folder}{os.sep}")
        for entry, _ in chosen:
            rebuild.identify(entry.whole)
            try:
                list(measure(entry))
            finally:
                entry.description.openness.facts()

    return attempt(work)


def make_data(parent: Path, rng: random.Random) -> tuple[Path, str]:
    """Write a data file."""
    kind = rng.choice(sorted(DATA))
    path = parent / f"file.{kind.partition(' ')[0]}"
    if rng.random() < 0.1:
        return replace_by_no_file(path, rng)
    DATA[kind](path, rng)
    if rng.random() < 0.5:
        content = bytearray(path.read_bytes())
        for _ in range(rng.choice([0, 1, 20])):
            if content:
                content[rng.randrange(len(content))] = rng.randrange(256)
        if rng.random() < 0.3:
            del content[rng.randrange(len(content) + 1) :]
        path.write_bytes(bytes(content))
    return path, kind


def write_csv(path, rng):
    rows = [",".join(f"{rng.gauss(0, 1):.3f}" for _ in range(4)) + f",{rng.choice('abc')}" for _ in range(60)]
    path.write_text("\n".join(["p,q,r,s,label", *rows]) + "\n")


def write_odd_csv(path, rng):
    cells = ["1", "", "nan", "inf", "1e400", "=1+1", '"a', "\0", "x" * 10_000, "9" * 5000, "\x1b[2J", "é", "1,5"]
    rows = [",".join(rng.choices(cells, k=rng.choice([3, 3, 3, 4]))) for _ in range(40)]
    path.write_text("\n".join(["a,b,label", *rows]), errors="surrogateescape")


def write_wide_csv(path, rng):
    path.write_text(",".join(f"c{number}" for number in range(200_000)) + "\n" + ",".join(["1"] * 200_000) + "\n")


def write_names_csv(path, rng):
    names = rng.choice(["a,a,label", ",,", "[bold]x[/b],\x1b]52;c;aa\x07,label", "\ufeffa,b,label", "a\rb,c,label"])
    path.write_text(names + "\n" + "\n".join("1,2,a" if number % 2 else "3,4,b" for number in range(40)) + "\n")


def write_long_csv(path, rng):
    path.write_text("a,label\n" + "1" * 3_000_000 + ",x\n")


def write_parquet(path, rng):
    frame = pd.DataFrame({"a": np.arange(60.0), "b": np.ones(60), "label": ["x", "y"] * 30})
    frame.to_parquet(path)


def write_odd_parquet(path, rng):
    columns = {
        "binary": pa.array([b"\xff\xfe"] * 60),
        "nested": pa.array([[1, 2]] * 60),
        "struct": pa.array([{"a": 1}] * 60),
        "null": pa.nulls(60),
        "when": pa.array([10**9] * 60, pa.timestamp("ns")),
        "label": pa.array(["x", "y"] * 30),
        "a": pa.array([float(number) for number in range(60)]),
    }
    chosen = {name: columns[name] for name in rng.sample(sorted(columns), rng.randrange(1, 7))}
    table = pa.table(chosen)
    lies = [b"{", b'{"index_columns": 5}', b'{"columns": [{"name": null}], "index_columns": ["no"]}', b"\xff"]
    if rng.random() < 0.6:
        table = table.replace_schema_metadata({b"pandas": rng.choice(lies)})
    pq.write_table(table, path)


def write_npz(path, rng):
    np.savez(path, x=np.random.default_rng(0).normal(size=(60, 4)), y=np.arange(60) % 3)


def write_odd_npz(path, rng):
    odd = [
        np.array(5.0),
        np.zeros((0, 3)),
        np.array(["a"] * 60),
        np.zeros(60, dtype=[("a", "f4")]),
        np.full((60, 3), np.nan),
        np.zeros((60, 3), complex),
        np.zeros((60, 2, 2, 2)),
        np.array([{}] * 60, dtype=object),
        np.zeros((60, 3), bool),
    ]
    np.savez(path, x=rng.choice(odd), y=rng.choice([*odd, np.arange(60) % 3]))


def write_bomb(path, megabytes):
    """Write two arrays of zeros, each of so many megabytes, into a file of a thousandth of that."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("x.npy", "y.npy"):
            with archive.open(name, "w", force_zip64=True) as member:
                head = {"descr": "<f8", "fortran_order": False, "shape": (megabytes << 17,)}
                np.lib.format.write_array_header_1_0(member, head)
                for _ in range(megabytes):
                    member.write(bytes(1 << 20))


DATA = {
    "csv": write_csv,
    "csv odd": write_odd_csv,
    "csv wide": write_wide_csv,
    "csv names": write_names_csv,
    "csv long": write_long_csv,
    "parquet": write_parquet,
    "parquet odd": write_odd_parquet,
    "npz": write_npz,
    "npz odd": write_odd_npz,
}
"""Writers of data files, by the suffix and a word."""


def read_data(path: Path) -> str:
    """Read a data file as `bakeoff data FILE --target label` does."""

    def work():
        target = "label" if path.suffix != ".npz" else ""
        describe_data(DataSpec(source=str(path), target=target), TrainingSpec(batch_size=8))
        spec = default_spec().model_copy(update={"data": DataSpec(source=str(path), target=target)})
        data.split(data.load(spec.data, 0), spec)

    return attempt(work)


def attempt(work) -> str:
    """Do the work; return what is wrong with its end."""
    started = time.monotonic()
    try:
        with time_limit(LIMIT_S):
            work()
    except InputError as error:
        if not 10 < len(str(error)) < 20_000:
            return f"a message of {len(str(error))} characters"
    except OSError:
        pass  # caught at the edge, with its path
    except BaseException as error:
        return "".join(traceback.format_exception(error)[-4:])
    return "" if time.monotonic() - started < LIMIT_S else "it took too long"


LOADED = (pd, sklearn.datasets)
"""Imported here, so that no import counts as the time of a file."""
