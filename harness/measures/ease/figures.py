"""The figures of the measure "ease"."""

from ...records.vocabulary import Figure

BACKEND = ("backend",)


def _counted(name: str, unit: str, meaning: str, *keys: str) -> Figure:
    return Figure("ease", name, unit, meaning, (int,), (*BACKEND, *keys))


LOGICAL_LINES = _counted("logical_lines", "lines", "Logical lines of the model file.")
TOKENS = _counted("tokens", "tokens", "Tokens of the model file, comments and docstrings left out.")
NODES = _counted("nodes", "nodes", "Nodes of its syntax tree.")
CYCLOMATIC_COMPLEXITY = _counted("cyclomatic_complexity", "paths", "Independent paths, summed over the functions.")
COGNITIVE_COMPLEXITY = _counted("cognitive_complexity", "points", "Cognitive complexity, summed over the functions.")
API_NAMES = _counted("api_names", "names", "Different names of the framework's API that the file uses.", "names")
ATTRIBUTES = _counted("attributes", "attributes", "Different attributes of the framework's objects.", "names")
OVERRIDING_ARGUMENTS = _counted(
    "overriding_arguments", "arguments", "Arguments that override a default of the framework's.", "found"
)
CONCEPTS = _counted("concepts", "concepts", "Ideas of the framework's own that its user has to know.", "found")
CHANGE = Figure(
    "ease",
    "change",
    "tokens",
    "Tokens that a change of the model costs; null where it is not possible or not counted.",
    (int, type(None)),
    (*BACKEND, "change", "answer", "what", "documentation"),
    ("caller", "names"),
)
COUNTED = (
    LOGICAL_LINES,
    TOKENS,
    NODES,
    CYCLOMATIC_COMPLEXITY,
    COGNITIVE_COMPLEXITY,
    API_NAMES,
    ATTRIBUTES,
    OVERRIDING_ARGUMENTS,
    CONCEPTS,
)
"""The figures of one file, in the order in which they are shown."""
FIGURES = (*COUNTED, CHANGE)
