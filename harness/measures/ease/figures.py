"""The figures of the measure "ease": their names, units and meanings, and the keys of their records."""

from ...records.vocabulary import Figure

BACKEND = ("backend",)


def _counted(name: str, unit: str, meaning: str, *keys: str) -> Figure:
    return Figure("ease", name, unit, meaning, (int,), (*BACKEND, *keys), ("variant",))


LOGICAL_LINES = _counted("logical_lines", "lines", "Logical lines of the model file.")
TOKENS = _counted("tokens", "tokens", "Tokens of the model file, without comments and docstrings.")
NODES = _counted("nodes", "nodes", "Nodes of the syntax tree of the model file.")
CYCLOMATIC_COMPLEXITY = _counted("cyclomatic_complexity", "paths", "Independent paths, summed over the functions.")
COGNITIVE_COMPLEXITY = _counted("cognitive_complexity", "points", "Cognitive complexity, summed over the functions.")
API_NAMES = _counted("api_names", "names", "Distinct names of the framework's API that the file uses.", "names")
ATTRIBUTES = _counted(
    "attributes", "attributes", "Distinct attributes of values that neither Python nor the file defines.", "names"
)
OVERRIDING_ARGUMENTS = _counted(
    "overriding_arguments", "arguments", "Arguments that override a default of the framework.", "found"
)
CONCEPTS = _counted("concepts", "concepts", "Concepts of the framework that a user has to know.", "found")
CHANGE = Figure(
    "ease",
    "change",
    "tokens",
    "Tokens deleted and inserted by a change of the model; null where it is not possible or not counted.",
    (int, type(None)),
    (*BACKEND, "change", "answer", "what", "documentation"),
    ("caller", "names"),
)
STYLE = Figure(
    "ease",
    "style",
    "",
    "Whether the code of a variant is as the documentation teaches, or tuned: by whom and how.",
    (str,),
    (*BACKEND, "variant", "by", "how"),
)
FAILED = Figure("ease", "failed", "", "Why the code of a backend was not counted, or not all of it.", (str,), BACKEND)
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
FIGURES = (*COUNTED, CHANGE, STYLE, FAILED)
