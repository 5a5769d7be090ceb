"""The mistakes: wrong data, the same for all frameworks, or a wrong edit of the user's code from a mistakes.toml."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from ...common.arrays import Array, Arrays
from ...common.errors import InputError
from ...common.toml import nearest, read_model
from ...portable import spec as portable
from ...workload import data
from ...workload.spec import Spec

FILE = "mistakes.toml"

STEPS = 100
"""Steps of every training, with a mistake or without: about six epochs of the default spec."""


class TrainingInput(NamedTuple):
    """What a user gives to a framework: a network, initial arrays, training rows, their order, and test rows."""

    spec: portable.Spec
    arrays: Arrays
    x: Array
    y: Array
    order: Array
    x_test: Array
    y_test: Array
    """The correct labels of the test rows, by which predictions are judged."""


class Mistake(NamedTuple):
    """One mistake, the same for every framework."""

    title: str
    corrupt: Callable[[TrainingInput], TrainingInput] | None = None
    """Puts the mistake into the data; None where it is an edit of the user's code, which the backend describes."""
    at_fault: Mapping[str, str] = {}
    """By kind (shape, dtype, value), the pattern of a message that names what is at fault."""


def shorten_rows(training: TrainingInput) -> TrainingInput:
    """Make rows with one feature fewer than the network was built for."""
    return training._replace(x=training.x[:, :-1].copy(), x_test=training.x_test[:, :-1].copy())


def shift_labels(training: TrainingInput) -> TrainingInput:
    """Make labels from 1 to the number of classes, where labels from 0 are expected."""
    return training._replace(y=training.y + 1)


def make_labels_negative(training: TrainingInput) -> TrainingInput:
    """Set one label in ten to -1, as if it were unknown."""
    y = training.y.copy()
    y[::10] = -1
    return training._replace(y=y)


def convert_labels_to_float(training: TrainingInput) -> TrainingInput:
    """Make floating-point labels, as a file of numbers gives them."""
    return training._replace(y=training.y.astype(training.spec.dtype))


def convert_rows_to_float64(training: TrainingInput) -> TrainingInput:
    """Make rows in NumPy's default dtype for a network in float32."""
    return training._replace(x=training.x.astype("float64"), x_test=training.x_test.astype("float64"))


def insert_nan(training: TrainingInput) -> TrainingInput:
    """Set one value of one row to NaN."""
    x = training.x.copy()
    x[training.order[0, 0], 0] = np.nan
    return training._replace(x=x)


def use_batches_of_one(training: TrainingInput) -> TrainingInput:
    """Use one row for each step in a network with batch norm: the variance of one row is 0."""
    return training._replace(order=training.order[:, :1].copy())


def encode_labels_one_hot(training: TrainingInput) -> TrainingInput:
    """Make labels of shape (rows, classes) of zeros and ones."""
    return training._replace(y=np.eye(training.spec.sizes[-1], dtype=training.spec.dtype)[training.y])


FLOAT = r"(?i)\b(float(32)?|f32|dt_float|floattensor)\b"
LABELS = r"\d+, ?10\b"
"""The shape of one-hot labels of ten classes."""

MISTAKES: dict[str, Mistake] = {
    "wrong_width": Mistake("rows one column short", shorten_rows, {"shape": r"(?<!\d)63(?!\d)"}),
    "labels_out_of_range": Mistake("labels from 1, not from 0", shift_labels, {"value": r"\b10\b"}),
    "negative_label": Mistake("label -1 for unknown rows", make_labels_negative, {"value": r"-1\b"}),
    "float_labels": Mistake("labels as floats", convert_labels_to_float, {"dtype": FLOAT}),
    "float64_rows": Mistake(
        "float64 into a float32 model", convert_rows_to_float64, {"dtype": r"(?i)\b(float64|double|f64|dt_double)\b"}
    ),
    "nan_in_input": Mistake("one NaN in the input", insert_nan, {"value": r"(?i)\bnans?\b"}),
    "batch_of_one": Mistake("batches of one in batch norm", use_batches_of_one, {"shape": r"[\[(]1, ?(10|64|128)\b"}),
    "one_hot_labels": Mistake(
        "one-hot labels where integers are expected", encode_labels_one_hot, {"shape": LABELS, "dtype": FLOAT}
    ),
    "evaluation_in_training_mode": Mistake("evaluation in training mode"),
    "softmax_twice": Mistake("softmax before a loss that includes one"),
    "forgotten_zero_grad": Mistake("forgotten zero_grad, or the like"),
    "forgotten_update": Mistake("the update computed but not stored"),
    "old_parameters": Mistake("an optimiser with outdated parameters"),
    "wrong_device": Mistake("an array on another device"),
}
"""Every mistake, in the order of the tables. The patterns fit the shapes that `make_training_input` returns."""


