"""A packed run comes back byte for byte; whatever else is in a file is rejected with the reason, and adds nothing."""

import gzip
import hashlib
import io
import json
import stat
import zipfile
import zlib

import pytest
from bakeoff.common.errors import InputError
from bakeoff.measures import VOCABULARY
from bakeoff.records import package
from bakeoff.records.files import OPTIONAL, REQUIRED
from bakeoff.records.package import MANIFEST, add, pack

from tests.paths import REFERENCE_RUN, SAVED_RUN


@pytest.fixture
def packed(tmp_path):
    return pack(SAVED_RUN, tmp_path / "run.bakeoff.zip", VOCABULARY)


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"


def read_members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repack(path, members, manifest=None, **fields):
    """Write the archive anew, with a manifest that fits the members, but for `fields` of it."""
    files = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in members.items()
        if name != MANIFEST
    }
    found = {"format": 1, "run": "foreign", "files": files, **fields}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, json.dumps(found) if manifest is None else manifest)
        for name, content in members.items():
            if name != MANIFEST:
                archive.writestr(name, content)
    return path


def rejected(path, results, pattern):
    with pytest.raises(InputError, match=pattern) as error:
        add(path, results, VOCABULARY)
    assert ".adding-" not in str(error.value)
    assert not results.exists() or not list(results.iterdir())


@pytest.mark.parametrize("run", [SAVED_RUN, REFERENCE_RUN])
def test_a_run_comes_back_as_it_was(run, tmp_path, results):
    folder = add(pack(run, tmp_path / "x.zip", VOCABULARY), results, VOCABULARY)
    assert folder == results / run.name
    names = {path.name for path in folder.iterdir()}
    assert {"run.json", "records.jsonl"} <= names <= {*REQUIRED, *OPTIONAL}
    for name in names:
        assert (folder / name).read_bytes() == (run / name).read_bytes()


def test_the_same_run_makes_the_same_file(packed, tmp_path):
    assert pack(SAVED_RUN, tmp_path / "again.zip", VOCABULARY).read_bytes() == packed.read_bytes()


def test_a_file_is_not_overwritten(packed):
    with pytest.raises(InputError, match="exists already"):
        pack(SAVED_RUN, packed, VOCABULARY)


def test_a_run_is_not_added_twice(packed, results):
    add(packed, results, VOCABULARY)
    with pytest.raises(InputError, match="a run of this name already"):
        add(packed, results, VOCABULARY)


def test_what_is_no_archive_is_rejected(tmp_path, results):
    path = tmp_path / "text"
    path.write_text("no archive")
    rejected(path, results, "no packed run, or damaged or cut off")
    rejected(tmp_path / "missing", results, "cannot be read")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_rejected(packed, results, share):
    content = packed.read_bytes()
    packed.write_bytes(content[: int(len(content) * share)])
    rejected(packed, results, "damaged or cut off")


