"""The tables of deployment, for people to read."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ...records.read import Record
from ...registry.description import FRAMEWORK
from . import figures
from .blunders import MISTAKES, WRONG
from .latency import BATCH, PERCENTILES
from .records import keep_one_machine, list_labels, list_machines, machine_of, select, value_of
from .servers import ONE_AT_A_TIME
from .versions import OLDER, PINNED

NOT_THE_FRAMEWORK = (
    "A path that is served by a runtime is served without the framework: its cold start, latency, memory and size are "
    "that runtime's and say nothing about the framework. Compare frameworks by the rows that the framework serves."
)
SERVING, HTTP = "How each export serves", "Over HTTP"
"""The titles of the tables that have times."""
ABSENT = "-"
COMMON = "common"
"""The server that all paths are put behind, in the table of HTTP."""
NAMES = "/".join(f"p{each}" for each in PERCENTILES)
REASON_WIDTH = 200
"""The length at which a reason is cut, in characters."""


def tabulate_all(rows: Sequence[Record]) -> dict[str, pd.DataFrame]:
    """Return every table that has rows, by its title."""
    tables = {
        SERVING: tabulate_serving(rows),
        "What each export takes": tabulate_export(rows),
        HTTP: tabulate_http(rows),
        "Mistakes in deploying": tabulate_mistakes(rows),
        "Versions of the runtime": tabulate_versions(rows),
        "From a checkpoint": tabulate_checkpoints(rows),
    }
    return {title: table for title, table in tables.items() if len(table)}


def tabulate_serving(rows: Sequence[Record]) -> pd.DataFrame:
    """Return a row for each path: whether it agrees, and how it serves. Those without the framework come last."""
    labels = sorted(list_labels(rows), key=lambda keys: keys["served_with"] != FRAMEWORK)
    rows = keep_one_machine(rows, figures.SERVING_TIMES)
    return pd.DataFrame([_serving_row(rows, keys) for keys in labels])


def tabulate_export(rows: Sequence[Record]) -> pd.DataFrame:
    """Return a row for each path: what exporting takes."""
    return pd.DataFrame([_export_row(rows, keys) for keys in list_labels(rows)])


def tabulate_http(rows: Sequence[Record]) -> pd.DataFrame:
    """Return a row for each path behind each of its servers: requests per second, and percentiles."""
    rows = keep_one_machine(rows, figures.HTTP_TIMES)
    table = []
    for keys in list_labels(rows):
        for correct in select(rows, figures.HTTP_CORRECT, **keys):
            behind = {**keys, "by": correct.get("by")}
            size = value_of(rows, figures.SERVER_SIZE, **behind)
            row = {
                "path": f"{keys['backend']}:{keys['path']}",
                "server": behind["by"] or COMMON,
                "answers": "correct" if correct["value"] else "NO",
                "more MB": ABSENT if size is None else f"{size / 1e6:,.0f}",
                "start": _seconds(value_of(rows, figures.HTTP_START, **behind)),
            }
            for rate in select(rows, figures.HTTP_RATE, **behind):
                clients = rate["clients"]
                percentiles = [
                    value_of(rows, figures.HTTP_LATENCY, clients=clients, of=f"p{each}", **behind)
                    for each in PERCENTILES
                ]
                heading = f"{clients} clients" if clients > 1 else "1 client"
                row[heading] = f"{rate['value']:,.0f}/s, {' / '.join(map(_short, percentiles))}"
            table.append(row)
    return pd.DataFrame(table).fillna(ABSENT)


def tabulate_mistakes(rows: Sequence[Record]) -> pd.DataFrame:
    """Return a row for each path: what becomes of each mistake in deploying."""
    table = []
    for keys in list_labels(rows):
        found = {row["mistake"]: row for row in select(rows, figures.BLUNDER, **keys)}
        if found:
            cells = {mistake: _describe_blunder(found.get(mistake)) for mistake in MISTAKES}
            table.append({"path": f"{keys['backend']}:{keys['path']}", **cells})
    return pd.DataFrame(table)


def tabulate_checkpoints(rows: Sequence[Record]) -> pd.DataFrame:
    """Return a row for each variant: how its training goes on from a checkpoint."""
    table = []
    for row in select(rows, figures.CHECKPOINT):
        floors = f"{row['error'] / row['floor']:,.2g} floors in {row['array']}" if "array" in row else ABSENT
        table.append(
            {
                "variant": f"{row['backend']}:{row['variant']}",
                "goes on": row["value"],
                "difference": row.get("reason", floors),
            }
        )
    return pd.DataFrame(table)


def tabulate_versions(rows: Sequence[Record]) -> pd.DataFrame:
    """Return a row for each path whose readers were looked for: what the file needs, and which versions read it."""
    table = []
    for keys in list_labels(rows):
        read = select(rows, figures.READS, **keys)
        if not read:
            continue
        old, new = (
            ", ".join(f"{row['version']}: {_yes_no(row['value'])}" for row in read if row["of"] == of)
            for of in (OLDER, PINNED)
        )
        table.append(
            {
                "path": f"{keys['backend']}:{keys['path']}",
                "file": _or_absent(value_of(rows, figures.FILE_FORMAT, **keys)),
                "older version reads it": old or ABSENT,
                "pinned version reads it": new or ABSENT,
            }
        )
    return pd.DataFrame(table)


def _describe_blunder(row: Record | None) -> str:
    if row is None:
        return ABSENT
    if row["value"] == WRONG and "changed_predictions" in row:
        return f"WRONG, {row['changed_predictions']:.0%} of classes"
    return str(row["value"]) if row["value"] != WRONG else "WRONG"


def list_values(rows: Sequence[Record]) -> pd.DataFrame:
    """Return every value of a path, with its unit and its keys, without the single calls."""
    left_out = {"task", "attempt", "time", "measure", "calls", "names"}
    paths = [row for row in rows if "path" in row and row["figure"] != figures.SERVE_LATENCY.name]
    machines = {task: machine_of(rows, task) for task in dict.fromkeys(row["task"] for row in rows)}
    table = [
        {**{key: value for key, value in row.items() if key not in left_out}, "machine": machines[row["task"]]}
        for row in paths
    ]
    for keys in list_labels(rows):
        for size in (1, BATCH):
            calls = list_calls(rows, keys, size)
            for percentile in PERCENTILES if calls else ():
                value = float(np.percentile(calls, percentile))
                head = {"figure": figures.SERVE_LATENCY.name, "value": value, "unit": figures.SERVE_LATENCY.unit}
                task = select(rows, figures.SERVE_LATENCY, **keys)[0]["task"]
                table.append({**head, **keys, "rows": size, "of": f"p{percentile}", "machine": machines[task]})
    return pd.DataFrame(table)


def describe_failures(rows: Sequence[Record]) -> list[str]:
    """Return a sentence for each path that failed, and for each that is not exact in float64."""
    sentences = []
    for row in select(rows, figures.EXPORTED, dtype="float32"):
        if not row["value"]:
            sentences.append(f"{row['backend']}:{row['path']} failed: {_shorten(row['reason'])}")
    for row in select(rows, figures.FLOAT64):  # what is exact needs no sentence
        label = f"{row['backend']}:{row['path']} in float64"
        if row["value"] == "refused":
            sentences.append(f"{label}: refused: {_shorten(row['reason'])}")
        elif row["value"] != "exact":
            error = f"off by {row['error']:.2g} of the largest" if "error" in row else "not finite"
            claimed = f"; {row['claimed']} is claimed" if row["claimed"] != row["value"] else ""
            sentences.append(f"{label}: {row['value']}, silently: answers in {row['what']}, {error}{claimed}")
    for row in select(rows, figures.DYNAMIC_BATCH):
        if not row["value"]:
            claimed = "; any number is claimed" if row["claimed"] == "yes" else ""
            sentences.append(f"{row['backend']}:{row['path']} serves one number of rows only{claimed}")
    for row in select(rows, figures.UNDECLARED):
        if row["value"]:
            sentences.append(f"{row['backend']}:{row['path']} needs {', '.join(row['names'])}: no metadata says so")
    for row in select(rows, figures.NO_EXPORT):
        sentences.append(f"{row['backend']}: no documented export: {row['value']} ({row['source']})")
    return [*sentences, *_describe_servers(rows), *_describe_machines(rows)]


def _describe_machines(rows: Sequence[Record]) -> list[str]:
    """Return a sentence for each table of times that leaves out another machine's."""
    tables = ((SERVING, figures.SERVING_TIMES), (HTTP, figures.HTTP_TIMES))
    return [
        f"{title}: the times are of {chosen}. Those of {' and of '.join(others)} are left out, because no table mixes "
        "machines: add --resume to `bakeoff deploy` to measure them here"
        for title, timed in tables
        for chosen, *others in [list_machines(rows, timed) or [""]]
        if others
    ]


