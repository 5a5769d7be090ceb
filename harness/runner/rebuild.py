"""What a run compares, found again from its run.json: by a run that is resumed, and by the hosts of a cluster."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..common.errors import InputError
from ..registry import entries as registry_entries
from ..registry.entries import Entry
from ..workload import data
from ..workload.data import Splits
from ..workload.spec import Spec
from . import suite

Parts = tuple[Spec, Splits, list[tuple[Entry, str]], list[suite.PlannedWorkload]]
"""The spec, its data, the backends with their variants, and the workloads beside the spec."""


def rebuild(folder: Path, header: Mapping[str, Any]) -> Parts:
    """Return what a run compares. Raises InputError where the data or a backend have changed since it began."""
    spec = Spec.model_validate({**header["spec"]}, strict=False)
    splits = data.split(data.load(spec.data, spec.training.seed), spec)
    if splits.hash != header["data"]["hash"]:
        raise InputError(
            f"{folder}: its data had the hash {header['data']['hash']}, now {splits.hash}. Start a new run."
        )
    outside = {name: registry_entries.read_entry(Path(path)) for name, path in header["plan"]["folders"].items()}
    entries = {**registry_entries.read_all(), **outside}
    for name, identity in header["backends"].items():
        build = identity.get("build") or ""
        if name in entries:
            entries[name] = entries[name]._replace(build_name=build)
        if name not in entries or identify(entries[name]) != identity:
            raise InputError(f"{folder}: backend {name} has changed since it began. Start a new run.")
    chosen = [(entries[name].for_variant(variant), variant) for name, variant in header["plan"]["entries"]]
    workloads = suite.resume(header["suite"]["workloads"][1:], folder) if header.get("suite") else []
    return spec, splits, chosen, workloads


def identify(entry: Entry) -> dict[str, str]:
    """Return the backend's title, the version it pins, and a hash of its files."""
    digest = hashlib.sha256()
    for path in registry_entries.source_files(entry):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    title = entry.description.title
    found = {"title": title, "version": registry_entries.pinned_version(entry), "source": digest.hexdigest()[:12]}
    return {**found, "build": entry.build_name} if entry.build_name else found
