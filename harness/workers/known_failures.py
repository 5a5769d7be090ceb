"""Known failures: the checks that an adapter declares to fail in KNOWN_FAILURES, with the reason of each."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..portable import spec as portable


class KnownFailure(NamedTuple):
    """A check that a backend declares to fail, and why it fails."""

    reason: str
    where: Mapping[str, Any] = {}
    """Fields of the spec with the value, or the list of values, on which the check fails; {} for every spec."""
    either: Sequence[Mapping[str, Any]] = ()
    """Alternatives of such fields, of which one must match as well; () where there are none."""

    def applies_to(self, spec: portable.Spec) -> bool:
        """Return whether the check is expected to fail on this spec."""
        return _matches(spec, self.where) and (not self.either or any(_matches(spec, each) for each in self.either))


def _matches(spec: portable.Spec, where: Mapping[str, Any]) -> bool:
    values = ((getattr(spec, field), value) for field, value in where.items())
    return all(one in value if isinstance(value, list) else one == value for one, value in values)


def read_known_failure(check: str, declared: Any) -> KnownFailure:
    """Return what the adapter declares of a check. Raises ValueError where the declaration breaks the contract."""
    if isinstance(declared, str):
        return KnownFailure(declared)
    where = dict(declared) if isinstance(declared, dict) else {}
    reason, either = where.pop("reason", None), where.pop("either", [])
    well_formed = isinstance(either, list) and all(isinstance(each, dict) and each for each in either)
    fields = {field for each in (where, *(either if well_formed else ())) for field in each}
    if not isinstance(reason, str) or fields - set(portable.Spec._fields) or not well_formed:
        raise ValueError(
            f"KNOWN_FAILURES[{check!r}]: expected a reason, or a dictionary of `reason` and fields of the spec, and of "
            f"`either`, a list of more such fields; got {declared!r}"
        )
    return KnownFailure(reason, where, either)
