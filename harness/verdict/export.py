"""The verdict for programs: everything that it says, as JSON."""

import math
from typing import TYPE_CHECKING, Any

from .criteria import SubMeasure
from .run_records import Key
from .unknown import Apart

if TYPE_CHECKING:
    from .verdict import Verdict


def export_verdict(verdict: "Verdict") -> dict[str, Any]:
    """Return everything that a verdict says; null where there is no value."""
    found: dict[str, Any] = {
        "run": str(verdict.report.folder),
        "scope": {**verdict.scope._asdict(), "no_evidence_for": verdict.scope.no_evidence_for},
        "notes": verdict.report.notes(),
        "weights": {**verdict.weights.criteria, **verdict.weights.nodes},
        "required": [each.word for each in verdict.required],
        "answers": [each._asdict() for each in verdict.answers],
        "excluded": [each._asdict() for each in verdict.excluded],
        "unknown": {measure.record: lacking for measure, lacking in verdict.unknown.items()},
        "not_tried": [measure.record for measure in verdict.not_tried],
        "not_counted": {"faults_in_another_dtype": verdict.other_faults},
        "newer_releases": {
            backend: {"measured": measured, "newest": newest, "asof": asof}
            for backend, (measured, newest, asof) in verdict.newer_releases.items()
        },
        "ranked_apart": [_export_apart(one) for one in verdict.apart],
        "winner": None,
    }
    if not verdict.decided:
        return found
    return found | _export_ranking(verdict) | _export_sensitivity(verdict) | _export_sub_measures(verdict)


def _export_ranking(verdict: "Verdict") -> dict[str, Any]:
    shares = {region.owner: region.share for region in verdict.regions}
    return {
        "winner": verdict.ranking[0].name if len(verdict.tied) == 1 and not verdict.rivals else None,
        "tied": [ranked.name for ranked in verdict.tied],
        "ranking": [
            {
                **ranked._asdict(),
                "ratio": ranked.ratio._asdict(),
                "share_of_weightings": shares[ranked.name.partition(":")[0]],
            }
            for ranked in verdict.ranking
        ],
        "reasons": [
            {
                "record": reason.measure.record,
                "node": reason.measure.node,
                "leader": reason.first.shown,
                "second": reason.second.shown,
                "factor": reason.factor,
                "significant": reason.certain,
            }
            for reason in verdict.reasons
        ],
    }


def _export_sensitivity(verdict: "Verdict") -> dict[str, Any]:
    return {
        "weights_that_change_it": {
            one: [stretch._asdict() | {"high": _replace_infinity(stretch.high)} for stretch in stretches]
            for one, stretches in verdict.stretches.items()
        },
        "criteria": list(verdict.scores.criteria),
        "regions": [region._asdict() for region in verdict.regions],
        "measures_that_change_it_if_left_out": verdict.left_out,
        "workloads": [effect._asdict() for effect in verdict.workload_effects],
        "factors_that_change_it": {measure.record: factor for measure, factor in verdict.factors},
    }


def _export_sub_measures(verdict: "Verdict") -> dict[str, Any]:
    parts = verdict.scores.effective(verdict.vector)
    return {
        "measures": [
            {
                "record": measure.record,
                "title": measure.title,
                "node": measure.node,
                "rule": measure.rule,
                "weight": float(part),
                "readings": {":".join(key): _export_reading(verdict, measure, key) for key in verdict.entries},
            }
            for measure, part in zip(verdict.measures, parts, strict=True)
        ]
    }


def _export_reading(verdict: "Verdict", measure: SubMeasure, key: Key) -> dict[str, Any]:
    reading = verdict.reading(measure, key)
    low, high = reading.bounds
    fields = {"amount": reading.amount, "shown": reading.shown, "cost": reading.cost, "low": low, "high": high}
    return {**fields, "score": measure.reference / reading.cost, "note": reading.note}


def _export_apart(one: Apart) -> dict[str, Any]:
    return {**one._asdict(), "high": _replace_infinity(one.high)}


def _replace_infinity(value: float) -> float | None:
    return value if math.isfinite(value) else None
