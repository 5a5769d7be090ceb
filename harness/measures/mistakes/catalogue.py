"""The mistakes: what is done wrong, to the data alike for all, or in the user's code as a mistakes.toml says."""

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
"""Of a training with a mistake, and of one without: six times through the rows of the default spec."""


class Problem(NamedTuple):
    """What a user hands to a framework: a network, arrays to start from, rows, an order, and rows to evaluate."""

    spec: portable.Spec
    arrays: Arrays
    x: Array
    y: Array
    order: Array
    x_test: Array
    y_test: Array
    """Labels that predictions are judged by: always the right ones."""


class Mistake(NamedTuple):
    """One mistake, the same for every framework."""

    title: str
    spoil: Callable[[Problem], Problem] | None = None
    """Puts it into the data; None where it is an edit of the user's code, which belongs to the backend."""
    at_fault: Mapping[str, str] = {}
    """Kind (shape, dtype, value) to a pattern: what a message that names the thing at fault has in it."""


def one_column_short(problem: Problem) -> Problem:
    """Rows with a feature fewer than the network was built for."""
    return problem._replace(x=problem.x[:, :-1].copy(), x_test=problem.x_test[:, :-1].copy())


def labels_from_one(problem: Problem) -> Problem:
    """Labels 1 to classes, where 0 to classes - 1 are due."""
    return problem._replace(y=problem.y + 1)


def label_minus_one(problem: Problem) -> Problem:
    """One label in ten is -1: not known."""
    y = problem.y.copy()
    y[::10] = -1
    return problem._replace(y=y)


def float_labels(problem: Problem) -> Problem:
    """Labels 0.0, 1.0 ..., as a file of numbers gives them."""
    return problem._replace(y=problem.y.astype(problem.spec.dtype))


def float64_rows(problem: Problem) -> Problem:
    """Rows as NumPy makes them, for a network in float32."""
    return problem._replace(x=problem.x.astype("float64"), x_test=problem.x_test.astype("float64"))


def one_nan(problem: Problem) -> Problem:
    """One value of one row is not a number."""
    x = problem.x.copy()
    x[problem.order[0, 0], 0] = np.nan
    return problem._replace(x=x)


def batches_of_one(problem: Problem) -> Problem:
    """One row a step, in a network with batch norm: the variance of one row is 0."""
    return problem._replace(order=problem.order[:, :1].copy())


def one_hot_labels(problem: Problem) -> Problem:
    """Labels (rows, classes) of zeros and ones."""
    return problem._replace(y=np.eye(problem.spec.sizes[-1], dtype=problem.spec.dtype)[problem.y])


FLOAT = r"(?i)\b(float(32)?|f32|dt_float|floattensor)\b"
LABELS = r"\d+, ?10\b"
"""The shape of one-hot labels of ten classes."""

MISTAKES: dict[str, Mistake] = {
    "wrong_width": Mistake("rows one column short", one_column_short, {"shape": r"(?<!\d)63(?!\d)"}),
    "labels_out_of_range": Mistake("labels from 1, not from 0", labels_from_one, {"value": r"\b10\b"}),
    "negative_label": Mistake("labels -1 for the unknown", label_minus_one, {"value": r"-1\b"}),
    "float_labels": Mistake("labels as floats", float_labels, {"dtype": FLOAT}),
    "float64_rows": Mistake(
        "float64 into a float32 model", float64_rows, {"dtype": r"(?i)\b(float64|double|f64|dt_double)\b"}
    ),
    "nan_in_input": Mistake("one NaN in the input", one_nan, {"value": r"(?i)\bnans?\b"}),
    "batch_of_one": Mistake("batches of one in batch norm", batches_of_one, {"shape": r"[\[(]1, ?(10|64|128)\b"}),
    "one_hot_labels": Mistake("one-hot where integers are due", one_hot_labels, {"shape": LABELS, "dtype": FLOAT}),
    "evaluation_in_training_mode": Mistake("evaluation in training mode"),
    "softmax_twice": Mistake("softmax before a loss that has its own"),
    "forgotten_zero_grad": Mistake("forgotten zero_grad, or its kin"),
    "forgotten_update": Mistake("the update computed and not kept"),
    "old_parameters": Mistake("an optimiser with old parameters"),
    "wrong_device": Mistake("an array on another device"),
}
"""In the order of the tables. The patterns are those of the problem that `problem` returns."""


