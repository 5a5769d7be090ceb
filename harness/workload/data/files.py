"""Data sets in files: which ending is read how, and tables in .parquet and .feather files."""

import difflib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...common.errors import InputError
from ...common.extras import describe_install
from ...common.foreign import make_line
from ..spec import BUNDLED, TEXT_KEYS, DataSpec
from .arrays import read_npy, read_npz
from .columns import read_frame
from .containers import COMPRESSED, File, open_file
from .dataset import Dataset
from .text import check_names, read_text
from .wording import quote_names

# pandas and pyarrow take a second to import: only the functions that need them do.
# ruff: noqa: PLC0415

if TYPE_CHECKING:
    import pandas as pd

DAMAGED_METADATA = (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError)
"""What pandas metadata that were not written by pandas make the readers stumble over."""
TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".data")


def _read_parquet(file: File, spec: DataSpec) -> Dataset:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with file.open() as stream, ParquetFile(stream) as table:
            _check_columns(spec, table.schema_arrow.names)
            frame = table.read().to_pandas(self_destruct=True, split_blocks=True)
    except (ArrowException, OSError, *DAMAGED_METADATA) as error:
        raise InputError(f"{file.name}: not a Parquet file that can be read: {_advise(error)}") from None
    return _read_arrow_frame(frame, spec)


def _read_feather(file: File, spec: DataSpec) -> Dataset:
    from pyarrow import ArrowException, feather

    try:
        with file.open() as stream:
            table = feather.read_table(stream)
            _check_columns(spec, table.schema.names)
            frame = table.to_pandas()
    except (ArrowException, OSError, *DAMAGED_METADATA) as error:
        raise InputError(f"{file.name}: not a Feather file that can be read: {_advise(error)}") from None
    return _read_arrow_frame(frame, spec)


def _describe(error: Exception) -> str:
    """Return an error of a reader in words: a bare key says nothing without its kind."""
    words = make_line(str(error), 500)
    return words if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: {words}"


def _read_excel(file: File, spec: DataSpec) -> Dataset:
    """Return the data set in the first sheet of a workbook."""
    import pandas as pd

    try:
        with file.open() as stream, pd.ExcelFile(stream, engine="openpyxl") as workbook:
            sheets = list(workbook.sheet_names)
            frame = pd.read_excel(workbook, sheet_name=sheets[0])
    except ImportError:
        raise InputError(
            f"{file.name}: needs openpyxl, which reads Excel workbooks. {describe_install('excel')}."
        ) from None
    except Exception as error:  # openpyxl raises whatever a damaged archive makes it stumble over
        raise InputError(f"{file.name}: not an Excel workbook that can be read: {error}.") from None
    frame.columns = [str(name) for name in frame.columns]
    _check_columns(spec, list(frame.columns))
    others = quote_names([str(name) for name in sheets[1:]])
    notes = (f"The first sheet, `{sheets[0]}`, is read; {others} not.",) if others else ()
    return read_frame(spec.source, frame, spec, notes)


def _advise(error: Exception) -> str:
    return f"{_describe(error).rstrip('.')}. It is damaged, or misnamed: a table of text needs the ending `.csv`."


def _check_columns(spec: DataSpec, names: list[str]) -> None:
    check_names(spec.source, [name for name in names if name not in spec.drop])


def _read_arrow_frame(frame: "pd.DataFrame", spec: DataSpec) -> Dataset:
    index = [str(name) for name in frame.index.names if name is not None]
    notes = (f"The pandas index {quote_names(index)} is not a feature and is not read.",) if index else ()
    frame.columns = [str(name) for name in frame.columns]
    return read_frame(spec.source, frame.reset_index(drop=True), spec, notes)


READERS: dict[str, Callable[[File, DataSpec], Dataset]] = {
    **dict.fromkeys(TEXT_SUFFIXES, read_text),
    ".parquet": _read_parquet,
    ".feather": _read_feather,
    ".xlsx": _read_excel,
    ".npz": read_npz,
    ".npy": read_npy,
}
SOURCES = (
    "`digits` or another bundled data set, a .csv, .tsv, .txt, .parquet, .feather, .xlsx, .npz or .npy file (or one "
    "compressed as .gz, .zst or .zip), `openml:NAME` or `openml:NAME@VERSION`, or `synthetic:ROWSxFEATURESxCLASSES`"
)
REMEDIES = {
    **dict.fromkeys((".xls", ".ods"), "Save the sheet as an .xlsx or .csv file."),
    **dict.fromkeys(
        (".pkl", ".pickle", ".joblib", ".pt", ".pth"),
        "Reading it would run code. Write numpy.savez(...).",
    ),
    **dict.fromkeys((".json", ".jsonl", ".arff", ".mat", ".h5", ".hdf5"), "Save the table as a .csv or .parquet file."),
}
"""By the ending of a file that is not read: how to make one that is."""


def load_file(spec: DataSpec) -> Dataset:
    """Return the data set in a file. Raises InputError where it cannot be read."""
    source = spec.source
    if re.match(r"[a-z][a-z0-9+]+://", source, re.IGNORECASE):
        raise InputError(f"{source}: addresses are not read. Download the file, and give its path.")
    suffix = re.sub(rf"({'|'.join(map(re.escape, COMPRESSED))})$", "", source.lower())
    suffix = suffix[suffix.rindex(".") :] if "." in suffix else ""
    if suffix not in READERS and not source.lower().endswith(".zip"):
        _refuse_suffix(source, suffix)
    file = open_file(source)
    if file.suffix not in READERS:
        _refuse_suffix(source, file.suffix)
    unused = [] if file.suffix in TEXT_SUFFIXES else spec.changed(TEXT_KEYS)
    if file.suffix == ".npy":
        unused = [key for key in unused if key != "header"]
    if unused:
        raise InputError(f"{source}: `data.{unused[0]}` is for text files only. Leave it out.")
    return READERS[file.suffix](file, spec)


def _refuse_suffix(source: str, suffix: str) -> None:
    close = difflib.get_close_matches(source.lower(), BUNDLED, cutoff=0.7) or [f"openml:{source}"]
    hint = f" Did you mean `{close[0]}`?" if re.fullmatch(r"[\w-]+", source) else ""
    hint = f" {REMEDIES[suffix]}" if suffix in REMEDIES else hint
    raise InputError(f"{source}: expected {SOURCES}.{hint}")
