"""What this user began on this machine: a signature with a key that never leaves it.

A run folder names programs, and `--resume` executes them. A folder from somebody else can name any; it cannot have the
signature.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import platformdirs

from .errors import InputError
from .safe_files import read_regular, write_replacing

KEY_BYTES = 32
SIGNATURE = ".origin"
"""The file in a run folder with the signature of its plan."""


def state_folder() -> Path:
    """Return the folder of the key: `$BAKEOFF_STATE`, or the user's folder for the state of programs."""
    chosen = os.environ.get("BAKEOFF_STATE")
    return Path(chosen).absolute() if chosen else platformdirs.user_state_path("bakeoff")


def sign_plan(folder: Path, plan: Path) -> None:
    """Sign the file of the plan of a run that begins here. Without a key there is no signature, and the run goes on."""
    try:
        key = _read_key() or _make_key()
        write_replacing(folder / SIGNATURE, _sign(key, plan) + "\n")
    except (OSError, ValueError, InputError):
        return


def began_here(folder: Path, plan: Path) -> bool:
    """Return whether this user began the run on this machine, and its plan is as it was."""
    try:
        key = _read_key()
        signature = read_regular(folder / SIGNATURE, 1000).decode("ascii").strip()
        return key is not None and hmac.compare_digest(signature, _sign(key, plan))
    except (OSError, ValueError, InputError):
        return False


def _sign(key: bytes, plan: Path) -> str:
    return hmac.new(key, read_regular(plan, 100_000_000), hashlib.sha256).hexdigest()


def _read_key() -> bytes | None:
    try:
        key = read_regular(state_folder() / "key", KEY_BYTES, follow=True)
    except FileNotFoundError:
        return None
    return key if len(key) == KEY_BYTES else None


def _make_key() -> bytes:
    folder = state_folder()
    folder.mkdir(parents=True, exist_ok=True)
    key = secrets.token_bytes(KEY_BYTES)
    try:
        descriptor = os.open(folder / "key", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:  # another run has made it meanwhile, or it is damaged
        return _read_key() or key
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
    return key
