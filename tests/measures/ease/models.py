"""The Python models of the backends, which the tests of ease count."""

import pytest
from bakeoff.registry import entries

MODELS = {
    name: (entry.folder / entry.description.model, entry.description.import_name)
    for name, entry in entries.read_all().items()
    if entry.description.model.endswith(".py")
}
each_model = pytest.mark.parametrize("name", MODELS)


def text_of(name):
    return MODELS[name][0].read_text(encoding="utf-8")