class Table(BaseModel):
    """A table of a mistakes.toml: immutable, and with declared keys only."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class Edit(Table):
    """One small change of a file."""

    file: Annotated[str, Field(pattern=r"^[\w.]+$")]
    """The name of a file of the backend."""
    right: Annotated[str, Field(min_length=1)]
    """The correct text, which the file has exactly once."""
    wrong: str
    """The text that replaces it."""


class CodedMistake(Table):
    """A mistake in the user's code, as this framework's users make it, or why it is not possible."""

    how: Annotated[str, Field(min_length=1)]
    """A sentence: what is done wrong, or why the mistake is not possible."""
    edits: Annotated[tuple[Edit, ...], Field(strict=False)] = ()
    """The edits that make the mistake; empty where it is not possible."""
    variables: dict[str, str] = {}
    """Environment variables that the worker needs for this."""
    at_fault: dict[str, str] = {}
    """As in Mistake, for what has another name in each framework: `device`."""


class CodedMistakes(RootModel[dict[str, CodedMistake]]):
    """A mistakes.toml: every mistake in the user's code, by name."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _check_names(self) -> "CodedMistakes":
        expected = [name for name, mistake in MISTAKES.items() if mistake.corrupt is None]
        for name in self.root:
            if name not in expected:
                raise ValueError(f"`{name}`: no such mistake in code. {nearest(name, expected)}")
        for name in expected:
            if name not in self.root:
                raise ValueError(
                    f"`{name}` is missing: describe it with `how` and `edits`, or say in `how` why it is not possible."
                )
        return self


def read_coded(folder: Path) -> dict[str, CodedMistake] | None:
    """Return the mistakes in the code of the backend in `folder`; None where it has no mistakes.toml.

    Raises InputError for an invalid mistakes.toml, and for an edit whose `right` text is not in the file exactly once.
    """
    path = folder / FILE
    if not path.exists():
        return None
    coded = read_model(CodedMistakes, path.read_text(encoding="utf-8"), str(path)).root
    for name, each in coded.items():
        for file in {edit.file for edit in each.edits}:
            _edit_text(folder, file, name, each)
    return coded


def write_edited_copy(folder: Path, name: str, coded: CodedMistake, into: Path) -> Path:
    """Copy the backend's folder under `into`, make the mistake `name` in it, and return the copy."""
    copy = into / folder.name
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for file in {edit.file for edit in coded.edits}:
        (copy / file).write_text(_edit_text(folder, file, name, coded), encoding="utf-8")
    return copy


def _edit_text(folder: Path, file: str, name: str, coded: CodedMistake) -> str:
    try:
        text = (folder / file).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{folder / FILE}: `{name}`: {file} cannot be read: {error.strerror}.") from None
    for edit in coded.edits:
        if edit.file == file:
            if (times := text.count(edit.right)) != 1:
                raise InputError(
                    f"{folder / FILE}: `{name}`: expected this text in {file} exactly once, found {times} times:\n"
                    f"{edit.right.rstrip()}\nThe file has changed: adapt the edit."
                )
            text = text.replace(edit.right, edit.wrong)
    return text


def make_training_input(run: Spec | None = None) -> TrainingInput:
    """Return the input of the first STEPS steps of a spec's training; by default of the default spec, in float32."""
    run = run or Spec()
    splits = data.split(data.load(run.data, run.training.seed), run)
    network = run.portable(splits.features, len(splits.classes))
    epochs = STEPS * network.batch_size // len(splits.y_train) + 2
    return TrainingInput(
        spec=network,
        arrays=portable.initial_arrays(network, run.network.initial_weights, run.training.seed),
        x=splits.x_train.astype(network.dtype),
        y=splits.y_train,
        order=data.batch_orders(len(splits.y_train), network.batch_size, epochs, run.training.seed)[:STEPS],
        x_test=splits.x_test.astype(network.dtype),
        y_test=splits.y_test,
    )
