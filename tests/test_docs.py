"""The pages agree with the code: every key with its default, every command, name and number that can change."""

import ast
import importlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from typing import get_args

import jsonschema
import pandas as pd
import pytest
import typer
from bakeoff.cli.app import app
from bakeoff.common import statistics
from bakeoff.measures.agreement import case as agreement_case
from bakeoff.measures.agreement import cases, checks, floors
from bakeoff.measures.ease.changes import CHANGES, Change
from bakeoff.measures.ease.count import count_file
from bakeoff.measures.mistakes.catalogue import MISTAKES, CodedMistake
from bakeoff.measures.speed import rounds, warmup
from bakeoff.portable import contract
from bakeoff.portable.spec import CONVENTIONS
from bakeoff.registry import entries
from bakeoff.registry.description import Build, Description, OwnEnvironment, Unsupported, WorkerEnvironment
from bakeoff.registry.facts import Openness
from bakeoff.workers.known_failures import read_known_failures
from bakeoff.workload import networks
from bakeoff.workload.data import load
from bakeoff.workload.spec import DataSpec, Spec, parse
from pydantic import BaseModel

from tests.other_backends import listed_backends
from tests.paths import ROOT

DOCS = ROOT / "docs"
GUIDES = {
    name: (DOCS / kind / f"{name}.md").read_text(encoding="utf-8")
    for kind, names in {"reference": ("spec", "backend"), "explanation": ("agreement", "timing", "engines")}.items()
    for name in names
}
OWN = [page for page in DOCS.glob("**/*.md") if not {"_build", "benchmarks"} & set(page.relative_to(DOCS).parts)]
"""The pages of docs/, without what docs/conf.py copies there."""
PAGES = [*ROOT.glob("*.md"), *OWN, *ROOT.glob("bench/*.md")]
ADRS = sorted((DOCS / "adr").glob("0*.md"))
README_LINES = 150


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
def test_the_spec_page_has_every_key_with_its_default(name):
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
def test_the_spec_page_names_every_value_of_a_key(table, key, values):
    (row,) = [row for row in cells(section_of(table)) if row[0] == f"`{key}`"]
    assert [word.strip('"') for word in code(row[1])] == list(values)


def test_the_keys_with_a_choice_of_values_are_these():
    assert {f"{table}.{key}" for table, key, _ in choices()} == {
        "data.categories",
        "data.decimal",
        "data.missing",
        "data.normalisation",
        "network.activation",
        "network.initial_weights",
        "optimiser.name",
        "training.dtype",
    }


def test_the_examples_of_a_spec_can_be_read():
    longer, left_out, swept = re.findall(r"```toml\n(.*?)```", GUIDES["spec"], re.DOTALL)
    assert parse(longer, "example").training.epochs == 100
    assert parse(left_out, "example").framework_defaults == ("epsilon", "initial_weights")
    assert parse(swept, "example").sweep.width == (32, 128, 512)


def test_the_spec_page_describes_the_digits():
    data = load(DataSpec())
    described = f"{data.x.shape[0]} rows, {data.x.shape[1]} features, {len(data.classes)} classes"
    assert described in GUIDES["spec"]


# Backends


TABLES = (Description, WorkerEnvironment, OwnEnvironment, Build, Unsupported, Openness, Change, CodedMistake)


@pytest.mark.parametrize("model", TABLES)
def test_the_backend_page_has_every_key_of_a_backend_toml(model: type[BaseModel]):
    first = {word.strip("[]") for row in cells(GUIDES["backend"]) for word in code(row[0])}
    assert set(model.model_fields) - first == set()


def test_the_backend_page_names_every_change_and_every_mistake_in_the_code():
    names = [*CHANGES, *(name for name, mistake in MISTAKES.items() if mistake.corrupt is None)]
    assert [name for name in names if f"`{name}`" not in GUIDES["backend"]] == []


def test_the_backend_page_has_every_member_of_the_contract():
    members = [name for name in vars(contract.Backend) if not name.startswith("_") or name == "__init__"]
    first = {code(row[0])[0].partition("(")[0] for row in cells(GUIDES["backend"]) if code(row[0])}
    assert set(members) - first == set()


