"""Builds the page: the sections with their tables, the charts, the data, the styles and the scripts, in one file."""

import json
import math
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...common.errors import InputError
from ...common.extras import describe_install
from ...common.safe_files import write_replacing
from ..report import Report
from . import content
from .chart import Chart
from .links import allow_breaks, link_addresses
from .sources import write_code_styles

SCRIPTS = ("state", "format", "data", "charts", "table", "verdict", "start", "columns", "source", "main")
"""The files of `assets/`, in the order in which they are run."""
SCRIPT_SAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""What could end a script element, or begin another, as JSON writes it inside text."""


def write_page(runs: Sequence[Report], path: Path, scoring: Mapping[str, Any]) -> None:
    """Write the page of the first run to `path`; the others are compared with it.

    `scoring` is what the verdict needs to rank in the page, from bakeoff.verdict.interactive. Raises InputError where
    the file cannot be written, and where the extra `bakeoff[report]` is missing.
    """
    text = build_page(runs, scoring)
    try:
        write_page_file(path, text)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}. Choose another place with -o.") from None


def write_page_file(path: Path, text: str) -> None:
    """Write a page; a link of its name inside a run folder is replaced, not followed. Raises OSError."""
    if path.exists() and not path.is_file():  # /dev/stdout, or a named pipe of the user
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    else:
        write_replacing(path, text)


def build_page(runs: Sequence[Report], scoring: Mapping[str, Any]) -> str:
    """Return the page as text."""
    try:
        import jinja2  # noqa: PLC0415  # an extra: who only reads tables has none
        import vl_convert  # noqa: PLC0415  # as above
    except ImportError as error:
        raise InputError(f"A report needs {error.name}. {describe_install('report')}.") from None
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(_read_asset),
    )
    runtime = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its stub lacks the default
    environment.filters |= {"link": link_addresses, "breakable": allow_breaks}
    page = content.collect(runs, scoring)
    return environment.get_template("report.html.jinja").render(
        page=page,
        styles=_read_asset("report.css"),
        code_styles=write_code_styles(),
        runtime=_close_no_script(runtime),
        scripts=_close_no_script("\n".join(_read_asset(f"{name}.js") for name in SCRIPTS)),
        data=f'{write_json(page.data)[:-1]},"charts":[{",".join(map(write_chart, page.charts))}]}}',
    )


def write_chart(chart: Chart) -> str:
    """Return a chart as the scripts take it, as JSON for a script element: the rows as lists, without their keys."""
    head = {
        "name": chart.name,
        "title": chart.title,
        "records": chart.records,
        "units": chart.units,
        "pick": chart.pick,
        "columns": list(chart.rows.columns),
    }
    # A large run has a hundred thousand rows: they are not copied once more to look for what is missing.
    rows = list(zip(*(_list_values(column) for _, column in chart.rows.items()), strict=True))
    return _dump({**_replace_missing(head), "rows": rows, "spec": _replace_missing(chart.spec)})


def _list_values(column: "pd.Series[Any]") -> list[Any]:
    """Return the values of a column as JSON has them."""
    values: list[Any] = column.tolist()
    if column.dtype.kind in "biu":
        return values
    if column.dtype.kind == "f":
        return [value if math.isfinite(value) else None for value in values]
    return [None if empty else _replace_missing(value) for value, empty in zip(values, column.isna(), strict=True)]


def write_json(value: Any) -> str:
    """Return a value as JSON for a script element: no text in it can end the element. NaN and infinity become null."""
    return _dump(_replace_missing(value))


def _dump(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, escaped in SCRIPT_SAFE.items():
        text = text.replace(character, escaped)
    return text


def _replace_missing(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _replace_missing(each) for key, each in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_replace_missing(each) for each in value]
    value = value.item() if isinstance(value, np.generic) else value
    missing = value is pd.NA or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value))
    return None if missing else value


def _close_no_script(text: str) -> str:
    """Return JavaScript in which no text ends the script element, or begins a comment of HTML."""
    return text.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _read_asset(name: str) -> str:
    return resources.files(__package__).joinpath("assets", name).read_text(encoding="utf-8")
