"""A file with data as it lies on the disk: compressed or not, and whether it is what its name says."""

import bz2
import gzip
import io
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ...common.errors import InputError
from ...common.safe_files import describe_kind
from .wording import quote_names

# pyarrow takes a second to import: only the functions that need it do.
# ruff: noqa: PLC0415

DAMAGED = (
    *(OSError, ValueError, EOFError, KeyError, RuntimeError, MemoryError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
"""The exceptions of the standard library for a damaged or encrypted (RuntimeError) archive."""

COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip")

MAGIC: dict[bytes, tuple[str, str, tuple[str, ...]]] = {
    b"\x1f\x8b": ("a gzip file", "Name it with the ending `.gz`, such as `table.csv.gz`.", ()),
    b"\x28\xb5\x2f\xfd": ("a Zstandard file", "Name it with the ending `.zst`, such as `table.csv.zst`.", ()),
    b"BZh": ("a bzip2 file", "Name it with the ending `.bz2`, such as `table.csv.bz2`.", ()),
    b"\xfd7zXZ\x00": ("an xz file", "Name it with the ending `.xz`, such as `table.csv.xz`.", ()),
    b"PAR1": ("a Parquet file", "Name it with the ending `.parquet`.", (".parquet",)),
    b"ARROW1": ("a Feather file", "Name it with the ending `.feather`.", (".feather",)),
    b"\x93NUMPY": ("a NumPy array", "Name it with the ending `.npy`.", (".npy",)),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "Save it as .xlsx, or its sheet as a .csv file.", ()),
    b"version https://git-lfs": ("a Git LFS pointer, not the data", "Fetch the data with `git lfs pull`.", ()),
    b"@relation": ("an ARFF file", "Save it as a .csv file, or read it from OpenML (`openml:NAME`).", ()),
    b"<!doctype": ("a web page", "Download the file itself, not the page that shows it.", ()),
    b"<html": ("a web page", "Download the file itself, not the page that shows it.", ()),
    b"<?xml": ("an XML file", "Save the table as a .csv file.", ()),
    **dict.fromkeys(
        (b'{"', b"[{", b"[\n", b"[\r\n"), ("a JSON file", "Save the table as a .csv or .parquet file.", ())
    ),
    b"%pdf": ("a PDF file", "Save the table as a .csv file.", ()),
}
"""By the first bytes of a file, in lower case where they are letters of a text: what it is, a remedy, its endings."""


MOST_UNPACKED = 2_000_000_000
"""Bytes of a compressed file, unpacked in memory."""


class File(NamedTuple):
    """A file to read, unpacked in memory where it is compressed."""

    name: str
    """For messages."""
    suffix: str
    """The ending that says how to read it, in lower case: that of the file inside, where it is compressed"""
    path: Path
    content: bytes | None = None

    def open(self) -> BinaryIO:
        """Return the uncompressed bytes as a stream."""
        return self.path.open("rb") if self.content is None else io.BytesIO(self.content)


def open_file(source: str) -> File:
    """Return the file that `data.source` names. Raises InputError where it cannot be read or is of another kind."""
    path = Path(source)
    if source.startswith("~"):
        path = Path(os.path.expanduser(path))
    _check_readable(path)
    suffix = path.suffix.lower()
    if suffix not in COMPRESSED:
        file = File(str(path), suffix, path)
    else:
        inner, content = _unpack_zip(path) if suffix == ".zip" else (path.stem, _decompress(path, suffix))
        if not content:
            raise InputError(f"{path}: expected a table, got an empty file.")
        file = File(str(path), Path(inner).suffix.lower(), path, content)
    _check_magic(file)
    return file


def _check_readable(path: Path) -> None:
    """Raise InputError for a file that does not exist, cannot be opened, or is empty."""
    try:
        kind = path.stat().st_mode
        if not stat.S_ISREG(kind) and not stat.S_ISDIR(
            kind
        ):  # a named pipe would be waited for, and a device is endless
            raise InputError(f"{path}: expected a file, got {describe_kind(kind)}. Save the data in a file.")
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file. Check `data.source`: paths are relative to this folder.") from None
    except IsADirectoryError:
        raise InputError(f"{path}: expected a file, got a folder. Name one file in it.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}.") from None
    if empty:
        raise InputError(f"{path}: expected a table, got an empty file.")


def _decompress(path: Path, suffix: str) -> bytes:
    try:
        if suffix == ".zst":
            import pyarrow as pa

            with pa.input_stream(str(path), compression="zstd") as stream:
                return _read_bounded(path, stream)
        unpack: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open}
        with unpack.get(suffix, lzma.open)(path) as stream:
            return _read_bounded(path, stream)
    except DAMAGED as error:
        raise InputError(f"{path}: cannot be decompressed as {suffix}: {error}. It is damaged, or misnamed.") from None


def _read_bounded(path: Path, stream: Any) -> bytes:
    """Return what a compressed file holds. Raises InputError where it is more than memory is meant for."""
    content = bytes(stream.read(MOST_UNPACKED + 1))
    if len(content) > MOST_UNPACKED:
        raise InputError(
            f"{path}: unpacks to more than {MOST_UNPACKED:,} bytes. Unpack it yourself, and name the file."
        )
    return content


def _unpack_zip(path: Path) -> tuple[str, bytes]:
    """Return the name and the content of the one file in a zip archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
            if len(names) != 1:
                raise InputError(
                    f"{path}: expected a zip archive of one file, got {len(names)}: {quote_names(names) or 'none'}. "
                    "Unpack it and name one file."
                )
            with archive.open(names[0]) as stream:
                return names[0], _read_bounded(path, stream)
    except DAMAGED as error:
        raise InputError(
            f"{path}: cannot be unpacked: {error}. It is damaged, or encrypted: unpack it yourself."
        ) from None


def _check_magic(file: File) -> None:
    """Raise InputError for a file whose first bytes say that it is of another kind than its name."""
    with file.open() as stream:
        start = stream.read(512)
    if start.startswith(b"PK\x03\x04") and file.suffix not in (".npz", ".xlsx"):
        with file.open() as stream:
            workbook = b"xl/" in stream.read(1 << 20)
        kind, remedy = (
            ("an Excel workbook", "Name it with the ending `.xlsx`.")
            if workbook
            else ("a zip archive", "Name it with the ending `.zip`, or unpack it.")
        )
        raise InputError(f"{file.name}: this is {kind}. {remedy}")
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, (kind, remedy, endings) in MAGIC.items():
        # Only the text formats are compared in lower case and after blanks.
        if (start.startswith(magic) or text.startswith(magic)) and file.suffix not in endings:
            raise InputError(f"{file.name}: this is {kind}. {remedy}")