def test_the_backend_page_has_every_convention_with_its_values():
    rows = {code(row[0])[0]: code(row[1]) for row in cells(GUIDES["backend"]) if row[0].strip("`") in CONVENTIONS}
    assert list(rows) == list(CONVENTIONS)
    for name, values in CONVENTIONS.items():
        assert [word for word in rows[name] if word in values] == list(values), name


def test_the_examples_of_known_failures_name_existing_checks_and_fields():
    (example,) = re.findall(r"```python\nKNOWN_FAILURES = (.*?)```", GUIDES["backend"], re.DOTALL)
    declared = read_known_failures(ast.literal_eval(example))
    assert {name for each in declared for name in each.checks} <= set(checks.CHECKS)
    assert any(each.where for each in declared)


def test_the_example_of_a_fact_is_valid():
    (example,) = re.findall(r"`(\{ value = .*?\})`", GUIDES["backend"])
    assert Openness.model_validate(tomllib.loads(f"licence = {example}")).licence.value == "MIT"


def test_the_changelog_names_every_backend():
    """That tox.ini names: the one who merges a new backend adds it to both."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for entry in map(entries.read_all().__getitem__, listed_backends()):
        assert entry.description.title in text, entry.name
        assert [variant for variant in entry.variants if f"`{variant}`" not in text] == [], entry.name


# Numbers


def test_the_agreement_page_has_the_limits_of_the_code():
    rows = [row[0] for row in cells(GUIDES["agreement"])]
    low, high = agreement_case.LOSES_PRECISION, agreement_case.NOT_CONFORMING
    for words in (f"up to {low:g}", f"over {low:g}, up to {high:g}", f"over {high:g}"):
        assert words in rows
    one, ten, hundred = agreement_case.CHECKPOINTS
    for words in (f"after {one}, {ten} and {hundred} steps", f"error of {floors.PERMUTATIONS} runs"):
        assert words in flat(GUIDES["agreement"])


def test_the_agreement_page_has_the_required_cases_of_the_code():
    table = {row[0]: row[1:] for row in cells(GUIDES["agreement"]) if len(row) == 3}
    described = {
        (case, dtype): word == "required"
        for case, words in zip(
            ("default-relu-adam", "stress-relu-adam", "stress-tanh-adam"),
            (table[row] for row in ("default spec on the digits", "stress spec, relu", "stress spec, tanh")),
        )
        for dtype, word in zip(("float64", "float32"), words)
    }
    assert described == {(case.name, case.spec.dtype): case.required for case in cases.cases(networks.STANDARD)}


def test_the_agreement_page_describes_the_stress_spec():
    stress = next(case.spec for case in cases.cases(networks.STANDARD) if case.name == "stress-relu-adam")
    described = (
        f"a batch of {stress.batch_size}, `bn_epsilon` {stress.bn_epsilon:g}, `bn_decay` {stress.bn_decay:g} "
        "and Adam's epsilon 1e-3"
    )
    assert stress.epsilon == 1e-3
    assert described in flat(GUIDES["agreement"])


def test_the_timing_page_has_the_numbers_of_the_code():
    text = flat(GUIDES["timing"])
    for words in (
        f"a bootstrap of {statistics.RESAMPLES} resamples",
        f"segments of {statistics.SEGMENT} neighbouring blocks",
        f"with a {statistics.LEVEL:.0%} interval".replace("%", " %"),
        f"within {rounds.WARM_LIMIT_S:g} s",
        f"takes {warmup.LEAST} slices, then {rounds.SLICES_BETWEEN_CHECKS} more",
        f"has lasted {warmup.LASTED} slices",
        f"differ by less than {100 * warmup.ALIKE:.0f} % are one",
        f"{rounds.LATENCY_CALLS} calls for one row, {rounds.LATENCY_CALLS} for a full batch",
    ):
        assert words in text


# All pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_between_pages_has_a_target(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            linked = page.parent / path if path else page
            assert linked.exists() or path.startswith("results/"), target
            if anchor:
                headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
                assert anchor in [as_anchor(heading) for heading in headings], target


def as_anchor(heading: str) -> str:
    """Return the anchor of a heading: small letters, punctuation removed, hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_index_links_every_page():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    linked = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)#\s]+)", index)}
    pages = {page for page in OWN if page not in ADRS and page.name != "index.md"}
    assert pages - linked == set()


