"""A variant says whether its code is idiomatic or tuned, and may have a model file of its own."""

import pandas as pd
import pytest
from bakeoff.common.errors import InputError
from bakeoff.measures.ease.count import count_file
from bakeoff.measures.ease.figures import STYLE, TOKENS
from bakeoff.measures.ease.measure import measure
from bakeoff.records.query import Query
from bakeoff.registry import entries
from bakeoff.registry.description import VariantDescription
from pydantic import ValidationError

DEFAULT = [name for name, entry in entries.read_all().items() if entry.description.default]


@pytest.mark.parametrize("name", DEFAULT)
def test_every_variant_of_a_default_backend_says_how_its_code_is(name):
    entry = entries.read_all()[name]
    assert set(entry.description.variant) == set(entry.variants)
    styles = [each.style for each in entry.description.variant.values()]
    assert "idiomatic" in styles
    for variant, model in entry.own_models().items():
        assert entry.description.variant[variant].style == "idiomatic"
        assert (entry.folder / model).is_file()


@pytest.mark.parametrize("name", DEFAULT)
def test_the_idiomatic_file_is_counted_by_itself(name):
    entry = entries.read_all()[name]
    query = Query(pd.DataFrame([figure.record(value, **keys) for figure, value, keys in measure(entry)]))
    (idiomatic,) = entry.own_models()
    own = count_file(entry.folder / entry.own_models()[idiomatic], entry.description.import_name)
    main = count_file(entry.folder / entry.description.model, entry.description.import_name)
    assert query.value_of(TOKENS, name, idiomatic) == own.tokens
    assert query.value_of(TOKENS, name, entry.variants[0]) == main.tokens
    assert own.tokens < main.tokens, "code for speed costs tokens"
    assert set(query.values(STYLE)) == {"idiomatic", "tuned"}


def test_a_variant_that_is_no_default_is_taken_by_name_only():
    every = entries.read_all()
    usual = entries.select(every, entries.default_selection(every))
    assert "idiomatic" not in [variant for _, variant in usual]
    assert [variant for _, variant in entries.select(every, "numpy_plain")] == ["plain"]
    assert [variant for _, variant in entries.select(every, "numpy_plain:idiomatic")] == ["idiomatic"]


def test_a_tuned_variant_says_how():
    with pytest.raises(ValidationError, match="expected `how`"):
        VariantDescription(style="tuned")


def test_a_style_of_an_unknown_variant_is_an_error(tmp_path):
    folder = tmp_path / "abacus"
    folder.mkdir()
    for path in (entries.backends_folder() / "numpy_plain").glob("*.*"):
        (folder / path.name).write_bytes(path.read_bytes())
    text = (folder / "backend.toml").read_text().replace("[variant.plain]", "[variant.plian]")
    (folder / "backend.toml").write_text(text)
    with pytest.raises(InputError, match=r"no such variant. Did you mean `plain`"):
        entries.read_entry(folder)
