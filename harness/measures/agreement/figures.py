"""The figures of the measure "agreement"."""

from ...records.vocabulary import Figure

VARIANT = ("backend", "variant")
CHECKED = ("check", "case", "dtype", "required", *VARIANT, "checked_at")
"""Which check on which case; `required` is true where the outcome decides; `checked_at` is when it was run."""

CHECK = Figure(
    "agreement",
    "check",
    "",
    "The status of a check: passes, loses precision, fails, known failure, unsupported.",
    (str,),
    (*CHECKED, "failed", "reason", "traceback"),
)
FLOORS = Figure(
    "agreement",
    "floors",
    "floors",
    "The error of an array over its rounding floor.",
    keys=("error", "floor", "phase", "array", "step", *CHECKED),
)
CONVENTION = Figure(
    "agreement", "convention", "", "A convention that the backend declares.", (str,), ("convention", *VARIANT)
)
CONVENTION_EFFECT = Figure(
    "agreement",
    "convention_effect",
    "",
    "The largest change of a test probability that a convention alone causes.",
    keys=("backend", "convention", "chosen", "largest", "mean", "changed_predictions", "accuracy", "common_accuracy"),
)
HOST = Figure(
    "agreement",
    "host",
    "",
    "The host of a cluster that checked the variant, its address, and its machine as in run.json.",
    (str,),
    (*VARIANT, "address", "machine"),
)
FIGURES = (CHECK, FLOORS, CONVENTION, CONVENTION_EFFECT, HOST)
