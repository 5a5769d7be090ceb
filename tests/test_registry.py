"""backend.toml: what is read from it, how a wrong one is explained, and which backends a command means."""

from pathlib import Path

import pytest
from pydantic import ValidationError

import harness
from harness import registry
from harness.errors import InputError

GOOD = """
title = "Abacus"
package = "abacus-core"
import_name = ["abacus"]
python = ">=3.11,<3.14"
variants = ["eager", "compiled"]
documentation = ["https://abacus.example/guide"]

[openness]
licence = "MIT"
licence_source = "abacus 1.0 LICENSE"
licence_asof = "2026-11-01"
authors_12m = 7
authors_12m_source = "git log"
authors_12m_asof = "2026"

[environment]
threads = ["ABACUS_THREADS"]
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
        registry.read_entry(folder)
    return str(caught.value)


def test_a_description_is_read_whole(tmp_path):
    entry = registry.read_entry(make_backend(tmp_path))
    assert (entry.name, entry.folder, entry.requirements) == (
        "abacus",
        tmp_path / "abacus",
        tmp_path / "abacus" / "requirements.txt",
    )
    description = entry.description
    assert description.import_name == ("abacus",)
    assert entry.variants == description.variants == ("eager", "compiled")
    assert (description.devices, description.model) == (("cpu",), "model.py")
    assert description.environment.threads == ("ABACUS_THREADS",)
    assert description.environment.variables == {"ABACUS_QUIET": "1"}
    assert description.environment.programs == {"compiled": ("c++", "g++")}


def test_facts_come_with_their_sources(tmp_path):
    facts = registry.read_entry(make_backend(tmp_path)).description.openness.facts()
    assert list(facts) == [
        ("licence", "MIT", "abacus 1.0 LICENSE", "2026-11-01"),
        ("authors_12m", 7, "git log", "2026"),
    ]


def test_every_fact_has_its_source_and_date_in_the_model():
    fields = registry.Openness.model_fields
    facts = [key for key in fields if not key.endswith(("_source", "_asof"))]
    assert list(fields) == [f"{key}{part}" for key in facts for part in ("", "_source", "_asof")]


def test_a_description_cannot_be_changed(tmp_path):
    with pytest.raises(ValidationError):
        registry.read_entry(make_backend(tmp_path)).description.title = "other"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "import_name",
            "import_names",
            ["unknown key `import_names`. Did you mean `import_name`?", "`import_name` is missing"],
        ),
        ('title = "Abacus"', "", ["`title` is missing: The framework's name as its own people write it."]),
        ('">=3.11,<3.14"', '"3.11"', ["`python`", "version specifier", "'3.11'"]),
        ('["eager", "compiled"]', "[]", ["`variants`", "at least 1"]),
        ('["eager", "compiled"]', '["eager", "eager", "compiled"]', ["`variants`", "eager more than once"]),
        ('["eager", "compiled"]', '["compiled", "so-so"]', ["`variants[1]`", "identifier", "'so-so'"]),
        ('["abacus"]', '"abacus"', ["`import_name`", "'abacus'"]),
        ('"abacus-core"', '"abacus==1"', ["`package`", "without a version", "'abacus==1'"]),
        ("https://", "www.", ["`documentation[0]`", "https://"]),
        ('"MIT"', '"Free as in beer"', ["`openness.licence`", "SPDX", "'Free as in beer'"]),
        ('licence_asof = "2026-11-01"', "", ["`openness.licence_asof` is missing"]),
        ('authors_12m_source = "git log"', "", ["`openness`", "`authors_12m_source` is missing"]),
        ("authors_12m = 7", "", ["`openness`", "`authors_12m` is missing"]),
        ('"2026"', '"last year"', ["`openness.authors_12m_asof`", "2026-11-22", "'last year'"]),
        ("authors_12m = 7", 'authors_12m = "7"', ["`openness.authors_12m`", "integer", "'7'"]),
        ("programs.compiled", "programs.compild", ["`environment.programs.compild`", "Did you mean `compiled`?"]),
        ("threads", "thread", ["unknown key `environment.thread`. Did you mean `environment.threads`?"]),
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


def test_what_cannot_be_read_or_imported_is_named(tmp_path):
    assert "cannot be read" in error_of(tmp_path)
    assert "Python identifier" in error_of(make_backend(tmp_path, "so-so"))


def test_backends_come_in_alphabetical_order_and_the_rest_is_ignored(tmp_path):
    for name in ("c", "a", "_draft", ".hidden"):
        make_backend(tmp_path, name)
    (tmp_path / "b").mkdir()
    (tmp_path / "file").touch()
    assert list(registry.read_all(tmp_path)) == ["a", "c"]


def test_no_folder_of_backends_is_an_error(tmp_path):
    with pytest.raises(InputError, match="expected the folder of the backends"):
        registry.read_all(tmp_path / "none")


def test_the_projects_own_backends_stand_beside_the_harness():
    assert registry.backends_folder().parent == Path(harness.__file__).parent.parent


@pytest.fixture
def entries(tmp_path):
    for name in ("abacus", "beads"):
        make_backend(tmp_path, name)
    return registry.read_all(tmp_path)


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
    assert [f"{entry.name}:{variant}" for entry, variant in registry.select(entries, wanted)] == selected


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
def test_select_explains_what_there_is_not(entries, wanted, message):
    with pytest.raises(InputError) as caught:
        registry.select(entries, wanted)
    assert str(caught.value) == message


def test_select_among_none():
    with pytest.raises(InputError, match="There are none"):
        registry.select({}, "abacus")