def test_the_readme_is_short_and_its_table_small():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= README_LINES
    table = text.partition("generated.fastest(")[2].partition("<!-- [[[end]]]")[0]
    rows = [row for row in cells(table) if row[0] != "framework"]
    assert 0 < len(rows) <= 8
    assert {len(row) for row in rows} <= set(range(1, 7))


def test_the_commands_page_has_every_command_and_option():
    text = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    group = typer.main.get_command(app)
    for name, command in group.commands.items():
        assert f"`bakeoff {name}" in text
        options = [option for each in command.params for option in (*each.opts, *each.secondary_opts)]
        missing = [each for each in options if each.startswith("--") and each != "--check" and f"`{each}" not in text]
        assert missing == [], name


def test_the_committed_figures_are_those_of_their_scripts(monkeypatch):
    figures = DOCS / "figures"
    monkeypatch.syspath_prepend(str(figures))
    step_times, protocol = importlib.import_module("step_times"), importlib.import_module("protocol")
    drawn = {"step_times": step_times.draw(pd.read_csv(step_times.SUMMARY)), "protocol": protocol.draw()}
    code = importlib.import_module("speed_and_code")
    drawn["speed_and_code"] = code.draw(code.read())
    for name, text in drawn.items():
        assert (figures / f"{name}.svg").read_text(encoding="utf-8") == text, name


def test_the_page_on_speed_and_code_has_the_values_of_the_published_run(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(DOCS))
    generated = importlib.import_module("generated")
    text = (DOCS / "explanation" / "speed-and-code.md").read_text(encoding="utf-8")
    made = text.partition("]]] -->")[2].partition("<!-- [[[end]]]")[0].strip()
    assert made == f"{generated.code_answer('results/idiomatic')}\n\n{generated.code_costs('results/idiomatic')}"


def test_the_table_of_speed_and_code_is_made_of_the_table_of_a_run(monkeypatch, tmp_path):
    """Made up: twice as fast for 1.5 times the tokens, 4 times for 9 times, and one that is not faster."""
    monkeypatch.syspath_prepend(str(DOCS))
    generated = importlib.import_module("generated")
    (tmp_path / "tables").mkdir()
    ratios = ["faster", "faster_low", "faster_high", "tokens_ratio", "doubling_ratio"]
    rows = [
        ["a:plain", "idiomatic", 100, 4e-3, 1, 1, 1, 1, float("nan")],
        ["a:quick", "tuned", 150, 2e-3, 2, 1.9, 2.1, 1.5, 1.5],
        ["a:quickest", "tuned", 900, 1e-3, 4, 3.9, 4.1, 9, 3],
        ["a:odd", "tuned", 120, 4e-3, 1, 0.9, 1.1, 1.2, float("nan")],
    ]
    table = pd.DataFrame(rows, columns=["backend", "style", "tokens", "step_s", *ratios])
    table.to_csv(tmp_path / "tables" / "code.csv", index=False)
    lines = generated.code_costs(tmp_path).splitlines()
    assert lines[2:] == [
        "| `a:plain` | idiomatic | 100 | 4 ms |  |  |  |",
        "| `a:quick` | tuned | 150 | 2 ms | 2.00 [1.90, 2.10] | 1.50 | x 1.50 |",
        "| `a:quickest` | tuned | 900 | 1 ms | 4.00 [3.90, 4.10] | 9.00 | x 3.00 |",
        "| `a:odd` | tuned | 120 | 4 ms | 1.00 [0.90, 1.10] | 1.20 | not faster |",
    ]
    answer = generated.code_answer(tmp_path)
    assert answer.startswith(
        "The cheapest speed: `a:quick` is 2.00 times as fast as its idiomatic variant with 1.50 times the tokens"
    )
    assert "The dearest: `a:quickest` is 4.00 times as fast" in answer


def keys_of(schema):
    """Yield every key that a JSON Schema names, with its default and description: other words are pydantic's own."""
    if isinstance(schema, dict):
        for name, rules in schema.get("properties", {}).items():
            yield name, str(rules.get("default")), rules.get("description")
    for each in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from keys_of(each)


