"""A run as one file: `pack` writes it, `add` verifies it before it enters a folder of runs.

A packed run is a zip archive of the run's raw files and of `manifest.json`, which has the size and the SHA-256 of each.
Derived files and logs are left out. A file from somebody else is hostile until it is verified: its names, sizes and
hashes are examined before anything is written, and its records before they stand among the runs. The hashes show that
nothing was damaged on the way. They do not show who measured it.
"""

import gzip
import hashlib
import json
import math
import re
import stat
import tempfile
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, cast

from ..common.errors import InputError
from .files import CHECK_FILE, HEADER_FILE, OPTIONAL, REQUIRED, SELF_TEST_FILE, WITH_RECORDS
from .read import read_header, read_records
from .validate import DIVERGING, INVALID_ADVICE, NEVER_NEGATIVE
from .vocabulary import Vocabulary

FORMAT = 1
"""Of the manifest."""
SUFFIX = ".bakeoff.zip"
MANIFEST = "manifest.json"
MOST_BYTES = 1_000_000_000
"""Of all files of a packed run, uncompressed: 150 times the largest published run."""
MOST_SMALL_BYTES = 10_000_000
"""Of the manifest, and of run.json."""
MOST_RATIO = 500
"""Of the size of a file to its compressed size; records compress 20 times, and a bomb 1,000 times."""
CHUNK = 1 << 20
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,119}")
EARLIEST = 1_577_836_800.0
"""The start of 2020, before which nothing was measured."""
A_DAY_S = 86_400.0

Hashes = dict[str, dict[str, Any]]


def pack(folder: Path, file: Path | None, vocabulary: Vocabulary) -> Path:
    """Write the run in `folder` to one file, by default beside the working directory; return it.

    Raises InputError where the run is damaged, or the file exists or cannot be written.
    """
    read_header(folder)
    read_records(folder, vocabulary, finished_only=False)
    # A folder such as "." has its name only in full.
    name = folder.resolve().name
    target = file or Path(f"{name}{SUFFIX}")
    contents = {each: (folder / each).read_bytes() for each in (*REQUIRED, *OPTIONAL) if (folder / each).exists()}
    hashes = {each: _describe(content) for each, content in contents.items()}
    manifest = json.dumps({"format": FORMAT, "run": name, "files": hashes}, indent=2) + "\n"
    try:
        with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
            for each, content in {MANIFEST: manifest.encode(), **contents}.items():
                # A fixed date: the same run makes the same file.
                archive.writestr(zipfile.ZipInfo(each, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    except FileExistsError:
        raise InputError(f"{target}: exists already. Name another file with --output.") from None
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror}. Name another file with --output.") from None
    return target


def add(file: Path, parent: Path, vocabulary: Vocabulary) -> Path:
    """Verify a packed run and put it into `parent`; return its folder there.

    Raises InputError, with the reason, for a file that is no packed run, damaged, hostile or of another version; then
    nothing is left in `parent`.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = _require_members(file, archive)
            manifest = _read_manifest(file, archive, members)
            target: Path = parent / manifest["run"]
            if target.exists() or target.is_symlink():
                raise InputError(f"{target}: there is a run of this name already. Move it away, or use it.")
            parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".adding-", dir=parent) as temporary:
                folder = Path(temporary) / manifest["run"]
                folder.mkdir()
                for name, expected in manifest["files"].items():
                    _extract(file, archive, members[name], folder / name, expected)
                _require_sound(file, folder, vocabulary)
                folder.rename(target)
    except zipfile.BadZipFile as error:
        raise InputError(f"{file}: is no packed run, or damaged or cut off: {error}. Ask for it again.") from None
    except (OSError, NotImplementedError, zlib.error, EOFError, RuntimeError) as error:
        raise InputError(f"{file}: cannot be read: {error}") from None
    return target


def _describe(content: bytes) -> dict[str, Any]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _require_members(file: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the members by name. Raises InputError for a name, a kind or a size that a packed run does not have."""
    members: dict[str, zipfile.ZipInfo] = {}
    for each in archive.infolist():
        if each.filename not in (MANIFEST, *REQUIRED, *OPTIONAL):
            raise InputError(
                f"{file}: contains {each.filename!r:.120}. A packed run has only {', '.join((MANIFEST, *REQUIRED))} "
                f"and perhaps {', '.join(OPTIONAL)}. Nothing was added."
            )
        if each.filename in members:
            raise InputError(f"{file}: contains {each.filename} twice. Nothing was added.")
        mode = each.external_attr >> 16
        if mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode):
            raise InputError(f"{file}: {each.filename} is a link or a special file. Nothing was added.")
        if each.flag_bits & 1:
            raise InputError(f"{file}: {each.filename} is encrypted. Nothing was added.")
        limit = MOST_SMALL_BYTES if each.filename in (MANIFEST, HEADER_FILE) else MOST_BYTES
        if each.file_size > limit or each.file_size > MOST_RATIO * max(each.compress_size, 1):
            raise InputError(
                f"{file}: {each.filename} unpacks from {each.compress_size:,} to {each.file_size:,} bytes; at most "
                f"{limit:,} bytes and {MOST_RATIO} times are accepted. Nothing was added."
            )
        members[each.filename] = each
    missing = [name for name in (MANIFEST, *REQUIRED) if name not in members]
    if missing:
        raise InputError(f"{file}: is no packed run: {', '.join(missing)} is missing. `bakeoff pack RUN` makes one.")
    total = sum(each.file_size for each in members.values())
    if total > MOST_BYTES:
        raise InputError(f"{file}: unpacks to {total:,} bytes; at most {MOST_BYTES:,} are accepted. Nothing was added.")
    return members


