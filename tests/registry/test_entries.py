"""backend.toml: reading it, explaining its errors, and selecting backends by name."""

from pathlib import Path
from types import NoneType
from typing import Annotated, get_args, get_origin

import pytest
from bakeoff.common.errors import InputError
from bakeoff.registry import description as registry_description
from bakeoff.registry import entries as registry_entries
from pydantic import ValidationError

GOOD = """
title = "Abacus"
package = "abacus-core"
import_name = ["abacus"]
python = ">=3.11,<3.14"
variants = ["eager", "compiled"]
documentation = ["https://abacus.example/guide"]

[openness]
licence = { value = "MIT", source = "abacus 1.0 LICENSE", asof = "2026-11-01" }
authors_12m = { value = 7, source = "git log", asof = "2026" }

[environment]
thread_variables = ["ABACUS_THREADS"]
variables = {ABACUS_QUIET = "1"}
programs.compiled = ["c++", "g++"]
"""


def make_backend(parent: Path, name: str = "abacus", text: str = GOOD) -> Path:
    folder = parent / name
    folder.mkdir(parents=True)
    (folder / "backend.toml").write_text(text, encoding="utf-8")
    for file in ("model.py", "adapter.py", "requirements.txt"):
        (folder / file).touch()
    return folder


def error_of(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        registry_entries.read_entry(folder)
    return str(caught.value)


def test_every_key_of_a_description_is_read(tmp_path):
    entry = registry_entries.read_entry(make_backend(tmp_path))
    assert (entry.name, entry.folder, entry.requirements) == (
        "abacus",
        tmp_path / "abacus",
        tmp_path / "abacus" / "requirements.txt",
    )
    description = entry.description
    assert description.import_name == ("abacus",)
    assert entry.variants == description.variants == ("eager", "compiled")
    assert (description.devices, description.model) == (("cpu",), "model.py")
    assert description.environment.thread_variables == ("ABACUS_THREADS",)
    assert description.environment.variables == {"ABACUS_QUIET": "1"}
    assert description.environment.programs == {"compiled": ("c++", "g++")}


def test_facts_have_their_sources(tmp_path):
    facts = registry_entries.read_entry(make_backend(tmp_path)).description.openness.facts()
    assert [(key, fact.value, fact.source, fact.asof) for key, fact in facts] == [
        ("licence", "MIT", "abacus 1.0 LICENSE", "2026-11-01"),
        ("authors_12m", 7, "git log", "2026"),
    ]


def test_every_key_of_openness_is_a_fact():
    """No key is a bare value, which would have no source and no date."""
    for key, field in registry_description.Openness.model_fields.items():
        kinds = [kind for kind in (get_args(field.annotation) or (field.annotation,)) if kind is not NoneType]
        assert [kind for kind in kinds if not issubclass(kind, registry_description.Fact)] == [], key
        assert len(kinds) == 1, key
    assert list(registry_description.Fact.model_fields) == ["value", "source", "asof"]
    assert [key for key, field in registry_description.Fact.model_fields.items() if not field.is_required()] == []


@pytest.mark.parametrize("key", list(registry_description.Openness.model_fields))
@pytest.mark.parametrize("part", ["value", "source", "asof"])
def test_an_incomplete_fact_is_an_error(tmp_path, key, part):
    annotation = registry_description.Openness.model_fields[key].annotation
    fact = next(kind for kind in (*get_args(annotation), annotation) if kind is not NoneType)
    value_of = fact.model_fields["value"].annotation
    kind = get_args(value_of)[0] if get_origin(value_of) is Annotated else value_of  # as pydantic's releases differ
    value = {int: "7", float: "0.5", str: "'MIT'"}[kind]
    parts = {"value": value, "source": "'x'", "asof": "'2026'"}
    assert registry_entries.read_entry(
        make_backend(tmp_path / "whole", text=with_fact(key, parts))
    ).description.openness
    del parts[part]
    message = error_of(make_backend(tmp_path / "part", text=with_fact(key, parts)))
    assert f"`openness.{key}.{part}` is missing" in message


def with_fact(key: str, parts: dict[str, str]) -> str:
    """Return GOOD with this fact after the licence, or in place of it."""
    licence, authors = (line for line in GOOD.splitlines() if "source" in line)
    fact = f"{key} = {{ {', '.join(f'{part} = {value}' for part, value in parts.items())} }}"
    return GOOD.replace(authors, "").replace(licence, fact if key == "licence" else f"{licence}\n{fact}")


def test_a_description_cannot_be_changed(tmp_path):
    with pytest.raises(ValidationError):
        registry_entries.read_entry(make_backend(tmp_path)).description.title = "other"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "import_name",
            "import_names",
            ["unknown key `import_names`. Did you mean `import_name`?", "`import_name` is missing"],
        ),
        ('title = "Abacus"', "", ["`title` is missing: The framework's name as its project writes it."]),
        ('">=3.11,<3.14"', '"3.11"', ["`python`", "version specifier", "'3.11'"]),
        ('["eager", "compiled"]', "[]", ["`variants`", "at least 1"]),
        ('["eager", "compiled"]', '["eager", "eager", "compiled"]', ["`variants`", "eager more than once"]),
        ('["eager", "compiled"]', '["compiled", "so-so"]', ["`variants[1]`", "identifier", "'so-so'"]),
        ('["abacus"]', '"abacus"', ["`import_name`", "'abacus'"]),
        ('"abacus-core"', '"abacus==1"', ["`package`", "without a version", "'abacus==1'"]),
        ("https://", "www.", ["`documentation[0]`", "https://"]),
        ('"MIT"', '"Free as in beer"', ["`openness.licence.value`", "SPDX", "'Free as in beer'"]),
        (', asof = "2026-11-01"', "", ["`openness.licence.asof` is missing: The date of the source"]),
        ('source = "git log", ', "", ["`openness.authors_12m.source` is missing: Where the fact was read."]),
        ("value = 7, ", "", ["`openness.authors_12m.value` is missing: The fact itself."]),
        ('"git log"', '""', ["`openness.authors_12m.source`", "at least 1 character"]),
        ('"2026"', '"last year"', ["`openness.authors_12m.asof`", "2026-11-22", "'last year'"]),
        ("value = 7", 'value = "7"', ["`openness.authors_12m.value`", "integer", "'7'"]),
        ("value = 7", "value = -1", ["`openness.authors_12m.value`", "greater than or equal to 0", "-1"]),
        (
            'source = "git',
            'src = "git',
            ["unknown key `openness.authors_12m.src`. Did you mean `openness.authors_12m.source`?"],
        ),
        ('{ value = 7, source = "git log", asof = "2026" }', "7", ["`openness.authors_12m`: expected a table, got 7"]),
        ("programs.compiled", "programs.compild", ["`environment.programs.compild`", "Did you mean `compiled`?"]),
        (
            "thread_variables",
            "thread_variable",
            ["unknown key `environment.thread_variable`. Did you mean `environment.thread_variables`?"],
        ),
        ("ABACUS_QUIET", '"NO QUIET"', ["environment variable", "'NO QUIET'"]),
        ("title", "model = '../model.py'\ntitle", ["`model`", "own folder", "'../model.py'"]),
        ('"Abacus"', '"Abacus', ["not valid TOML"]),
    ],
)
def test_a_wrong_file_is_explained(tmp_path, old, new, words):
    assert GOOD.count(old) >= 1
    folder = make_backend(tmp_path, text=GOOD.replace(old, new, 1))
    message = error_of(folder)
    assert message.startswith(str(folder / "backend.toml"))
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize("name", ["model.py", "adapter.py", "requirements.txt"])
def test_a_missing_file_is_named(tmp_path, name):
    folder = make_backend(tmp_path)
    (folder / name).unlink()
    assert error_of(folder) == f"{folder / name}: every backend has this file, and abacus lacks it."


