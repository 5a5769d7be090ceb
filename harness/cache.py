"""Where what can be made again is kept."""

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """Return the folder for what can be made again: `$BAKEOFF_CACHE`, or the user's cache folder."""
    chosen = os.environ.get("BAKEOFF_CACHE")
    return Path(chosen).expanduser().absolute() if chosen else platformdirs.user_cache_path("bakeoff")
