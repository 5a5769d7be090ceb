"""The guides say what the code does: every key with its default, every name and number that can drift."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from typing import get_args

import pytest
from bakeoff.common import statistics
from bakeoff.measures import ease
from bakeoff.measures.agreement import case as agreement_case
from bakeoff.measures.agreement import cases, checks, floors
from bakeoff.measures.speed import rounds, warmup
from bakeoff.portable import contract
from bakeoff.portable import spec as portable
from bakeoff.portable.spec import CONVENTIONS
from bakeoff.registry import entries
from bakeoff.registry.description import Description, Openness, OwnEnvironment, Unsupported, WorkerEnvironment
from bakeoff.workload import networks
from bakeoff.workload.data import load
from bakeoff.workload.spec import DataSpec, Spec, parse
from pydantic import BaseModel

from tests.paths import ROOT

GUIDES = {
    name: (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("spec", "backend", "agreement", "timing", "engines")
}
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
ADRS = sorted((ROOT / "docs" / "adr").glob("*.md"))


def cells(text: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the tables in the text."""
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def code(text: str) -> list[str]:
    """Return what stands in backquotes."""
    return re.findall(r"`([^`]+)`", text)


def flat(text: str) -> str:
    return " ".join(text.split())


# The spec

SECTIONS = {name: field.annotation for name, field in Spec.model_fields.items()}


