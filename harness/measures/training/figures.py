"""The figures of the measure "training"."""

from ...records.vocabulary import Figure

VARIANT = ("backend", "variant")

LOSS = Figure("training", "loss", "nats", "Mean training loss of an epoch.", keys=("epoch", *VARIANT))
EPOCH_TIME = Figure("training", "epoch_time", "s", "Wall time of an epoch.", keys=("epoch", "steps", *VARIANT))
PACE = Figure(
    "training", "pace", "s", "Wall time of the steps taken again, where there is one epoch.", keys=("steps", *VARIANT)
)
VALIDATION_ACCURACY = Figure(
    "training", "validation_accuracy", "", "Share of the validation rows predicted rightly.", keys=("epoch", *VARIANT)
)
TEST_ACCURACY = Figure("training", "test_accuracy", "", "Share of the test rows predicted rightly.", keys=VARIANT)
FAILED = Figure("training", "failed", "", "Training failed: why.", (str,), VARIANT, ("traceback",))
UNSUPPORTED = Figure(
    "training", "unsupported", "", "The backend does not support the network of the spec: why.", (str,), ("backend",)
)
DEFAULT_VALUE = Figure(
    "training",
    "default_value",
    "",
    "The value in force of a field that the spec leaves to the framework.",
    (str, float, int),
    ("field", "own", *VARIANT),
)
DEFAULT_DISTANCE = Figure(
    "training",
    "default_distance",
    "",
    "Mean distance of the test probabilities from those of `other`.",
    keys=("other", "mean", "largest", "changed_predictions", *VARIANT),
)
FIGURES = (
    LOSS,
    EPOCH_TIME,
    PACE,
    VALIDATION_ACCURACY,
    TEST_ACCURACY,
    FAILED,
    UNSUPPORTED,
    DEFAULT_VALUE,
    DEFAULT_DISTANCE,
)
