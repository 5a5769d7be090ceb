"""Run folders from a stranger: mutations of a small run, and the commands that read one.

`mutate(folder, seed)` changes a copy of a run in one way and returns it in words. `read_run(command, folder)` carries a
command out and returns what is wrong with its end: "" where it printed its result or one clear message.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import traceback
from collections import Counter
from pathlib import Path

from bakeoff.cli.app import app
from bakeoff.common.errors import InputError
from typer.testing import CliRunner

from tests.paths import ROOT, SAVED_RUN

COMMANDS = {
    "table": ["table", "RUN"],
    "table --speed --json": ["table", "RUN", "--speed", "--json"],
    "report": ["report", "RUN", "-o", "OUT.html"],
    "compare": ["compare", "GOOD", "RUN"],
    "verdict": ["verdict", "RUN", "--weights", "speed=1,agreement=1", "--require", "float64"],
    "runs": ["runs", "--results", "PARENT"],
    "pack": ["pack", "RUN", "-o", "OUT.bakeoff.zip"],
    "run --resume": ["run", "--resume", "RUN"],
}
"""Eight commands that read a run."""

ODD = [
    None,
    True,
    -1,
    0,
    10**30,
    10**400,
    1e308,
    -1e308,
    5e-324,
    float("nan"),
    float("inf"),
    "",
    "\ud800",
    "\x1b]52;c;aGk=\x07",
    "[bold]x[/b]",
    "=1+1",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "x" * 100_000,
    [],
    {},
    [None],
    {"a": {"b": []}},
    "2026-13-45T99:99:99Z",
]
"""Values that take the place of another."""

FIRST_OF_SUITE = 500
"""The first seed of which the run is one of a suite, of four frameworks, instead of a small one."""
MOST_OF_A_KIND = 2
SUITE_RUN = ROOT / "results" / "suite"

LIMIT_S = 20
"""For one command: a folder that makes one hang is a fault."""


def places(value, path=()):
    """Yield the path of every value in a JSON value."""
    yield path
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in parts:
        yield from places(each, (*path, key))


def change(value, rng):
    """Change one place of a JSON value; return the value, and what was done."""
    path = rng.choice([each for each in places(value) if each] or [()])
    if not path:
        return rng.choice(ODD), "replaced all"
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    kind = rng.choice(["replace", "replace", "replace", "remove", "add", "other"])
    if kind == "remove":
        del holder[path[-1]]
    elif kind == "add" and isinstance(holder, dict):
        holder[rng.choice(["added", "", "\ud800"])] = rng.choice(ODD)
    elif kind == "other" and isinstance(holder[path[-1]], int | float) and not isinstance(holder[path[-1]], bool):
        holder[path[-1]] = holder[path[-1]] * rng.choice([-1, 1000, 1e-9, 1e15])
    else:
        holder[path[-1]] = rng.choice(ODD)
    return value, f"{kind} {'.'.join(map(str, path))}"


def change_header(folder, rng):
    path = folder / "run.json"
    header, done = change(json.loads(path.read_text()), rng)
    path.write_text(json.dumps(header))
    return f"run.json: {done}"


def change_records(folder, rng):
    path = folder / "records.jsonl"
    lines = path.read_text().splitlines()
    done = []
    for number in {rng.randrange(len(lines)) for _ in range(rng.choice([1, 1, 3, 40]))}:
        record, what = change(json.loads(lines[number]), rng)
        lines[number] = json.dumps(record)
        done.append(f"{number}: {what}")
    path.write_text("\n".join(lines) + "\n")
    return f"records: {'; '.join(done)}"[:300]


def rename_in_records(folder, rng):
    """Give another value to a key wherever it has one value: consistent, and of the right type."""
    path = folder / "records.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    record = rng.choice(records)
    key = rng.choice(list(record))
    values = [each[key] for each in records if key in each]
    old, new = record[key], rng.choice([*values, *(each for each in ODD if type(each) is type(record[key]))])
    for each in records:
        if each.get(key) == old:
            each[key] = new
    path.write_text("".join(json.dumps(each) + "\n" for each in records))
    return f"records: {key} {old!r:.40} -> {new!r:.40}"


def drop_records(folder, rng):
    path = folder / "records.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    kept = [line for line in lines if rng.random() > rng.choice([0.02, 0.5, 0.95])]
    rng.shuffle(kept)
    path.write_text("".join(kept))
    return f"records: {len(kept)} of {len(lines)} kept, in another order"


def damage_bytes(folder, rng):
    path = folder / rng.choice(["run.json", "records.jsonl"])
    content = bytearray(path.read_bytes())
    kind = rng.choice(["cut", "flip", "insert", "empty", "nested", "digits", "utf-16"])
    at = rng.randrange(len(content))
    if kind == "cut":
        del content[at:]
    elif kind == "flip":
        content[at] ^= 1 << rng.randrange(8)
    elif kind == "insert":
        content[at:at] = rng.choice([b"\0", b"\xff\xfe", b"\r", b"\n\n", b"\xed\xa0\x80"])
    elif kind == "nested":
        content = bytearray(b"[" * 100_000 + b"\n")
    elif kind == "digits":
        content = bytearray(b'{"format": ' + b"9" * 5000 + b"}\n")
    elif kind == "utf-16":
        content = bytearray(bytes(content).decode().encode("utf-16"))
    else:
        content.clear()
    path.write_bytes(bytes(content))
    return f"{path.name}: {kind} at {at}"


def replace_file(folder, rng):
    """Put something that is no file, or no folder, in the place of one; the target of a link is beside the run."""
    name = rng.choice(["run.json", "records.jsonl", "tables", "report.html", "logs", ".lock", "tables/summary.csv"])
    path = folder / name
    victim = folder.parent / "victim"
    victim.mkdir(exist_ok=True)
    (victim / "file").write_text("precious\n")
    if path.is_dir():
        shutil.rmtree(path)
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    kind = rng.choice(["link", "folder link", "loop", "fifo", "device", "folder", "missing"])
    if kind == "link":
        path.symlink_to(victim / "file")
    elif kind == "folder link":
        path.symlink_to(victim)
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    return f"{name}: {kind}"


MUTATIONS = [
    change_header,
    change_header,
    change_records,
    change_records,
    change_records,
    rename_in_records,
    rename_in_records,
    drop_records,
    damage_bytes,
    replace_file,
]


def mutate(parent: Path, seed: int) -> tuple[Path, str]:
    """Make a mutated run in the folder `parent`; return it, and what was done."""
    rng = random.Random(seed)
    folder = parent / "run"
    shutil.copytree(SAVED_RUN, folder) if seed < FIRST_OF_SUITE else copy_suite(folder)
    return folder, rng.choice(MUTATIONS)(folder, rng)


def copy_suite(folder: Path) -> None:
    """Write a run of a suite: that which the project publishes, with few records of each figure."""
    folder.mkdir()
    shutil.copy(SUITE_RUN / "run.json", folder)
    counts: Counter[tuple[object, ...]] = Counter()
    with (SUITE_RUN / "records.jsonl").open() as lines, (folder / "records.jsonl").open("w") as kept:
        for line in lines:
            record = json.loads(line)
            kind = tuple(record.get(key) for key in ("measure", "figure", "backend", "variant", "workload"))
            counts[kind] += 1
            if counts[kind] <= MOST_OF_A_KIND:
                kept.write(line)


def read_run(command: str, folder: Path, options: tuple[str, ...] = ()) -> str:
    """Carry out a command on the run; return what is wrong with how it ended, "" where nothing is."""
    words = {
        "RUN": str(folder),
        "GOOD": str(SAVED_RUN),
        "PARENT": str(folder.parent),
        "OUT.html": str(folder.parent / "out.html"),
        "OUT.bakeoff.zip": str(folder.parent / "out.bakeoff.zip"),
    }
    arguments = [words.get(word, word) for word in COMMANDS[command]]
    Path(words["OUT.bakeoff.zip"]).unlink(missing_ok=True)
    with time_limit(LIMIT_S):
        result = CliRunner().invoke(app, [*arguments, *options], catch_exceptions=True)
    problem = ""
    error = result.exception
    if isinstance(error, InputError):
        if not str(error).strip() or len(str(error)) > 5000:
            problem = f"a message of {len(str(error))} characters"
    elif error is not None and not isinstance(error, SystemExit):
        problem = "".join(traceback.format_exception(error)[-4:])
    elif result.exit_code not in (0, 1, 2, 3):
        problem = f"exit code {result.exit_code}"
    if "\x1b]" in result.output or "\x1b[2J" in result.output:
        problem = problem or "a control sequence was printed"
    victim = folder.parent / "victim"
    if victim.is_dir() and (len(list(victim.iterdir())) != 1 or (victim / "file").read_text() != "precious\n"):
        problem = "wrote outside the run"
    return problem


@contextlib.contextmanager
def time_limit(seconds: int):
    """Raise TimeoutError in the block after so many seconds."""

    def end(number, frame):
        raise TimeoutError(f"it took over {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
