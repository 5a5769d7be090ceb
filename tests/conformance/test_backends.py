"""Every backend x variant x case x check, through real workers in the backends' own environments.

One test a backend variant and case, of what `bakeoff check` measures; each prints its checks, and fails with a sentence
for every red one.
"""

import os
from functools import cache

import pytest
from bakeoff.common.progress import Board
from bakeoff.environments import build
from bakeoff.environments.environment import Environment
from bakeoff.measures.agreement import case as agreement_case
from bakeoff.measures.agreement import cases, checks, run_checks, suite
from bakeoff.measures.agreement.case import Case
from bakeoff.measures.agreement.run_checks import Checked
from bakeoff.registry import entries
from bakeoff.registry.entries import Entry
from bakeoff.workers import launch
from bakeoff.workers.session import Session
from bakeoff.workload import networks
from rich.console import Console

pytestmark = pytest.mark.conformance

ENTRIES = entries.read_all()
ONLY = os.environ.get("BAKEOFF_BACKENDS")
"""As --backends: `tox -e backend-...` checks one at a time."""
SUBJECTS = entries.select(ENTRIES, ONLY or None)
STANDS_OUT = [
    networks.Network("stress", "tanh", True, "adam", "float64"),
    networks.Network("stress", "relu", True, "adam", "float32"),
]
ALLOWED = 8.0
"""Floors: half of what agrees. What goes over is looked into, though it conforms."""
LOSES_PRECISION = {
    "flax_nnx": "Optax takes Adam's 1 - beta**t in float32: 7e-06 off after a step, 95 floors at worst",
    "keras3": "Keras's Adam takes 1 - beta**t in float32, where it cancels: 53 floors at worst",
    "paddlepaddle": "on the stress spec with relu and Adam, 28 floors after 10 steps",
}
"""Backends that conform and are known to lose precision in float32, with what was found."""


def kinds_of(entry, variant):
    """Return the cells that a variant is checked on here; `bakeoff check` takes all of the cover.

    Or this takes an hour: the first variants of the usual backends are checked on all of it; their others, and the
    first of the rest, on the gates; what is left on those two that mistakes stand out most on.
    """
    first = variant == entry.description.variants[0]
    if entry.description.default:
        return networks.pairwise_cover() if first else networks.required_networks()
    return networks.required_networks() if first else STANDS_OUT


def cases_of(entry, variant):
    """Return the problems of these cells, and of those in place of what the backend says it cannot do."""
    return cases.cases(networks.with_supported(kinds_of(entry, variant), entry.unsupported))


RUNS = [(entry, variant, case) for entry, variant in SUBJECTS for case in cases_of(entry, variant)]


@cache
def environment_of(label: str) -> Environment:
    """Build, or fail every test of this backend, or of this part of it, with pip's own words."""
    (part,) = {entry.label: entry for entry, _ in SUBJECTS if entry.label == label}.values()
    return build.build(part)


@cache
def checked(name: str) -> dict[str, Checked]:
    """Check every variant of a backend that was asked for, two variants at a time."""
    chosen = [(entry, variant) for entry, variant in SUBJECTS if entry.name == name]
    made = {entry.label: environment_of(entry.label).python for entry, _ in chosen}
    found: dict[str, Checked] = {}
    for kinds in (networks.pairwise_cover(), networks.required_networks(), STANDS_OUT):
        some = [each for each in chosen if kinds_of(*each) == kinds]
        found |= run_checks.check_all(some, made, kinds, "cpu", 1, Board(Console(stderr=True)))
    return found


def name_of(value: Entry | str | Case) -> str:
    return value.label.replace(" ", "-") if isinstance(value, Case) else getattr(value, "name", value)


@pytest.mark.parametrize(("entry", "variant", "case"), RUNS, ids=name_of)
def test_backend_conforms(entry, variant, case):
    lacking = launch.explain_unavailable(entry, variant)
    if lacking:
        pytest.skip(lacking)
    every = checked(entry.name)[f"{entry.name}:{variant}"].outcomes
    outcomes = [outcome for outcome in every if f"{outcome.case} {outcome.dtype}" == case.label]
    if entry.unsupported(case.spec):
        assert [(each.check, each.status) for each in outcomes] == [(suite.REFUSAL, "cannot")], outcomes[0].reason
        return
    able = [each for each in cases_of(entry, variant) if each.gated and not entry.unsupported(each.spec)]
    first = next(each for each in able if each.spec.dtype == case.spec.dtype)
    expected = [name for name in checks.CHECKS if case is first or name not in checks.ONCE_A_DTYPE]
    assert [outcome.check for outcome in outcomes] == expected, "every check ran"
    for outcome in outcomes:
        print(f"{outcome.check}: {outcome.status} {outcome.floors:.1f} {outcome.reason} {outcome.explanation}")
    if case.gated:
        assert not [f"{outcome.check}: {outcome.reason} {outcome.explanation}" for outcome in outcomes if outcome.red]
        if entry.name in LOSES_PRECISION and case.spec.dtype == "float32":
            return
        assert max(outcome.floors for outcome in outcomes if not outcome.known) <= ALLOWED
    else:
        assert max(outcome.floors for outcome in outcomes) > 0, "a result was measured"


@pytest.mark.parametrize(("entry", "variant"), SUBJECTS, ids=lambda value: getattr(value, "name", value))
def test_determinism_is_measured(entry, variant):
    lacking = launch.explain_unavailable(entry, variant)
    if lacking:
        pytest.skip(lacking)
    found = checked(entry.name)[f"{entry.name}:{variant}"]
    assert found.determinism is not None, found.unmeasured
    assert (found.determinism.twice, found.determinism.processes) == (True, True), "as all are on one thread"


@pytest.mark.parametrize("label", [part.label for entry in ENTRIES.values() for part in entry.parts])
def test_what_backend_toml_says_is_what_the_adapter_offers(label, tmp_path):
    part = {entry.label: entry for entry, _ in SUBJECTS}.get(label)
    if part is None:
        pytest.skip(f"only {ONLY} is asked for, by BAKEOFF_BACKENDS")
    place = launch.place_of(part, part.variants[0], environment_of(label).python)._replace(log=tmp_path / "log")
    with Session(place) as session:
        assert session.variants == part.whole.variants
        usual = networks.with_supported([networks.DEFAULT], part.unsupported)[-1:]
        session.build(cases.cases(usual)[0].spec, "cpu", part.variants[0])
        versions = session.versions()
    assert entries.pinned_version(part) in {version.partition("+")[0] for version in versions.values()}


@pytest.mark.parametrize("name", [name for name in LOSES_PRECISION if name in {entry.name for entry, _ in SUBJECTS}])
def test_what_is_said_to_lose_precision_does(name):
    """Or the line above is out of date."""
    outcomes = [outcome for each in checked(name).values() for outcome in each.outcomes if outcome.gated]
    worst = max(outcome.floors for outcome in outcomes if not outcome.known)
    assert agreement_case.LOSES_PRECISION < worst <= agreement_case.NOT_CONFORMING
