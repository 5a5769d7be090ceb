"""The figures of the measure "openness": one for each fact that a backend.toml can state."""

from ...records.vocabulary import Figure
from ...registry.facts import Openness

FACTS = {
    key: Figure(
        "openness",
        key,
        "",
        field.description or f"The fact `{key}` of backend.toml.",
        (str, int, float),
        ("backend", "source", "asof"),
    )
    for key, field in Openness.model_fields.items()
}
FIGURES = tuple(FACTS.values())
