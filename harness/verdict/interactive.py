"""The verdict for a page that ranks by itself: the parts of the arithmetic that do not depend on the four weights.

The page does what scores.py does, in JavaScript; tests/report/html/test_verdict.py holds the two together.
"""

import math
from collections.abc import Mapping
from typing import Any

from ..common.errors import InputError
from ..report.report import Report
from .criteria import CRITERIA, SubMeasure, compute_shares
from .requirements import OFFERED, DeclaredSupport, Requirement, describe_answers, parse
from .run_records import Key, require_measured
from .scope import read_scope
from .verdict import Verdict
from .weights import parse_weights

STEP = "speed.step"
"""The node whose ratios have intervals of their own, as the blocks are paired."""


def export_scoring(report: Report, support: Mapping[str, DeclaredSupport] | None = None) -> dict[str, Any]:
    """Return the scope of a run and, where a verdict is possible, its candidates with their costs.

    `support` is what each backend.toml declares, for the answers to requirements. `problem` says why there is no
    verdict; it is "" where there is one.
    """
    scope = read_scope(report.header)
    found: dict[str, Any] = {"scope": str(scope), "limits": scope.describe_limits(), "problem": "", "criteria": []}
    verdict = Verdict(report, parse_weights(None))
    try:
        require_measured(verdict.records)
    except InputError as error:
        return found | {"problem": str(error)}
    if not verdict.candidates:
        return found | {"problem": "No variant can be chosen: each was excluded."} | _export_excluded(verdict)
    needs = {"needs": [_export_requirement(verdict, each, support or {}) for each in parse(",".join(OFFERED))]}
    return found | _export_measures(verdict) | _export_candidates(verdict) | _export_excluded(verdict) | needs


def _export_measures(verdict: Verdict) -> dict[str, Any]:
    """Return the criteria, and each sub-measure with its share of its criterion."""
    shares = compute_shares(verdict.asked, {})
    return {
        "criteria": list(CRITERIA),
        "measures": [
            {
                "record": measure.record,
                "title": measure.title,
                "criterion": measure.criterion,
                "share": share,
                "reference": measure.reference,
                "least": measure.least,
                "most": measure.most if math.isfinite(measure.most) else None,
                "paired": measure.node == STEP,
            }
            for measure, share in zip(verdict.asked, shares, strict=True)
        ],
    }


def _export_candidates(verdict: Verdict) -> dict[str, Any]:
    """Return each candidate with its readings in the order of the sub-measures; null where one is unknown."""
    return {
        "candidates": [
            {
                "name": ":".join(key),
                "backend": key[0],
                "title": verdict.title(key[0]),
                "readings": [_export_reading(verdict, measure, key) for measure in verdict.asked],
            }
            for key in verdict.candidates
        ]
    }


def _export_reading(verdict: Verdict, measure: SubMeasure, key: Key) -> dict[str, Any] | None:
    reading = verdict.readings[measure][key]
    if reading is None:
        return None
    low, high = reading.bounds
    return {"cost": reading.cost, "low": low, "high": high, "shown": reading.shown, "note": reading.note}


def _export_requirement(
    verdict: Verdict, required: Requirement, support: Mapping[str, DeclaredSupport]
) -> dict[str, Any]:
    """Return the answer of each candidate to a requirement, in the order of the candidates."""
    answers = [required(verdict.records, key, support.get(key[0], DeclaredSupport())) for key in verdict.candidates]
    return {
        "word": required.word,
        "remain": describe_answers(answers),
        "answers": [each._asdict() for each in answers],
    }


def _export_excluded(verdict: Verdict) -> dict[str, Any]:
    return {
        "excluded": [each._asdict() for each in verdict.excluded],
        "not_tried": [measure.title for measure in verdict.not_tried],
    }
