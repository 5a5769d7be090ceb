"""The cache: a folder for data that can be made again, and JSON values kept in it."""

import contextlib
import json
import os
import threading
from pathlib import Path
from typing import Any

import platformdirs

from .errors import InputError
from .safe_files import read_regular

MOST_BYTES = 100_000_000
"""Of a kept value."""


def cache_folder() -> Path:
    """Return the folder of the cache: `$BAKEOFF_CACHE`, or the user's cache folder."""
    chosen = os.environ.get("BAKEOFF_CACHE")
    folder = Path(os.path.expanduser(chosen)).absolute() if chosen else platformdirs.user_cache_path("bakeoff")
    if not folder.is_absolute() or "~" in folder.parts:
        raise InputError("The cache has no place: this user has no home folder. Set BAKEOFF_CACHE to a folder.")
    return folder


def find(kind: str, key: str) -> Any:
    """Return the JSON value kept under `key`; None where there is none, or it cannot be read."""
    path = _file(kind, key)
    try:
        return json.loads(read_regular(path, MOST_BYTES, follow=True))
    except (OSError, ValueError, RecursionError, InputError):
        return None


def keep(kind: str, key: str, value: object) -> None:
    """Keep a JSON value under `key`. Other processes see the whole value or none."""
    path = _file(kind, key)
    temporary = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
    # Where the cache can only be read, or the disk is full, the value is made again the next time.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(value), encoding="utf-8")
        temporary.replace(path)


def _file(kind: str, key: str) -> Path:
    return cache_folder() / kind / f"{key}.json"