def test_a_missing_file_and_a_wrong_folder_name_are_errors(tmp_path):
    assert "cannot be read" in error_of(tmp_path)
    assert "Python identifier" in error_of(make_backend(tmp_path, "so-so"))


def test_backends_are_sorted_and_other_folders_are_ignored(tmp_path):
    for name in ("c", "a", "_draft", ".hidden"):
        make_backend(tmp_path, name)
    (tmp_path / "b").mkdir()
    (tmp_path / "file").touch()
    assert list(registry_entries.read_all(tmp_path)) == ["a", "c"]


def test_a_missing_backends_folder_is_an_error(tmp_path):
    with pytest.raises(InputError, match="expected the folder of the backends"):
        registry_entries.read_all(tmp_path / "none")


def test_the_backends_folder_is_found():
    assert (registry_entries.backends_folder() / "numpy_plain" / "backend.toml").is_file()


@pytest.fixture
def entries(tmp_path):
    for name in ("abacus", "beads"):
        make_backend(tmp_path, name)
    return registry_entries.read_all(tmp_path)


@pytest.mark.parametrize(
    ("wanted", "selected"),
    [
        (None, ["abacus:eager", "abacus:compiled", "beads:eager", "beads:compiled"]),
        ("beads", ["beads:eager", "beads:compiled"]),
        ("beads, abacus:compiled", ["beads:eager", "beads:compiled", "abacus:compiled"]),
        ("beads:compiled,beads,beads:eager", ["beads:compiled", "beads:eager"]),
    ],
)
def test_select(entries, wanted, selected):
    assert [f"{entry.name}:{variant}" for entry, variant in registry_entries.select(entries, wanted)] == selected


