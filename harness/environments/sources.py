"""Where pip gets packages from, by the user's own settings: a part of an environment's identity, and of its record."""

import configparser
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

OPTIONS = ("index-url", "extra-index-url", "find-links", "no-index", "trusted-host")
"""The settings that choose package indexes; proxies, certificates and caches change no package."""

SECTIONS = ("global", "install")
"""The sections of pip's settings files that hold for `pip install`."""


class Sources(TypedDict):
    """The record of the settings of package sources. It names no host: an address can contain a password."""

    names: list[str]
    """The settings, such as "PIP_INDEX_URL" or "pip.conf: global.index-url", sorted."""
    sha256: str
    """A hash of their names and values; "" where there are none."""


def read_sources(variables: Mapping[str, str]) -> Sources:
    """Return which settings of package sources are in `variables` and in pip's settings files, and a hash of them."""
    found = {name: variables[name] for name in map(_variable, OPTIONS) if variables.get(name)}
    for path in _settings_files(variables):
        for section, option, value in _read_settings(path):
            found[f"pip.conf: {section}.{option}"] = value
    lines = [f"{name}={value}" for name, value in sorted(found.items())]
    digest = hashlib.sha256("\0".join(lines).encode(errors="surrogateescape")).hexdigest() if lines else ""
    return {"names": sorted(found), "sha256": digest}


def _variable(option: str) -> str:
    return f"PIP_{option.replace('-', '_').upper()}"


def _settings_files(variables: Mapping[str, str]) -> list[Path]:
    """Return the settings files that pip reads, the later ones first in force last, the strongest last."""
    own = variables.get("PIP_CONFIG_FILE", "")
    if own == os.devnull:
        return []
    home = Path(os.path.expanduser("~"))
    settings = Path(variables.get("XDG_CONFIG_HOME") or home / ".config")
    common = [
        *(Path(folder) / "pip" for folder in variables.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")),
        Path("/etc"),
    ]
    library = Path("Library", "Application Support", "pip")
    folders = [Path("/") / library, *common, home / ".pip", home / library, settings / "pip"]
    return [*(folder / "pip.conf" for folder in folders), *([Path(own)] if own else [])]


def _read_settings(path: Path) -> list[tuple[str, str, str]]:
    """Return (section, option, value) of the settings of package sources in a file; pip reports one that is damaged."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error):
        return []
    return [
        (section, option, parser.get(section, option))
        for section in SECTIONS
        for option in OPTIONS
        if parser.has_option(section, option)
    ]
