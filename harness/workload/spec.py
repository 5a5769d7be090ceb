"""Reading and validating a spec file: TOML in, immutable objects out."""

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
from ..common.toml import read_model
from ..portable import spec as portable

Fraction = Annotated[float, Field(gt=0, lt=1)]
Decay = Annotated[float, Field(ge=0, lt=1)]
Width = Annotated[int, Field(strict=True, ge=1, le=65536)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

DEFAULT = "default"
"""In a spec file: what a framework does when it is not told. It is None in a Spec."""


def _or_default(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    return None if value == DEFAULT else validate(value)


_written = PlainSerializer(lambda value: DEFAULT if value is None else value, when_used="json")
OwnDecay = Annotated[Decay | None, WrapValidator(_or_default), _written]
OwnPositive = Annotated[Positive | None, WrapValidator(_or_default), _written]


class Section(BaseModel):
    """A table of the spec file: immutable, no key but its own, no value of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


STRICT = Field(strict=False)
"""A TOML array is a list: it may stand for a tuple, and its values for nothing but what they are."""


class DataSpec(Section):
    """Which examples, and how they are split and normalised."""

    source: Annotated[str, Field(min_length=1)] = "digits"
    """`digits`, a `.csv`, `.parquet` or `.npz` file, `openml:NAME`, or `synthetic:ROWSxFEATURESxCLASSES`."""
    target: str = ""
    """The column of the labels, where the source does not say it itself."""
    normalisation: Literal["standard", "none"] = "standard"
    """`standard`: subtract the training mean, divide by the training standard deviation."""
    validation: Fraction = 0.2
    test: Fraction = 0.2

    @model_validator(mode="after")
    def _something_is_left_to_train_on(self) -> "DataSpec":
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation + test must leave rows to train on (a sum below 1), got {self.validation + self.test:g}"
            )
        return self


class NetworkSpec(Section):
    """Layers between the inputs and the classes."""

    hidden: Annotated[tuple[Width, ...], Field(max_length=64, strict=False)] = (128, 64)
    activation: Literal["relu", "tanh", "sigmoid"] = "relu"
    batch_norm: bool = True
    bn_decay: OwnDecay = 0.9
    """The share of the old running statistics that is kept."""
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
    """How long, on how much at a time, from which seed, in which arithmetic."""

    batch_size: Annotated[int, Field(ge=2, le=1_000_000)] = 64
    epochs: Annotated[int, Field(ge=1, le=100_000)] = 30
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    dtype: Literal["float32", "float64"] = "float32"


def _distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(values)) < len(values):
        raise ValueError(f"expected each value once, got {list(values)}")
    return values


Axis = AfterValidator(_distinct)
Whole = Annotated[int, Field(strict=True, ge=1)]


class SweepSpec(Section):
    """Sizes to time beside the spec's own: each axis by itself, all else as the spec says."""

    batch_size: Annotated[tuple[Annotated[int, Field(strict=True, ge=2, le=1_000_000)], ...], STRICT, Axis] = ()
    width: Annotated[tuple[Width, ...], STRICT, Axis] = ()
    """Of every hidden layer."""
    depth: Annotated[tuple[Annotated[int, Field(strict=True, ge=1, le=64)], ...], STRICT, Axis] = ()
    """Hidden layers, each as wide as the first of the spec."""
    dtype: Annotated[tuple[Literal["float32", "float64"], ...], STRICT, Axis] = ()
    threads: Annotated[tuple[Whole, ...], STRICT, Axis] = ()


class Spec(Section):
    """A spec file, whole. `docs/spec.md` explains each key."""

    data: DataSpec = DataSpec()
    network: NetworkSpec = NetworkSpec()
    optimiser: OptimiserSpec = OptimiserSpec()
    training: TrainingSpec = TrainingSpec()
    sweep: SweepSpec = SweepSpec()

    @model_validator(mode="after")
    def _a_deeper_network_has_a_width(self) -> "Spec":
        if not self.network.hidden and (self.sweep.depth or self.sweep.width):
            raise ValueError("sweep.width and sweep.depth are of hidden layers, and network.hidden has none")
        return self

    def hash(self) -> str:
        """Twelve hexadecimal digits that change exactly when a value changes, not with the file's layout.

        A sweep is not in it: what is trained and compared is the same with and without.
        """
        values = self.model_dump(mode="json", exclude={"sweep"})
        canonical = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def untold(self) -> tuple[str, ...]:
        """The fields that are left to each framework: "default" in the file."""
        given = {**self.network.model_dump(), **self.optimiser.model_dump()}
        return tuple(field for field in LEFT if given[field] in (None, DEFAULT))

    def with_defaults(self) -> "Spec":
        """Return the same with everything left to the frameworks that can be."""
        network, optimiser = (
            section.model_copy(update={field: None for field in type(section).model_fields if field in LEFT})
            for section in (self.network, self.optimiser)
        )
        network = network.model_copy(update={"initial_weights": DEFAULT})
        return self.model_copy(update={"network": network, "optimiser": optimiser})

    def common(self) -> "Spec":
        """Return the same with the common spec's own value for whatever is left to the frameworks."""
        network, optimiser = (
            section.model_copy(
                update={field: getattr(type(section)(), field) for field in self.untold if hasattr(section, field)}
            )
            for section in (self.network, self.optimiser)
        )
        return self.model_copy(update={"network": network, "optimiser": optimiser})

    def portable(self, features: int, classes: int, own: Collection[str] = ()) -> portable.Spec:
        """Return what a backend is told: the network on data of so many features and classes.

        What is left to the framework is None where it is among `own`, a backend's `defaults`, and else the common
        spec's own value.
        """
        common = self.common()
        given: dict[str, Any] = {**common.network.model_dump(), **common.optimiser.model_dump()}
        left = {field for field in self.untold if field in own}
        return portable.Spec(
            sizes=(features, *self.network.hidden, classes),
            activation=self.network.activation,
            batch_norm=self.network.batch_norm,
            optimiser=self.optimiser.name,
            batch_size=self.training.batch_size,
            dtype=self.training.dtype,
            **{field: None if field in left else given[field] for field in LEFT if field != "initial_weights"},  # type: ignore[arg-type]  # None only for who takes it
        )


LEFT = ("learning_rate", "beta1", "beta2", "epsilon", "bn_decay", "bn_epsilon", "initial_weights")
"""What a spec may leave to the frameworks."""


def default_spec() -> Spec:
    """Return the spec that is shipped (`harness/workload/default.toml`)."""
    return parse(resources.files(__package__).joinpath("default.toml").read_text(encoding="utf-8"), "default.toml")


def read_spec(path: Path) -> Spec:
    """Read the spec file at `path`; InputError names the file, the key and what was expected of it."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such spec file. Give the path of a TOML file, or none for the default.") from None
    except IsADirectoryError:
        raise InputError(f"{path}: expected a TOML file, got a folder.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text: {error}") from None
    return parse(text, str(path))


def parse(text: str, name: str) -> Spec:
    """Return the spec in `text`; `name` is how errors call the file."""
    return read_model(Spec, text, name)