def _describe_servers(rows: Sequence[Record]) -> list[str]:
    sentences = []
    for row in select(rows, figures.HTTP_CORRECT):
        if not row["value"]:
            label = f"{row['backend']}:{row['path']} over HTTP, {row.get('by') or COMMON} server"
            sentences.append(f"{label}: {_shorten(row['reason'])}{_describe_lock(rows, row)}")
    for row in select(rows, figures.SERVER_UNDECLARED):
        if row["value"]:
            needs = f"{row['by']} needs {', '.join(row['names'])}: no metadata says so"
            sentences.append(f"{row['backend']}:{row['path']} behind {needs}")
    for row in select(rows, figures.SERVER):
        sentences.append(f"{row['backend']}: its documented server: {row['value']} ({row['source']})")
    return sentences


def _describe_lock(rows: Sequence[Record], row: Record) -> str:
    """Return what a lock around each call changed, where one was tried."""
    keys = {key: row[key] for key in figures.PATH}
    locked = None if "by" in row else value_of(rows, figures.HTTP_CORRECT, by=ONE_AT_A_TIME, **keys)
    return "; right with a lock around each call: it is not safe to call from several threads" if locked else ""


def _serving_row(rows: Sequence[Record], keys: Mapping[str, str]) -> dict[str, str]:
    exported = value_of(rows, figures.EXPORTED, dtype="float32", **keys)
    floors = value_of(rows, figures.SERVED_FLOORS, dtype="float32", **keys)
    return {
        "path": f"{keys['backend']}:{keys['path']}",
        "served with": "the framework" if keys["served_with"] == FRAMEWORK else keys["served_with"],
        "agrees": "yes" if exported else "NO",
        "floors": ABSENT if floors is None else f"{floors:,.1f}" if floors < 1e4 else "> 10,000",
        "float64": _or_absent(value_of(rows, figures.FLOAT64, **keys)),
        "cold start": _seconds(value_of(rows, figures.SERVE_COLD_START, **keys)),
        f"1 row {NAMES}": _latency(rows, keys, 1),
        f"{BATCH} rows {NAMES}": _latency(rows, keys, BATCH),
        "memory": _size(value_of(rows, figures.SERVE_PEAK_MEMORY, **keys)),
        "to serve": _size(value_of(rows, figures.SERVE_SIZE, **keys)),
    }


