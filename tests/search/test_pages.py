"""The pages on searches agree with the code."""

import re
import tomllib

import pytest
from bakeoff.search.ledger import RECORDS
from bakeoff.search.scales import Dimension, Scale
from bakeoff.search.schedule import Schedule
from bakeoff.search.space import Pruning, parse
from bakeoff.search.study import FILE

from tests.paths import ROOT

PAGE = (ROOT / "docs" / "reference" / "search.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "how-to" / "search-hyperparameters.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", re.findall(r"```toml\n(.*?)```", PAGE + GUIDE, re.DOTALL))
def test_every_example_can_be_read(text):
    parse(text, "example")


@pytest.mark.parametrize(("name", "model"), [("pruning", Pruning), ("schedule", Schedule)])
def test_the_page_has_every_key_with_its_default(name, model):
    section = PAGE.partition(f"## `[{name}]`")[2].partition("\n## ")[0]
    found = dict(re.findall(r"^\| `(\w+)` \| `?([^|`]+)`? \|", section, re.MULTILINE))
    assert set(found) == set(model.model_fields)
    for key, text in found.items():
        default = model.model_fields[key].default
        if text.strip() not in ("required", "none"):
            assert tomllib.loads(f"value = {text.strip()}")["value"] == default


def test_the_page_has_every_scale_key_and_file():
    for scale in Scale.__args__:
        assert f"| `{scale}` |" in PAGE
    for key in Dimension.model_fields:
        assert f"`{key}`" in PAGE
    assert f"`{RECORDS}`" in PAGE
    assert f"`{FILE}`" in PAGE
