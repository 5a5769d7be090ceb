"""TODO: workers.known_failures."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..portable import spec as portable

pass


class Known(NamedTuple):
    """A check that a backend says it fails, and why."""

    reason: str
    where: Mapping[str, Any] = {}
    """Fields of the spec and their values, or lists of values, where it does not fail on every spec."""
    either: Sequence[Mapping[str, Any]] = ()
    """More such fields, of which one lot is enough; () where there are none."""

    def holds(self, spec: portable.Spec) -> bool:
        """Whether the check is to fail on this spec."""
        return _is_of(spec, self.where) and (not self.either or any(_is_of(spec, each) for each in self.either))


def _is_of(spec: portable.Spec, where: Mapping[str, Any]) -> bool:
    values = ((getattr(spec, field), value) for field, value in where.items())
    return all(one in value if isinstance(value, list) else one == value for one, value in values)


def _known(check: str, declared: Any) -> Known:
    """Return what the adapter declares of a check. Raises ValueError where it is not as the contract has it."""
    if isinstance(declared, str):
        return Known(declared)
    where = dict(declared) if isinstance(declared, dict) else {}
    reason, either = where.pop("reason", None), where.pop("either", [])
    listed = isinstance(either, list) and all(isinstance(each, dict) and each for each in either)
    wrong = {field for each in (where, *(either if listed else ())) for field in each} - set(portable.Spec._fields)
    if not isinstance(reason, str) or wrong or not listed:
        raise ValueError(
            f"KNOWN_FAILURES[{check!r}]: expected a reason, or a dictionary of `reason` and fields of the spec, and of "
            f"`either`, a list of more such fields; got {declared!r}"
        )
    return Known(reason, where, either)