# Groups


@pytest.fixture
def grouped(tmp_path):
    """Return three backends: two are in the group `shop`, one of them for another framework."""
    member = 'groups = { shop = { variants = ["compiled"]%s } }\nvariants = '
    for name, more in (
        ("abacus", ""),
        ("beads", ', stands_for = "Pebbles", reason = "It is their heir."'),
        ("slide", None),
    ):
        make_backend(tmp_path, name)
        if more is not None:
            path = tmp_path / name / "backend.toml"
            path.write_text(path.read_text().replace("variants = ", member % more, 1))
    return registry_entries.read_all(tmp_path)


def test_a_group_stands_for_the_variants_that_its_members_declare(grouped):
    for wanted, labels in (
        ("shop", ["abacus:compiled", "beads:compiled"]),
        ("slide:eager,shop", ["slide:eager", "abacus:compiled", "beads:compiled"]),
    ):
        assert [f"{each.name}:{variant}" for each, variant in registry_entries.select(grouped, wanted)] == labels
    with pytest.raises(InputError, match="Did you mean `shop`"):
        registry_entries.select(grouped, "shopp")


def test_who_stands_for_another_framework_is_known_where_the_group_is_asked_for(grouped):
    assert registry_entries.stand_ins(grouped, "slide,shop") == {"beads": ("Pebbles", "It is their heir.")}
    assert registry_entries.stand_ins(grouped, "beads") == registry_entries.stand_ins(grouped, None) == {}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ('variants = ["compild"]', "no such variant. Did you mean `compiled`"),
        ('variants = ["compiled"], stands_for = "Pebbles"', "`stands_for` and `reason` together"),
    ],
)
def test_a_wrong_group_is_explained(grouped, tmp_path, wrong, words):
    path = tmp_path / "abacus" / "backend.toml"
    path.write_text(path.read_text().replace('variants = ["compiled"]', wrong, 1))
    with pytest.raises(InputError, match=words):
        registry_entries.read_entry(tmp_path / "abacus")


def test_the_lecture_has_a_variant_of_each_of_its_frameworks():
    entries = registry_entries.read_all()
    chosen = registry_entries.select(entries, "lecture")
    assert len({entry.name for entry, _ in chosen}) == len(chosen), "one row each"
    titles = {entry.description.title for entry, _ in chosen}
    assert {"Apache MXNet", "Theano", "Lasagne", "Keras", "TensorFlow", "PaddlePaddle", "PyTorch"} <= titles
    assert registry_entries.stand_ins(entries, "lecture").keys() == {"pytorch"}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("abbacus", "no backend `abbacus`. Did you mean `abacus`? There are: abacus, beads."),
        ("zzz", "no backend `zzz`. Valid here: `abacus`, `beads`."),
        ("", "no backend ``. Valid here: `abacus`, `beads`."),
        ("beads:eagr", "backend beads has no variant `eagr`. Did you mean `eager`? There are: eager, compiled."),
        ("beads:", "backend beads has no variant ``. Valid here: `eager`, `compiled`."),
    ],
)
def test_select_names_the_nearest_valid_word(entries, wanted, message):
    with pytest.raises(InputError) as caught:
        registry_entries.select(entries, wanted)
    assert str(caught.value) == message


def test_select_without_backends_is_an_error():
    with pytest.raises(InputError, match="There are none"):
        registry_entries.select({}, "abacus")


# Variants that need different environments

SEPARATE = f"""{GOOD}
[environments.wood]
variants = ["eager"]
requirements = "requirements-wood.txt"
variables = {{ BEADS = "wood" }}

[environments.steel]
variants = ["compiled"]
requirements = "requirements-steel.txt"
variables = {{ BEADS = "steel", ABACUS_QUIET = "0" }}
"""


