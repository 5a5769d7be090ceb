"""What a verdict reads from `deployment.jsonl`, the file that `bakeoff deploy --records` leaves in a run's folder."""

from ..measures.deployment import figures
from ..measures.deployment import records as deployment
from ..registry.description import FRAMEWORK
from .readings import Reading
from .run_records import Key, RunRecords


def read_export_tokens(records: RunRecords, key: Key) -> Reading | None:
    """Read the tokens of the shortest export that agrees with the oracle."""
    rows = records.report.deployment_records
    agreeing = [
        row for row in deployment.select(rows, figures.EXPORTED, backend=key[0], dtype="float32") if row["value"]
    ]
    tokens = {
        row["path"]: deployment.value_of(rows, figures.EXPORT_TOKENS, backend=key[0], path=row["path"])
        for row in agreeing
    }
    if not tokens:
        return None
    path = min(tokens, key=lambda name: tokens[name])
    return Reading(tokens[path], f"{tokens[path]} tokens ({path})", tokens[path] + 1)


def read_faults(records: RunRecords, key: Key) -> Reading | None:
    """Read the number of exports that fail, or that the framework serves in float64 wrongly or reduced, silently."""
    rows = records.report.deployment_records
    tried = deployment.select(rows, figures.EXPORTED, backend=key[0], dtype="float32")
    if not tried:
        return None
    failed = {row["path"] for row in tried if not row["value"]}
    # That a runtime computes in single precision is no fault of the framework.
    doubles = deployment.select(rows, figures.FLOAT64, backend=key[0], served_with=FRAMEWORK)
    faults = failed | {row["path"] for row in doubles if row["value"] in ("reduced", "wrong")}
    return Reading(len(faults), f"{len(faults)} of {len(tried)}", len(faults) + 1)


def read_undeclared(records: RunRecords, key: Key) -> Reading | None:
    """Read the number of different packages that exporting needs and that no metadata requires."""
    found = deployment.select(records.report.deployment_records, figures.UNDECLARED, backend=key[0])
    if not found:
        return None
    names = {name for row in found for name in row["names"]}
    return Reading(len(names), f"{len(names)} packages", len(names) + 1)
