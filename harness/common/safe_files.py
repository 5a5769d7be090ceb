"""Files that somebody else may have put there: read and written without following a link or waiting for a device."""

import os
import secrets
import stat
from io import BufferedReader
from pathlib import Path

from .errors import InputError

KINDS = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISREG, "a file"),
)


def describe_kind(mode: int) -> str:
    """Return what a path is, by the mode that `lstat` gives: a file, a link, a named pipe."""
    return next((words for test, words in KINDS if test(mode)), "something else")


def read_regular(path: Path, most_bytes: int, follow: bool = False) -> bytes:
    """Return the content of a regular file; see `open_regular`."""
    with open_regular(path, most_bytes, follow) as file:
        return file.read(most_bytes)


def open_regular(path: Path, most_bytes: int, follow: bool = False) -> BufferedReader:
    """Open a regular file to read it; `follow` lets the path itself be a link.

    Raises FileNotFoundError where there is none, OSError where it cannot be read, and InputError for anything but a
    file, and for a file of more bytes.
    """
    if not follow and path.is_symlink():
        raise InputError(f"{path}: expected a file, got a link. Replace it by the file itself.")
    # Without O_NONBLOCK a named pipe would be waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    file = os.fdopen(descriptor, "rb")
    status = os.fstat(descriptor)
    problem = ""
    if not stat.S_ISREG(status.st_mode):
        problem = f"expected a file, got {describe_kind(status.st_mode)}. Replace it by a file."
    elif status.st_size > most_bytes:
        problem = f"expected at most {most_bytes:,} bytes, got {status.st_size:,}."
    if problem:
        file.close()
        raise InputError(f"{path}: {problem}")
    return file


def write_replacing(path: Path, content: bytes | str) -> None:
    """Write a file that is there whole or not at all. A link of that name is replaced, not followed. Raises OSError."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    descriptor = os.open(partial, flags, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def make_real_folder(folder: Path) -> None:
    """Make a folder where there is none. Raises InputError where a link, or anything else, has its name."""
    folder.mkdir(exist_ok=True, parents=True) if not folder.is_symlink() else None
    kind = folder.lstat().st_mode
    if not stat.S_ISDIR(kind):
        raise InputError(f"{folder}: expected a folder, got {describe_kind(kind)}. Remove it.")
