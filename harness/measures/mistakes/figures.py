"""The figures of the measure "mistakes"."""

from ...records.vocabulary import Figure

VARIANT = ("backend", "variant", "version")

OUTCOME = Figure(
    "mistakes",
    "outcome",
    "",
    "What a mistake, tried deliberately, came to: raised, warned, wrong, NaN, ...",
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
    "mistakes", "noticed", "", "Share of the mistakes that raised, died or warned.", (float,), VARIANT, ("network",)
)
WRONG = Figure("mistakes", "wrong", "", "Share that were silent with a wrong result.", (float,), VARIANT, ("network",))
NAMED = Figure(
    "mistakes",
    "named",
    "",
    "Of the noticed ones with a shape, dtype, value or device at fault: share whose message names it.",
    (float,),
    VARIANT,
    ("network",),
)
SHARES = {figure.name: figure for figure in (NOTICED, WRONG, NAMED)}
"""The shares that sum up a variant, by name."""
FIGURES = (OUTCOME, NOTICED, WRONG, NAMED)
