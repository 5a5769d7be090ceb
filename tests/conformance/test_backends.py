"""Every backend x variant x case x check, through real workers in the backends' own environments.

One test a backend variant and case; each prints its matrix of checks, and fails with a sentence for every red one.
"""

import os
from functools import cache

import pytest

from harness import checks, conformance, environments, registry
from harness.environments import Environment
from harness.session import Place, Session

pytestmark = pytest.mark.conformance

ENTRIES = registry.read_all()
ONLY = os.environ.get("BAKEOFF_BACKENDS")
"""As --backends: `tox -e backend-...` checks one at a time."""
SUBJECTS = registry.select(ENTRIES, ONLY or None)
CASES = conformance.all_cases()


@cache
def environment_of(name: str) -> Environment:
    """Build, or fail every test of this backend with pip's own words."""
    return environments.build(ENTRIES[name])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label.replace(" ", "-"))
@pytest.mark.parametrize(("entry", "variant"), SUBJECTS, ids=lambda value: getattr(value, "name", value))
def test_backend_conforms(entry, variant, case, tmp_path):
    lacking = environments.lacking_program(entry, variant)
    if lacking:
        pytest.skip(lacking)
    worker = entry.description.environment
    place = Place(
        python=environment_of(entry.name).python,
        folder=entry.folder,
        log=tmp_path / "worker.log",
        thread_variables=worker.threads,
        variables=worker.variables,
    )
    outcomes = list(conformance.check_backend(lambda: Session(place), [case], "cpu", variant))
    expected = [name for name in checks.CHECKS if case.gated or name not in checks.ONCE_A_DTYPE]
    assert [outcome.check for outcome in outcomes] == expected, "every check ran"
    for outcome in outcomes:
        print(f"{outcome.check}: {outcome.status} {outcome.floors:.1f} {outcome.reason}")
    if case.gated:
        assert not [f"{outcome.check}: {outcome.reason}" for outcome in outcomes if outcome.red]
        # Those that are here now agree plainly; one that conforms and loses precision would be named there first.
        assert not [outcome.reason for outcome in outcomes if outcome.status == "loses precision"]
    else:
        assert max(outcome.floors for outcome in outcomes) > 0, "a result was measured"


@pytest.mark.parametrize("name", ENTRIES)
def test_what_backend_toml_says_is_what_the_adapter_offers(name, tmp_path):
    entry = ENTRIES[name]
    if entry not in [subject for subject, _ in SUBJECTS]:
        pytest.skip(f"only {ONLY} is asked for, by BAKEOFF_BACKENDS")
    worker = entry.description.environment
    python = environment_of(name).python
    place = Place(python, entry.folder, tmp_path / "log", None, 1, worker.threads, worker.variables)
    with Session(place) as session:
        assert session.variants == entry.variants
        session.build(CASES[0].spec, "cpu", entry.variants[0])
        versions = session.versions()
    assert registry.pinned_version(entry) in {version.partition("+")[0] for version in versions.values()}
