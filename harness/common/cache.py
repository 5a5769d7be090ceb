"""What can be made again, and where it is kept."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import platformdirs


def cache_folder() -> Path:
    """Return the folder for what can be made again: `$BAKEOFF_CACHE`, or the user's cache folder."""
    chosen = os.environ.get("BAKEOFF_CACHE")
    return Path(chosen).expanduser().absolute() if chosen else platformdirs.user_cache_path("bakeoff")


def find(kind: str, key: str) -> Any:
    """Return the JSON value kept under `key`; None where nothing is kept, or nothing that can be read."""
    try:
        return json.loads(_file(kind, key).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def keep(kind: str, key: str, value: object) -> None:
    """Keep a JSON value under `key`, whole or not at all."""
    path = _file(kind, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
    aside.write_text(json.dumps(value), encoding="utf-8")
    aside.replace(path)


def _file(kind: str, key: str) -> Path:
    return cache_folder() / kind / f"{key}.json"