def _export_row(rows: Sequence[Record], keys: Mapping[str, str]) -> dict[str, str]:
    extra = value_of(rows, figures.EXTRA_BYTES, dtype="float32", **keys)
    packages = value_of(rows, figures.CONVERTER_PACKAGES, **keys)
    undeclared = [row["names"] for row in select(rows, figures.UNDECLARED, **keys)]
    dynamic = value_of(rows, figures.DYNAMIC_BATCH, **keys)
    return {
        "path": f"{keys['backend']}:{keys['path']}",
        "lines": _or_absent(value_of(rows, figures.EXPORT_LINES, **keys)),
        "tokens": _or_absent(value_of(rows, figures.EXPORT_TOKENS, **keys)),
        "over the weights": ABSENT if extra is None else f"{extra / 1e3:,.1f} kB",
        "more packages": _or_absent(packages),
        "more MB": _size(value_of(rows, figures.CONVERTER_SIZE, **keys)),
        "undeclared": ", ".join(undeclared[0]) or "none" if undeclared else ABSENT,
        "compiler": _yes_no(value_of(rows, figures.NEEDS_COMPILER, **keys)),
        "model.py": _yes_no(value_of(rows, figures.NEEDS_MODEL, **keys)),
        "any batch": _yes_no(dynamic),
    }


def list_calls(rows: Sequence[Record], keys: Mapping[str, str], size: int) -> list[float]:
    """Return the seconds of every call of `size` rows of a path, without the copy of the self-test."""
    found = select(rows, figures.SERVE_LATENCY, rows=size, self_test=False, **keys)
    return [seconds for row in found for seconds in row["calls"]]


def _latency(rows: Sequence[Record], keys: Mapping[str, str], size: int) -> str:
    calls = list_calls(rows, keys, size)
    if not calls:
        return ABSENT
    return " / ".join(map(_short, np.percentile(calls, PERCENTILES)))


def _shorten(reason: str) -> str:
    """Return the beginning of a reason, on one line; the records have it whole."""
    flat = " ".join(reason.split())
    return flat if len(flat) <= REASON_WIDTH else f"{flat[:REASON_WIDTH]} ..."


def _short(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.3g} us"
    return f"{seconds * 1e3:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"


def _seconds(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.2f} s"


def _size(value: float | None) -> str:
    return ABSENT if value is None else f"{value / 1e6:,.0f} MB"


def _or_absent(value: object) -> str:
    return ABSENT if value is None else f"{value}"


def _yes_no(value: bool | None) -> str:
    return ABSENT if value is None else "yes" if value else "no"