class Table(BaseModel):
    """A table of a mistakes.toml: immutable, no key but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class Edit(Table):
    """One small change of a file."""

    file: Annotated[str, Field(pattern=r"^[\w.]+$")]
    """The name of a file of the backend."""
    right: Annotated[str, Field(min_length=1)]
    """What stands there, exactly once."""
    wrong: str
    """What stands there instead when the mistake is made."""


class Coded(Table):
    """A mistake in the user's code, as this framework's users make it; or why it cannot be made."""

    how: Annotated[str, Field(min_length=1)]
    """What is done wrong, or why it cannot be, in a sentence."""
    edits: Annotated[tuple[Edit, ...], Field(strict=False)] = ()
    """None: it cannot be made."""
    variables: dict[str, str] = {}
    """Environment variables of the worker that this needs."""
    at_fault: dict[str, str] = {}
    """As in Mistake, where what is at fault has the framework's own name: `device`."""


class CodedMistakes(RootModel[dict[str, Coded]]):
    """A mistakes.toml: every mistake that is made in the code, by name."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _all_and_no_other(self) -> "CodedMistakes":
        expected = [name for name, mistake in MISTAKES.items() if mistake.spoil is None]
        for name in self.root:
            if name not in expected:
                raise ValueError(f"`{name}`: no such mistake is made in code. {nearest(name, expected)}")
        for name in expected:
            if name not in self.root:
                raise ValueError(f"`{name}` is missing: say how it is made, or in `how` alone why it cannot be.")
        return self


def read_coded(folder: Path) -> dict[str, Coded] | None:
    """Return the mistakes that are made in the code of the backend in `folder`; None where it says nothing of them.

    Raises InputError for what is wrong in its mistakes.toml, and for an edit of what does not stand there once.
    """
    path = folder / FILE
    if not path.exists():
        return None
    coded = read_model(CodedMistakes, path.read_text(encoding="utf-8"), str(path)).root
    for name, each in coded.items():
        for file in {edit.file for edit in each.edits}:
            _edited(folder, file, name, each)
    return coded


def edited_copy(folder: Path, name: str, coded: Coded, into: Path) -> Path:
    """Return a copy of the backend's folder, under `into`, in which the mistake `name` is made."""
    copy = into / folder.name
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for file in {edit.file for edit in coded.edits}:
        (copy / file).write_text(_edited(folder, file, name, coded), encoding="utf-8")
    return copy


def _edited(folder: Path, file: str, name: str, coded: Coded) -> str:
    try:
        text = (folder / file).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{folder / FILE}: `{name}`: {file} cannot be read: {error.strerror}.") from None
    for edit in coded.edits:
        if edit.file == file:
            if (times := text.count(edit.right)) != 1:
                raise InputError(
                    f"{folder / FILE}: `{name}`: expected to find in {file} exactly once, and found {times} times:\n"
                    f"{edit.right.rstrip()}\nThe file has changed: say anew how the mistake is made."
                )
            text = text.replace(edit.right, edit.wrong)
    return text


def problem(run: Spec | None = None) -> Problem:
    """Return the problem of the default spec, in float32, or of another: the first STEPS of its training."""
    run = run or Spec()
    splits = data.split(data.load(run.data, run.training.seed), run)
    network = run.portable(splits.features, len(splits.classes))
    epochs = STEPS * network.batch_size // len(splits.y_train) + 2
    return Problem(
        spec=network,
        arrays=portable.initial_arrays(network, run.network.initial_weights, run.training.seed),
        x=splits.x_train.astype(network.dtype),
        y=splits.y_train,
        order=data.batch_orders(len(splits.y_train), network.batch_size, epochs, run.training.seed)[:STEPS],
        x_test=splits.x_test.astype(network.dtype),
        y_test=splits.y_test,
    )
