"""What a search found, as tables: its trials, the price of a search in each framework, and the agreement of trials."""

import itertools
import json
from typing import Any

import numpy as np
import pandas as pd

from .ledger import Ledger
from .study import judge
from .trial import COMPLETE, FAILED


def trials(ledger: Ledger) -> pd.DataFrame:
    """Return a row for each finished trial: its setting, its value, its outcome, and the best value so far."""
    rows: list[dict[str, Any]] = []
    best = float("-inf")
    for trial in sorted(ledger.planned):
        if not ledger.finished(trial):
            continue
        found = ledger.results_of(trial)
        value, outcome = judge([(each.outcome, each.value) for each in found])
        if outcome == COMPLETE and value is not None:
            best = max(best, value)
        point = ledger.planned[trial].point
        setting = {name: json.dumps(each) if isinstance(each, list) else each for name, each in point.items()}
        so_far = best if np.isfinite(best) else None
        rows.append({"trial": trial, **setting, "value": value, "outcome": outcome, "best_so_far": so_far})
    columns = ["trial", *ledger.plan.file.space, "value", "outcome", "best_so_far"]
    return pd.DataFrame(rows, columns=columns)


def cells(ledger: Ledger) -> pd.DataFrame:
    """Return a row for each result: a trial in one backend."""
    rows = [
        {
            "trial": each.trial,
            "contestant": f"{each.backend}:{each.variant}",
            "outcome": each.outcome,
            "value": each.value,
            "training_accuracy": each.training_accuracy,
            "epochs": len(each.epochs),
            "train_s": sum(epoch.train_s for epoch in each.epochs),
            "seconds": each.seconds,
            "floors": each.floors,
            "conforms": each.conforms,
            "deviation": each.deviation,
            "attempt": each.attempt,
            "reason": each.reason,
        }
        for each in ledger.results.values()
    ]
    columns = "trial contestant outcome value training_accuracy epochs train_s seconds floors conforms deviation"
    return pd.DataFrame(rows, columns=[*columns.split(), "attempt", "reason"])


def prices(ledger: Ledger) -> pd.DataFrame:
    """Return a row for each backend: trials per hour of one worker, and the share of the time that is training.

    The rest is the start of the process, the import of the framework, compilation, predictions and the comparison with
    the oracle. Trials that ran side by side shared the machine, so the figures hold for this number of workers.
    """
    found = cells(ledger)
    rows = []
    for contestant in ledger.plan.contestants:
        mine = found[(found["contestant"] == contestant) & (found["outcome"] != FAILED)]
        if len(mine):
            seconds = float(mine["seconds"].sum())
            rows.append(
                {
                    "contestant": contestant,
                    "trials": len(mine),
                    "trials_per_hour": 3600 * len(mine) / seconds,
                    "training_share": float(mine["train_s"].sum()) / seconds,
                }
            )
    return pd.DataFrame(rows, columns=["contestant", "trials", "trials_per_hour", "training_share"])


def agreement(ledger: Ledger) -> pd.DataFrame:
    """Return a row for each trial that two backends completed: how far apart they began and ended.

    `floors` is the largest deviation of a backend from the oracle in the first steps, which decides. The differences at
    the end decide nothing: two correct programs diverge once a rounding error moves an activation across its kink.
    """
    rows = []
    for trial in sorted(ledger.planned):
        found = [each for each in ledger.results_of(trial) if each.outcome == COMPLETE]
        if len(found) < 2:
            continue
        pairs = list(itertools.combinations(found, 2))
        changed = [float(np.mean(np.array(one.predictions) != np.array(other.predictions))) for one, other in pairs]
        values = [each.value for each in found if each.value is not None]
        known = [each.floors for each in found if each.floors is not None]
        rows.append(
            {
                "trial": trial,
                "backends": len(found),
                "floors": max(known, default=None),
                "value_range": max(values) - min(values),
                "changed_predictions": max(changed),
            }
        )
    return pd.DataFrame(rows, columns=["trial", "backends", "floors", "value_range", "changed_predictions"])


def wrong(ledger: Ledger) -> list[str]:
    """Return a sentence for each result that failed or that is not within what agreement allows."""
    sentences = []
    for each in ledger.results.values():
        name = f"trial {each.trial}, {each.backend}:{each.variant}"
        if each.outcome == FAILED:
            sentences.append(f"{name} failed: {each.reason}")
        elif not each.conforms:
            sentences.append(f"{name} differs from the oracle: {each.deviation}, {each.floors:,.0f} floors")
    return sentences


def as_json(ledger: Ledger, importances: dict[str, float]) -> dict[str, Any]:
    """Return all of it, for programs."""
    tables = {
        "trials": trials(ledger),
        "cells": cells(ledger),
        "prices": prices(ledger),
        "agreement": agreement(ledger),
    }
    read = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
    return {"folder": str(ledger.folder), "complete": ledger.complete, **read, "importances": importances}
