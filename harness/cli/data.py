"""`bakeoff data`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..common.errors import InputError
from .options import FAILED, Json, out, print_json

if TYPE_CHECKING:
    from ..workload.spec import DataSpec, TrainingSpec

Source = Annotated[
    str,
    typer.Argument(metavar="SOURCE", help="A file, digits, openml:NAME, synthetic:..., or a spec file (.toml)."),
]
Target = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="Label column. Default: the source's or the spec's.")
]
BatchSize = Annotated[
    int | None, typer.Option("--batch-size", min=2, help="Rows of a training step. Default: the spec's.")
]


def describe_source(source: Source, target: Target = None, batch_size: BatchSize = None, as_json: Json = False) -> None:
    """Show what would be read from data: columns, classes, notes.

    Nothing is run. Give a spec file to read its data with all keys of its [data] table. Exit code 1 if the data can be
    read, but not be trained on as the spec says.

    \b
    bakeoff data iris.csv --target species
    bakeoff data my.toml
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..report.terminal.data import convert_description_to_json, print_description
    from ..workload.data import describe_data

    found = describe_data(*_read_sections(source, target, batch_size))
    if as_json:
        print_json(convert_description_to_json(found))
    else:
        print_description(out, found)
    if found.problem:
        raise typer.Exit(FAILED)


def _read_sections(source: str, target: str | None, batch_size: int | None) -> "tuple[DataSpec, TrainingSpec]":
    """Return the [data] and [training] tables: of the spec file that `source` names, or with that source."""
    from ..workload.spec import DataSpec, TrainingSpec, read_spec

    if not source:
        raise InputError("SOURCE: expected a file, digits, openml:NAME, synthetic:... or a spec file, got nothing.")
    if source.endswith(".toml"):
        spec = read_spec(Path(source))
        data, training = spec.data, spec.training
    else:
        data, training = DataSpec(source=source), TrainingSpec()
    if target is not None:
        data = DataSpec.model_validate({**data.model_dump(), "target": target})
    if batch_size is not None:
        training = training.model_copy(update={"batch_size": batch_size})
    return data, training
