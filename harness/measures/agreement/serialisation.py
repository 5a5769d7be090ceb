"""The JSON form of a check outcome: the same in the cache, in `bakeoff check --json` and in the records of a run."""

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, TypeAdapter

from .case import Deviation, Quantity
from .suite import Outcome

_FORM = TypeAdapter(Outcome, config=ConfigDict(strict=True))


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as a dictionary that JSON can hold: its fields, and `failed`."""
    measured = [deviation_to_json(deviation) for deviation in outcome.measured]
    return {**outcome._asdict(), "measured": measured, "failed": outcome.failed}


def outcome_from_json(fields: Mapping[str, Any]) -> Outcome:
    """Return the outcome that `outcome_to_json` wrote.

    Raises LookupError, TypeError or ValueError for anything else: a cache can be damaged.
    """
    kept = {name: value for name, value in fields.items() if name != "failed"}
    measured = [deviation_from_json(each) for each in kept["measured"]]
    if not all(each.floor > 0 for each in measured):
        raise ValueError("expected floors above 0")
    return _FORM.validate_python(Outcome(**{**kept, "measured": measured}))


def deviation_to_json(deviation: Deviation) -> dict[str, Any]:
    """Return the deviation of one quantity as a dictionary: phase, array, step, error, floor, floors."""
    error, floor, floors = deviation.error, deviation.floor, deviation.floors
    return {**deviation.quantity._asdict(), "error": error, "floor": floor, "floors": floors}


def deviation_from_json(fields: Mapping[str, Any]) -> Deviation:
    """Return the deviation that `deviation_to_json` wrote."""
    quantity = Quantity(*(fields[name] for name in Quantity._fields))
    return Deviation(quantity, fields["error"], fields["floor"])