def make_separate(parent, text=SEPARATE):
    folder = make_backend(parent, text=text)
    (folder / "requirements.txt").unlink()
    for name, version in (("wood", "1.0"), ("steel", "1.0"), ("ivory", "1.0")):
        (folder / f"requirements-{name}.txt").write_text(f"abacus-core=={version}\n{name}==2.0\n", encoding="utf-8")
    return folder


def test_each_part_has_its_own_pins_variants_and_variables(tmp_path):
    entry = registry_entries.read_entry(make_separate(tmp_path))
    assert (entry.label, entry.variants) == ("abacus", ("eager", "compiled"))
    assert [(part.label, part.variants, part.requirements.name) for part in entry.parts] == [
        ("abacus-wood", ("eager",), "requirements-wood.txt"),
        ("abacus-steel", ("compiled",), "requirements-steel.txt"),
    ]
    assert [part.worker.variables for part in entry.parts] == [
        {"ABACUS_QUIET": "1", "BEADS": "wood"},
        {"ABACUS_QUIET": "0", "BEADS": "steel"},
    ]
    assert {part.worker.thread_variables for part in entry.parts} == {("ABACUS_THREADS",)}
    assert [part.whole for part in entry.parts] == [entry, entry]
    assert registry_entries.pinned_version(entry) == "1.0"


def test_select_returns_the_part_that_runs_the_variant(tmp_path):
    entry = registry_entries.read_entry(make_separate(tmp_path))
    chosen = registry_entries.select({"abacus": entry}, "abacus:compiled,abacus")
    assert [(each.label, variant) for each, variant in chosen] == [
        ("abacus-steel", "compiled"),
        ("abacus-wood", "eager"),
    ]


def test_a_backend_with_one_environment_has_one_part(tmp_path):
    entry = registry_entries.read_entry(make_backend(tmp_path))
    assert entry.parts == [entry] == [entry.for_variant("compiled")]
    assert (entry.label, entry.worker) == ("abacus", entry.description.environment)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('variants = ["compiled"]', 'variants = ["compield"]', "no variant `compield`. Did you mean `compiled`?"),
        (
            'variants = ["compiled"]',
            'variants = ["compiled", "eager"]',
            "`eager` is in `environments.wood` already: a variant runs in one environment.",
        ),
        ("[environments.steel]", "[unused]", "unknown key `unused`"),
        ("requirements = ", "pins = ", "unknown key `environments.wood.pins`"),
        ('variants = ["eager"]\nreq', "variants = []\nreq", "`environments.wood.variants`: expected"),
        ("requirements-wood.txt", "../wood.txt", "`environments.wood.requirements`"),
    ],
)
def test_wrong_environments_are_explained(tmp_path, old, new, words):
    assert SEPARATE.count(old) >= 1
    assert words in error_of(make_separate(tmp_path, SEPARATE.replace(old, new)))


def test_a_variant_without_an_environment_is_named(tmp_path):
    text = SEPARATE.partition("[environments.steel]")[0]
    assert "`environments`: none of them is for `compiled`." in error_of(make_separate(tmp_path, text))


def test_missing_requirements_of_a_part_are_named(tmp_path):
    folder = make_separate(tmp_path)
    (folder / "requirements-steel.txt").unlink()
    assert "requirements-steel.txt: every backend has this file, and abacus lacks it." in error_of(folder)


def test_without_a_name_the_default_backends_are_selected(tmp_path):
    entry = registry_entries.read_entry(registry_entries.backends_folder() / "numpy_plain")
    plain = entry.description
    entries = {
        "one": entry._replace(name="one", description=plain.model_copy(update={"default": False})),
        "two": entry._replace(name="two", description=plain.model_copy(update={"default": True})),
    }
    assert registry_entries.default_selection(entries) == "two"
    assert [each.name for each, _ in registry_entries.select(entries, "all")] == ["one", "two"]
    assert [each.name for each, _ in registry_entries.select(entries, "two,all")] == ["two", "one"]
    del entries["two"]
    assert registry_entries.default_selection(entries) == "all"


def test_the_default_backends_are_those_of_the_readme():
    assert (
        registry_entries.default_selection(registry_entries.read_all())
        == "jax_pure,numpy_plain,pytorch,tensorflow_core"
    )
