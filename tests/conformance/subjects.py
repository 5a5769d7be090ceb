"""The standard cases, and a check run on a backend in this process."""

from functools import cache

from bakeoff.measures.agreement.cases import cases as cases_of
from bakeoff.measures.agreement.checks import CHECKS
from bakeoff.measures.agreement.in_process import make_subject
from bakeoff.measures.agreement.suite import run_check
from bakeoff.workload.networks import STANDARD


def check_outcome(check, backend_class, case, known_failures=None):
    """Run the check of this name on a backend; return the outcome."""
    return run_check(CHECKS[check], make_subject(backend_class, case), known_failures or ())


@cache
def cases():
    """Return the standard cases, {label: case}."""
    return {case.label: case for case in cases_of(STANDARD)}


def optimiser_of(convention):
    """Return an optimiser that the convention makes a difference with."""
    of_none = convention in ("running_variance", "batch_norm_constants", "loss")
    return "adam" if of_none else convention.partition("_")[0]
