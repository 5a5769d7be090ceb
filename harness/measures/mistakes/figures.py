"""The figures of the measure "mistakes": their names, units and meanings, and the keys of their records."""

from ...records.vocabulary import Figure

VARIANT = ("backend", "variant", "version")

OUTCOME = Figure(
    "mistakes",
    "outcome",
    "",
    "The outcome of a common mistake, tried deliberately: raised, died, warned, hung, NaN, wrong, right, ...",
    (str,),
    (*VARIANT, "mistake", "how", "when", "exception", "message", "printed", "traceback", "seconds"),
    (
        "network",
        "named",
        "user_lines",
        "framework_lines",
        "probabilities_off",
        "not_a_number",
        "loss",
        "right_loss",
        "accuracy",
        "right_accuracy",
    ),
)
NOTICED = Figure(
    "mistakes",
    "noticed",
    "",
    "Share of the tried mistakes that raised, died or warned.",
    (float,),
    VARIANT,
    ("network",),
)
WRONG = Figure(
    "mistakes",
    "wrong",
    "",
    "Share of the mistakes that were silent and gave a wrong result.",
    (float,),
    VARIANT,
    ("network",),
)
NAMED = Figure(
    "mistakes",
    "named",
    "",
    "Share of the noticed mistakes, of those with a shape, dtype, value or device at fault, whose message names it.",
    (float,),
    VARIANT,
    ("network",),
)
SHARES = {figure.name: figure for figure in (NOTICED, WRONG, NAMED)}
"""The shares that sum up a variant, by name."""
FIGURES = (OUTCOME, NOTICED, WRONG, NAMED)