def _read_manifest(file: Path, archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo]) -> dict[str, Any]:
    """Return the manifest. Raises InputError where it is of another version or not of these members."""
    with archive.open(members[MANIFEST]) as stream:
        found = _parse(f"{file}: {MANIFEST}", b"".join(_read_chunks(file, stream, members[MANIFEST].file_size)))
    version = found.get("format") if isinstance(found, dict) else None
    if version != FORMAT:
        raise InputError(f"{file}: expected a packed run of version {FORMAT}, got {version!r:.40}. Update Bakeoff.")
    name, files = found.get("run"), found.get("files")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InputError(f"{file}: {name!r:.120} is no name of a run folder. Nothing was added.")
    if not isinstance(files, dict) or set(files) != set(members) - {MANIFEST}:
        raise InputError(f"{file}: its manifest does not list its files. Nothing was added.")
    return {"run": name, "files": files}


def _extract(file: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, expected: object) -> None:
    """Write a member to `target`, as long as it is the one that the manifest describes."""
    digest, size = hashlib.sha256(), 0
    with archive.open(member) as stream, target.open("xb") as written:
        for chunk in _read_chunks(file, stream, member.file_size):
            digest.update(chunk)
            size += len(chunk)
            written.write(chunk)
    if expected != {"bytes": size, "sha256": digest.hexdigest()}:
        raise InputError(
            f"{file}: {member.filename} is not the file that was packed: its hash differs. Ask for it again."
        )


def _read_chunks(file: Path, stream: IO[bytes], most: int) -> Iterator[bytes]:
    """Yield what a stream holds. Raises InputError where it holds more than it declares: no size is trusted."""
    size = 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > most:
            raise InputError(f"{file}: unpacks to more than the {most:,} bytes that it declares. Nothing was added.")
        yield chunk


def _require_sound(file: Path, folder: Path, vocabulary: Vocabulary) -> None:
    """Raise InputError where an unpacked run is not one that Bakeoff could have written."""
    header = _parse(f"{file}: {HEADER_FILE}", (folder / HEADER_FILE).read_bytes())
    unprintable = _find_control_character(header)
    if unprintable is not None:
        raise InputError(
            f"{file}: {HEADER_FILE}: a text with a control character: {unprintable!r:.60}. Nothing was added."
        )
    try:
        read_header(folder)
        for name in WITH_RECORDS:
            if (folder / name).exists():
                _require_bounds(file, folder / name)
                read_records(folder, vocabulary, finished_only=False, file=name)
    except InputError as error:
        # The path of the temporary folder would lead nowhere.
        message = str(error).replace(str(folder), str(file))
        raise InputError(message.replace(INVALID_ADVICE, "Ask for the file again. Nothing was added.")) from None
    if (folder / SELF_TEST_FILE).exists():
        _parse(f"{file}: {SELF_TEST_FILE}", (folder / SELF_TEST_FILE).read_bytes(), finite=False)
    if (folder / CHECK_FILE).exists():
        with (folder / CHECK_FILE).open("rb") as packed, cast(IO[bytes], gzip.GzipFile(fileobj=packed)) as stream:
            try:
                for _ in _read_chunks(file, stream, MOST_BYTES):
                    pass
            except (OSError, EOFError, zlib.error) as error:
                raise InputError(f"{file}: {CHECK_FILE}: cannot be read: {error}. Nothing was added.") from None


def _require_bounds(file: Path, path: Path) -> None:
    """Raise InputError for a line that is not finite, of a time that cannot be, or negative where that cannot be."""
    latest = time.time() + A_DAY_S
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            where = f"{file}: {path.name}: line {number}"
            if not line.endswith(b"\n"):
                raise InputError(f"{where}: is cut off. Ask for the file again.")
            record = _parse(where, line, finite=False)
            if isinstance(record, dict) and record.get("measure") not in DIVERGING:
                _parse(where, line)
            if not isinstance(record, dict):
                continue  # read_records names it
            moment, value = record.get("time"), record.get("value")
            if isinstance(moment, int | float) and not EARLIEST <= moment <= latest:
                raise InputError(f"{where}: the time {moment!r} is before 2020 or in the future. Nothing was added.")
            number_of = value if isinstance(value, int | float) else 0
            if number_of < 0 and record.get("unit") in NEVER_NEGATIVE:
                raise InputError(f"{where}: {value!r} {record['unit']} is negative. Nothing was added.")


def _parse(where: str, content: bytes, finite: bool = True) -> Any:
    """Return JSON. Raises InputError where it is none, nested beyond reason, or has a number that is not finite."""
    if not finite:
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}: cannot be read: {error}. Nothing was added.") from None

    def reject(constant: str) -> float:
        raise ValueError(f"the number {constant} is not finite")

    def convert(text: str) -> float:
        value = float(text)
        return value if math.isfinite(value) else reject(text)

    try:
        return json.loads(content, parse_constant=reject, parse_float=convert)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: cannot be read: {error}. Nothing was added.") from None


def _find_control_character(value: Any) -> str | None:
    """Return the first text with a control character, which could command a terminal; None where there is none."""
    if isinstance(value, str):
        return value if any(unicodedata.category(each) == "Cc" and each not in "\n\t" for each in value) else None
    parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return next((found for part in parts if (found := _find_control_character(part)) is not None), None)