def section_of(name: str) -> str:
    return GUIDES["spec"].partition(f"\n## `[{name}]`\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("name", SECTIONS)
def test_every_key_of_the_spec_stands_with_its_default(name):
    rows = {row[0]: row for row in cells(section_of(name)) if len(row) == 4}
    documented = {
        code(key)[0]: tomllib.loads(f"value = {code(row[2])[0]}")["value"] for key, row in rows.items() if key != "key"
    }
    assert documented == getattr(Spec(), name).model_dump(mode="json")


def choices() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for table, section in SECTIONS.items():
        for key, field in section.model_fields.items():
            if values := [value for value in get_args(field.annotation) if isinstance(value, str)]:
                yield table, key, tuple(values)


@pytest.mark.parametrize(("table", "key", "values"), list(choices()))
def test_the_values_of_a_key_are_all_named(table, key, values):
    (row,) = [row for row in cells(section_of(table)) if row[0] == f"`{key}`"]
    assert [word.strip('"') for word in code(row[1])] == list(values)


def test_choices_are_found():
    assert {f"{table}.{key}" for table, key, _ in choices()} == {
        "data.normalisation",
        "network.activation",
        "network.initial_weights",
        "optimiser.name",
        "training.dtype",
    }


def test_the_example_of_a_spec_is_one():
    longer, untold, swept = re.findall(r"```toml\n(.*?)```", GUIDES["spec"], re.DOTALL)
    assert parse(longer, "example").training.epochs == 100
    assert parse(untold, "example").framework_defaults == ("epsilon", "initial_weights")
    assert parse(swept, "example").sweep.width == (32, 128, 512)


def test_the_digits_are_as_told():
    data = load(DataSpec())
    told = f"{data.x.shape[0]} rows, {data.x.shape[1]} features, {len(data.classes)} classes"
    assert told in GUIDES["spec"]


# Backends


@pytest.mark.parametrize("model", [Description, WorkerEnvironment, OwnEnvironment, Unsupported, Openness])
def test_every_key_of_a_backend_toml_stands_in_its_guide(model: type[BaseModel]):
    first = {word.strip("[]") for row in cells(GUIDES["backend"]) for word in code(row[0])}
    assert set(model.model_fields) - first == set()


def test_every_member_of_the_contract_stands_in_the_guide():
    members = [name for name in vars(contract.Backend) if not name.startswith("_") or name == "__init__"]
    first = {code(row[0])[0].partition("(")[0] for row in cells(GUIDES["backend"]) if code(row[0])}
    assert set(members) - first == set()


def test_every_convention_stands_with_its_values():
    rows = {code(row[0])[0]: code(row[1]) for row in cells(GUIDES["backend"]) if row[0].strip("`") in CONVENTIONS}
    assert list(rows) == list(CONVENTIONS)
    for name, values in CONVENTIONS.items():
        assert [word for word in rows[name] if word in values] == list(values), name


def test_the_examples_of_known_failures_name_checks_and_fields_of_the_spec():
    examples = re.findall(r"```python\nKNOWN_FAILURES = (.*?)```", GUIDES["backend"], re.DOTALL)
    declared = [each for example in examples for each in ast.literal_eval(example).items()]
    assert {name for name, _ in declared} <= set(checks.CHECKS)
    (narrow,) = [value for _, value in declared if isinstance(value, dict)]
    assert set(narrow) - {"reason"} <= set(portable.Spec._fields)


def test_the_example_of_a_fact_is_one():
    (example,) = re.findall(r"`(\{ value = .*?\})`", GUIDES["backend"])
    assert Openness.model_validate(tomllib.loads(f"licence = {example}")).licence.value == "MIT"


def test_the_changelog_names_every_backend():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for entry in entries.read_all().values():
        assert entry.description.title in text, entry.name
        assert [variant for variant in entry.variants if f"`{variant}`" not in text] == [], entry.name


# Numbers


def test_the_limits_of_agreement_are_as_told():
    rows = [row[0] for row in cells(GUIDES["agreement"])]
    low, high = agreement_case.LOSES_PRECISION, agreement_case.NOT_CONFORMING
    for words in (f"up to {low:g}", f"over {low:g}, up to {high:g}", f"over {high:g}"):
        assert words in rows
    one, ten, hundred = agreement_case.CHECKPOINTS
    for words in (f"after {one}, {ten} and {hundred} steps", f"error of {floors.PERMUTATIONS} runs"):
        assert words in flat(GUIDES["agreement"])


def test_the_cases_are_as_told():
    table = {row[0]: row[1:] for row in cells(GUIDES["agreement"]) if len(row) == 3}
    told = {
        (case, dtype): "gate" in word
        for case, words in zip(
            ("default-relu-adam", "stress-relu-adam", "stress-tanh-adam"),
            (table[row] for row in ("default spec on the digits", "stress spec, relu", "stress spec, tanh")),
        )
        for dtype, word in zip(("float64", "float32"), words)
    }
    assert told == {(case.name, case.spec.dtype): case.gated for case in cases.cases(networks.STANDARD)}


def test_the_stress_spec_is_as_told():
    stress = next(case.spec for case in cases.cases(networks.STANDARD) if case.name == "stress-relu-adam")
    told = (
        f"a batch of {stress.batch_size}, `bn_epsilon` {stress.bn_epsilon:g}, `bn_decay` {stress.bn_decay:g} "
        "and Adam's epsilon 1e-3"
    )
    assert stress.epsilon == 1e-3
    assert told in flat(GUIDES["agreement"])


def test_the_numbers_of_timing_are_as_told():
    text = flat(GUIDES["timing"])
    for words in (
        f"a bootstrap of {statistics.RESAMPLES} resamples",
        f"blocks of {statistics.SEGMENT} neighbouring turns",
        f"with a {statistics.LEVEL:.0%} interval".replace("%", " %"),
        f"within {rounds.WARM_LIMIT_S:g} s",
        f"takes {warmup.LEAST} slices, then {rounds.WARM_BLOCK} more",
        f"has lasted {warmup.LASTED} slices",
        f"differ by less than {100 * warmup.ALIKE:.0f} % are one",
        f"{rounds.LATENCY_CALLS} calls for one row, {rounds.LATENCY_CALLS} for a full batch",
    ):
        assert words in text


# All pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            linked = page.parent / path if path else page
            assert linked.exists() or path.startswith("results/"), target
            if anchor:
                headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
                assert anchor in [heading.lower().replace(" ", "-") for heading in headings], target


def test_a_page_that_the_code_names_exists():
    for path in [*ROOT.glob("harness/**/*.py"), *ROOT.glob("backends/**/*.py")]:
        for page in re.findall(r"(?<!/)\bdocs/[\w/-]+\.md", path.read_text(encoding="utf-8")):
            assert (ROOT / page).exists(), f"{path}: {page}"


def test_decisions_are_numbered_and_of_one_form():
    assert [int(path.name[:4]) for path in ADRS] == list(range(1, len(ADRS) + 1))
    for path in ADRS:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(path.name[:4])}. ")
        assert re.findall("^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"], path.name
        assert len(text.splitlines()) <= 60, path.name


# One model, three engines


def test_what_is_shared_by_the_engines_is_counted(tmp_path):
    """The file is cut before each step's class; the imports of all engines stay with what is shared."""
    model = ROOT / "backends" / "keras3" / "model.py"
    parts = re.split(r"^(?=class \w+Step:|STEP = )", model.read_text(encoding="utf-8"), flags=re.MULTILINE)
    modules = ("keras", "tensorflow", "jax", "torch")
    told = [(int(row[1]), int(row[2])) for row in cells(GUIDES["engines"]) if row[1].isdigit()]
    counted = []
    for number, part in enumerate(parts[:-1]):
        file = tmp_path / f"{number}.py"
        file.write_text(part, encoding="utf-8")
        figures = ease.measure(file, modules).figures()
        counted.append((figures["logical lines"], figures["tokens"]))
    assert told == counted


# What the timing can tell


def test_the_table_of_what_timing_can_tell_is_the_report_of_its_data():
    command = [sys.executable, "bench/resolution.py", "report", "bench/data/resolution.jsonl.gz"]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    report = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True).stdout
    assert report in (ROOT / "docs" / "resolution.md").read_text(encoding="utf-8")
    assert len(report.splitlines()) > 2
