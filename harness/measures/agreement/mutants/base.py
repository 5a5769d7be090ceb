"""What every mutant is, and the two kinds that are made from a value: of the spec, or of a convention."""

from functools import cache

from ....portable.reference import Reference

Mutant = type[Reference]


def describe_mutant(mutant: Mutant) -> str:
    """Return what the mutant does, for the middle of a sentence."""
    text = str(mutant.__doc__).strip().rstrip(".")
    return text[0].lower() + text[1:]


@cache
def undeclared(convention: str, value: str) -> Mutant:
    """Return the mutant that follows this value of a convention, and does not say so."""

    class Undeclared(Reference):
        def __init__(self, spec, device="cpu", variant=None, conventions=None):
            super().__init__(spec, conventions={**(conventions or {}), convention: value})

    Undeclared.__name__ = f"{convention}: {value}"
    Undeclared.__doc__ = f"Follows `{convention}: {value}`."
    return Undeclared


class WithSpec(Reference):
    """Runs another spec than it was given: `changed(spec)`."""

    def __init__(self, spec, device="cpu", variant=None, conventions=None):
        super().__init__(spec._replace(**self.changed(spec)), conventions=conventions)

    def changed(self, spec):
        """Return the fields that differ."""
        raise NotImplementedError
