"""Known failures: the faults that an adapter declares in KNOWN_FAILURES, with the checks that each touches."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..portable import spec as portable

FORM = (
    "expected a list of dictionaries, one for each fault, with `reason` (a sentence) and `checks` (a list of names); "
    "optional: `max_floors` (a number), fields of the spec with a value or a list of values, and `either`, a list of "
    "more such fields"
)


class KnownFailure(NamedTuple):
    """A fault that a backend declares: the checks that fail by it, why, how far, and on which specs."""

    reason: str
    checks: Sequence[str]
    max_floors: float | None = None
    """The largest deviation, in floors; None where the failure has no number, as an error or NaN has none."""
    where: Mapping[str, Any] = {}
    """Fields of the spec with the value, or the list of values, on which the checks fail; {} for every spec."""
    either: Sequence[Mapping[str, Any]] = ()
    """Alternatives of such fields, of which one must match as well; () where there are none."""

    def applies_to(self, check: str, spec: portable.Spec) -> bool:
        """Return whether this check is expected to fail on this spec."""
        if check not in self.checks or not _matches(spec, self.where):
            return False
        return not self.either or any(_matches(spec, each) for each in self.either)


def find_known_failure(declared: Sequence[KnownFailure], check: str, spec: portable.Spec) -> KnownFailure | None:
    """Return the first declaration that this check on this spec is expected to fail by, or None."""
    return next((each for each in declared if each.applies_to(check, spec)), None)


def _matches(spec: portable.Spec, where: Mapping[str, Any]) -> bool:
    values = ((getattr(spec, field), value) for field, value in where.items())
    return all(one in value if isinstance(value, list) else one == value for one, value in values)


def read_known_failures(declared: Any) -> tuple[KnownFailure, ...]:
    """Return what the adapter declares. Raises ValueError where the declaration breaks the contract."""
    if not isinstance(declared, list | tuple):
        raise ValueError(f"KNOWN_FAILURES: {FORM}; got {declared!r:.200}")
    return tuple(_read_known_failure(f"KNOWN_FAILURES[{place}]", each) for place, each in enumerate(declared))


def _read_known_failure(name: str, declared: Any) -> KnownFailure:
    where = dict(declared) if isinstance(declared, dict) else {}
    reason, checks = where.pop("reason", None), where.pop("checks", None)
    ceiling, either = where.pop("max_floors", None), where.pop("either", [])
    well_formed = (
        isinstance(reason, str)
        and isinstance(checks, list | tuple)
        and bool(checks)
        and all(isinstance(check, str) for check in checks)
        and (ceiling is None or (isinstance(ceiling, int | float) and not isinstance(ceiling, bool) and ceiling > 0))
        and isinstance(either, list | tuple)
        and all(isinstance(each, dict) and each for each in either)
    )
    if not well_formed:
        raise ValueError(f"{name}: {FORM}; got {declared!r:.200}")
    fields = {field for each in (where, *either) for field in each} - set(portable.Spec._fields)
    if fields:
        known = ", ".join(portable.Spec._fields)
        raise ValueError(f"{name}: expected fields of the spec ({known}), got {', '.join(map(str, sorted(fields)))}")
    return KnownFailure(reason, tuple(checks), ceiling, where, tuple(either))
