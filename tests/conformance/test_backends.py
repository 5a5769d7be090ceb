"""Every backend x variant x case x check, through real workers in the backends' own environments.

One test a backend variant and case, of what `bakeoff check` measures; each prints its checks, and fails with a sentence
for every red one.
"""

import os
from functools import cache

import pytest
from rich.console import Console

from harness import agreement, checking, checks, conformance, environments, registry
from harness.agreement import Case
from harness.checking import Checked
from harness.environments import Environment
from harness.progress import Board
from harness.registry import Entry
from harness.session import Place, Session

pytestmark = pytest.mark.conformance

ENTRIES = registry.read_all()
ONLY = os.environ.get("BAKEOFF_BACKENDS")
"""As --backends: `tox -e backend-...` checks one at a time."""
SUBJECTS = registry.select(ENTRIES, ONLY or None)
CASES = conformance.cases(conformance.cover())
ALLOWED = 8.0
"""Floors: half of what agrees. What goes over is looked into, though it conforms."""
LOSES_PRECISION = {
    "flax_nnx": "Optax takes Adam's 1 - beta**t in float32: 7e-06 off after a step, 95 floors at worst",
    "paddlepaddle": "on the stress spec with relu and Adam, 28 floors after 10 steps",
}
"""Backends that conform and are known to lose precision in float32, with what was found."""
EVERY_CASE = ("numpy_plain", "jax_pure", "tensorflow_core", "pytorch")
"""Backends of which every variant is checked on every case; of the others the first is, and the rest on the gates."""
GATES = conformance.cases(conformance.gates())


def cases_of(entry: Entry, variant: str) -> list[Case]:
    """Return what one variant is checked on: compiling each case anew takes some of them minutes."""
    return CASES if entry.name in EVERY_CASE or variant == entry.variants[0] else GATES


RUNS = [(entry, variant, case) for entry, variant in SUBJECTS for case in cases_of(entry, variant)]


@cache
def environment_of(name: str) -> Environment:
    """Build, or fail every test of this backend with pip's own words."""
    return environments.build(ENTRIES[name])


@cache
def checked(name: str) -> dict[str, Checked]:
    """Check every variant of a backend that was asked for on every case, two variants at a time."""
    chosen = [(entry, variant) for entry, variant in SUBJECTS if entry.name == name]
    made = {name: environment_of(name).python}
    everywhere = [each for each in chosen if cases_of(*each) is CASES]
    found = {}
    rest = [each for each in chosen if each not in everywhere]
    for some, kinds in ((everywhere, conformance.cover()), (rest, conformance.gates())):
        found.update(checking.check_all(some, made, kinds, "cpu", 1, Board(Console(stderr=True))))
    return found


def name_of(value: Entry | str | Case) -> str:
    return value.label.replace(" ", "-") if isinstance(value, Case) else getattr(value, "name", value)


@pytest.mark.parametrize(("entry", "variant", "case"), RUNS, ids=name_of)
def test_backend_conforms(entry, variant, case):
    lacking = environments.lacking_program(entry, variant)
    if lacking:
        pytest.skip(lacking)
    every = checked(entry.name)[f"{entry.name}:{variant}"].outcomes
    outcomes = [outcome for outcome in every if f"{outcome.case} {outcome.dtype}" == case.label]
    first = next(each for each in CASES if each.gated and each.spec.dtype == case.spec.dtype)
    expected = [name for name in checks.CHECKS if case is first or name not in checks.ONCE_A_DTYPE]
    assert [outcome.check for outcome in outcomes] == expected, "every check ran"
    for outcome in outcomes:
        print(f"{outcome.check}: {outcome.status} {outcome.floors:.1f} {outcome.reason} {outcome.explanation}")
    if case.gated:
        assert not [f"{outcome.check}: {outcome.reason} {outcome.explanation}" for outcome in outcomes if outcome.red]
        if entry.name in LOSES_PRECISION and case.spec.dtype == "float32":
            return
        assert max(outcome.floors for outcome in outcomes if outcome.status != "known failure") <= ALLOWED
    else:
        assert max(outcome.floors for outcome in outcomes) > 0, "a result was measured"


@pytest.mark.parametrize(("entry", "variant"), SUBJECTS, ids=lambda value: getattr(value, "name", value))
def test_determinism_is_measured(entry, variant):
    lacking = environments.lacking_program(entry, variant)
    if lacking:
        pytest.skip(lacking)
    found = checked(entry.name)[f"{entry.name}:{variant}"]
    assert found.determinism is not None, found.unmeasured
    assert (found.determinism.twice, found.determinism.processes) == (True, True), "as all are on one thread"


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


@pytest.mark.parametrize("name", [name for name in LOSES_PRECISION if name in {entry.name for entry, _ in SUBJECTS}])
def test_what_is_said_to_lose_precision_does(name):
    """Or the line above is out of date."""
    outcomes = [outcome for each in checked(name).values() for outcome in each.outcomes if outcome.gated]
    worst = max(outcome.floors for outcome in outcomes if outcome.status != "known failure")
    assert agreement.LOSES_PRECISION < worst <= agreement.NOT_CONFORMING