def test_a_damaged_byte_is_rejected(packed, results):
    content = bytearray(packed.read_bytes())
    for place in range(len(content) // 4, len(content) // 4 + 40):
        content[place] ^= 0xFF
    packed.write_bytes(content)
    rejected(packed, results, "damaged|cannot be read|hash differs")


def test_a_changed_record_is_rejected_by_its_hash(packed, results):
    members = read_members(packed)
    manifest = members[MANIFEST]
    members["records.jsonl"] = members["records.jsonl"].replace(b'"value":', b'"value": ', 1)
    rejected(repack(packed, members, manifest), results, "records.jsonl is not the file that was packed")


@pytest.mark.parametrize(
    "name", ["../../escape.txt", "/etc/escape", "..\\escape", "sub/run.json", "logs/a.log", "C:escape", "tables/a.csv"]
)
def test_a_path_that_leads_elsewhere_is_rejected(packed, results, tmp_path, name):
    rejected(repack(packed, {**read_members(packed), name: b"x"}), results, "contains '(.*escape|sub|logs|ta)")
    assert not list(tmp_path.parent.rglob("escape*"))


@pytest.mark.parametrize("name", ["../up", "/abs", "", ".", "..", "a/b", "a\\b", "x" * 200, 7, ".hidden", "-rf"])
def test_a_run_whose_name_is_a_path_is_rejected(packed, results, name):
    rejected(repack(packed, read_members(packed), run=name), results, "is no name of a run folder")


def test_a_link_is_rejected(packed, results):
    members = read_members(packed)
    repack(packed, {name: content for name, content in members.items() if name != "records.jsonl"})
    with zipfile.ZipFile(packed, "a") as archive:
        link = zipfile.ZipInfo("records.jsonl")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    rejected(packed, results, "is a link or a special file")


def test_a_bomb_is_rejected_by_its_declared_size(packed, results):
    members = {**read_members(packed), "records.jsonl": b"\n" * 20_000_000}
    rejected(repack(packed, members), results, "records.jsonl unpacks from .* to 20,000,000 bytes")


def test_a_bomb_that_declares_a_small_size_is_rejected(packed, results):
    """The size in the directory is what the sender wrote there: the content is counted as it is read."""
    members = {**read_members(packed), "selftest.json": b" " * 400_000}
    repack(packed, members)
    content = packed.read_bytes()
    true, false = (400_000).to_bytes(4, "little"), (100).to_bytes(4, "little")
    assert content.count(true) == 2
    packed.write_bytes(content.replace(true, false))
    rejected(packed, results, "declares|damaged|unpacks|differs")


def test_a_bomb_inside_a_compressed_table_is_rejected(packed, results, monkeypatch):
    monkeypatch.setattr(package, "MOST_BYTES", 3_000_000)
    members = {**read_members(packed), "check.csv.gz": gzip.compress(b"0" * 4_000_000)}
    monkeypatch.setattr(package, "MOST_RATIO", 10**9)
    rejected(repack(packed, members), results, "more than the 3,000,000 bytes")


def test_a_total_beyond_the_limit_is_rejected(packed, results, monkeypatch):
    size = max(map(len, read_members(packed).values()))
    monkeypatch.setattr(package, "MOST_BYTES", size)
    rejected(packed, results, "at most .* are accepted")


def test_an_encrypted_member_is_rejected(packed, results):
    content = bytearray(packed.read_bytes())
    place = content.find(b"PK\x01\x02")
    content[place + 8] |= 1
    packed.write_bytes(content)
    rejected(packed, results, "is encrypted")


@pytest.mark.parametrize(
    ("manifest", "pattern"),
    [
        ("[]", "expected a packed run of version 1, got None"),
        ('{"format": 2}', "expected a packed run of version 1, got 2. Update Bakeoff"),
        ("not json", "manifest.json: cannot be read"),
        ("[" * 100_000, "manifest.json"),
        ('{"format": 1, "run": "a", "files": {}}', "does not list its files"),
        ('{"format": 1, "run": "a", "files": NaN}', "not finite"),
    ],
)
def test_a_wrong_manifest_is_rejected(packed, results, manifest, pattern):
    rejected(repack(packed, read_members(packed), manifest), results, pattern)


def test_a_missing_member_is_rejected(packed, results):
    members = read_members(packed)
    del members["run.json"]
    rejected(repack(packed, members), results, "run.json is missing")


def change_header(members, **fields):
    header = {**json.loads(members["run.json"]), **fields}
    return {**members, "run.json": json.dumps(header).encode()}


@pytest.mark.parametrize(
    ("fields", "pattern"),
    [
        ({"format": 99}, "run.json: expected format 2, got 99"),
        ({"more": 1}, "run.json: more: "),
        ({"commit": "\x1b[2J"}, "control character"),
        ({"created": float("nan")}, "not finite"),
        ({"plan": 7}, "run.json: plan"),
    ],
)
def test_a_wrong_header_is_rejected(packed, results, fields, pattern):
    rejected(repack(packed, change_header(read_members(packed), **fields)), results, pattern)


def change_record(members, measure, **fields):
    lines = members["records.jsonl"].splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if json.loads(line)["measure"] == measure)
    lines[place] = json.dumps({**json.loads(lines[place]), **fields}).encode() + b"\n"
    return {**members, "records.jsonl": b"".join(lines)}


@pytest.mark.parametrize(
    ("fields", "pattern"),
    [
        ({"value": float("nan")}, r"line \d+: cannot be read: the number NaN is not finite"),
        ({"value": float("inf")}, "not finite"),
        ({"value": -1.0}, "is negative"),
        ({"time": 0.0}, "before 2020 or in the future"),
        ({"time": 1e12}, "before 2020 or in the future"),
        ({"figure": "slyce"}, "expected a figure of speed"),
        ({"unit": "h"}, "expected the unit"),
        ({"value": "fast"}, "expected a number"),
        ({"surplus": 1}, "expected no key but"),
    ],
)
def test_a_record_out_of_bounds_is_rejected(packed, results, fields, pattern):
    rejected(repack(packed, change_record(read_members(packed), "speed", **fields)), results, pattern)


def test_a_number_beyond_float64_is_rejected(packed, results):
    members = read_members(packed)
    line = members["records.jsonl"].splitlines(keepends=True)[-1]
    head, _, tail = line.partition(b'"value":')
    large = head + b'"value":1e999,' + tail.partition(b",")[2]
    rejected(repack(packed, {**members, "records.jsonl": members["records.jsonl"] + large}), results, "1e999|expected")


def test_a_diverged_training_is_a_result(packed, results):
    members = change_record(read_members(packed), "training", value=float("nan"))
    assert add(repack(packed, members), results, VOCABULARY).name == "foreign"


def test_a_last_line_without_its_end_is_rejected(packed, results):
    members = read_members(packed)
    rejected(repack(packed, {**members, "records.jsonl": members["records.jsonl"][:-1]}), results, "is cut off")


def test_damaged_compression_of_a_table_is_rejected(packed, results):
    rejected(
        repack(packed, {**read_members(packed), "check.csv.gz": b"no gzip"}), results, "check.csv.gz: cannot be read"
    )


def test_a_rejected_file_is_not_said_to_be_taken_in_another_way(packed, results):
    """`bakeoff add` has no --lenient: what is wrong does not enter the results."""
    with pytest.raises(InputError) as rejection:
        add(repack(packed, change_record(read_members(packed), "speed", value="fast")), results, VOCABULARY)
    assert "--lenient" not in str(rejection.value)
    assert str(rejection.value).endswith("Ask for the file again. Nothing was added.")


def test_a_failure_leaves_nothing_behind(packed, results, monkeypatch):
    def fail(*_):
        raise zlib.error("broken")

    monkeypatch.setattr(package, "_extract", fail)
    rejected(packed, results, "broken")


def test_the_archive_has_no_logs_and_no_tables(packed):
    assert set(read_members(packed)) == {MANIFEST, "run.json", "records.jsonl"}
    assert io.BytesIO(packed.read_bytes()).read(2) == b"PK"