def test_the_committed_schemas_are_those_of_the_models(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    for name, text in importlib.import_module("generated").schemas().items():
        committed = json.loads((DOCS / "reference" / name).read_text(encoding="utf-8"))
        assert sorted(keys_of(committed), key=str) == sorted(keys_of(json.loads(text)), key=str), (
            "run `python docs/generated.py`"
        )


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [("spec", "bench/specs/*.toml"), ("spec", "harness/workload/default.toml"), ("backend", "backends/*/backend.toml")],
)
def test_the_schemas_accept_the_projects_own_files(schema, pattern):
    rules = json.loads((DOCS / "reference" / f"{schema}.schema.json").read_text(encoding="utf-8"))
    paths = list(ROOT.glob(pattern))
    assert paths
    for path in paths:
        jsonschema.validate(tomllib.loads(path.read_text(encoding="utf-8")), rules)


def test_the_schema_of_a_spec_rejects_an_unknown_key():
    rules = json.loads((DOCS / "reference" / "spec.schema.json").read_text(encoding="utf-8"))
    with pytest.raises(jsonschema.ValidationError, match="hiden"):
        jsonschema.validate({"network": {"hiden": [3]}}, rules)


def test_a_page_that_the_code_names_exists():
    for path in [*ROOT.glob("harness/**/*.py"), *ROOT.glob("backends/**/*.py")]:
        for page in re.findall(r"(?<!/)\bdocs/[\w/-]+\.md", path.read_text(encoding="utf-8")):
            assert (ROOT / page).exists(), f"{path}: {page}"


def test_decisions_are_numbered_have_one_form_and_stand_in_the_index():
    index = (DOCS / "adr" / "README.md").read_text(encoding="utf-8")
    assert [int(path.name[:4]) for path in ADRS] == list(range(1, len(ADRS) + 1))
    for path in ADRS:
        text = path.read_text(encoding="utf-8")
        number, title = text.splitlines()[0].removeprefix("# ").split(". ", maxsplit=1)
        assert f"| {number} | [{title}]({path.name}) |" in index
        assert int(number) == int(path.name[:4])
        assert re.findall("^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"], path.name
        assert len(text.splitlines()) <= 60, path.name


# One model, three engines


def test_the_engines_page_has_the_counts_of_the_model_file(tmp_path):
    """The file is divided before each step's class; the imports of all engines belong to the shared part."""
    model = ROOT / "backends" / "keras3" / "model.py"
    parts = re.split(r"^(?=class \w+Step:|STEP = )", model.read_text(encoding="utf-8"), flags=re.MULTILINE)
    modules = ("keras", "tensorflow", "jax", "torch")
    described = [(int(row[1]), int(row[2])) for row in cells(GUIDES["engines"]) if row[1].isdigit()]
    counted = []
    for number, part in enumerate(parts[:-1]):
        file = tmp_path / f"{number}.py"
        file.write_text(part, encoding="utf-8")
        ease = count_file(file, modules)
        counted.append((ease.lines, ease.tokens))
    assert described == counted


# The benchmarks of the harness

BENCHMARKS = sorted(path for path in (ROOT / "bench").glob("*.py") if "add_subparsers" in path.read_text())


@pytest.mark.parametrize("script", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_starts_and_says_what_it_does(script):
    command = [sys.executable, str(script), "--help"]
    help_text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    first, _, _ = ast.get_docstring(ast.parse(script.read_text())).partition("\n")
    assert first in help_text


def report_of(benchmark, data):
    """Return what a benchmark reports of its raw data."""
    command = [sys.executable, f"bench/{benchmark}.py", "report", str(data)]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    report = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True).stdout
    assert len(report.splitlines()) > 2
    return report


@pytest.mark.parametrize(
    ("benchmark", "data"), [("resolution", "resolution.jsonl.gz"), ("self_test", "self_test.jsonl")]
)
def test_a_page_of_trials_has_the_report_of_its_data(benchmark, data):
    page = (ROOT / "bench" / f"{benchmark}.md").read_text(encoding="utf-8")
    assert report_of(benchmark, f"bench/data/{data}") in page


def test_the_page_of_recurrence_has_the_report_of_its_runs(tmp_path):
    with tarfile.open(ROOT / "bench" / "data" / "recurrence.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    _, _, tables = report_of("recurrence", tmp_path / "recurrence").partition("\n")
    assert tables.strip() in (ROOT / "bench" / "recurrence.md").read_text(encoding="utf-8")
